//! What `instancenorm`, `groupnorm` and `layernorm` share: mean and variance of the operand itself, then a factor and a term for each channel.

use super::pow::Pow;
use super::{ArgError, Args, Attribute, Inferred, Kind, ParamDecl, ParamSpec, ShapeError};
use crate::gradient::Adjoint;
use crate::lower::{Lower, Storage, Sweep};
use crate::op::sums::Together;
use crate::shape::Shape;
use cnnc_runtime::kernel::{GroupNormCall, Pixels, Walk};
use ndarray::{ArrayD, ArrayViewMutD, Axis};

/// The parameter that keeps a variance of zero from being divided by.
pub(super) const EPS: ParamDecl = ParamDecl {
    name: "eps",
    kind: Kind::Float,
    positional: false,
    default: Some("1e-5"),
    doc: "Added to the variance.",
};

/// The parameter that says whether channels are scaled and shifted.
pub(super) const fn affine(default: &'static str) -> ParamDecl {
    ParamDecl {
        name: "affine",
        kind: Kind::Flag,
        positional: false,
        default: Some(default),
        doc: "Whether `weight` and `bias` are applied.",
    }
}

/// The constants of a norm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normal {
    /// Added to the variance.
    pub eps: f64,
    /// Whether `weight` and `bias` are applied.
    pub affine: bool,
}

impl Normal {
    /// From the arguments `eps` and `affine`, which is that if nothing is said.
    pub(super) fn build(args: &Args, affine: bool) -> Result<Normal, ArgError> {
        let eps = args.number("eps")?.unwrap_or(1e-5);
        if eps < 0.0 {
            return Err(args.error("eps", format!("`eps` must not be negative, but is {eps}")));
        }
        let affine = args.flag("affine")?.unwrap_or(affine);
        Ok(Normal { eps, affine })
    }

    pub(super) fn attributes(&self) -> [(&'static str, Attribute); 2] {
        [("eps", self.eps.into()), ("affine", self.affine.into())]
    }

    /// The shape rule, where so many elements are normalised together.
    pub(super) fn infer(
        &self,
        keyword: &str,
        x: &Shape,
        together: usize,
    ) -> Result<Inferred, ShapeError> {
        if together == 1 {
            let message =
                format!("`{keyword}` of {x} makes 0 of every element: each is its own mean");
            return Err(ShapeError::new(message));
        }
        let params = match self.affine {
            true => ["weight", "bias"].map(|role| ParamSpec::learned(role, [x.channels()])),
            false => return Ok(Inferred::plain(x.clone())),
        };
        Ok(Inferred {
            params: params.into(),
            ..Inferred::plain(x.clone())
        })
    }

    /// Brings these elements to mean 0 and variance 1.
    pub(super) fn normalise(&self, mut elements: ArrayViewMutD<'_, f64>) {
        let count = elements.len() as f64;
        let mean = elements.sum() / count;
        elements.mapv_inplace(|x| x - mean);
        let variance = elements.fold(0.0, |sum, x| sum + x * x) / count;
        let deviation = (variance + self.eps).sqrt();
        elements.mapv_inplace(|x| x / deviation);
    }

    /// Applies `weight` and `bias`, if there are any.
    pub(super) fn shift(&self, mut x: ArrayD<f64>, params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        if let [weight, bias] = params {
            for (c, mut channel) in x.axis_iter_mut(Axis(0)).enumerate() {
                channel.mapv_inplace(|x| x * weight[[c]] + bias[[c]]);
            }
        }
        x
    }

    /// The definition, where each group of channels has one mean over all pixels.
    pub(super) fn evaluate_groups(
        &self,
        groups: usize,
        inputs: &[&ArrayD<f64>],
        params: &[&ArrayD<f64>],
    ) -> ArrayD<f64> {
        let mut result = inputs[0].clone();
        let size = result.shape()[0] / groups;
        for group in result.axis_chunks_iter_mut(Axis(0), size) {
            self.normalise(group);
        }
        self.shift(result, params)
    }

    /// Pushes the gradient of a norm of elements that go together: with `n = (x − mean) / deviation` and `d` the cotangent of `n`,
    /// `dx = (d − mean(d) − n · mean(d · n)) / deviation`.
    pub(super) fn gradient(&self, g: &mut Adjoint<'_>, together: Together) {
        let x = g.shape(g.x(0));
        let share = 1.0 / together.count(&x) as f64;
        let mean = |g: &mut Adjoint<'_>, value| {
            let sum = g.push(together, &[value]);
            g.scale(sum, share, 0.0)
        };
        let middle = mean(g, g.x(0));
        let centred = g.sub(g.x(0), middle);
        let square = g.mul(centred, centred);
        let variance = mean(g, square);
        let variance = g.scale(variance, 1.0, self.eps);
        let inverse = g.push(Pow { p: -0.5 }, &[variance]);
        let normal = g.mul(centred, inverse);
        if g.wants(0) {
            let d = match self.affine {
                true => {
                    let weight = g.channels(0);
                    g.mul(g.dy(), weight)
                }
                false => g.dy(),
            };
            let product = g.mul(d, normal);
            let along = mean(g, product);
            let along = g.mul(normal, along);
            let middle = mean(g, d);
            let rest = g.sub(d, middle);
            let rest = g.sub(rest, along);
            let dx = g.mul(rest, inverse);
            g.give(0, dx);
        }
        if self.affine && g.wants_param(0) {
            let product = g.mul(g.dy(), normal);
            let sum = g.pixel_sum(product);
            g.give_param(0, sum);
        }
        if self.affine {
            g.give_shift(1);
        }
    }

