//! `silu`: a value times its logistic function.

use super::pointwise::Pointwise;
use super::{Attributes, Decl, Step};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "silu",
    doc: "SiLU, also called swish: `x / (1 + e⁻ˣ)`. Elfwing et al. 2017, Ramachandran et al. 2017.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Silu)),
    samples: &[
        "input x: 5x4x3; silu",
        "input x: 17; silu",
        "input x: 3x33; silu",
    ],
};

/// A SiLU.
#[derive(Clone, Debug)]
pub struct Silu;

/// `x / (1 + e⁻ˣ)`
pub fn silu(x: f64) -> f64 {
    x / (1.0 + (-x).exp())
}

impl Pointwise for Silu {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        silu(x)
    }
    fn derivative(&self, x: f64) -> f64 {
        let (gate, rest) = (1.0 / (1.0 + (-x).exp()), 1.0 / (1.0 + x.exp()));
        gate * (1.0 + x * rest)
    }
    fn slope(&self) -> Vec<Step> {
        vec![Step::SiluSlope]
    }
    fn steps(&self) -> Vec<Step> {
        vec![Step::Silu]
    }
}
