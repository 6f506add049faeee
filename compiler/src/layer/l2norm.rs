//! `l2norm`: the channels of each pixel as a vector of length one.

use super::clip::Clip;
use super::pointwise::larger;
use super::relu::Relu;
use super::sqrt::Sqrt;
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, ShapeError,
    Sliding,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::op::slope::Slope;
use crate::op::sums::Together;
use crate::shape::Shape;
use cnnc_runtime::kernel::L2NormCall;
use ndarray::{ArrayD, Axis};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "l2norm",
    doc: "Divides the channels of each pixel by their Euclidean length: `x / max(√Σ x², eps)`. Embeddings end with it (FaceNet).",
    params: &[ParamDecl {
        name: "eps",
        kind: Kind::Float,
        positional: false,
        default: Some("1e-12"),
        doc: "Smallest length that is divided by.",
    }],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 128; l2norm",
        "input x: 17x3x2; l2norm",
        "input x: 5; scale 0.01; l2norm eps 1",
    ],
};

/// Divides by the Euclidean length.
#[derive(Clone, Debug)]
pub struct L2Norm {
    /// Smallest length that is divided by.
    pub eps: f64,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let eps = args.number("eps")?.unwrap_or(1e-12);
    if eps < f64::from(f32::MIN_POSITIVE) {
        return Err(args.error(
            "eps",
            format!("`eps` must be at least {:e}", f32::MIN_POSITIVE),
        ));
    }
    Ok(Box::new(L2Norm { eps }))
}

impl Layer for L2Norm {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, vec![("eps", self.eps.into())])
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        Ok(Inferred::plain(inputs[0].clone()))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut result = inputs[0].clone();
        for mut pixel in result.lanes_mut(Axis(0)) {
            let length = larger(pixel.fold(0.0, |sum, x| sum + x * x).sqrt(), self.eps);
            pixel.mapv_inplace(|x| x / length);
        }
        result
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let square = g.mul(g.x(0), g.x(0));
        let square = g.push(Together::Channels, &[square]);
        let length = g.push(Sqrt, &[square]);
        let divisor = g.push(Clip::between(self.eps, f64::MAX), &[length]);
        let along = g.mul(g.y(), g.dy());
        let along = g.push(Together::Channels, &[along]);
        // Only where the length is more than eps does it move with the operand.
        let excess = g.scale(length, 1.0, -self.eps);
        let along = g.push(Slope(Relu), &[excess, along]);
        let along = g.mul(g.y(), along);
        let across = g.sub(g.dy(), along);
        let dx = g.div(across, divisor);
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        Sliding::Pixels
    }
}

impl Lowering for L2Norm {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (output, input) = (cx.output(), cx.input(0));
        cx.sweep(&[output, input], |cx, sweep| {
            cx.call(L2NormCall {
                over: sweep.pixelwise(),
                eps: self.eps,
            });
        });
    }
}
