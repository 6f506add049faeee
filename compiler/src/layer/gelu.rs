//! `gelu`: a value times the normal distribution below it.

use super::pointwise::Pointwise;
use super::{ArgError, Args, Attributes, Decl, Kind, Layer, ParamDecl, Step};
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

/// The complement of the error function: near zero by that function's power series in which nothing cancels, `2/√π · e^(−x²) · Σ 2ⁿ·x^(2n+1) / (1·3·5…(2n+1))`,
/// else by a continued fraction. Accurate relative to itself for large `x`, where it becomes small.
fn erfc(x: f64) -> f64 {
    let power = (-x * x).exp();
    if x.abs() < SERIES {
        return 1.0 - erf(x);
    }
    let mut fraction = 0.0;
    for n in (1..100).rev() {
        fraction = f64::from(n) / 2.0 / (x.abs() + fraction);
    }
    let complement = power / (x.abs() + fraction) / PI.sqrt();
    if x < 0.0 {
        2.0 - complement
    } else {
        complement
    }
}

/// Below this the error function is a series.
const SERIES: f64 = 1.5;

/// The error function, by the same series, or what its complement leaves of 1.
pub fn erf(x: f64) -> f64 {
    if x.abs() >= SERIES {
        return (1.0 - erfc(x.abs())).copysign(x);
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..60 {
        term *= 2.0 * x * x / f64::from(2 * n + 1);
        sum += term;
    }
    FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// `x · Φ(x)`
pub fn gelu(x: f64) -> f64 {
    x * (erfc(-x * FRAC_1_SQRT_2) / 2.0)
}

/// `x / 2 · (1 + tanh u)` with `u = √(2/π) · (x + 0.044715·x³)`; as a logistic function, which loses nothing where the tangent is near −1.
pub fn gelu_tanh(x: f64) -> f64 {
    let u = (2.0 / PI).sqrt() * (x + 0.044715 * x.powi(3));
    x / (1.0 + (-2.0 * u).exp())
}

impl Pointwise for Gelu {
    fn attributes(&self) -> (&'static str, Attributes) {
        let form = if self.approximate {
            "approximate"
        } else {
            "exact"
        };
        (DECL.keyword, vec![("form", form.into())])
    }
    fn formula(&self, x: f64) -> f64 {
        match self.approximate {
            true => gelu_tanh(x),
            false => gelu(x),
        }
    }
    fn derivative(&self, x: f64) -> f64 {
        if self.approximate {
            let slope = (2.0 / PI).sqrt() * (1.0 + 3.0 * 0.044715 * x * x);
            let u = (2.0 / PI).sqrt() * (x + 0.044715 * x.powi(3));
            let (gate, rest) = (
                1.0 / (1.0 + (-2.0 * u).exp()),
                1.0 / (1.0 + (2.0 * u).exp()),
            );
            return gate * (1.0 + x * rest * 2.0 * slope);
        }
        let density = (-x * x / 2.0).exp() * FRAC_2_SQRT_PI * FRAC_1_SQRT_2 / 2.0;
        erfc(-x * FRAC_1_SQRT_2) / 2.0 + x * density
    }
    fn slope(&self) -> Vec<Step> {
        vec![match self.approximate {
            true => Step::GeluTanhSlope,
            false => Step::GeluSlope,
        }]
    }
    fn steps(&self) -> Vec<Step> {
        vec![match self.approximate {
            true => Step::GeluTanh,
            false => Step::Gelu,
        }]
    }
}
