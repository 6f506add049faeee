//! `sqrt`: the square root.

use super::pointwise::Pointwise;
use super::{Attributes, Decl, Step};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "sqrt",
    doc: "Square root; NaN of what is negative.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Sqrt)),
    samples: &[
        "input x: 5x4x3; abs scale 1 shift 0.1; sqrt",
        "input x: 17; exp; sqrt",
        "input x: 3x6x5; conv 3x3 7 pad half exp; sqrt",
    ],
};

/// A square root.
#[derive(Clone, Debug)]
pub struct Sqrt;

impl Pointwise for Sqrt {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        x.sqrt()
    }
    fn derivative(&self, x: f64) -> f64 {
        0.5 / x.sqrt()
    }
    fn slope(&self) -> Vec<Step> {
        vec![Step::Sqrt, Step::Recip, Step::Mul(0.5)]
    }
    fn steps(&self) -> Vec<Step> {
        vec![Step::Sqrt]
    }
}
