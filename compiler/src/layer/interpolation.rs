//! Interpolation along each axis: where elements of a result lie among those of an operand, and what they are made of.

use super::Attribute;
use crate::op::along::Terms;
use crate::shape::Shape;
use std::sync::Arc;

/// How elements are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Of the nearest one.
    Nearest,
    /// On a line.
    Linear,
    /// On a curve.
    Cubic,
}

/// Where elements of the result lie in the operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinates {
    /// Elements are in the middle of their share.
    HalfPixel,
    /// The same, centred.
    HalfPixelSymmetric,
    /// The same, but for a single element.
    PytorchHalfPixel,
    /// Outermost elements coincide.
    AlignCorners,
    /// Elements are at the beginning of their share.
    Asymmetric,
    /// Those of a part, from corner to corner.
    Crop,
}

/// Which element is the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// The nearest, the first of two.
    PreferFloor,
    /// The nearest, the last of two.
    PreferCeil,
    /// The one before.
    Floor,
    /// The one behind.
    Ceil,
}

pub(super) const MODES: [(&str, Mode); 3] = [
    ("nearest", Mode::Nearest),
    ("linear", Mode::Linear),
    ("cubic", Mode::Cubic),
];

pub(super) const COORDINATES: [(&str, Coordinates); 6] = [
    ("half_pixel", Coordinates::HalfPixel),
    ("half_pixel_symmetric", Coordinates::HalfPixelSymmetric),
    ("pytorch_half_pixel", Coordinates::PytorchHalfPixel),
    ("align_corners", Coordinates::AlignCorners),
    ("asymmetric", Coordinates::Asymmetric),
    ("crop", Coordinates::Crop),
];

pub(super) const ROUNDING: [(&str, Rounding); 4] = [
    ("round_prefer_floor", Rounding::PreferFloor),
    ("round_prefer_ceil", Rounding::PreferCeil),
    ("floor", Rounding::Floor),
    ("ceil", Rounding::Ceil),
];

/// The value that a word stands for; the first one without a word.
pub(super) fn meaning<T: Copy>(words: &[(&'static str, T)], word: Option<&str>) -> T {
    let found = words.iter().find(|(name, _)| Some(*name) == word);
    found.unwrap_or(&words[0]).1
}

/// The word for a value.
pub(super) fn word<T: PartialEq>(words: &[(&'static str, T)], value: T) -> Attribute {
    let found = words.iter().find(|(_, other)| *other == value);
    found.expect("every value has a word").0.into()
}

/// How other extents are made.
#[derive(Clone, Debug)]
pub struct Interpolation {
    /// Extents of the result, without channels.
    pub size: Vec<usize>,
    /// How elements are made.
    pub mode: Mode,
    /// Where they lie.
    pub coordinates: Coordinates,
    /// Which one is the nearest.
    pub rounding: Rounding,
    /// Scales of the coordinates, where they are not those of the extents.
    pub scales: Option<Arc<[f32]>>,
    /// Where a part begins along each axis, and where it ends, as fractions of the operand.
    pub roi: Option<Arc<[f32]>>,
    /// What there is outside the operand, for a part that reaches there.
    pub outside: f64,
    /// Slope of the curve.
    pub a: f64,
    /// Whether what is beyond the edge has no weight.
    pub exclude_outside: bool,
    /// Whether lines and curves are wider for smaller results.
    pub antialias: bool,
}

impl Interpolation {
    /// The scale of spatial axis `axis`, of `from` elements.
    fn scale(&self, axis: usize, from: usize) -> f64 {
        match &self.scales {
            Some(scales) => f64::from(scales[axis]),
            None => self.size[axis] as f64 / from as f64,
        }
    }

    /// Where element `i` of the result lies among `from` elements.
    fn position(&self, axis: usize, i: usize, from: usize) -> f64 {
        let (to, i, n) = (self.size[axis] as f64, i as f64, from as f64);
        let scale = self.scale(axis, from);
        let half = (i + 0.5) / scale - 0.5;
        match self.coordinates {
            Coordinates::HalfPixel => half,
            Coordinates::HalfPixelSymmetric => n / 2.0 * (1.0 - to / (scale * n)) + half,
            Coordinates::PytorchHalfPixel if to > 1.0 => half,
            Coordinates::AlignCorners if to > 1.0 => i * (n - 1.0) / (to - 1.0),
            Coordinates::PytorchHalfPixel | Coordinates::AlignCorners => 0.0,
            Coordinates::Asymmetric => i / scale,
            Coordinates::Crop => {
                let roi = self.roi.as_deref().unwrap_or_default();
                let edge = |index: usize| f64::from(roi[index]) * (n - 1.0);
                let (from, until) = (edge(axis), edge(self.size.len() + axis));
                match to > 1.0 {
                    true => from + i * (until - from) / (to - 1.0),
                    false => (from + until) / 2.0,
                }
            }
        }
    }

    /// How far the line or curve reaches, in elements of the operand, and by what distances are multiplied.
    pub fn reach(&self, axis: usize, from: usize) -> (i64, f64) {
        let narrow = match self.antialias {
            true => self.scale(axis, from).min(1.0),
            false => 1.0,
        };
        let reach = if self.mode == Mode::Cubic { 2.0 } else { 1.0 };
        ((reach / narrow).ceil() as i64, narrow)
    }

    /// The weight of an element at that distance.
    fn weight(&self, distance: f64) -> f64 {
        let (x, a) = (distance.abs(), self.a);
        match self.mode {
            Mode::Cubic if x <= 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
            Mode::Cubic if x < 2.0 => ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a,
            Mode::Cubic => 0.0,
            _ => (1.0 - x).max(0.0),
        }
    }

    /// What element `i` of the result is made of, of `from` elements along an axis; nothing, where it is outside.
    fn terms(&self, axis: usize, i: usize, from: usize) -> Terms {
        let (position, last) = (self.position(axis, i, from), from as f64 - 1.0);
        if self.coordinates == Coordinates::Crop && !(0.0..=last).contains(&position) {
            return Terms::new();
        }
        if self.mode == Mode::Nearest {
            let nearest = match self.rounding {
                Rounding::PreferFloor => (position - 0.5).ceil(),
                Rounding::PreferCeil => (position + 0.5).floor(),
                Rounding::Floor => position.floor(),
                Rounding::Ceil => position.ceil(),
            };
            return vec![(nearest.clamp(0.0, last) as usize, 1.0)];
        }
        let (reach, narrow) = self.reach(axis, from);
        let before = position.floor();
        let mut terms = Terms::new();
        let mut whole = 0.0;
        for step in 1 - reach..=reach {
            let source = before + step as f64;
            let factor = self.weight((source - position) * narrow);
            let inside = source.clamp(0.0, last);
            if factor == 0.0 || (self.exclude_outside && inside != source) {
                continue;
            }
            whole += factor;
            match terms.last_mut() {
                Some(term) if term.0 == inside as usize => term.1 += factor,
                _ => terms.push((inside as usize, factor)),
            }
        }
        if self.antialias || self.exclude_outside {
            terms.iter_mut().for_each(|term| term.1 /= whole);
        }
        terms
    }

    /// The terms of each place along depth, height and width.
    pub fn table(&self, x: &Shape) -> [Vec<Terms>; 3] {
        let rank = x.spatial().len();
        std::array::from_fn(|axis| match (axis + rank).checked_sub(3) {
            None => vec![vec![(0, 1.0)]],
            Some(axis) => {
                let from = x.spatial()[axis];
                (0..self.size[axis])
                    .map(|i| self.terms(axis, i, from))
                    .collect()
            }
        })
    }
}
