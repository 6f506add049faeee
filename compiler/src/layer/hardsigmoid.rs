//! `hardsigmoid`: a piecewise linear logistic function.

use super::pointwise::Pointwise;
use super::{Attributes, Decl, Step};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "hardsigmoid",
    doc: "Hard sigmoid: `min(max(x + 3, 0), 6) / 6`, the gate of MobileNetV3's squeeze-and-excitation. (Older Keras has another one, \
          `clip(x / 5 + 1/2, 0, 1)`: that is `scale 0.2 shift 0.5 clip 0 1`.)",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(HardSigmoid)),
    samples: &[
        "input x: 5x4x3; scale 5; hardsigmoid",
        "input x: 17; hardsigmoid",
        "input x: 3x6x5; mul { { } ; globalavgpool dense 3 hardsigmoid }",
    ],
};

/// A hard sigmoid.
#[derive(Clone, Debug)]
pub struct HardSigmoid;

impl Pointwise for HardSigmoid {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }
    fn formula(&self, x: f64) -> f64 {
        (x + 3.0).clamp(0.0, 6.0) / 6.0
    }
    fn derivative(&self, x: f64) -> f64 {
        // PyTorch rounds this sixth to f32, in f64 too, and its gradients are the goldens.
        let sixth = f64::from(1.0 / 6.0_f32);
        if x.abs() < 3.0 { sixth } else { 0.0 }
    }
    fn slope(&self) -> Vec<Step> {
        let inside = [Step::Abs, Step::Mul(-1.0), Step::Above(-3.0)];
        [inside.as_slice(), &[Step::Mul(1.0 / 6.0)]].concat()
    }
    fn steps(&self) -> Vec<Step> {
        let gate = [Step::Add(3.0), Step::Max(0.0), Step::Min(6.0)];
        [gate.as_slice(), &[Step::Mul(1.0 / 6.0)]].concat()
    }
}
