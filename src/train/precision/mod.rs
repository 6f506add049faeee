//! How well boxes are found: average precision in the three definitions that are in use.
//!
//! Of each class, the found boxes of all pictures come in the order of their scores. Behind each of them stands a recall, the share of the boxes that are there which have been found so far, and a precision, the share of the found ones that are right.
//!
//! | | a found box is right if | average precision |
//! |---|---|---|
//! | PASCAL VOC 2007 | the box of its class that it overlaps most, by half at least, is not yet found | mean, over the recalls 0, .1, …, 1, of the best precision at that recall or beyond |
//! | PASCAL VOC from 2010 on | the same | area under the precision over the recall, where the precision at a recall is the best at that recall or beyond |
//! | COCO | of the boxes of its class that are not yet found, it overlaps one enough: it takes the one that it overlaps most | mean, over the recalls 0, .01, …, 1, of the best precision at that recall or beyond; the mean of that over the overlaps .5, .55, …, .95 |
//!
//! M. Everingham et al., "The PASCAL visual object classes challenge: a retrospective", 2015; T.-Y. Lin et al., "Microsoft COCO", 2014, as pycocotools computes it: of each class the 100 surest boxes of a picture count, and numbers are compared as numpy makes them.
//! Overlaps are intersections over unions.

mod matching;

use cnnc_compiler::loss::BOX;
use cnnc_runtime::answer::{BBox, Detection};
use matching::{OVERLAPS, Right, matched};

/// PASCAL VOC's least overlap of a box that is right.
pub const OVERLAP: f32 = 0.5;

/// A definition of average precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Definition {
    /// PASCAL VOC 2007: eleven recalls, an overlap of one half.
    Voc2007,
    /// PASCAL VOC from 2010 on: the area, an overlap of one half.
    Voc2010,
    /// COCO: the mean over the overlaps .5, .55, …, .95.
    Coco,
    /// COCO's at an overlap of .5.
    Coco50,
    /// COCO's at an overlap of .75.
    Coco75,
}

impl Definition {
    /// All of them.
    pub const ALL: [Definition; 5] = [
        Definition::Voc2007,
        Definition::Voc2010,
        Definition::Coco,
        Definition::Coco50,
        Definition::Coco75,
    ];

    /// As it is called in files.
    pub fn name(self) -> &'static str {
        match self {
            Definition::Voc2007 => "voc2007",
            Definition::Voc2010 => "voc2010",
            Definition::Coco => "coco",
            Definition::Coco50 => "coco50",
            Definition::Coco75 => "coco75",
        }
    }
}

/// Found boxes so far, of all classes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Precision {
    classes: Vec<OfClass>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct OfClass {
    /// Boxes that are there.
    there: usize,
    /// The score of each that was found, and by which definitions it is right. Those of a picture lie together, the surest first.
    found: Vec<(f32, Right)>,
}

impl Precision {
    /// Of so many classes, or more if there are.
    pub fn new(classes: usize) -> Precision {
        Precision {
            classes: vec![OfClass::default(); classes],
        }
    }

