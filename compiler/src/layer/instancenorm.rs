//! `instancenorm`: each channel of a picture brought to mean 0 and variance 1.

use super::normalise::{EPS, Normal, affine};
use super::{ArgError, Args, Attributes, Decl, Inferred, Layer, Lowering, ShapeError, Sliding};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::op::sums::Together;
use crate::shape::Shape;
use ndarray::ArrayD;

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "instancenorm",
    doc: "Instance normalisation, for each channel: `(x − mean) / √(variance + eps)`, with mean and variance (of the population) over all pixels of \
          the operand itself; with `affine`, times `weight` plus `bias`, vectors of the channels. Ulyanov et al. 2016. As PyTorch's without running \
          statistics.",
    params: &[EPS, affine("off")],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; instancenorm",
        "input x: 17x9; instancenorm eps 1e-3 affine",
        "input x: 3x2x4x5; scale 3 shift 40; instancenorm affine",
        "input x: 64x24x20; conv 3x3 48 pad half; instancenorm affine relu",
    ],
};

/// An instance norm.
#[derive(Clone, Debug)]
pub struct InstanceNorm {
    /// Its constants.
    pub normal: Normal,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let normal = Normal::build(args, false)?;
    Ok(Box::new(InstanceNorm { normal }))
}

impl Layer for InstanceNorm {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, self.normal.attributes().into())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let x = &inputs[0];
        let pixels = x.elements() / x.channels();
        self.normal.infer(DECL.keyword, x, pixels)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let channels = inputs[0].shape()[0];
        self.normal.evaluate_groups(channels, inputs, params)
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let channels = g.shape(g.x(0)).channels();
        self.normal.gradient(g, Together::Groups(channels));
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        Sliding::Fixed("normalises over all pixels of its operand".to_owned())
    }
}

impl Lowering for InstanceNorm {
    fn lower(&self, cx: &mut Lower<'_>) {
        let channels = cx.output_shape().channels();
        self.normal.lower_groups(cx, channels);
    }
}
