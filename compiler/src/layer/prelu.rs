//! `prelu`: a leaky rectifier whose slopes are learned.

use super::relu::Relu;
use super::slice::Slice;
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, ParamSpec,
    ShapeError, Sliding,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::op::slope::Slope;
use crate::op::sums::Together;
use crate::shape::Shape;
use cnnc_runtime::kernel::PReluCall;
use ndarray::{ArrayD, Axis};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "prelu",
    doc: "Leaky rectifier with learned slopes: `x` where it is positive, `weight · x` elsewhere. He et al. 2015. `weight` is a vector of the \
          channels, or of one.",
    params: &[ParamDecl {
        name: "single",
        kind: Kind::Flag,
        positional: false,
        default: Some("off"),
        doc: "Whether all channels have one slope in common.",
    }],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; p: prelu",
        "input x: 17; p: prelu",
        "input x: 3x2x4x5; p: prelu single",
        "input x: 33x7; p: prelu single off",
    ],
};

/// A rectifier with learned slopes.
#[derive(Clone, Debug)]
pub struct Prelu {
    /// Whether all channels have one slope in common.
    pub single: bool,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let single = args.flag("single")?.unwrap_or(false);
    Ok(Box::new(Prelu { single }))
}

impl Prelu {
    fn slopes(&self, x: &Shape) -> usize {
        if self.single { 1 } else { x.channels() }
    }
}

impl Layer for Prelu {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, vec![("single", self.single.into())])
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        Ok(Inferred {
            params: vec![ParamSpec::learned("weight", [self.slopes(&inputs[0])])],
            ..Inferred::plain(inputs[0].clone())
        })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut result = inputs[0].clone();
        for (c, mut channel) in result.axis_iter_mut(Axis(0)).enumerate() {
            let slope = params[0][[if self.single { 0 } else { c }]];
            channel.mapv_inplace(|x| if x < 0.0 { slope * x } else { x });
        }
        result
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let positive = g.push(Slope(Relu), &[g.x(0), g.dy()]);
        let rest = g.sub(g.dy(), positive);
        if g.wants(0) {
            let slopes = g.channels(0);
            let rest = g.mul(rest, slopes);
            let dx = g.add(positive, rest);
            g.give(0, dx);
        }
        if g.wants_param(0) {
            let product = g.mul(g.x(0), rest);
            let mut sum = g.pixel_sum(product);
            if self.single {
                let all = g.push(Together::Channels, &[sum]);
                let (from, to, axis) = (0, Some(1), 0);
                sum = g.push(Slice::range(from, to, axis), &[all]);
            }
            g.give_param(0, sum);
        }
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        Sliding::Pixels
    }
}

impl Lowering for Prelu {
    fn lower(&self, cx: &mut Lower<'_>) {
        let channels = cx.output_shape().channels();
        let slopes = cx.vector(0, channels, channels.next_multiple_of(cx.lanes()));
        let (output, input) = (cx.output(), cx.input(0));
        cx.sweep(&[output, input], |cx, sweep| {
            cx.call(PReluCall {
                over: sweep.pixelwise(),
                slopes,
            });
        });
    }
}
