//! `sigmoid`: the logistic function.

use super::pointwise::Pointwise;
use super::{Attributes, Decl, Step};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "sigmoid",
    doc: "Logistic function: `1 / (1 + e⁻ˣ)`.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Sigmoid)),
    samples: &[
        "input x: 5x4x3; sigmoid",
        "input x: 17; sigmoid",
        "input x: 3x33; sigmoid",
    ],
};

/// A logistic function.
#[derive(Clone, Debug)]
pub struct Sigmoid;

impl Pointwise for Sigmoid {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        (1.0 + (-x).exp()).recip()
    }
    fn derivative(&self, x: f64) -> f64 {
        self.formula(x) * self.formula(-x)
    }
    fn slope(&self) -> Vec<Step> {
        // A quarter less the square of the distance from a half.
        let half = [Step::Sigmoid, Step::Add(-0.5), Step::Square];
        [half.as_slice(), &[Step::Mul(-1.0), Step::Add(0.25)]].concat()
    }
    fn steps(&self) -> Vec<Step> {
        vec![Step::Sigmoid]
    }
}
