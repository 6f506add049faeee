//! `exp`: the exponential function.

use super::pointwise::Pointwise;
use super::{Attributes, Decl, Step};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "exp",
    doc: "Exponential function: `eˣ`.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Exp)),
    samples: &[
        "input x: 5x4x3; exp",
        "input x: 17; exp",
        "input x: 3x33; exp",
    ],
};

/// An exponential function.
#[derive(Clone, Debug)]
pub struct Exp;

impl Pointwise for Exp {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        x.exp()
    }
    fn derivative(&self, x: f64) -> f64 {
        x.exp()
    }
    fn slope(&self) -> Vec<Step> {
        vec![Step::Exp]
    }
    fn steps(&self) -> Vec<Step> {
        vec![Step::Exp]
    }
}
