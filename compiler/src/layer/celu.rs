//! `celu`: an exponential linear unit that is smooth for every alpha.

use super::pointwise::Pointwise;
use super::{ArgError, Args, Attributes, Decl, Kind, Layer, ParamDecl, Step};
use crate::args::TINY;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "celu",
    doc: "Continuously differentiable exponential linear unit: `x` where it is not negative, else `alpha · (e^(x / alpha) − 1)`. Barron 2017.",
    params: &[ParamDecl {
        name: "alpha",
        kind: Kind::Float,
        positional: true,
        default: Some("1"),
        doc: "What the result tends to below, with its sign turned; positive.",
    }],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; scale 5; celu",
        "input x: 17; celu 2",
        "input x: 3x6x5; conv 3x3 7 pad half celu alpha 0.5",
    ],
};

/// Such a unit.
#[derive(Clone, Debug)]
pub struct Celu {
    /// What it tends to.
    pub alpha: f64,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let alpha = args.number("alpha")?.unwrap_or(1.0);
    if alpha <= 0.0 {
        return Err(args.error("alpha", "`alpha` must be positive").help(TINY));
    }
    Ok(Box::new(Celu { alpha }))
}

impl Pointwise for Celu {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, vec![("alpha", self.alpha.into())])
    }
    fn formula(&self, x: f64) -> f64 {
        if x < 0.0 {
            self.alpha * (x / self.alpha).exp_m1()
        } else {
            x
        }
    }
    fn derivative(&self, x: f64) -> f64 {
        if x > 0.0 { 1.0 } else { (x / self.alpha).exp() }
    }
    fn slope(&self) -> Vec<Step> {
        let power = [Step::Min(0.0), Step::Mul(1.0 / self.alpha), Step::Exp];
        [power.as_slice(), &[Step::OneAbove]].concat()
    }
    fn steps(&self) -> Vec<Step> {
        vec![
            Step::Min(0.0),
            Step::Mul(1.0 / self.alpha),
            Step::ExpMinusOne,
            Step::Mul(self.alpha),
            Step::WhereNegative,
        ]
    }
}
