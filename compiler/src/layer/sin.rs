//! `sin`, `cos` and `erf`: functions that graphs of other frameworks have.

use super::gelu;
use super::pointwise::Pointwise;
use super::{Attributes, Decl, Step};
use std::f64::consts::FRAC_2_SQRT_PI;

/// Row of the table of layers: `sin`.
pub static SIN: Decl = Decl {
    keyword: "sin",
    doc: "Sine, of an angle in radians.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Function::Sin)),
    samples: &["input x: 5x4x3; scale 9; sin", "input x: 17; sin"],
};

/// Row of the table of layers: `cos`.
pub static COS: Decl = Decl {
    keyword: "cos",
    doc: "Cosine, of an angle in radians.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Function::Cos)),
    samples: &["input x: 5x4x3; scale 9; cos", "input x: 17; cos"],
};

/// Row of the table of layers: `erf`.
pub static ERF: Decl = Decl {
    keyword: "erf",
    doc: "Error function, `2/√π · ∫ e^(−t²) dt` from 0 to `x`. `gelu` has it inside.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Function::Erf)),
    samples: &["input x: 5x4x3; scale 3; erf", "input x: 17; erf"],
};

/// A function of single elements.
#[derive(Clone, Copy, Debug)]
pub enum Function {
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
    /// Error function.
    Erf,
}

impl Pointwise for Function {
    fn attributes(&self) -> (&'static str, Attributes) {
        let row = match self {
            Function::Sin => &SIN,
            Function::Cos => &COS,
            Function::Erf => &ERF,
        };
        (row.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        match self {
            Function::Sin => x.sin(),
            Function::Cos => x.cos(),
            Function::Erf => gelu::erf(x),
        }
    }
    fn derivative(&self, x: f64) -> f64 {
        match self {
            Function::Sin => x.cos(),
            Function::Cos => -x.sin(),
            Function::Erf => FRAC_2_SQRT_PI * (-x * x).exp(),
        }
    }
    fn slope(&self) -> Vec<Step> {
        match self {
            Function::Sin => vec![Step::Cos],
            Function::Cos => vec![Step::Sin, Step::Mul(-1.0)],
            Function::Erf => vec![
                Step::Square,
                Step::Mul(-1.0),
                Step::Exp,
                Step::Mul(FRAC_2_SQRT_PI),
            ],
        }
    }
    fn steps(&self) -> Vec<Step> {
        vec![match self {
            Function::Sin => Step::Sin,
            Function::Cos => Step::Cos,
            Function::Erf => Step::Erf,
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Python's `math.erf`.
    #[test]
    fn the_error_function_has_its_values() {
        for (x, value) in [
            (1e-20, 1.128_379_167_095_512_5e-20),
            (-1e-3, -0.001_128_378_790_969_236_5),
            (0.3, 0.328_626_759_459_127_4),
            (-0.9, -0.796_908_212_422_832_2),
            (1.5, 0.966_105_146_475_310_8),
            (-2.5, -0.999_593_047_982_555),
            (4.0, 0.999_999_984_582_742_1),
            (30.0, 1.0),
        ] {
            let found = Function::Erf.formula(x);
            assert!((found - value).abs() <= 1e-15 * value.abs(), "{x}: {found}");
        }
    }
}
