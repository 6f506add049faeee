//! `flip`: an axis backwards.

use super::axes::{self, AXIS};
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Layer, Lowering, ShapeError, Sliding, copy,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::shape::Shape;
use ndarray::{ArrayD, Axis};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "flip",
    doc: "The elements along an axis in the opposite order.",
    params: &[AXIS],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; flip",
        "input x: 17; flip axis 0",
        "input x: 5x4x3; flip axis 2",
        "input x: 3x2x3x4; flip axis 1",
        "input x: 3x6x5; conv 3x3 8 pad half; flip axis 1; conv 3x3 5 pad half",
    ],
};

/// An axis backwards.
#[derive(Clone, Debug)]
pub struct Flip {
    /// The axis, channels first.
    pub axis: usize,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let axis = args.whole(AXIS.name)?.unwrap_or(0);
    Ok(Box::new(Flip { axis }))
}

impl Layer for Flip {
    fn attributes(&self) -> (&'static str, Attributes) {
        (
            DECL.keyword,
            axes::attribute(self.axis).into_iter().collect(),
        )
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        axes::extent(&inputs[0], self.axis)?;
        Ok(Inferred::plain(inputs[0].clone()))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut turned = inputs[0].view();
        turned.invert_axis(Axis(self.axis));
        turned.as_standard_layout().into_owned()
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let dx = g.push(self.clone(), &[g.dy()]);
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        match self.axis {
            0 => Sliding::Pixels,
            _ => Sliding::Fixed("turns pictures round".to_owned()),
        }
    }
}

impl Lowering for Flip {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, mut from, x) = (cx.output(), cx.input(0), cx.input_shape(0));
        let mut dims = copy::all(&to, &from);
        let place = axes::spatial(x, self.axis).unwrap_or(3);
        let (count, _, step) = dims[place];
        from.base += (count as i64 - 1) * step;
        dims[place].2 = -step;
        copy::copy(cx, &to, &from, &dims);
    }
}
