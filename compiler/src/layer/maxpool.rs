//! `maxpool`: the largest element of each window.

use super::Sliding;
use super::pointwise::larger;
use super::pool::{self, PoolWindow, Pooling};
use super::window::{DILATION, PAD, Window};
use super::{ArgError, Args, Attributes, Decl, Inferred, Layer, Lowering, ShapeError};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::op::maxpool::MaxPoolInput;
use crate::shape::Shape;
use ndarray::ArrayD;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "maxpool",
    doc: "Largest element of each window, of the rank of its kernel. Padding is never the largest: windows are clipped to the operand.",
    params: &[pool::KERNEL, pool::STRIDE, PAD, pool::ROUNDING, DILATION],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 4x7x6; maxpool 3x3 /2 pad 1 ceil",
        "input x: 17x8x8; maxpool 2x2",
        "input x: 3x7x5; maxpool 3x2 /2x1 floor",
        "input x: 5x6x6; maxpool 2x2 /1 pad (0, 1, 0, 1)",
        "input x: 5x7x8; maxpool 3x3 /2 pad same",
        "input x: 3x9x9; maxpool 5x5 /1 pad half",
        "input x: 8x21; maxpool 4 /3 ceil",
        "input x: 3x5x6x7; maxpool 2x2x2 pad (0, 0, 1, 1, 0, 1)",
        "input x: 3x2x5x5; maxpool 1x3x3 /1x2x2 ceil",
        "input x: 16x40x40; maxpool 3x3 /2 pad 1",
        "input x: 5x9x8; maxpool 3x2 /2 pad 1 dilation 2 ceil",
        "input x: 7x9; maxpool 3 /1 pad half dilation 3",
    ],
};

/// A max pool.
#[derive(Clone, Debug)]
pub struct MaxPool {
    /// Its window.
    pub window: PoolWindow,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let window = PoolWindow::from_args(args)?;
    Ok(Box::new(MaxPool { window }))
}

impl Layer for MaxPool {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, self.window.attributes())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        self.window.infer(&inputs[0])
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        self.window.evaluate(inputs[0], |elements, _| {
            elements
                .iter()
                .fold(f64::NEG_INFINITY, |most, &x| larger(x, most))
        })
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let window = self.window.clone();
        let dx = g.push(MaxPoolInput { window }, &[g.x(0), g.dy()]);
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn window(&self) -> Option<&Window> {
        Some(&self.window.0)
    }

    fn sliding(&self, operands: &[Shape]) -> Sliding {
        self.window
            .sliding(&operands[0], |window| Box::new(MaxPool { window }))
    }
}

impl Lowering for MaxPool {
    fn lower(&self, cx: &mut Lower<'_>) {
        let x = cx.input_shape(0);
        let (placed, _) = self.window.place(x).expect("infer accepted it");
        let extents = x.dhw();
        pool::lower(cx, Pooling::Max, self.window.0.dilation, |axis| {
            self.window.segments(&placed, extents[axis], axis, false)
        });
    }
}
