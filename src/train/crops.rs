//! Close crops: what a classifier of windows learns from, cut out of pictures with boxes.
//!
//! Of each box there are squares around it, moved and scaled a little, and of each picture squares that are no object: a third of them beside, in and around objects, where a window is most
//! easily wrong, a third near anything that is known, a third anywhere. Squares that show about half of an object are neither.

use super::data::Annotation;
use super::random::{Purpose, Random};
use cnnc_runtime::answer::BBox;
use cnnc_runtime::image::{Filter, ImageError, Picture};

/// How crops are cut.
#[derive(Clone, Debug, PartialEq)]
pub struct Crops {
    /// What is cut out, by its label.
    pub classes: Vec<String>,
    /// Columns and rows of a crop.
    pub size: usize,
    /// How many of a box.
    pub each: usize,
    /// How many of the background of a picture.
    pub background: usize,
    /// Where chance begins.
    pub seed: u64,
}

/// A place to cut out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Square {
    /// The class, of those of the settings; none is the background.
    pub class: Option<usize>,
    /// Left upper corner, in pixels.
    pub corner: (usize, usize),
    /// Pixels of a side.
    pub side: usize,
}

/// A square around a box overlaps it by this, at least, or by that share of what the best one does.
const LIKE: (f32, f32) = (0.65, 0.9);
/// What is overlapped by less by any square has none.
const LEAST: f32 = 0.45;
/// A square of the background overlaps each object by less.
const UNLIKE: f32 = 0.45;
/// Squares are moved by this share of their side, at most, and scaled by this power of e.
const MOVED: f64 = 0.08;
const SCALED: f64 = 0.12;
/// The same of squares beside objects.
const BESIDE: (f64, f64) = (0.6, 0.9);
/// Tries before a crop is given up.
const TRIES: usize = 40;

impl Square {
    /// The same as a box.
    pub fn bbox(&self) -> BBox {
        let (left, top) = (self.corner.0 as f32, self.corner.1 as f32);
        BBox::new(left, top, left + self.side as f32, top + self.side as f32)
    }

    /// What a picture shows there, so many pixels wide and high.
    ///
    /// # Errors
    /// Too little memory; `name` is what the message calls the picture.
    pub fn cut(&self, picture: &Picture, size: usize, name: &str) -> Result<Picture, ImageError> {
        let at = (-(self.corner.0 as i64), -(self.corner.1 as i64));
        let square = picture.placed((self.side, self.side), at, [0; 3]);
        let square = square.and_then(|square| square.resized(size, size, Filter::Antialias));
        square.map_err(|problem| problem.of(name))
    }
}

impl Crops {
    /// Places in a picture of so many columns and rows, a function of the seed and of the picture's name.
    pub fn places(&self, of: &Annotation, width: usize, height: usize) -> Vec<Square> {
        let name = of.picture.file_name().unwrap_or_default();
        let name = name.to_string_lossy();
        let mut random = Random::new(self.seed, Purpose::CloseCrops, name.as_bytes());
        let all = of.in_pixels(width, height);
        let class = |label: &String| self.classes.iter().position(|of| of == label);
        let objects = all
            .iter()
            .filter_map(|(label, bbox)| Some((class(label)?, *bbox)));
        let objects: Vec<(usize, BBox)> = objects.collect();
        let mut places = Vec::new();
        let within = (width, height);
        for &(class, bbox) in &objects {
            let (x, y) = bbox.centre();
            let (x, y) = (f64::from(x), f64::from(y));
            let even = f64::from(bbox.area().sqrt());
            let best = square(Some(class), (x, y), even, within);
            let best = best.map_or(0.0, |best| best.bbox().iou(&bbox));
            let like = LIKE.0.min(LIKE.1 * best);
            if best < LEAST {
                continue;
            }
            for _ in 0..self.each {
                let found = (0..TRIES).find_map(|_| {
                    let side = even * (SCALED * random.either()).exp();
                    let moved = |at: f64, by: f64| at + MOVED * side * by;
                    let middle = (moved(x, random.either()), moved(y, random.either()));
                    let place = square(Some(class), middle, side, within)?;
                    let own = place.bbox().iou(&bbox);
                    let others = objects
                        .iter()
                        .all(|(_, other)| place.bbox().iou(other) <= own);
                    (own >= like && others).then_some(place)
                });
                places.extend(found);
            }
        }
        let sides = self.sides(&objects, within);
        for index in 0..self.background {
            let found = (0..TRIES).find_map(|_| {
                let own = (index % 3 == 0 && !objects.is_empty())
                    .then(|| objects[random.below(objects.len())].1);
                let other =
                    (index % 3 == 1 && !all.is_empty()).then(|| all[random.below(all.len())].1);
                let any = sides.0 * (sides.1 / sides.0).powf(random.unit());
                let side = own.map_or(any, |own| {
                    f64::from(own.area().sqrt()) * (BESIDE.1 * random.either()).exp()
                });
                let middle = match own.or(other) {
                    Some(near) => {
                        let (x, y) = near.centre();
                        let by = BESIDE.0 * side.max(f64::from(near.area().sqrt()));
                        (
                            f64::from(x) + by * random.either(),
                            f64::from(y) + by * random.either(),
                        )
                    }
                    None => (width as f64 * random.unit(), height as f64 * random.unit()),
                };
                let place = square(None, middle, side, within)?;
                let far = |(_, other): &(usize, BBox)| place.bbox().iou(other) < UNLIKE;
                objects.iter().all(far).then_some(place)
            });
            places.extend(found);
        }
        places
    }

