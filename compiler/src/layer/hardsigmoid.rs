//! `hardsigmoid`: a piecewise linear logistic function.

use super::pointwise::Pointwise;
use super::{ArgError, Args, Attributes, Decl, Kind, Layer, ParamDecl, Step};
use crate::args::TINY;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "hardsigmoid",
    doc: "Hard sigmoid: `min(max(alpha · x + beta, 0), 1)`. Without both it is `min(max(x + 3, 0), 6) / 6`, the gate of MobileNetV3's \
          squeeze-and-excitation; older Keras and ONNX have `alpha 0.2`.",
    params: &[
        ParamDecl {
            name: "alpha",
            kind: Kind::Float,
            positional: false,
            default: Some("1 / 6"),
            doc: "The slope, positive.",
        },
        ParamDecl {
            name: "beta",
            kind: Kind::Float,
            positional: false,
            default: Some("0.5"),
            doc: "The value at 0.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; scale 5; hardsigmoid",
        "input x: 17; hardsigmoid",
        "input x: 3x6x5; mul { { } ; globalavgpool dense 3 hardsigmoid }",
        "input x: 17; scale 5; hardsigmoid alpha 0.2",
        "input x: 5x4x3; hardsigmoid alpha 0.5 beta 0.6",
    ],
};

/// A hard sigmoid.
#[derive(Clone, Debug)]
pub struct HardSigmoid {
    /// Slope and value at 0; without them a sixth and a half.
    pub line: Option<(f64, f64)>,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let alpha = args.number("alpha")?;
    let beta = args.number("beta")?.unwrap_or(0.5);
    if alpha.is_some_and(|alpha| alpha <= 0.0) {
        return Err(args.error("alpha", "`alpha` must be positive").help(TINY));
    }
    let line = match alpha {
        None if beta == 0.5 => None,
        _ => Some((alpha.unwrap_or(1.0 / 6.0), beta)),
    };
    Ok(Box::new(HardSigmoid { line }))
}

impl Pointwise for HardSigmoid {
    fn attributes(&self) -> (&'static str, Attributes) {
        let line = self
            .line
            .map(|(alpha, beta)| vec![("alpha", alpha.into()), ("beta", beta.into())]);
        (DECL.keyword, line.unwrap_or_default())
    }
    fn formula(&self, x: f64) -> f64 {
        match self.line {
            None => (x + 3.0).clamp(0.0, 6.0) / 6.0,
            Some((alpha, beta)) => (alpha * x + beta).clamp(0.0, 1.0),
        }
    }
    fn derivative(&self, x: f64) -> f64 {
        // PyTorch rounds this sixth to f32, in f64 too, and its gradients are the goldens.
        let sixth = f64::from(1.0 / 6.0_f32);
        match self.line {
            None if x.abs() < 3.0 => sixth,
            Some((alpha, beta)) if (alpha * x + beta - 0.5).abs() < 0.5 => alpha,
            _ => 0.0,
        }
    }
    fn slope(&self) -> Vec<Step> {
        let (alpha, beta) = self.line.unwrap_or((1.0 / 6.0, 0.5));
        let (half, shift) = (0.5 / alpha, (beta - 0.5) / alpha);
        let (half, shift) = if self.line.is_none() {
            (3.0, 0.0)
        } else {
            (half, shift)
        };
        let inside = [
            Step::Abs,
            Step::Mul(-1.0),
            Step::Above(-half),
            Step::Mul(alpha),
        ];
        let moved = (shift != 0.0).then_some(Step::Add(shift));
        moved.into_iter().chain(inside).collect()
    }
    fn steps(&self) -> Vec<Step> {
        let (factor, shift, most) = match self.line {
            None => (1.0 / 6.0, 3.0, 6.0),
            Some((alpha, beta)) => (alpha, beta / alpha, 1.0 / alpha),
        };
        let gate = [Step::Add(shift), Step::Max(0.0), Step::Min(most)];
        [gate.as_slice(), &[Step::Mul(factor)]].concat()
    }
}