    /// Emits the norm of groups of channels over all pixels. Threads share the groups, whole vectors of them where that comes out even.
    pub(super) fn lower_groups(&self, cx: &mut Lower<'_>, groups: usize) {
        let (output, input) = (cx.output(), cx.input(0));
        let size = output.channels / groups;
        let affine = self.tensors(cx, output.channels);
        let together = match (cx.lanes() / size).max(1) {
            together if groups.is_multiple_of(together) => together,
            _ => 1,
        };
        let elements = output.channels * output.pixels();
        let cut = cx.machine().shares(groups / together, elements);
        let groups = groups / cut;
        let grid = std::array::from_fn(|axis| Walk {
            count: output.dhw[axis],
            out: output.strides[axis],
            x: input.strides[axis],
        });
        cx.parallel(cut, |cx, i| {
            let from = i.times((groups * size) as i64);
            let place = |tensor: &Storage| Pixels {
                at: tensor.access(from.clone()),
                row: 0,
                pixel: 0,
            };
            let per_channel = |mut access: crate::loops::Access| {
                access.offset = access.offset.add(&from);
                access
            };
            cx.call(GroupNormCall {
                rows: 1,
                pixels: 1,
                grid,
                groups,
                size,
                out: place(&output),
                x: place(&input),
                affine: affine.map(|tensors| tensors.map(per_channel)),
                eps: self.eps,
            });
        });
    }

    /// Emits the norm of each pixel's channels.
    pub(super) fn lower_pixels(&self, cx: &mut Lower<'_>) {
        let (output, input) = (cx.output(), cx.input(0));
        let affine = self.tensors(cx, output.channels);
        cx.sweep(&[output, input], |cx, sweep| {
            let Sweep {
                rows,
                pixels,
                channels,
                tensors: [out, x],
            } = sweep;
            cx.call(GroupNormCall {
                rows,
                pixels,
                grid: [Walk::ONCE; 3],
                groups: 1,
                size: channels,
                out,
                x,
                affine,
                eps: self.eps,
            });
        });
    }

    fn tensors(&self, cx: &mut Lower<'_>, channels: usize) -> Option<[crate::loops::Access; 2]> {
        let padded = channels.next_multiple_of(cx.lanes());
        let mut tensor = |param| cx.vector(param, channels, padded);
        self.affine.then(|| [tensor(0), tensor(1)])
    }
}