    /// The least and the largest side of squares without an object: those of the picture's objects, half as large up to half as large again, or shares of a picture that has none.
    fn sides(&self, objects: &[(usize, BBox)], (width, height): (usize, usize)) -> (f64, f64) {
        let most = width.min(height) as f64;
        let sides = objects.iter().map(|(_, of)| f64::from(of.area().sqrt()));
        let (low, high) = sides.fold((f64::INFINITY, 0.0), |(low, high), side| {
            (f64::min(low, side), f64::max(high, side))
        });
        let (low, high) = match objects.is_empty() {
            true => (0.1 * most, 0.6 * most),
            false => (0.5 * low, 1.5 * high),
        };
        let low = low.clamp(2.0, most.max(2.0));
        (low, high.clamp(low, most.max(low)))
    }
}

/// The square around a point, moved into the picture if it leaves it.
fn square(
    class: Option<usize>,
    middle: (f64, f64),
    side: f64,
    (width, height): (usize, usize),
) -> Option<Square> {
    let side = (side.round().max(1.0) as usize).min(width).min(height);
    let corner = |middle: f64, extent: usize| {
        let corner = (middle - side as f64 / 2.0).round().max(0.0) as usize;
        corner.min(extent - side)
    };
    (side > 0).then(|| Square {
        class,
        corner: (corner(middle.0, width), corner(middle.1, height)),
        side,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotation(boxes: &[(&str, [f32; 4])]) -> Annotation {
        let boxes = boxes.iter().map(|(label, [left, top, right, bottom])| {
            ((*label).to_owned(), BBox::new(*left, *top, *right, *bottom))
        });
        Annotation {
            picture: "a.png".into(),
            file: "a.xml".into(),
            size: None,
            boxes: boxes.collect(),
            judges: false,
        }
    }

    fn crops() -> Crops {
        Crops {
            classes: vec!["cell".to_owned(), "speck".to_owned()],
            size: 16,
            each: 20,
            background: 30,
            seed: 1,
        }
    }

    #[test]
    fn crops_show_objects_or_none() {
        let of = annotation(&[
            ("cell", [0.0, 0.1, 0.25, 0.5]),
            ("speck", [0.6, 0.6, 0.7, 0.7]),
            ("other", [0.7, 0.1, 0.9, 0.3]),
        ]);
        let places = crops().places(&of, 200, 150);
        let cell = BBox::new(0.0, 15.0, 50.0, 75.0);
        let speck = BBox::new(120.0, 90.0, 140.0, 105.0);
        let count = |class: Option<usize>| places.iter().filter(|of| of.class == class).count();
        assert_eq!((count(Some(0)), count(Some(1)), count(None)), (20, 20, 30));
        for place in &places {
            let found = place.bbox();
            assert!(found.right <= 200.0 && found.bottom <= 150.0, "{place:?}");
            let overlaps = [found.iou(&cell), found.iou(&speck)];
            match place.class {
                Some(class) => assert!(overlaps[class] >= LIKE.0, "{place:?}"),
                None => assert!(overlaps.iter().all(|of| *of < UNLIKE), "{place:?}"),
            }
        }
        assert_eq!(crops().places(&of, 200, 150), places);
        let other = Crops { seed: 2, ..crops() };
        assert_ne!(other.places(&of, 200, 150), places);
    }

    /// No square overlaps a box of 10:1 by .45, and nothing is found beside an object that fills the picture.
    #[test]
    fn what_cannot_be_cut_out_is_left_out() {
        let long = annotation(&[("cell", [0.0, 0.4, 1.0, 0.5])]);
        let places = crops().places(&long, 100, 100);
        assert!(places.iter().all(|of| of.class.is_none()));
        let all = annotation(&[("cell", [0.0, 0.0, 1.0, 1.0])]);
        for place in crops().places(&all, 30, 30) {
            assert!(place.class.is_some() || place.side < 30);
        }
        let one = crops().places(&annotation(&[]), 1, 1);
        assert_eq!(one.len(), 30);
        let picture = Picture::from_grey(4, 2, &[1, 2, 3, 4, 5, 6, 7, 8]).expect("pixels");
        let place = square(None, (3.0, 1.0), 2.0, (4, 2)).expect("there is room");
        let cut = place.cut(&picture, 2, "a").expect("it is small");
        assert_eq!(cut.rgb()[..4], [3, 3, 3, 4]);
    }
}
