//! `pow`: a power with a constant exponent.

use super::pointwise::Pointwise;
use super::{ArgError, Args, Attributes, Decl, Kind, Layer, ParamDecl, Step};
use crate::args::TINY;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "pow",
    doc: "Power with a constant exponent: `xᵖ`, as PyTorch has it. The exponent is rounded to 32 bits first. Whole exponents up to 16 are products, \
          `0.5` is `sqrt`, `-1` a quotient; any other is a power of e, within 1e-6 of the exact one, relative to it. What is negative has NaN for \
          its power, but where the exponent is whole.",
    params: &[ParamDecl {
        name: "exponent",
        kind: Kind::Float,
        positional: true,
        default: None,
        doc: "The exponent; not 0, with which all elements would be 1.",
    }],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; pow 2",
        "input x: 17; scale 2; pow exponent 5",
        "input x: 3x6x5; conv 3x3 7 pad half exp; pow 0.3",
        "input x: 7x3; exp; pow -1.75",
        "input x: 33; abs scale -1 shift -0.5; pow -3",
        "input x: 9x2x2x2; abs scale 1 shift 0.5; pow 0.5",
        "input x: 5; abs scale 1 shift 0.5; pow -1",
    ],
};

/// Largest exponent that is a chain of products: fifteen roundings are within the 1e-6 that activations promise.
const MOST_FACTORS: f64 = 16.0;

/// A power.
#[derive(Clone, Debug)]
pub struct Pow {
    /// The exponent, as it is written.
    pub p: f64,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let p = args
        .number("exponent")?
        .ok_or_else(|| args.missing("exponent"))?;
    if p.abs() < f64::from(f32::MIN_POSITIVE) {
        let problem = args.error("exponent", "`exponent` must not be 0");
        return Err(problem.help(format!("with it, every element would be 1; {TINY}")));
    }
    Ok(Box::new(Pow { p }))
}

impl Pow {
    fn exponent(&self) -> f64 {
        f64::from(self.p as f32)
    }
}

impl Pointwise for Pow {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, vec![("exponent", self.p.into())])
    }
    fn formula(&self, x: f64) -> f64 {
        let p = self.exponent();
        if p == 0.5 { x.sqrt() } else { x.powf(p) }
    }
    fn derivative(&self, x: f64) -> f64 {
        let p = self.exponent();
        if p == 0.5 {
            0.5 / x.sqrt()
        } else {
            p * x.powf(p - 1.0)
        }
    }
    fn slope(&self) -> Vec<Step> {
        let p = self.exponent();
        match p {
            0.5 => vec![Step::Sqrt, Step::Recip, Step::Mul(0.5)],
            1.0 => vec![Step::Mul(0.0), Step::Add(1.0)],
            _ => vec![Step::Pow(p - 1.0), Step::Mul(p)],
        }
    }
    fn steps(&self) -> Vec<Step> {
        let p = self.exponent();
        if p == 0.5 {
            return vec![Step::Sqrt];
        }
        if p == -1.0 {
            return vec![Step::Recip];
        }
        if p.fract() == 0.0 && (1.0..=MOST_FACTORS).contains(&p) {
            return vec![Step::MulX; p as usize - 1];
        }
        vec![Step::Pow(p)]
    }
}
