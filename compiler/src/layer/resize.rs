//! `resize`: any other extents, by interpolation.

use super::attribute::Exact;
use super::window::show;
use super::{
    ArgError, Args, Attribute, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl,
    ShapeError, copy, grid,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::op::along::{Along, Terms, sums};
use crate::shape::Shape;
use ndarray::ArrayD;
use std::sync::Arc;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "resize",
    doc: "Other extents by interpolation along one axis after the other, as ONNX's `Resize` has it. `upsample` is by a whole factor.",
    params: &[
        ParamDecl {
            name: "size",
            kind: Kind::Dims,
            positional: true,
            default: None,
            doc: "Extents of the result, without channels: `14x20`.",
        },
        ParamDecl {
            name: "mode",
            kind: Kind::Word(&["nearest", "linear", "cubic"]),
            positional: true,
            default: Some("nearest"),
            doc: "How elements are made: of the nearest one, or on a line or a cubic curve (Keys 1981) through those around.",
        },
        ParamDecl {
            name: "coordinates",
            kind: Kind::Word(&[
                "half_pixel",
                "half_pixel_symmetric",
                "pytorch_half_pixel",
                "align_corners",
                "asymmetric",
                "crop",
            ]),
            positional: true,
            default: Some("half_pixel"),
            doc: "Where element `i` of the result lies in the operand, at a scale `s` of `result / operand`: `half_pixel` `(i + 1/2) / s − 1/2`; \
                  `half_pixel_symmetric` the same, centred, where the scale makes no whole extent; `pytorch_half_pixel` 0 where there is one element only; \
                  `align_corners` so that outermost elements coincide; `asymmetric` `i / s`; `crop` evenly from corner to corner of `roi` (TensorFlow's \
                  `crop_and_resize`).",
        },
        ParamDecl {
            name: "rounding",
            kind: Kind::Word(&["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]),
            positional: true,
            default: Some("round_prefer_floor"),
            doc: "Which element is the nearest one; of `nearest` only.",
        },
        ParamDecl {
            name: "scales",
            kind: Kind::Numbers,
            positional: false,
            default: Some("result / operand"),
            doc: "Scales for the coordinates, where they are not the quotient of the extents: `(0.6, 0.6)`, one for each axis.",
        },
        ParamDecl {
            name: "roi",
            kind: Kind::Numbers,
            positional: false,
            default: Some("none, but for `crop`"),
            doc: "Where the part begins along each axis, and then where it ends, as fractions of the operand: `(0.4, 0.6, 0.6, 0.8)`; of `crop` only.",
        },
        ParamDecl {
            name: "outside",
            kind: Kind::Float,
            positional: false,
            default: Some("0"),
            doc: "What there is outside the operand; of `crop` only.",
        },
        ParamDecl {
            name: "a",
            kind: Kind::Float,
            positional: false,
            default: Some("-0.75"),
            doc: "Slope of the curve at its first zero; of `cubic` only.",
        },
        ParamDecl {
            name: "exclude_outside",
            kind: Kind::Flag,
            positional: false,
            default: Some("off"),
            doc: "Whether what is beyond the edge has no weight, or is the outermost element.",
        },
        ParamDecl {
            name: "antialias",
            kind: Kind::Flag,
            positional: false,
            default: Some("off"),
            doc: "Whether lines and curves are as much wider as the result is smaller.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; resize 7x2",
        "input x: 17x9; resize 4 nearest asymmetric floor",
        "input x: 3x2x3x4; resize 3x2x5 nearest align_corners ceil",
        "input x: 5x4x6; resize 8x7 nearest half_pixel round_prefer_ceil",
        "input x: 5x40x33; resize 64x50 linear",
        "input x: 3x6x5; conv 3x3 8 pad half; resize 4x9 linear align_corners; conv 3x3 5 pad half",
        "input x: 3x2x3x4; resize 5x2x3 linear pytorch_half_pixel",
        "input x: 5x4x6; resize 2x1 linear half_pixel_symmetric scales (0.6, 0.3)",
        "input x: 5x4x6; resize 7x3 cubic",
        "input x: 4x9; resize 5 cubic a -0.5 exclude_outside",
        "input x: 5x12x9; resize 5x4 linear antialias",
        "input x: 5x12x9; resize 5x4 cubic antialias on asymmetric",
        "input x: 5x4x6; resize 3x3 linear crop roi (0.4, 0.6, 0.6, 0.8)",
        "input x: 5x4x6; resize 5x4 crop roi (-0.5, 0.25, 1.25, 1.5) outside 10",
    ],
};

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

const MODES: [(&str, Mode); 3] = [
    ("nearest", Mode::Nearest),
    ("linear", Mode::Linear),
    ("cubic", Mode::Cubic),
];

const COORDINATES: [(&str, Coordinates); 6] = [
    ("half_pixel", Coordinates::HalfPixel),
    ("half_pixel_symmetric", Coordinates::HalfPixelSymmetric),
    ("pytorch_half_pixel", Coordinates::PytorchHalfPixel),
    ("align_corners", Coordinates::AlignCorners),
    ("asymmetric", Coordinates::Asymmetric),
    ("crop", Coordinates::Crop),
];

const ROUNDING: [(&str, Rounding); 4] = [
    ("round_prefer_floor", Rounding::PreferFloor),
    ("round_prefer_ceil", Rounding::PreferCeil),
    ("floor", Rounding::Floor),
    ("ceil", Rounding::Ceil),
];

/// The value that a word stands for; the first one without a word.
fn meaning<T: Copy>(words: &[(&'static str, T)], word: Option<&str>) -> T {
    let found = words.iter().find(|(name, _)| Some(*name) == word);
    found.unwrap_or(&words[0]).1
}

fn word<T: PartialEq>(words: &[(&'static str, T)], value: T) -> Attribute {
    let found = words.iter().find(|(_, other)| *other == value);
    found.expect("every value has a word").0.into()
}

/// Other extents by interpolation.
#[derive(Clone, Debug)]
pub struct Resize {
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

/// Most terms of all sums along an axis: what is a table in the program.
const MOST_TERMS: usize = 1 << 20;

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let size = args.dims("size")?.ok_or_else(|| args.missing("size"))?;
    let mode = meaning(&MODES, args.word("mode"));
    let only = |name: &str, fits: bool, of: &str| match args.is_written(name) && !fits {
        true => Err(args.error(name, format!("`{name}` is a parameter of {of} only"))),
        false => Ok(()),
    };
    only("rounding", mode == Mode::Nearest, "`nearest`")?;
    only("a", mode == Mode::Cubic, "`cubic`")?;
    let smooth = mode != Mode::Nearest;
    only("exclude_outside", smooth, "`linear` and `cubic`")?;
    only("antialias", smooth, "`linear` and `cubic`")?;
    let scales = args.numbers("scales")?.map(|(_, scales)| scales);
    if let Some(scales) = &scales {
        if scales.len() != size.len() {
            let message = format!(
                "`scales` has {} numbers, `size` {}",
                scales.len(),
                size.len()
            );
            return Err(args.error("scales", message));
        }
        // Beyond these, coordinates are no numbers of elements.
        if scales.iter().any(|scale| !(1e-6..=1e6).contains(scale)) {
            return Err(args.error("scales", "a scale is between 1e-6 and 1e6"));
        }
    }
    let coordinates = meaning(&COORDINATES, args.word("coordinates"));
    let crop = coordinates == Coordinates::Crop;
    only("roi", crop, "`crop`")?;
    only("outside", crop, "`crop`")?;
    only("scales", !crop, "what does not `crop`")?;
    let roi = args.numbers("roi")?.map(|(_, roi)| roi).filter(|_| crop);
    if crop {
        let Some(roi) = &roi else {
            return Err(args.missing("roi"));
        };
        if roi.len() != 2 * size.len() {
            let message = format!("`roi` has {} numbers, not {}", roi.len(), 2 * size.len());
            let help = "write where the part begins along each axis, then where it ends";
            return Err(args.error("roi", message).help(help));
        }
        if roi.iter().any(|edge| edge.abs() > 1e6) {
            return Err(args.error("roi", "edges are fractions of the operand"));
        }
    }
    Ok(Box::new(Resize {
        size,
        mode,
        coordinates,
        roi: roi.map(Arc::from),
        outside: args.number("outside")?.filter(|_| crop).unwrap_or(0.0),
        rounding: meaning(&ROUNDING, args.word("rounding").filter(|_| !smooth)),
        scales: scales.map(Arc::from),
        a: args
            .number("a")?
            .filter(|_| mode == Mode::Cubic)
            .unwrap_or(-0.75),
        exclude_outside: smooth && args.flag("exclude_outside")?.unwrap_or(false),
        antialias: smooth && args.flag("antialias")?.unwrap_or(false),
    }))
}

impl Resize {
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
    fn reach(&self, axis: usize, from: usize) -> (i64, f64) {
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
    fn table(&self, x: &Shape) -> [Vec<Terms>; 3] {
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

impl Layer for Resize {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut attributes = vec![
            ("size", Attribute::extents(&self.size)),
            ("mode", word(&MODES, self.mode)),
            ("coordinates", word(&COORDINATES, self.coordinates)),
        ];
        if self.mode == Mode::Nearest {
            attributes.push(("rounding", word(&ROUNDING, self.rounding)));
        }
        if let Some(scales) = &self.scales {
            attributes.push(("scales", Attribute::Series(Exact(scales.clone()))));
        }
        if let Some(roi) = &self.roi {
            attributes.push(("roi", Attribute::Series(Exact(roi.clone()))));
            attributes.push(("outside", self.outside.into()));
        }
        if self.mode == Mode::Cubic {
            attributes.push(("a", self.a.into()));
        }
        if self.mode != Mode::Nearest {
            attributes.push(("exclude_outside", self.exclude_outside.into()));
            attributes.push(("antialias", self.antialias.into()));
        }
        (DECL.keyword, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        let rank = x.spatial().len();
        if rank != self.size.len() || rank == 0 {
            let message = format!("{x} cannot be resized to {}", show(&self.size));
            let help = match rank {
                0 => "a vector has no pixels".to_owned(),
                _ => format!("write {rank} extents"),
            };
            return Err(ShapeError::new(message).help(help));
        }
        for (axis, &from) in x.spatial().iter().enumerate() {
            let reach = match self.mode {
                Mode::Nearest => 1,
                _ => (2 * self.reach(axis, from).0 as usize).min(from),
            };
            if reach.saturating_mul(self.size[axis]) > MOST_TERMS {
                let message = format!(
                    "{x} resized to {} is made of more than {MOST_TERMS} terms along an axis",
                    show(&self.size)
                );
                return Err(ShapeError::new(message).help("`upsample` is by a whole factor"));
            }
        }
        let mut dims = vec![x.channels()];
        dims.extend(&self.size);
        let large = || ShapeError::new(format!("{x} resized to {} is too large", show(&self.size)));
        Shape::new(dims).map(Inferred::plain).ok_or_else(large)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shape = grid::shape(inputs[0]);
        let output = self
            .infer(std::slice::from_ref(&shape))
            .expect("infer accepted it")
            .output;
        let x = grid::view(inputs[0]);
        let [depth, height, width] = self.table(&shape);
        grid::tabulate(&output, |[c, d, h, w]| {
            if depth[d].is_empty() || height[h].is_empty() || width[w].is_empty() {
                return self.outside;
            }
            let mut sum = 0.0;
            for &(i, plane) in &depth[d] {
                for &(j, row) in &height[h] {
                    for &(k, pixel) in &width[w] {
                        sum += plane * row * pixel * x[[c, i, j, k]];
                    }
                }
            }
            sum
        })
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let (x, y) = (g.shape(g.x(0)), g.shape(g.y()));
        let table = self.table(&x);
        let of = self.attributes();
        let adjoint = Along::adjoint(of, &x, &y, |axis, place| table[axis][place].clone());
        let dx = g.push(adjoint, &[g.dy()]);
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for Resize {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, from) = (cx.output(), cx.input(0));
        let table = self.table(cx.input_shape(0));
        sums(cx, &to, &from, &table);
        if self.outside == 0.0 {
            return;
        }
        for (axis, places) in table.iter().enumerate() {
            for place in (0..places.len()).filter(|&place| places[place].is_empty()) {
                let mut line = to.clone();
                line.base += place as i64 * to.strides[axis];
                line.dhw[axis] = 1;
                copy::fill(cx, &line, self.outside);
            }
        }
    }
}
