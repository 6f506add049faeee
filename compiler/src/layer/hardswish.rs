//! `hardswish`: SiLU with a piecewise linear logistic function.

use super::pointwise::Pointwise;
use super::{Attributes, Decl, Step};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "hardswish",
    doc: "Hard swish: `x · min(max(x + 3, 0), 6) / 6`. MobileNetV3, Howard et al. 2019.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(HardSwish)),
    samples: &[
        "input x: 5x4x3; scale 5; hardswish",
        "input x: 17; hardswish",
        "input x: 3x33; scale 20; hardswish",
        "input x: 3x6x5; conv 3x3 7 pad half hardswish",
    ],
};

/// A hard swish.
#[derive(Clone, Debug)]
pub struct HardSwish;

impl Pointwise for HardSwish {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        x * ((x + 3.0).clamp(0.0, 6.0) / 6.0)
    }
    fn derivative(&self, x: f64) -> f64 {
        match x {
            x if x < -3.0 => 0.0,
            x if x < 3.0 => (2.0 * x + 3.0) / 6.0,
            _ => 1.0,
        }
    }
    fn slope(&self) -> Vec<Step> {
        vec![Step::HardSwishSlope]
    }
    fn steps(&self) -> Vec<Step> {
        // The gate is at most 1 before it is multiplied with, so that nothing overflows.
        let gate = [Step::Add(3.0), Step::Max(0.0), Step::Min(6.0)];
        [gate.as_slice(), &[Step::Mul(1.0 / 6.0), Step::MulX]].concat()
    }
}
