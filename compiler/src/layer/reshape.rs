//! `reshape`: the same elements in row-major order, with other extents.

use super::window::show;
use super::{
    ArgError, Args, Attribute, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl,
    ShapeError, copy,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::shape::Shape;
use ndarray::{ArrayD, IxDyn};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "reshape",
    doc: "The same elements with other extents, both read in row-major order with channels first (as PyTorch's `reshape` of a tensor without batch).",
    params: &[ParamDecl {
        name: "shape",
        kind: Kind::Dims,
        positional: true,
        default: None,
        doc: "The extents, channels first: `64x7x7`.",
    }],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 30; reshape 5x3x2",
        "input x: 6x4x5; reshape 4x5x6",
        "input x: 6x4x5; reshape 120",
        "input x: 3x2x4x5; reshape 12x10",
        "input x: 17x6; conv 3 6; reshape 2x3x2x2",
    ],
};

/// The same elements with other extents.
#[derive(Clone, Debug)]
pub struct Reshape {
    /// The extents, channels first.
    pub dims: Vec<usize>,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let dims = args.dims("shape")?.ok_or_else(|| args.missing("shape"))?;
    Ok(Box::new(Reshape { dims }))
}

impl Layer for Reshape {
    fn attributes(&self) -> (&'static str, Attributes) {
        (
            DECL.keyword,
            vec![("shape", Attribute::extents(&self.dims))],
        )
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        match Shape::new(self.dims.clone()) {
            Some(shape) if shape.elements() == x.elements() => Ok(Inferred::plain(shape)),
            _ => {
                let message = format!("{x} cannot be reshaped to {}", show(&self.dims));
                let help = format!("the extents must multiply to {}", x.elements());
                Err(ShapeError::new(message).help(help))
            }
        }
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let elements = inputs[0].iter().copied().collect();
        ArrayD::from_shape_vec(IxDyn(&self.dims), elements).expect("as many elements")
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let dx = g.reshape(g.dy(), &g.shape(g.x(0)));
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for Reshape {
    /// Through row-major scratch memory, where neither side is a vector.
    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, from) = (cx.output(), cx.input(0));
        let flat = match (from.pixels() == 1, to.pixels() == 1) {
            (true, _) => from,
            (false, true) => return copy::copy(cx, &to, &from, &copy::row_major(&from)),
            (false, false) => copy::unfolded(cx, &from),
        };
        copy::copy(cx, &to, &flat, &copy::inverse(&copy::row_major(&to)));
    }
}
