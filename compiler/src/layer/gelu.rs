//! `gelu`: a value times the normal distribution below it.

use super::pointwise::Pointwise;
use super::{ArgError, Args, Decl, Kind, Layer, ParamDecl, Step};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "gelu",
    doc: "Gaussian error linear unit: `x · Φ(x)`, with `Φ` the normal distribution. Hendrycks and Gimpel 2016. `approximate` is \
          `x / 2 · (1 + tanh(√(2/π) · (x + 0.044715·x³)))`, which some networks were trained with.",
    params: &[ParamDecl {
        name: "form",
        kind: Kind::Word(&["exact", "approximate"]),
        positional: true,
        default: Some("exact"),
        doc: "Whether `Φ` is the distribution itself or its approximation.",
    }],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; scale 3; gelu",
        "input x: 17; gelu approximate",
        "input x: 3x33; scale 20; gelu form exact",
        "input x: 3x6x5; conv 3x3 7 pad half gelu approximate",
    ],
};

/// A Gaussian error linear unit.
#[derive(Clone, Debug)]
pub struct Gelu {
    /// Whether it is the approximation.
    pub approximate: bool,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let approximate = args.word("form") == Some("approximate");
    Ok(Box::new(Gelu { approximate }))
}

/// The error function: its power series near zero, else the continued fraction of its complement.
pub fn erf(x: f64) -> f64 {
    if x.abs() < 2.5 {
        let (mut term, mut sum) = (x, x);
        for n in 1..60 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return FRAC_2_SQRT_PI * sum;
    }
    let mut fraction = 0.0;
    for n in (1..60).rev() {
        fraction = f64::from(n) / 2.0 / (x.abs() + fraction);
    }
    let complement = (-x * x).exp() / (x.abs() + fraction) / PI.sqrt();
    (1.0 - complement).copysign(x)
}

impl Pointwise for Gelu {
    fn attributes(&self) -> (&'static str, Vec<(&'static str, String)>) {
        let form = if self.approximate {
            "approximate"
        } else {
            "exact"
        };
        (DECL.keyword, vec![("form", form.to_owned())])
    }
    fn formula(&self, x: f64) -> f64 {
        let twice = match self.approximate {
            true => 1.0 + ((2.0 / PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh(),
            false => 1.0 + erf(x * FRAC_1_SQRT_2),
        };
        x * twice / 2.0
    }
    fn steps(&self) -> Vec<Step> {
        let half = [Step::Add(1.0), Step::MulX, Step::Mul(0.5)];
        let inner = match self.approximate {
            // x·x·0.044715 + 1, times x.
            true => vec![
                Step::MulX,
                Step::Mul(0.044715),
                Step::Add(1.0),
                Step::MulX,
                Step::Mul((2.0 / PI).sqrt()),
                Step::Tanh,
            ],
            false => vec![Step::Mul(FRAC_1_SQRT_2), Step::Erf],
        };
        [inner.as_slice(), &half].concat()
    }
}
