//! `near_sum` and `power`: what the gradient of local response normalisation is made of.

use crate::layer::pointwise::Pointwise;
use crate::layer::{Attributes, Inferred, Layer, Lowering, ShapeError, grid};
use crate::lower::Lower;
use crate::shape::Shape;
use cnnc_runtime::kernel::{NearSumCall, Step};
use ndarray::ArrayD;

/// Keyword of [`Near`].
pub const NEAR: &str = "near_sum";

/// Keyword of [`Power`].
pub const POWER: &str = "power";

/// Every channel becomes the sum of those around it and its own, as many as there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near {
    /// Channels before it.
    pub before: usize,
    /// Channels behind it.
    pub behind: usize,
}

impl Layer for Near {
    fn attributes(&self) -> (&'static str, Attributes) {
        let around = vec![
            ("before", self.before.into()),
            ("behind", self.behind.into()),
        ];
        (NEAR, around)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        Ok(Inferred::plain(inputs[0].clone()))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let x = grid::view(inputs[0]);
        let shape = grid::shape(inputs[0]);
        grid::tabulate(&shape, |[c, d, h, w]| {
            let near = c.saturating_sub(self.before)..(c + self.behind + 1).min(shape.channels());
            near.map(|j| x[[j, d, h, w]]).sum()
        })
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for Near {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (output, input) = (cx.output(), cx.input(0));
        let most = output.channels - 1;
        cx.sweep(&[output, input], |cx, sweep| {
            cx.call(NearSumCall {
                over: sweep.pixelwise(),
                before: self.before.min(most),
                behind: self.behind.min(most),
            });
        });
    }
}

/// A power of positive numbers, whose exponent is as exact as a spec's constant; that of [`Pow`](crate::layer::pow::Pow) is an f32 by definition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Power {
    /// The exponent; not 0.
    pub p: f64,
}

impl Pointwise for Power {
    fn attributes(&self) -> (&'static str, Attributes) {
        (POWER, vec![("exponent", self.p.into())])
    }
    fn formula(&self, x: f64) -> f64 {
        x.powf(self.p)
    }
    fn derivative(&self, x: f64) -> f64 {
        self.p * x.powf(self.p - 1.0)
    }
    fn slope(&self) -> Vec<Step> {
        vec![Step::Pow(self.p - 1.0), Step::Mul(self.p)]
    }
    fn steps(&self) -> Vec<Step> {
        vec![Step::Pow(self.p)]
    }
}
