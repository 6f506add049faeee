//! Layers that map every element by itself: a formula, and the same formula as steps of one kernel.
//!
//! Such a layer implements [`Pointwise`] and gets everything else from here. The formula is the oracle's;
//! the steps are what fusion passes and [`Lowering::lower`] see.

use super::{Attributes, Inferred, Layer, Lowering, Role, ShapeError};
use crate::gradient::{Adjoint, NoGradient};
use crate::id::ValueId;
use crate::lower::{Lower, Storage, Sweep};
use crate::op::slope::Slope;
use crate::shape::Shape;
use cnnc_runtime::kernel::{MapCall, Step};
use ndarray::ArrayD;
use std::any::Any;
use std::fmt;

/// A layer whose output element depends on the same element of its one operand only.
pub trait Pointwise: Any + fmt::Debug + Send + Sync + Clone {
    /// As [`Layer::attributes`].
    fn attributes(&self) -> (&'static str, Attributes);
    /// The definition.
    fn formula(&self, x: f64) -> f64;
    /// Its derivative. Where there is none, what PyTorch takes for it.
    fn derivative(&self, x: f64) -> f64;
    /// Pushes the cotangent of the operand.
    fn backward(&self, g: &mut Adjoint<'_>) -> ValueId {
        g.push(Slope(self.clone()), &[g.x(0), g.dy()])
    }
    /// The definition as steps of `f32_map`.
    fn steps(&self) -> Vec<Step>;
    /// The derivative as steps of `f32_map`.
    fn slope(&self) -> Vec<Step>;
}

impl<T: Pointwise> Layer for T {
    fn attributes(&self) -> (&'static str, Attributes) {
        Pointwise::attributes(self)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        Ok(Inferred::plain(inputs[0].clone()))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        inputs[0].mapv(|x| self.formula(x))
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let dx = self.backward(g);
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn role(&self) -> Role {
        Role::Pointwise(self.steps())
    }
}

impl<T: Pointwise> Lowering for T {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (output, input) = (cx.output(), cx.input(0));
        map(cx, &output, &input, &self.steps());
    }
}

/// IEEE 754's maximum: NaN when either is; `b` when they are equal, as zeros of both signs are.
pub fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

/// IEEE 754's minimum: NaN when either is; `b` when they are equal.
pub fn smaller(a: f64, b: f64) -> f64 {
    if a.is_nan() || a < b { a } else { b }
}

/// Emits `f32_map` of those steps; input and output may be the same. No steps make a copy.
pub fn map(cx: &mut Lower<'_>, output: &Storage, input: &Storage, steps: &[Step]) {
    cx.sweep(&[output.clone(), input.clone()], |cx, sweep| {
        let Sweep {
            rows,
            pixels: runs,
            channels: run,
            tensors: [out, x],
        } = sweep.runs();
        cx.call(MapCall {
            rows,
            runs,
            run,
            out,
            x,
            steps: steps.to_vec(),
        });
    });
}
