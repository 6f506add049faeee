//! `log`: the natural logarithm.

use super::pointwise::Pointwise;
use super::{Attributes, Decl, Step};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "log",
    doc: "Natural logarithm: −infinity for 0, NaN for what is negative.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Log)),
    samples: &[
        "input x: 5x4x3; abs scale 1 shift 0.5; log",
        "input x: 17; exp; log",
    ],
};

/// A natural logarithm.
#[derive(Clone, Debug)]
pub struct Log;

impl Pointwise for Log {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        x.ln()
    }
    fn derivative(&self, x: f64) -> f64 {
        x.recip()
    }
    fn slope(&self) -> Vec<Step> {
        vec![Step::Recip]
    }
    fn steps(&self) -> Vec<Step> {
        vec![Step::Log]
    }
}
