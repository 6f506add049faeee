//! `tanh`: the hyperbolic tangent.

use super::pointwise::Pointwise;
use super::{Attributes, Decl, Step};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "tanh",
    doc: "Hyperbolic tangent.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Tanh)),
    samples: &[
        "input x: 5x4x3; tanh",
        "input x: 17; tanh",
        "input x: 3x33; tanh",
    ],
};

/// A hyperbolic tangent.
#[derive(Clone, Debug)]
pub struct Tanh;

impl Pointwise for Tanh {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        x.tanh()
    }
    fn derivative(&self, x: f64) -> f64 {
        x.cosh().powi(-2)
    }
    fn slope(&self) -> Vec<Step> {
        vec![Step::Tanh, Step::Square, Step::Mul(-1.0), Step::Add(1.0)]
    }
    fn steps(&self) -> Vec<Step> {
        vec![Step::Tanh]
    }
}
