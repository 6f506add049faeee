//! `selu`: an exponential linear unit whose constants keep mean and variance.

use super::pointwise::Pointwise;
use super::{Attributes, Decl, Step};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "selu",
    doc: "Scaled exponential linear unit: `scale · x` where positive, elsewhere `scale · alpha · (eˣ − 1)`, with `scale` 1.0507009873554805 and \
          `alpha` 1.6732632423543772. Klambauer et al. 2017.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Selu)),
    samples: &[
        "input x: 5x4x3; scale 5; selu",
        "input x: 17; scale 0.01; selu",
        "input x: 3x6x5; conv 3x3 7 pad half selu",
    ],
};

/// The constants with which mean 0 and variance 1 are a fixed point (Klambauer et al. 2017, equation 14).
const ALPHA: f64 = 1.673_263_242_354_377_2;
const SCALE: f64 = 1.050_700_987_355_480_5;

/// A scaled exponential linear unit.
#[derive(Clone, Debug)]
pub struct Selu;

impl Pointwise for Selu {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        SCALE * if x < 0.0 { ALPHA * x.exp_m1() } else { x }
    }
    fn derivative(&self, x: f64) -> f64 {
        SCALE * if x > 0.0 { 1.0 } else { ALPHA * x.exp() }
    }
    fn slope(&self) -> Vec<Step> {
        vec![
            Step::Min(0.0),
            Step::Exp,
            Step::Mul(ALPHA),
            Step::OneAbove,
            Step::Mul(SCALE),
        ]
    }
    fn steps(&self) -> Vec<Step> {
        vec![
            Step::Min(0.0),
            Step::ExpMinusOne,
            Step::Mul(ALPHA),
            Step::WhereNegative,
            Step::Mul(SCALE),
        ]
    }
}
