//! `leaky`: the rectifier that lets a fraction of negative values through.

use super::pointwise::Pointwise;
use super::{ArgError, Args, Attributes, Decl, Kind, Layer, ParamDecl, Step};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "leaky",
    doc: "Leaky rectifier: `x` where it is positive, `slope · x` elsewhere. The default slope is PyTorch's; darknet's is 0.1, \
          Keras's 0.3: write it out.",
    params: &[ParamDecl {
        name: "slope",
        kind: Kind::Float,
        positional: true,
        default: Some("0.01"),
        doc: "Factor for negative values.",
    }],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; leaky",
        "input x: 17x5; leaky 0.1",
        "input x: 9; leaky slope 2",
        "input x: 9; leaky -0.5",
    ],
};

/// A leaky rectifier.
#[derive(Clone, Debug)]
pub struct Leaky {
    /// Factor for negative values.
    pub slope: f64,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let slope = args.number("slope")?.unwrap_or(0.01);
    Ok(Box::new(Leaky { slope }))
}

impl Pointwise for Leaky {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, vec![("slope", self.slope.into())])
    }
    fn formula(&self, x: f64) -> f64 {
        if x < 0.0 { self.slope * x } else { x }
    }
    fn derivative(&self, x: f64) -> f64 {
        if x > 0.0 { 1.0 } else { self.slope }
    }
    fn slope(&self) -> Vec<Step> {
        vec![Step::Mul(0.0), Step::Add(self.slope), Step::OneAbove]
    }
    fn steps(&self) -> Vec<Step> {
        vec![Step::Leaky(self.slope)]
    }
}
