//! `floor`, `ceil`, `round` and `sign`: steps, whose derivative is 0.

use super::pointwise::Pointwise;
use super::{Attributes, Decl, Step};

/// Row of the table of layers: `floor`.
pub static FLOOR: Decl = Decl {
    keyword: "floor",
    doc: "The largest integer that is not above. Its gradient is 0, as PyTorch has it.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Rounding::Floor)),
    samples: &["input x: 5x4x3; scale 5; floor", "input x: 17; floor"],
};

/// Row of the table of layers: `ceil`.
pub static CEIL: Decl = Decl {
    keyword: "ceil",
    doc: "The smallest integer that is not below. Its gradient is 0, as PyTorch has it.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Rounding::Ceil)),
    samples: &["input x: 5x4x3; scale 5; ceil", "input x: 17; ceil"],
};

/// Row of the table of layers: `round`.
pub static ROUND: Decl = Decl {
    keyword: "round",
    doc: "The nearest integer, the even one of two that are equally near. Its gradient is 0, as PyTorch has it.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Rounding::Round)),
    samples: &["input x: 5x4x3; scale 5; round", "input x: 17; round"],
};

/// Row of the table of layers: `sign`.
pub static SIGN: Decl = Decl {
    keyword: "sign",
    doc: "1 for what is positive, −1 for what is negative, 0 for 0. Its gradient is 0, as PyTorch has it.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Rounding::Sign)),
    samples: &["input x: 5x4x3; sign", "input x: 17; sign"],
};

/// What becomes of a number.
#[derive(Clone, Copy, Debug)]
pub enum Rounding {
    /// The largest integer that is not above.
    Floor,
    /// The smallest integer that is not below.
    Ceil,
    /// The nearest integer.
    Round,
    /// Its sign.
    Sign,
}

impl Pointwise for Rounding {
    fn attributes(&self) -> (&'static str, Attributes) {
        let row = match self {
            Rounding::Floor => &FLOOR,
            Rounding::Ceil => &CEIL,
            Rounding::Round => &ROUND,
            Rounding::Sign => &SIGN,
        };
        (row.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        match self {
            Rounding::Floor => x.floor(),
            Rounding::Ceil => x.ceil(),
            Rounding::Round => x.round_ties_even(),
            Rounding::Sign if x == 0.0 => x,
            Rounding::Sign => x.signum(),
        }
    }
    fn derivative(&self, _: f64) -> f64 {
        0.0
    }
    fn slope(&self) -> Vec<Step> {
        vec![Step::Above(f64::INFINITY)]
    }
    fn steps(&self) -> Vec<Step> {
        match self {
            Rounding::Floor => vec![Step::Floor],
            Rounding::Ceil => vec![Step::Mul(-1.0), Step::Floor, Step::Mul(-1.0)],
            Rounding::Round => vec![Step::Round],
            Rounding::Sign => vec![Step::Sign],
        }
    }
}