    /// Adds a picture: what was found in it, and rows of what is there, of a class, centre and size in the same unit.
    pub fn add(&mut self, found: &[Detection], rows: &[f32]) {
        let rows = rows.chunks(BOX).filter(|row| row[0] >= 0.0);
        let there = rows.map(|row| {
            let bbox = BBox::around(row[1], row[2], row[3], row[4]);
            (row[0] as usize, bbox)
        });
        let there: Vec<(usize, BBox)> = there.collect();
        let classes = there.iter().map(|(class, _)| *class);
        let classes = classes.chain(found.iter().map(|one| one.class));
        let mut classes: Vec<usize> = classes.collect();
        classes.sort_unstable();
        classes.dedup();
        if let Some(&most) = classes.last()
            && self.classes.len() <= most
        {
            self.classes.resize(most + 1, OfClass::default());
        }
        for class in classes {
            let own = there.iter().filter(|(of, _)| *of == class);
            let own: Vec<BBox> = own.map(|(_, bbox)| *bbox).collect();
            let found = found.iter().filter(|one| one.class == class);
            let mut found: Vec<&Detection> = found.collect();
            // Stable, so that of equal ones the first comes first.
            found.sort_by(|a, b| b.score.total_cmp(&a.score));
            let boxes: Vec<BBox> = found.iter().map(|one| one.bbox).collect();
            let of = &mut self.classes[class];
            of.there += own.len();
            let scores = found.iter().map(|one| one.score);
            of.found.extend(scores.zip(matched(&boxes, &own)));
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes.len()
    }

    /// Boxes of a class that are there.
    pub fn there(&self, class: usize) -> usize {
        self.classes[class].there
    }

    /// Boxes of a class that were found, right or wrong.
    pub fn found(&self, class: usize) -> usize {
        self.classes[class].found.len()
    }

    /// How many of these are right, as PASCAL VOC has it at an overlap of one half.
    pub fn right(&self, class: usize) -> usize {
        let found = self.classes[class].found.iter();
        found.filter(|(_, right)| right.voc).count()
    }

    /// The average precision of a class; of one that is nowhere there is none.
    pub fn average(&self, class: usize, by: Definition) -> Option<f64> {
        self.classes[class].average(by)
    }

    /// That of each class as PASCAL VOC has it from 2010 on.
    pub fn averages(&self) -> Vec<Option<f64>> {
        let classes = 0..self.classes.len();
        classes
            .map(|class| self.average(class, Definition::Voc2010))
            .collect()
    }

    /// Their mean.
    pub fn mean(&self) -> f64 {
        self.mean_by(Definition::Voc2010)
    }

    /// The mean over the classes that there are.
    pub fn mean_by(&self, by: Definition) -> f64 {
        let averages = self.classes.iter().filter_map(|of| of.average(by));
        let averages: Vec<f64> = averages.collect();
        averages.iter().fold(0.0, |sum, of| sum + of) / averages.len().max(1) as f64
    }

    /// Recall and precision behind each found box of a class, the surest first, as PASCAL VOC has them at an overlap of one half; none of a class that is nowhere.
    pub fn curve(&self, class: usize) -> Vec<(f64, f64)> {
        let of = &self.classes[class];
        let points = of.points(|right| Some(right.voc)).into_iter();
        match of.there {
            0 => Vec::new(),
            there => points
                .map(|(right, precision)| (right as f64 / there as f64, precision))
                .collect(),
        }
    }
}

impl OfClass {
    fn average(&self, by: Definition) -> Option<f64> {
        if self.there == 0 {
            return None;
        }
        let coco = |overlap: usize| self.sampled(overlap);
        Some(match by {
            Definition::Voc2007 => {
                let points = envelope(self.points(|right| Some(right.voc)));
                // The recall of a point is at least `tenth` tenths.
                let best = |tenth: usize| {
                    let mut points = points.iter();
                    points.find(|(right, _)| 10 * right >= tenth * self.there)
                };
                let tenths = (0..=10).map(|tenth| best(tenth).map_or(0.0, |(_, best)| *best));
                tenths.sum::<f64>() / 11.0
            }
            Definition::Voc2010 => {
                let points = envelope(self.points(|right| Some(right.voc)));
                let mut before = 0;
                let strips = points.iter().map(|&(right, best)| {
                    let wide = right - std::mem::replace(&mut before, right);
                    wide as f64 * best
                });
                // `sum` of nothing is -0.
                strips.fold(0.0, |sum: f64, strip| sum + strip) / self.there as f64
            }
            Definition::Coco => (0..OVERLAPS).map(coco).sum::<f64>() / OVERLAPS as f64,
            Definition::Coco50 => coco(0),
            Definition::Coco75 => coco(5),
        })
    }

    /// COCO's average precision at the overlap of that number. Recalls are compared as numpy makes them, `i · 0.01`, so that a recall of .57 is below its 57th.
    fn sampled(&self, overlap: usize) -> f64 {
        const SAMPLES: usize = 101;
        let points = envelope(self.points(|right| right.coco(overlap)));
        let best = |sample: usize| {
            let least = sample as f64 * 0.01;
            let mut points = points.iter();
            let point = points.find(|(right, _)| *right as f64 / self.there as f64 >= least);
            point.map_or(0.0, |(_, best)| *best)
        };
        (0..SAMPLES).map(best).sum::<f64>() / SAMPLES as f64
    }

