//! `pad`: pixels of a constant around a tensor.

use super::args::shown;
use super::window::Padding;
use super::{ArgError, Args, Decl, Inferred, Kind, Layer, ParamDecl, ShapeError, copy, grid};
use crate::graph::Shape;
use crate::lower::Lower;
use ndarray::ArrayD;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "pad",
    doc: "Pixels of a constant around a tensor. Convolutions and pools pad by themselves, see their `pad`.",
    params: &[
        ParamDecl {
            name: "pad",
            kind: Kind::Padding,
            positional: true,
            default: None,
            doc: "How many: `1`, `0x1` (each axis), or `(top, bottom, left, right)`.",
        },
        ParamDecl {
            name: "value",
            kind: Kind::Float,
            positional: false,
            default: Some("0"),
            doc: "The constant.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; pad 1",
        "input x: 3x4x3; pad (0, 1, 2, 0)",
        "input x: 5x60x64; pad 1",
        "input x: 17x9; pad 2 value -1.5",
        "input x: 3x2x3x4; pad 0x1x2",
        "input x: 3x5x5; pad (1, 2, 1, 2); conv 3x3 8 /2",
    ],
};

/// Pixels of a constant around a tensor.
#[derive(Clone, Debug)]
pub struct Pad {
    /// `(before, after)` of each axis.
    pub sides: Vec<(usize, usize)>,
    /// The constant.
    pub value: f64,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    if args.get("pad").is_none() {
        return Err(args.missing("pad"));
    }
    if args.rank == 0 {
        return Err(args
            .error("pad", "a vector has no pixels to pad")
            .help("use `padchannels`"));
    }
    let Padding::Explicit(sides) = Padding::from_args(args, args.rank)? else {
        return Err(args.error(
            "pad",
            "the layer `pad` takes numbers: it has no kernel that words could refer to",
        ));
    };
    let sides = sides[3 - args.rank..].to_vec();
    let value = args.number("value")?.unwrap_or(0.0);
    Ok(Box::new(Pad { sides, value }))
}

impl Layer for Pad {
    fn attributes(&self) -> (&'static str, Vec<(&'static str, String)>) {
        let sides: Vec<_> = self
            .sides
            .iter()
            .map(|(before, after)| format!("{before}, {after}"))
            .collect();
        (
            DECL.keyword,
            vec![
                ("pad", format!("({})", sides.join(", "))),
                ("value", shown(self.value)),
            ],
        )
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        if x.spatial().len() != self.sides.len() {
            return Err(ShapeError::new(format!(
                "{x} does not have {} spatial dimensions",
                self.sides.len()
            )));
        }
        let mut dims = vec![x.channels()];
        dims.extend(
            x.spatial()
                .iter()
                .zip(&self.sides)
                .map(|(n, (before, after))| before + n + after),
        );
        Shape::new(dims)
            .map(Inferred::plain)
            .ok_or_else(|| ShapeError::new(format!("the padded {x} is too large")))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let output = self
            .infer(&[grid::shape(inputs[0])])
            .expect("infer accepted it")
            .output;
        let mut padded = ArrayD::from_elem(output.dims(), self.value);
        padded
            .slice_each_axis_mut(|axis| match axis.axis.index().checked_sub(1) {
                None => ndarray::Slice::from(..),
                Some(spatial) => {
                    let before = self.sides[spatial].0;
                    ndarray::Slice::from(before..before + inputs[0].shape()[spatial + 1])
                }
            })
            .assign(inputs[0]);
        padded
    }

    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, from) = (cx.output(), cx.input(0));
        copy::fill(cx, &to, self.value);
        let strides = &to.strides[3 - self.sides.len()..];
        let before = self
            .sides
            .iter()
            .zip(strides)
            .map(|(side, stride)| side.0 as i64 * stride);
        let inside = crate::lower::Storage {
            base: to.base + before.sum::<i64>(),
            dhw: from.dhw,
            ..to.clone()
        };
        copy::copy(cx, &inside, &from, &copy::all(&inside, &from));
    }
}
