//! `deviation` and `deviation_input`: losses that are sums over elements, and their gradient.
//!
//! The operands are numbers, what they should be, and what each counts; all have the same shape.

use super::same_shape;
use super::total::{Total, number, of_pixels, planes};
use crate::gradient::{Adjoint, NoGradient};
use crate::layer::{Attributes, Inferred, Layer, Lowering, ShapeError};
use crate::loops::Affine;
use crate::lower::{Lower, Storage};
use crate::shape::Shape;
use cnnc_runtime::kernel::{Deviation as Measure, DeviationCall};
use ndarray::{ArrayD, IxDyn, Zip};

/// Keyword of [`Deviation`].
pub const LOSS: &str = "deviation";

/// Keyword of [`DeviationInput`].
pub const GRADIENT: &str = "deviation_input";

/// How far numbers are from their targets: a single number.
#[derive(Clone, Debug)]
pub struct Deviation {
    /// What an element costs.
    pub of: Measure,
    /// Where that changes, if it does.
    pub bend: f64,
    /// What becomes of the elements.
    pub total: Total,
}

/// Its gradient in the numbers: of the operands, and of the loss's cotangent behind them.
#[derive(Clone, Debug)]
pub struct DeviationInput(
    /// The loss.
    pub Deviation,
);

/// `ln(1 + eˣ)`
fn softplus(x: f64) -> f64 {
    if x > 30.0 {
        x + (-x).exp()
    } else {
        x.exp().ln_1p()
    }
}

impl Deviation {
    fn attributes(&self) -> Attributes {
        let of = match self.of {
            Measure::Squared => "squared",
            Measure::SmoothL1 => "smoothl1",
            Measure::Logistic => "logistic",
            Measure::Linear => "linear",
        };
        vec![
            ("of", of.into()),
            ("bend", self.bend.into()),
            ("total", self.total.name().into()),
        ]
    }

    /// The definition. Of `logistic`: −t·ln σ(z) − (1 − t)·ln(1 − σ(z)).
    fn value(&self, z: f64, t: f64) -> f64 {
        let apart = (z - t).abs();
        match self.of {
            Measure::Squared => (z - t).powi(2),
            Measure::SmoothL1 if apart >= self.bend => apart - self.bend / 2.0,
            Measure::SmoothL1 => apart.powi(2) / (2.0 * self.bend),
            Measure::Logistic => t * softplus(-z) + (1.0 - t) * softplus(z),
            Measure::Linear => z - t,
        }
    }

    fn slope(&self, z: f64, t: f64) -> f64 {
        let apart = z - t;
        match self.of {
            Measure::Squared => 2.0 * apart,
            Measure::SmoothL1 if apart == 0.0 => 0.0,
            Measure::SmoothL1 if apart.abs() >= self.bend => apart.signum(),
            Measure::SmoothL1 => apart / self.bend,
            Measure::Logistic => 1.0 / (1.0 + (-z).exp()) - t,
            Measure::Linear => 1.0,
        }
    }

    /// Emits the calls for every pixel; without a cotangent the result has a number for each.
    fn emit(&self, cx: &mut Lower<'_>, out: &Storage, dy: Option<&Storage>, factor: f64) {
        let [z, t, w] = [0, 1, 2].map(|operand| cx.input(operand));
        let [depth, rows, columns] = z.dhw;
        let channels = z.channels;
        planes(cx, depth, |cx, part| {
            cx.call(DeviationCall {
                rows,
                pixels: columns,
                channels,
                out: part(out),
                z: part(&z),
                t: part(&t),
                w: part(&w),
                dy: dy.map(|dy| dy.access(Affine::default())),
                of: self.of,
                bend: self.bend,
                factor,
            });
        });
    }
}

impl Layer for Deviation {
    fn attributes(&self) -> (&'static str, Attributes) {
        (LOSS, self.attributes())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        same_shape(LOSS, inputs)?;
        Ok(Inferred::plain(number()))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut loss = 0.0;
        Zip::from(inputs[0])
            .and(inputs[1])
            .and(inputs[2])
            .for_each(|&z, &t, &w| {
                if w != 0.0 {
                    loss += w * self.value(z, t);
                }
            });
        ArrayD::from_elem(IxDyn(&[1]), loss * self.total.factor(inputs[0].len()))
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        if g.wants(0) {
            let layer = DeviationInput(self.clone());
            let dz = g.push(layer, &[g.x(0), g.x(1), g.x(2), g.dy()]);
            g.give(0, dz);
        }
        match g.wants(1) || g.wants(2) {
            true => g.refuse("targets are given, not learned"),
            false => Ok(()),
        }
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Layer for DeviationInput {
    fn attributes(&self) -> (&'static str, Attributes) {
        (GRADIENT, self.0.attributes())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let shape = same_shape(GRADIENT, &inputs[..3])?;
        match inputs[3].dims() {
            [1] => Ok(Inferred::plain(shape)),
            _ => Err(ShapeError::new(format!(
                "the cotangent of a loss is a number, not {}",
                inputs[3]
            ))),
        }
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let factor = inputs[3].sum() * self.0.total.factor(inputs[0].len());
        let mut dz = inputs[0].clone();
        Zip::from(&mut dz)
            .and(inputs[1])
            .and(inputs[2])
            .for_each(|z, &t, &w| {
                *z = match w {
                    0.0 => 0.0,
                    w => factor * w * self.0.slope(*z, t),
                }
            });
        dz
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for Deviation {
    fn lower(&self, cx: &mut Lower<'_>) {
        let shape = cx.input_shape(0).clone();
        let factor = self.total.factor(shape.elements());
        of_pixels(cx, &shape, factor, |cx, out| self.emit(cx, out, None, 1.0));
    }
}

impl Lowering for DeviationInput {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (out, dy) = (cx.output(), cx.input(3));
        let factor = self.0.total.factor(cx.input_shape(0).elements());
        self.0.emit(cx, &out, Some(&dy), factor);
    }
}
