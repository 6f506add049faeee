//! `dropout`: what trains by forgetting, and does nothing at inference.

use super::pointwise::map;
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, Role, ShapeError,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::shape::Shape;
use ndarray::ArrayD;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "dropout",
    doc: "Dropout: in training each element is zeroed with probability `rate` and the others divided by `1 − rate`; at inference, the identity. \
          Srivastava et al. 2014.",
    params: &[ParamDecl {
        name: "rate",
        kind: Kind::Float,
        positional: true,
        default: Some("0.5"),
        doc: "Probability that an element is dropped, below 1.",
    }],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; dropout",
        "input x: 17; dropout 0.2; relu",
        "input x: 3x9; dropout rate 0",
    ],
};

/// Dropout.
#[derive(Clone, Debug)]
pub struct Dropout {
    /// Probability that an element is dropped in training.
    pub rate: f64,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let rate = args.number("rate")?.unwrap_or(0.5);
    if !(0.0..1.0).contains(&rate) {
        return Err(args.error(
            "rate",
            format!("`rate` is a probability below 1, not {rate}"),
        ));
    }
    Ok(Box::new(Dropout { rate }))
}

impl Layer for Dropout {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, vec![("rate", self.rate.into())])
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        Ok(Inferred::plain(inputs[0].clone()))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        inputs[0].clone()
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        // As it is here: the identity of inference.
        g.give(0, g.dy());
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn role(&self) -> Role {
        Role::Identity
    }
}

impl Lowering for Dropout {
    /// A copy: passes have dropped every dropout that they could.
    fn lower(&self, cx: &mut Lower<'_>) {
        let (output, input) = (cx.output(), cx.input(0));
        map(cx, &output, &input, &[]);
    }
}
