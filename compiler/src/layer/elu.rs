//! `elu`: a rectifier whose negative side is an exponential.

use super::pointwise::Pointwise;
use super::{ArgError, Args, Attributes, Decl, Kind, Layer, ParamDecl, Step};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "elu",
    doc: "Exponential linear unit: `x` where positive, elsewhere `alpha · (eˣ − 1)`. Clevert et al. 2015.",
    params: &[ParamDecl {
        name: "alpha",
        kind: Kind::Float,
        positional: true,
        default: Some("1"),
        doc: "Limit for large negative values, negated.",
    }],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; scale 5; elu",
        "input x: 17; elu 0.3",
        "input x: 3x6x5; conv 3x3 7 pad half elu alpha 1.5",
    ],
};

/// An exponential linear unit.
#[derive(Clone, Debug)]
pub struct Elu {
    /// What large negative values come to, negated.
    pub alpha: f64,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let alpha = args.number("alpha")?.unwrap_or(1.0);
    Ok(Box::new(Elu { alpha }))
}

impl Pointwise for Elu {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, vec![("alpha", self.alpha.into())])
    }
    fn formula(&self, x: f64) -> f64 {
        if x < 0.0 { self.alpha * x.exp_m1() } else { x }
    }
    fn derivative(&self, x: f64) -> f64 {
        if x > 0.0 { 1.0 } else { self.alpha * x.exp() }
    }
    fn slope(&self) -> Vec<Step> {
        vec![
            Step::Min(0.0),
            Step::Exp,
            Step::Mul(self.alpha),
            Step::OneAbove,
        ]
    }
    fn steps(&self) -> Vec<Step> {
        vec![
            Step::Min(0.0),
            Step::ExpMinusOne,
            Step::Mul(self.alpha),
            Step::WhereNegative,
        ]
    }
}
