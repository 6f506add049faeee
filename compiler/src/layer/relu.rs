//! `relu`: negative values become zero.

use super::pointwise::{Pointwise, larger};
use super::{Attributes, Decl, Step};
use crate::gradient::Adjoint;
use crate::id::ValueId;
use crate::op::slope::Slope;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "relu",
    doc: "Rectifier: `max(x, 0)`.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(Relu)),
    samples: &[
        "input x: 5x4x3; relu",
        "input x: 17; relu",
        "input x: 3x2x4x5; relu",
        "input x: 16x40x40; relu",
    ],
};

/// A rectifier.
#[derive(Clone, Debug)]
pub struct Relu;

impl Pointwise for Relu {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        larger(0.0, x)
    }
    fn derivative(&self, x: f64) -> f64 {
        if x > 0.0 { 1.0 } else { 0.0 }
    }
    /// The result is positive where the operand is, which then nobody has to keep.
    fn backward(&self, g: &mut Adjoint<'_>) -> ValueId {
        g.push(Slope(Relu), &[g.y(), g.dy()])
    }
    fn slope(&self) -> Vec<Step> {
        vec![Step::Above(0.0)]
    }
    fn steps(&self) -> Vec<Step> {
        vec![Step::Max(0.0)]
    }
}
