//! How well boxes are found: average precision, as PASCAL VOC has it from 2010 on.
//!
//! M. Everingham et al., "The PASCAL visual object classes challenge: a retrospective", 2015. Of each class, found boxes come in the order of their scores. One is right if the box of its class that it overlaps most is overlapped by
//! an intersection over union of at least one half, and no better one has taken that box. The average precision is the area under the precision over the recall, where the precision at a recall is the best at that recall or beyond.

use cnnc_compiler::loss::BOX;
use cnnc_runtime::answer::{BBox, Detection};

/// Least intersection over union of a found box and the one that it is.
pub const OVERLAP: f32 = 0.5;

/// Found boxes so far, of all classes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Precision {
    classes: Vec<OfClass>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct OfClass {
    /// Boxes that are there.
    there: usize,
    /// The score of each that was found, and whether it is right.
    found: Vec<(f32, bool)>,
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
        let of_rows = rows.chunks(BOX).map(|row| row[0] as i64);
        let most = found
            .iter()
            .map(|one| one.class as i64)
            .chain(of_rows)
            .max();
        let most = usize::try_from(most.unwrap_or(-1) + 1).unwrap_or(0);
        if self.classes.len() < most {
            self.classes.resize(most, OfClass::default());
        }
        let rows = rows.chunks(BOX).filter(|row| row[0] != -1.0);
        let there: Vec<(usize, BBox)> = rows
            .map(|row| {
                (
                    row[0] as usize,
                    BBox::around(row[1], row[2], row[3], row[4]),
                )
            })
            .collect();
        for (class, _) in &there {
            self.classes[*class].there += 1;
        }
        let mut found: Vec<&Detection> = found.iter().collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut taken = vec![false; there.len()];
        for one in found {
            let own = there
                .iter()
                .enumerate()
                .filter(|(_, (class, _))| *class == one.class);
            let overlaps = own.map(|(index, (_, bbox))| (index, one.bbox.iou(bbox)));
            // Of equal ones the first.
            let most = overlaps.reduce(|most, next| if next.1 > most.1 { next } else { most });
            let right = most.is_some_and(|(index, overlap)| {
                overlap >= OVERLAP && !std::mem::replace(&mut taken[index], true)
            });
            self.classes[one.class].found.push((one.score, right));
        }
    }

    /// Boxes of a class that are there.
    pub fn there(&self, class: usize) -> usize {
        self.classes[class].there
    }

    /// The average precision of each class; of one that is nowhere there is none.
    pub fn averages(&self) -> Vec<Option<f64>> {
        self.classes.iter().map(OfClass::average).collect()
    }

    /// Their mean.
    pub fn mean(&self) -> f64 {
        let averages: Vec<f64> = self.averages().into_iter().flatten().collect();
        averages.iter().sum::<f64>() / averages.len().max(1) as f64
    }
}

impl OfClass {
    fn average(&self) -> Option<f64> {
        if self.there == 0 {
            return None;
        }
        let mut found = self.found.clone();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut right = 0;
        let points = found.iter().enumerate().map(|(index, &(_, is_right))| {
            right += usize::from(is_right);
            (right, right as f64 / (index + 1) as f64)
        });
        let points: Vec<(usize, f64)> = points.collect();
        let (mut area, mut best, mut above) = (0.0, 0.0, None);
        for &(recall, precision) in points.iter().rev() {
            if let Some(above) = above {
                area += (above - recall) as f64 * best;
            }
            best = f64::max(best, precision);
            above = Some(recall);
        }
        area += above.unwrap_or(0) as f64 * best;
        Some(area / self.there as f64)
    }
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
}