    /// How many are right so far, and the precision, behind each found box that counts.
    fn points(&self, counts: impl Fn(&Right) -> Option<bool>) -> Vec<(usize, f64)> {
        let mut found = self.found.clone();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let counted = found.iter().filter_map(|(_, right)| counts(right));
        let mut right = 0;
        let points = counted.enumerate().map(|(index, is_right)| {
            right += usize::from(is_right);
            (right, right as f64 / (index + 1) as f64)
        });
        points.collect()
    }
}

/// With the best precision at each point or beyond.
fn envelope(mut points: Vec<(usize, f64)>) -> Vec<(usize, f64)> {
    let mut best = 0.0;
    for (_, precision) in points.iter_mut().rev() {
        best = f64::max(best, *precision);
        *precision = best;
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(class: usize, score: f32, x: f32) -> Detection {
        Detection {
            bbox: BBox::around(x, 0.5, 0.2, 0.2),
            class,
            score,
        }
    }

    /// Three boxes of a class; in the order of scores right, wrong, right, twice, so that precisions are 1, ½, ⅔, ½ at the recalls ⅓, ⅓, ⅔, ⅔.
    #[test]
    fn precision_is_the_area_under_its_envelope() {
        let mut precision = Precision::new(3);
        let rows = [
            0.0, 0.2, 0.5, 0.2, 0.2, 0.0, 0.8, 0.5, 0.2, 0.2, -1.0, -1.0, -1.0, -1.0, -1.0,
        ];
        let first = [
            found(0, 0.9, 0.2),
            found(0, 0.8, 0.5),
            found(0, 0.6, 0.21),
            found(0, 0.7, 0.85),
        ];
        precision.add(&first, &rows);
        precision.add(
            &[found(2, 0.5, 0.5)],
            &[0.0, 0.5, 0.5, 0.2, 0.2, 2.0, 0.5, 0.5, 0.2, 0.2],
        );
        assert_eq!(precision.there(0), 3);
        let averages = precision.averages();
        let want = 1.0 / 3.0 + 2.0 / 3.0 / 3.0;
        assert!((averages[0].expect("it is there") - want).abs() < 1e-12);
        assert_eq!(averages[1..], [None, Some(1.0)]);
        assert!((precision.mean() - (want + 1.0) / 2.0).abs() < 1e-12);
    }

    /// A box that overlaps by less than a half, or is of another class, is none.
    #[test]
    fn boxes_of_others_are_wrong() {
        let mut precision = Precision::new(2);
        precision.add(
            &[found(0, 0.9, 0.3), found(1, 0.8, 0.2)],
            &[0.0, 0.2, 0.5, 0.2, 0.2],
        );
        assert_eq!(precision.averages(), [Some(0.0), None]);
    }

    /// Where nothing is found, or nothing is there, it is 0, not what is printed as -0.0.
    #[test]
    fn nothing_is_a_plain_zero() {
        let mut precision = Precision::new(1);
        assert!(precision.mean().is_sign_positive());
        precision.add(&[], &[0.0, 0.2, 0.5, 0.2, 0.2]);
        let averages = precision.averages();
        assert!(averages[0].is_some_and(|of| of == 0.0 && of.is_sign_positive()));
        assert!(precision.mean().is_sign_positive());
    }

    /// Worked out by hand: nine boxes, of which the first, third and sixth of seven found ones are right.
    #[test]
    fn definitions_differ_in_their_recalls() {
        let mut precision = Precision::new(1);
        let at = |place: usize| 0.05 + 0.1 * place as f32;
        let rows: Vec<f32> = (0..9)
            .flat_map(|at_| [0.0, at(at_), 0.5, 0.02, 0.2])
            .collect();
        let narrow = |place: usize, y: f32, score: f32| Detection {
            bbox: BBox::around(at(place), y, 0.02, 0.2),
            class: 0,
            score,
        };
        let places = [
            (0, 0.5),
            (0, 0.1),
            (1, 0.5),
            (1, 0.1),
            (2, 0.1),
            (2, 0.5),
            (3, 0.1),
        ];
        let found = places.iter().enumerate();
        let found = found.map(|(rank, &(place, y))| narrow(place, y, 0.9 - 0.1 * rank as f32));
        precision.add(&found.collect::<Vec<_>>(), &rows);
        // Precisions 1, 2/3, 1/2 at the recalls 1/9, 2/9, 3/9.
        let of = |by| precision.average(0, by).expect("it is there");
        let close = |by, want: f64| assert!((of(by) - want).abs() < 1e-12, "{by:?} {}", of(by));
        close(Definition::Voc2010, (1.0 + 2.0 / 3.0 + 0.5) / 9.0);
        // Recalls 0 and .1; .2; .3.
        close(Definition::Voc2007, (2.0 + 2.0 / 3.0 + 0.5) / 11.0);
        // Recalls to .11; to .22; to .33.
        close(
            Definition::Coco50,
            (12.0 + 11.0 * 2.0 / 3.0 + 11.0 * 0.5) / 101.0,
        );
        // All found boxes are exact, so that every overlap has the same.
        close(Definition::Coco, of(Definition::Coco50));
        assert_eq!(precision.curve(0)[2], (2.0 / 9.0, 2.0 / 3.0));
    }

    /// Two found boxes for two that are there: the second overlaps the first's box more, which PASCAL holds against it, and COCO does not.
    #[test]
    fn coco_gives_a_box_the_next_one() {
        let mut precision = Precision::new(1);
        let bbox = |left: f32, score| Detection {
            bbox: BBox::new(left, 0.0, left + 1.0, 1.0),
            class: 0,
            score,
        };
        let rows = [0.0, 0.5, 0.5, 1.0, 1.0, 0.0, 0.8, 0.5, 1.0, 1.0];
        precision.add(&[bbox(0.0, 0.9), bbox(0.1, 0.8)], &rows);
        assert_eq!(precision.average(0, Definition::Voc2010), Some(0.5));
        assert_eq!(precision.average(0, Definition::Coco50), Some(1.0));
        // Of 1.1 by .8 shared: 2/3, so that at .75 one of both is right.
        assert_eq!(precision.average(0, Definition::Coco75), Some(51.0 / 101.0));
    }
}
