//! `resize`: any other extents, by interpolation.

use super::attribute::Exact;
use super::interpolation::{
    COORDINATES, Coordinates, Interpolation, MODES, Mode, ROUNDING, meaning, word,
};
use super::window::show;
use super::{
    ArgError, Args, Attribute, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl,
    ShapeError, copy, grid,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::op::along::{Along, evaluate, sums};
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

/// Other extents by interpolation.
#[derive(Clone, Debug)]
pub struct Resize(
    /// How.
    pub Interpolation,
);

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
    Ok(Box::new(Resize(Interpolation {
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
    })))
}

impl Layer for Resize {
    fn attributes(&self) -> (&'static str, Attributes) {
        let mut attributes = vec![
            ("size", Attribute::extents(&self.0.size)),
            ("mode", word(&MODES, self.0.mode)),
            ("coordinates", word(&COORDINATES, self.0.coordinates)),
        ];
        if self.0.mode == Mode::Nearest {
            attributes.push(("rounding", word(&ROUNDING, self.0.rounding)));
        }
        if let Some(scales) = &self.0.scales {
            attributes.push(("scales", Attribute::Series(Exact(scales.clone()))));
        }
        if let Some(roi) = &self.0.roi {
            attributes.push(("roi", Attribute::Series(Exact(roi.clone()))));
            attributes.push(("outside", self.0.outside.into()));
        }
        if self.0.mode == Mode::Cubic {
            attributes.push(("a", self.0.a.into()));
        }
        if self.0.mode != Mode::Nearest {
            attributes.push(("exclude_outside", self.0.exclude_outside.into()));
            attributes.push(("antialias", self.0.antialias.into()));
        }
        (DECL.keyword, attributes)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        let rank = x.spatial().len();
        if rank != self.0.size.len() || rank == 0 {
            let message = format!("{x} cannot be resized to {}", show(&self.0.size));
            let help = match rank {
                0 => "a vector has no pixels".to_owned(),
                _ => format!("write {rank} extents"),
            };
            return Err(ShapeError::new(message).help(help));
        }
        for (axis, &from) in x.spatial().iter().enumerate() {
            let reach = match self.0.mode {
                Mode::Nearest => 1,
                _ => 2 * self.0.reach(axis, from).0 as usize,
            };
            if reach.saturating_mul(self.0.size[axis]) > MOST_TERMS {
                let message = format!(
                    "{x} resized to {} is made of more than {MOST_TERMS} terms along an axis",
                    show(&self.0.size)
                );
                return Err(ShapeError::new(message).help("`upsample` is by a whole factor"));
            }
        }
        let mut dims = vec![x.channels()];
        dims.extend(&self.0.size);
        let large = || {
            ShapeError::new(format!(
                "{x} resized to {} is too large",
                show(&self.0.size)
            ))
        };
        Shape::new(dims).map(Inferred::plain).ok_or_else(large)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shape = grid::shape(inputs[0]);
        let output = self
            .infer(std::slice::from_ref(&shape))
            .expect("infer accepted it")
            .output;
        let table = self.0.table(&shape);
        evaluate(inputs[0], &output, &table, self.0.outside)
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let (x, y) = (g.shape(g.x(0)), g.shape(g.y()));
        let table = self.0.table(&x);
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
        let table = self.0.table(cx.input_shape(0));
        sums(cx, &to, &from, &table);
        if self.0.outside == 0.0 {
            return;
        }
        for (axis, places) in table.iter().enumerate() {
            for place in (0..places.len()).filter(|&place| places[place].is_empty()) {
                let mut line = to.clone();
                line.base += place as i64 * to.strides[axis];
                line.dhw[axis] = 1;
                copy::fill(cx, &line, self.0.outside);
            }
        }
    }
}
