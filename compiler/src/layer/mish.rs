//! `mish`: a value times the hyperbolic tangent of its softplus.

use super::pointwise::Pointwise;
use super::softplus::softplus;
use super::{Attributes, Decl, Step};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "mish",
    doc: "Mish: `x · tanh(ln(1 + eˣ))`. Misra 2019; YOLOv4's activation.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Mish)),
    samples: &[
        "input x: 5x4x3; scale 5; mish",
        "input x: 17; scale 30; mish",
        "input x: 3x6x5; conv 3x3 7 pad half mish",
    ],
};

/// A mish.
#[derive(Clone, Debug)]
pub struct Mish;

/// `x · tanh(ln(1 + eˣ))`
pub fn mish(x: f64) -> f64 {
    x * softplus(x).tanh()
}

impl Pointwise for Mish {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        mish(x)
    }
    fn derivative(&self, x: f64) -> f64 {
        let softplus = softplus(x);
        softplus.tanh() + x * softplus.cosh().powi(-2) / (1.0 + (-x).exp())
    }
    fn slope(&self) -> Vec<Step> {
        vec![Step::MishSlope]
    }
    fn steps(&self) -> Vec<Step> {
        vec![Step::Mish]
    }
}
