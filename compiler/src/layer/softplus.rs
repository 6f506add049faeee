//! `softplus`: a smooth rectifier.

use super::pointwise::{Pointwise, larger};
use super::{Attributes, Decl, Step};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "softplus",
    doc: "Softplus: `ln(1 + eˣ)`.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Softplus)),
    samples: &[
        "input x: 5x4x3; scale 5; softplus",
        "input x: 17; softplus",
        "input x: 3x33; scale 200; softplus",
    ],
};

/// A smooth rectifier.
#[derive(Clone, Debug)]
pub struct Softplus;

/// `ln(1 + eˣ)`, for large `x` too.
pub fn softplus(x: f64) -> f64 {
    larger(x, 0.0) + (-x.abs()).exp().ln_1p()
}

impl Pointwise for Softplus {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        softplus(x)
    }
    fn derivative(&self, x: f64) -> f64 {
        1.0 / (1.0 + (-x).exp())
    }
    fn slope(&self) -> Vec<Step> {
        vec![Step::Sigmoid]
    }
    fn steps(&self) -> Vec<Step> {
        vec![Step::Softplus]
    }
}
