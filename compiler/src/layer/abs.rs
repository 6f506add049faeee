//! `abs`: the absolute value.

use super::pointwise::Pointwise;
use super::{Attributes, Decl, Step};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "abs",
    doc: "Absolute value. As an operator in expressions: `abs(a - b)`.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Abs)),
    samples: &[
        "input x: 5x4x3; abs",
        "input x: 17; abs",
        "input x: 3x33; abs",
    ],
};

/// An absolute value.
#[derive(Clone, Debug)]
pub struct Abs;

impl Pointwise for Abs {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        x.abs()
    }
    fn derivative(&self, x: f64) -> f64 {
        match x == 0.0 {
            true => 0.0,
            false => x.signum(),
        }
    }
    fn slope(&self) -> Vec<Step> {
        vec![
            Step::Abs,
            Step::Max(f64::from(f32::MIN_POSITIVE)),
            Step::XOver,
        ]
    }
    fn steps(&self) -> Vec<Step> {
        vec![Step::Abs]
    }
}
