//! `contrastive` and `contrastive_input`: the loss of a vector that should be short or long, and its gradient.
//!
//! The operands are the vector and whether it should be short, 1 or 0.

use super::total::number;
use crate::gradient::{Adjoint, NoGradient};
use crate::layer::{Attributes, Inferred, Layer, Lowering, ShapeError};
use crate::loops::Affine;
use crate::lower::Lower;
use crate::shape::Shape;
use cnnc_runtime::kernel::ContrastiveCall;
use ndarray::{ArrayD, IxDyn};

/// Keyword of [`Contrastive`].
pub const LOSS: &str = "contrastive";

/// Keyword of [`ContrastiveInput`].
pub const GRADIENT: &str = "contrastive_input";

/// What a vector's length costs: a single number.
#[derive(Clone, Debug)]
pub struct Contrastive {
    /// The length from which on it is long enough.
    pub margin: f64,
}

/// Its gradient in the vector: of the operands, and of the loss's cotangent behind them.
#[derive(Clone, Debug)]
pub struct ContrastiveInput(
    /// The loss.
    pub Contrastive,
);

impl Contrastive {
    fn attributes(&self) -> Attributes {
        vec![("margin", self.margin.into())]
    }

    fn fits(&self, inputs: &[Shape]) -> Result<(), ShapeError> {
        match (
            inputs[0].spatial(),
            inputs[1..].iter().all(|of| of.dims() == [1]),
        ) {
            ([], true) => Ok(()),
            _ => Err(ShapeError::new(format!(
                "`{LOSS}` takes a vector and a number, not {} and {}",
                inputs[0], inputs[1]
            ))),
        }
    }

    /// Emits the call; without a cotangent the result is a number.
    fn emit(&self, cx: &mut Lower<'_>, gradient: bool) {
        let (out, z, y) = (cx.output(), cx.input(0), cx.input(1));
        let dy = gradient.then(|| cx.input(2).access(Affine::default()));
        cx.call(ContrastiveCall {
            channels: z.channels,
            out: out.access(Affine::default()),
            z: z.access(Affine::default()),
            y: y.access(Affine::default()),
            dy,
            margin: self.margin,
        });
    }
}

impl Layer for Contrastive {
    fn attributes(&self) -> (&'static str, Attributes) {
        (LOSS, self.attributes())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        self.fits(inputs)?;
        Ok(Inferred::plain(number()))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let (length, alike) = (inputs[0].mapv(|x| x * x).sum().sqrt(), inputs[1].sum());
        let near = alike * length.powi(2);
        let far = (1.0 - alike) * (self.margin - length).max(0.0).powi(2);
        ArrayD::from_elem(IxDyn(&[1]), (near + far) / 2.0)
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        if g.wants(0) {
            let layer = ContrastiveInput(self.clone());
            let dz = g.push(layer, &[g.x(0), g.x(1), g.dy()]);
            g.give(0, dz);
        }
        match g.wants(1) {
            true => g.refuse("targets are given, not learned"),
            false => Ok(()),
        }
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Layer for ContrastiveInput {
    fn attributes(&self) -> (&'static str, Attributes) {
        (GRADIENT, self.0.attributes())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        self.0.fits(inputs)?;
        Ok(Inferred::plain(inputs[0].clone()))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let (alike, dy) = (inputs[1].sum(), inputs[2].sum());
        let length = inputs[0].mapv(|x| x * x).sum().sqrt();
        if length == 0.0 {
            return ArrayD::zeros(inputs[0].raw_dim());
        }
        // Both halves of the loss are functions of the length, which grows along the unit vector.
        let slope = alike * length - (1.0 - alike) * (self.0.margin - length).max(0.0);
        inputs[0].mapv(|x| dy * slope * x / length)
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for Contrastive {
    fn lower(&self, cx: &mut Lower<'_>) {
        self.emit(cx, false);
    }
}

impl Lowering for ContrastiveInput {
    fn lower(&self, cx: &mut Lower<'_>) {
        self.0.emit(cx, true);
    }
}
