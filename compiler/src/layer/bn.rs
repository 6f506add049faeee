//! `bn`: batch normalisation with running statistics.

use super::epilogue::{Epilogue, FoldedNorm};
use super::pow::Pow;
use super::{
    ArgError, Args, Attributes, Decl, Inferred, Kind, Layer, Lowering, ParamDecl, Role, ShapeError,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::shape::Shape;
use ndarray::{ArrayD, Axis};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "bn",
    doc: "Batch normalisation at inference, for each channel: `(x − running_mean) / √(running_var + eps) · weight + bias`. \
          Ioffe and Szegedy 2015. All four tensors are vectors of the channels; `weight` and `bias` count as learned.",
    params: &[
        ParamDecl {
            name: "eps",
            kind: Kind::Float,
            positional: false,
            default: Some("1e-5"),
            doc: "Added to the variance. 1e-5 is PyTorch's; Keras and Inception use 1e-3, darknet 1e-5 when folded.",
        },
        ParamDecl {
            name: "affine",
            kind: Kind::Flag,
            positional: false,
            default: Some("on"),
            doc: "Whether `weight` and `bias` are applied.",
        },
    ],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 5x4x3; bn",
        "input x: 17x5; bn eps 1e-3; relu",
        "input x: 3x2x4x5; bn affine off",
        "input x: 33; bn",
        "input x: 3x5x5; conv 3x3 8 pad half; bn relu",
    ],
};

/// A batch norm.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    /// Its constants.
    pub norm: FoldedNorm,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let eps = args.number("eps")?.unwrap_or(1e-5);
    if eps < 0.0 {
        return Err(args.error("eps", format!("`eps` must not be negative, but is {eps}")));
    }
    let affine = args.flag("affine")?.unwrap_or(true);
    Ok(Box::new(BatchNorm {
        norm: FoldedNorm { eps, affine },
    }))
}

impl Layer for BatchNorm {
    fn attributes(&self) -> (&'static str, Attributes) {
        let FoldedNorm { eps, affine } = self.norm;
        (
            DECL.keyword,
            vec![("eps", eps.into()), ("affine", affine.into())],
        )
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let folded = Epilogue {
            norm: Some(self.norm),
            ..Epilogue::default()
        };
        Ok(Inferred {
            params: folded.params(inputs[0].channels()),
            ..Inferred::plain(inputs[0].clone())
        })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut result = inputs[0].clone();
        let (mean, var) = (params[params.len() - 2], params[params.len() - 1]);
        for (c, mut channel) in result.axis_iter_mut(Axis(0)).enumerate() {
            channel.mapv_inplace(|x| {
                let normal = (x - mean[[c]]) / (var[[c]] + self.norm.eps).sqrt();
                match self.norm.affine {
                    true => normal * params[0][[c]] + params[1][[c]],
                    false => normal,
                }
            });
        }
        result
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let FoldedNorm { eps, affine } = self.norm;
        let (mean, var) = if affine { (2, 3) } else { (0, 1) };
        let variance = g.channels(var);
        let variance = g.scale(variance, 1.0, eps);
        let inverse = g.push(Pow { p: -0.5 }, &[variance]);
        if g.wants(0) {
            let factor = match affine {
                true => {
                    let weight = g.channels(0);
                    g.mul(weight, inverse)
                }
                false => inverse,
            };
            let dx = g.mul(g.dy(), factor);
            g.give(0, dx);
        }
        if affine && g.wants_param(0) {
            let mean = g.channels(mean);
            let centred = g.sub(g.x(0), mean);
            let product = g.mul(g.dy(), centred);
            let sum = g.pixel_sum(product);
            let dw = g.mul(sum, inverse);
            g.give_param(0, dw);
        }
        if affine {
            g.give_shift(1);
        }
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn role(&self) -> Role {
        Role::BatchNorm(self.norm)
    }
}

impl Lowering for BatchNorm {
    fn lower(&self, cx: &mut Lower<'_>) {
        let FoldedNorm { eps, affine } = self.norm;
        let norm = match affine {
            true => cx.norm(Some(0), Some(1), 2, 3, eps),
            false => cx.norm(None, None, 0, 1, eps),
        };
        let channels = cx.output_shape().channels();
        let padded = channels.next_multiple_of(cx.lanes());
        let scale = cx.scale_shift(channels, padded, norm);
        let mut shift = scale.clone();
        shift.offset = shift.offset.offset(padded as i64);
        let (output, input) = (cx.output(), cx.input(0));
        cx.scale_shift_by(&[output, input], scale, shift);
    }
}
