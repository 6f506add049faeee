//! `cross_entropy` and `cross_entropy_input`: the loss of classifiers, and its gradient.
//!
//! Targets are dense, a number for each class, so that smoothed, mixed and weighted labels are nothing special; of maps each pixel is a sample, and the loss is
//! their mean or their sum. Of logits z and targets t it is `(Σ t) · ln Σ eᶻ − Σ t·z`, which is `−Σ t · log-softmax(z)`.

use super::same_shape;
use super::total::{Total, number, of_pixels, planes};
use crate::gradient::{Adjoint, NoGradient};
use crate::layer::{Attributes, Inferred, Layer, Lowering, ShapeError};
use crate::loops::Affine;
use crate::lower::{Lower, Storage};
use crate::shape::Shape;
use cnnc_runtime::kernel::CrossEntropyCall;
use ndarray::{ArrayD, Axis, IxDyn};

/// Keyword of [`CrossEntropy`].
pub const LOSS: &str = "cross_entropy";

/// Keyword of [`CrossEntropyInput`].
pub const GRADIENT: &str = "cross_entropy_input";

/// The loss of logits, given targets: a single number.
#[derive(Clone, Debug)]
pub struct CrossEntropy(
    /// What becomes of the pixels.
    pub Total,
);

/// Its gradient in the logits: of the logits, the targets and the loss's cotangent.
#[derive(Clone, Debug)]
pub struct CrossEntropyInput(
    /// As of the loss.
    pub Total,
);

fn pixels(shape: &Shape) -> usize {
    shape.elements() / shape.channels()
}

/// Sums of a pixel's targets and of its powers, and the largest logit.
fn sums(z: &[f64], t: &[f64]) -> (f64, f64, f64) {
    let most = z.iter().fold(f64::NEG_INFINITY, |most, &x| most.max(x));
    let powers = z.iter().map(|x| (x - most).exp()).sum();
    (t.iter().sum(), powers, most)
}

impl Layer for CrossEntropy {
    fn attributes(&self) -> (&'static str, Attributes) {
        (LOSS, vec![("total", self.0.name().into())])
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        same_shape(LOSS, inputs)?;
        Ok(Inferred::plain(number()))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut loss = 0.0;
        for (z, t) in inputs[0]
            .lanes(Axis(0))
            .into_iter()
            .zip(inputs[1].lanes(Axis(0)))
        {
            let (z, t) = (z.to_vec(), t.to_vec());
            let (targets, powers, most) = sums(&z, &t);
            loss += targets * powers.ln();
            loss -= z.iter().zip(&t).map(|(z, t)| t * (z - most)).sum::<f64>();
        }
        let shape = Shape::new(inputs[0].shape()).expect("infer accepted it");
        ArrayD::from_elem(IxDyn(&[1]), loss * self.0.factor(pixels(&shape)))
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        if g.wants(0) {
            let dz = g.push(CrossEntropyInput(self.0), &[g.x(0), g.x(1), g.dy()]);
            g.give(0, dz);
        }
        match g.wants(1) {
            true => g.refuse("targets are given, not learned"),
            false => Ok(()),
        }
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Layer for CrossEntropyInput {
    fn attributes(&self) -> (&'static str, Attributes) {
        (GRADIENT, vec![("total", self.0.name().into())])
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let shape = same_shape(GRADIENT, &inputs[..2])?;
        match inputs[2].dims() {
            [1] => Ok(Inferred::plain(shape)),
            _ => Err(ShapeError::new(format!(
                "the cotangent of a loss is a number, not {}",
                inputs[2]
            ))),
        }
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shape = Shape::new(inputs[0].shape()).expect("infer accepted it");
        let factor = inputs[2].sum() * self.0.factor(pixels(&shape));
        let mut dz = inputs[0].clone();
        for (mut z, t) in dz
            .lanes_mut(Axis(0))
            .into_iter()
            .zip(inputs[1].lanes(Axis(0)))
        {
            let (targets, powers, most) = sums(&z.to_vec(), &t.to_vec());
            z.zip_mut_with(&t, |z, t| {
                *z = factor * (targets * (*z - most).exp() / powers - t);
            });
        }
        dz
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

/// Emits the calls for every pixel; without a cotangent the result has a number for each.
fn emit(cx: &mut Lower<'_>, out: &Storage, dy: Option<&Storage>, factor: f64) {
    let (z, t) = (cx.input(0), cx.input(1));
    let [depth, rows, columns] = z.dhw;
    let channels = z.channels;
    planes(cx, depth, |cx, part| {
        cx.call(CrossEntropyCall {
            rows,
            pixels: columns,
            channels,
            out: part(out),
            z: part(&z),
            t: part(&t),
            dy: dy.map(|dy| dy.access(Affine::default())),
            factor,
        });
    });
}

impl Lowering for CrossEntropy {
    fn lower(&self, cx: &mut Lower<'_>) {
        let shape = cx.input_shape(0).clone();
        of_pixels(cx, &shape, self.0.factor(pixels(&shape)), |cx, out| {
            emit(cx, out, None, 1.0);
        });
    }
}

impl Lowering for CrossEntropyInput {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (out, dy) = (cx.output(), cx.input(2));
        let factor = self.0.factor(pixels(cx.input_shape(0)));
        emit(cx, &out, Some(&dy), factor);
    }
}
