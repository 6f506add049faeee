//! `softmax`: channels as probabilities.

use super::{Attributes, Decl, Inferred, Layer, Lowering, ShapeError, Sliding};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::op::sums::Together;
use crate::shape::Shape;
use cnnc_runtime::kernel::SoftmaxCall;
use ndarray::{ArrayD, Axis};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "softmax",
    doc: "Softmax over the channels of each pixel: `exp(x) / Σ exp(x)`.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Softmax)),
    samples: &[
        "input x: 10; softmax",
        "input x: 17x3x2; softmax",
        "input x: 5x64x60; softmax",
        "input x: 5; scale 80; softmax",
        "input x: 3x2x3x4; softmax",
    ],
};

/// A softmax over the channels.
#[derive(Clone, Debug)]
pub struct Softmax;

impl Layer for Softmax {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        Ok(Inferred::plain(inputs[0].clone()))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut result = inputs[0].clone();
        for mut pixel in result.lanes_mut(Axis(0)) {
            let most = pixel.fold(f64::NEG_INFINITY, |most, &x| most.max(x));
            pixel.mapv_inplace(|x| (x - most).exp());
            let sum = pixel.sum();
            pixel.mapv_inplace(|power| power / sum);
        }
        result
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let product = g.mul(g.y(), g.dy());
        let mean = g.push(Together::Channels, &[product]);
        let rest = g.sub(g.dy(), mean);
        let dx = g.mul(g.y(), rest);
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        Sliding::Pixels
    }
}

impl Lowering for Softmax {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (output, input) = (cx.output(), cx.input(0));
        cx.sweep(&[output, input], |cx, sweep| {
            cx.call(SoftmaxCall {
                over: sweep.pixelwise(),
            });
        });
    }
}
