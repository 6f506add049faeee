//! `softsign`: a value over one more than its magnitude.

use super::pointwise::Pointwise;
use super::{Attributes, Decl, Step};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "softsign",
    doc: "Softsign: `x / (1 + |x|)`. Turian et al. 2009; Glorot and Bengio 2010.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Softsign)),
    samples: &[
        "input x: 5x4x3; scale 5; softsign",
        "input x: 17; scale 1e6; softsign",
        "input x: 3x6x5; conv 3x3 7 pad half softsign",
    ],
};

/// A softsign.
#[derive(Clone, Debug)]
pub struct Softsign;

impl Pointwise for Softsign {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        x / (1.0 + x.abs())
    }
    fn derivative(&self, x: f64) -> f64 {
        (1.0 + x.abs()).powi(-2)
    }
    fn slope(&self) -> Vec<Step> {
        vec![Step::Abs, Step::Add(1.0), Step::Recip, Step::Square]
    }
    fn steps(&self) -> Vec<Step> {
        vec![Step::Abs, Step::Add(1.0), Step::XOver]
    }
}
