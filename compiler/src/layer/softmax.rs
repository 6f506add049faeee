//! `softmax` and `logsoftmax`: elements along an axis as probabilities.

use super::axes::{self, AXIS};
use super::elementwise::{spread, zip};
use super::exp::Exp;
use super::pointwise::{larger, map};
use super::reduce::{Gone, Reduce, left};
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Layer, Lowering, NO_HALO, ParamDecl, ShapeError,
    Sliding,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::id::ValueId;
use crate::lower::Lower;
use crate::op::sums::Together;
use crate::shape::Shape;
use cnnc_runtime::kernel::{Reduction, SoftmaxCall, Step, ZipOp};
use ndarray::{ArrayD, Axis};

/// Row of the table of layers: `softmax`.
pub static DECL: Decl = Decl {
    keyword: "softmax",
    doc: "Softmax over the channels of each pixel, or along another axis: `exp(x) / Σ exp(x)`.",
    params: PARAMS,
    operands: (1, 1),
    build: |args| build(args, false),
    samples: &[
        "input x: 10; softmax",
        "input x: 17x3x2; softmax",
        "input x: 5x64x60; softmax",
        "input x: 5; scale 80; softmax",
        "input x: 3x2x3x4; softmax",
        "input x: 17x9; softmax axis 1",
        "input x: 3x2x3x4; softmax axis 2",
    ],
};

/// Row of the table of layers: `logsoftmax`.
pub static LOG: Decl = Decl {
    keyword: "logsoftmax",
    doc: "Logarithm of the softmax over the channels of each pixel, or along another axis: `x − ln Σ exp(x)`, exact where the softmax itself is 0.",
    params: PARAMS,
    operands: (1, 1),
    build: |args| build(args, true),
    samples: &[
        "input x: 10; logsoftmax",
        "input x: 17x3x2; scale 80; logsoftmax",
        "input x: 17x9; logsoftmax axis 1",
    ],
};

const PARAMS: &[ParamDecl] = &[AXIS];

/// A softmax along an axis.
#[derive(Clone, Debug)]
pub struct Softmax {
    /// The axis, channels first.
    pub axis: usize,
    /// Whether the logarithm is taken of it.
    pub log: bool,
}

fn build(args: &mut Args, log: bool) -> Result<Box<dyn Layer>, ArgError> {
    let axis = args.whole(AXIS.name)?.unwrap_or(0);
    Ok(Box::new(Softmax { axis, log }))
}

impl Layer for Softmax {
    fn attributes(&self) -> (&'static str, Attributes) {
        let row = if self.log { &LOG } else { &DECL };
        (
            row.keyword,
            axes::attribute(self.axis).into_iter().collect(),
        )
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        axes::extent(&inputs[0], self.axis)?;
        Ok(Inferred::plain(inputs[0].clone()))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut result = inputs[0].clone();
        for mut lane in result.lanes_mut(Axis(self.axis)) {
            let most = lane.fold(f64::NEG_INFINITY, |most, &x| larger(x, most));
            lane.mapv_inplace(|x| x - most);
            let sum: f64 = lane.iter().map(|x| x.exp()).sum();
            match self.log {
                true => lane.mapv_inplace(|x| x - sum.ln()),
                false => lane.mapv_inplace(|x| x.exp() / sum),
            }
        }
        result
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let sum = |g: &mut Adjoint<'_>, terms: ValueId| match self.axis {
            0 => g.push(Together::Channels, &[terms]),
            axis => g.push(Reduce::sum(vec![axis]), &[terms]),
        };
        let dx = match self.log {
            true => {
                let sum = sum(g, g.dy());
                let share = g.push(Exp, &[g.y()]);
                let product = g.mul(share, sum);
                g.sub(g.dy(), product)
            }
            false => {
                let product = g.mul(g.y(), g.dy());
                let mean = sum(g, product);
                let rest = g.sub(g.dy(), mean);
                g.mul(g.y(), rest)
            }
        };
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        match self.axis {
            0 => Sliding::Pixels,
            axis => Sliding::Fixed(format!("compares pixels along axis {axis}")),
        }
    }
}

impl Lowering for Softmax {
    /// One kernel, where it is the probabilities of channels; else one for each step of the definition.
    fn lower(&self, cx: &mut Lower<'_>) {
        let (output, input) = (cx.output(), cx.input(0));
        if self.axis == 0 && !self.log {
            cx.sweep(&[output, input], |cx, sweep| {
                cx.call(SoftmaxCall {
                    over: sweep.pixelwise(),
                });
            });
            return;
        }
        let x = cx.input_shape(0);
        let [kept, _] = left(x, &[self.axis], true);
        let gone = Gone {
            axes: &[self.axis],
            keep: true,
        };
        let [most, sum] = [0; 2].map(|_| cx.scratch(&kept, NO_HALO));
        let powers = cx.scratch(x, NO_HALO);
        gone.emit(cx, Reduction::Largest, (&most, &kept), (&input, x));
        let most = spread(cx, most, &output);
        zip(cx, ZipOp::Sub, &output, &input, &most);
        map(cx, &powers, &output, &[Step::Exp]);
        gone.sum(cx, 1.0, (&sum, &kept), (&powers, x));
        if self.log {
            map(cx, &sum, &sum, &[Step::Log]);
            let sum = spread(cx, sum, &output);
            zip(cx, ZipOp::Sub, &output, &output, &sum);
        } else {
            let sum = spread(cx, sum, &output);
            zip(cx, ZipOp::Div, &output, &powers, &sum);
        }
    }
}
