//! `mish`: a value times the hyperbolic tangent of its softplus.

use super::pointwise::Pointwise;
use super::{Decl, Step};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "mish",
    doc: "Mish: `x · tanh(ln(1 + eˣ))`. Misra 2019; YOLOv4's.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Mish)),
    samples: &[
        "input x: 5x4x3; mish",
        "input x: 17; scale 30; mish",
        "input x: 3x33; conv 3 4 mish",
    ],
};

/// A mish.
#[derive(Clone, Debug)]
pub struct Mish;

impl Pointwise for Mish {
    fn attributes(&self) -> (&'static str, Vec<(&'static str, String)>) {
        (DECL.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        x * x.exp().ln_1p().tanh()
    }
    fn steps(&self) -> Vec<Step> {
        // From 20 on, tanh(ln(1 + eˣ)) is 1 in f32, long before eˣ overflows.
        vec![
            Step::Min(20.0),
            Step::Exp,
            Step::Add(1.0),
            Step::Log,
            Step::Tanh,
            Step::MulX,
        ]
    }
}
