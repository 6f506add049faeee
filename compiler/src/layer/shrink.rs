//! `thresholdedrelu` and `shrink`: what is small becomes 0.

use super::pointwise::Pointwise;
use super::{ArgError, Args, Attributes, Decl, Kind, Layer, ParamDecl, Step};

/// Row of the table of layers: `thresholdedrelu`.
pub static THRESHOLDED: Decl = Decl {
    keyword: "thresholdedrelu",
    doc: "What is above `alpha`, and 0 instead of all else. Konda et al. 2014.",
    params: &[ParamDecl {
        name: "alpha",
        kind: Kind::Float,
        positional: true,
        default: Some("1"),
        doc: "The threshold.",
    }],
    operands: (1, 1),
    build: build_thresholded,
    samples: &[
        "input x: 5x4x3; scale 5; thresholdedrelu",
        "input x: 17; thresholdedrelu 0.3",
        "input x: 3x6x5; conv 3x3 7 pad half thresholdedrelu alpha -0.25",
    ],
};

/// Row of the table of layers: `shrink`.
pub static SHRINK: Decl = Decl {
    keyword: "shrink",
    doc: "0 instead of what is within `lambd` of it; what is beyond moves towards it by `bias`. Without `bias` it is the hard shrinkage, with both alike \
          the soft one.",
    params: &[
        ParamDecl {
            name: "lambd",
            kind: Kind::Float,
            positional: true,
            default: Some("0.5"),
            doc: "The threshold, not negative.",
        },
        ParamDecl {
            name: "bias",
            kind: Kind::Float,
            positional: false,
            default: Some("0"),
            doc: "How far it moves.",
        },
    ],
    operands: (1, 1),
    build: build_shrink,
    samples: &[
        "input x: 5x4x3; scale 5; shrink",
        "input x: 17; shrink 0.3 bias 0.3",
        "input x: 3x6x5; conv 3x3 7 pad half shrink lambd 0.125 bias 1",
    ],
};

/// What is above a threshold.
#[derive(Clone, Debug)]
pub struct ThresholdedRelu {
    /// The threshold.
    pub alpha: f64,
}

/// What is beyond a threshold on both sides, moved.
#[derive(Clone, Debug)]
pub struct Shrink {
    /// The threshold.
    pub lambd: f64,
    /// How far it moves.
    pub bias: f64,
}

fn build_thresholded(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let alpha = args.number("alpha")?.unwrap_or(1.0);
    Ok(Box::new(ThresholdedRelu { alpha }))
}

fn build_shrink(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let lambd = args.number("lambd")?.unwrap_or(0.5);
    if lambd < 0.0 {
        return Err(args.error("lambd", "`lambd` must not be negative"));
    }
    let bias = args.number("bias")?.unwrap_or(0.0);
    Ok(Box::new(Shrink { lambd, bias }))
}

impl Pointwise for ThresholdedRelu {
    fn attributes(&self) -> (&'static str, Attributes) {
        (THRESHOLDED.keyword, vec![("alpha", self.alpha.into())])
    }
    fn formula(&self, x: f64) -> f64 {
        if x > self.alpha { x } else { 0.0 }
    }
    fn derivative(&self, x: f64) -> f64 {
        if x > self.alpha { 1.0 } else { 0.0 }
    }
    fn slope(&self) -> Vec<Step> {
        vec![Step::Above(self.alpha)]
    }
    fn steps(&self) -> Vec<Step> {
        vec![Step::KeepAbove(self.alpha)]
    }
}

impl Pointwise for Shrink {
    fn attributes(&self) -> (&'static str, Attributes) {
        let constants = vec![("lambd", self.lambd.into()), ("bias", self.bias.into())];
        (SHRINK.keyword, constants)
    }
    fn formula(&self, x: f64) -> f64 {
        if x > self.lambd {
            x - self.bias
        } else if x < -self.lambd {
            x + self.bias
        } else {
            0.0
        }
    }
    fn derivative(&self, x: f64) -> f64 {
        if x.abs() > self.lambd { 1.0 } else { 0.0 }
    }
    fn slope(&self) -> Vec<Step> {
        vec![Step::Abs, Step::Above(self.lambd)]
    }
    fn steps(&self) -> Vec<Step> {
        let kept = Step::KeepBeyond(self.lambd);
        match self.bias == 0.0 {
            true => vec![kept],
            false => vec![kept, Step::Toward(self.bias)],
        }
    }
}
