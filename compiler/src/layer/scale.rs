//! `scale`: a constant factor and a constant shift.

use super::pointwise::Pointwise;
use super::{ArgError, Args, Attributes, Decl, Kind, Layer, ParamDecl, Step};
use crate::gradient::Adjoint;
use crate::id::ValueId;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "scale",
    doc: "Constants: `factor · x + shift`. `scale 0.17` damps a residual branch as in Inception-ResNet. A learned factor for each channel (ConvNeXt's layer \
          scale) is `conv 1x1 channels groups channels bias off`.",
    params: &[
        ParamDecl {
            name: "factor",
            kind: Kind::Float,
            positional: true,
            default: None,
            doc: "Factor of every element.",
        },
        ParamDecl {
            name: "shift",
            kind: Kind::Float,
            positional: false,
            default: Some("0"),
            doc: "Number that is added to every element.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; scale 0.17",
        "input x: 17x3; scale 2 shift -1",
        "input x: 9; scale -1 shift 1",
    ],
};

/// A constant factor and a constant shift.
#[derive(Clone, Debug)]
pub struct Scale {
    /// What every element is multiplied by.
    pub factor: f64,
    /// What is added then.
    pub shift: f64,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let factor = args
        .number("factor")?
        .ok_or_else(|| args.missing("factor"))?;
    let shift = args.number("shift")?.unwrap_or(0.0);
    Ok(Box::new(Scale { factor, shift }))
}

impl Pointwise for Scale {
    fn attributes(&self) -> (&'static str, Attributes) {
        let constants = vec![("factor", self.factor.into()), ("shift", self.shift.into())];
        (DECL.keyword, constants)
    }
    fn formula(&self, x: f64) -> f64 {
        match self.shift == 0.0 {
            true => self.factor * x,
            false => self.factor * x + self.shift,
        }
    }
    fn derivative(&self, _: f64) -> f64 {
        self.factor
    }
    fn backward(&self, g: &mut Adjoint<'_>) -> ValueId {
        g.scale(g.dy(), self.factor, 0.0)
    }
    fn slope(&self) -> Vec<Step> {
        vec![Step::Mul(0.0), Step::Add(self.factor)]
    }
    fn steps(&self) -> Vec<Step> {
        match self.shift == 0.0 {
            true => vec![Step::Mul(self.factor)],
            false => vec![Step::Mul(self.factor), Step::Add(self.shift)],
        }
    }
}
