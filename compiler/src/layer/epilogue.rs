//! What is done to a convolution's sums before they are stored: folded batch norm, residual add, activation.
//!
//! Passes fill it in; a spec never writes one. Parameters of the folded batch norm follow the layer's own.

use super::args::shown;
use super::conv::Conv;
use super::dense::Dense;
use super::gelu::{gelu, gelu_tanh};
use super::mish::mish;
use super::pointwise::{larger, smaller};
use super::silu::silu;
use super::softplus::softplus;
use super::{Layer, ParamSpec, ShapeError};
use crate::graph::Shape;
use crate::lower::Lower;
use cnnc_runtime::kernel::map::Step;
use cnnc_runtime::plan::Norm;
use ndarray::{ArrayD, Axis};

/// The epilogue of a convolution or dense layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Epilogue {
    /// Batch norm folded into weights and bias.
    pub norm: Option<FoldedNorm>,
    /// Whether the last operand is added.
    pub add: bool,
    /// Activation, applied last,
    pub act: Vec<Step>,
    /// and as a spec writes it: `leaky 0.1`.
    pub written: String,
}

/// A batch norm without its tensors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FoldedNorm {
    /// Added to the variance.
    pub eps: f64,
    /// Whether it has scale and shift.
    pub affine: bool,
}

impl Epilogue {
    /// Tensors of the folded batch norm.
    pub fn params(&self, channels: usize) -> Vec<ParamSpec> {
        let Some(norm) = self.norm else {
            return Vec::new();
        };
        let mut params = Vec::new();
        if norm.affine {
            params.push(ParamSpec::learned("weight", [channels]));
            params.push(ParamSpec::learned("bias", [channels]));
        }
        params.push(ParamSpec::statistic("running_mean", [channels]));
        params.push(ParamSpec::statistic("running_var", [channels]));
        params
    }

    /// Checks the operand that is added.
    ///
    /// # Errors
    /// Its shape is not the result's.
    pub fn check(&self, inputs: &[Shape], output: &Shape) -> Result<(), ShapeError> {
        match (self.add, inputs) {
            (false, [_]) => Ok(()),
            (true, [_, residual]) if residual == output => Ok(()),
            (true, [_, residual]) => Err(ShapeError::new(format!(
                "{residual} cannot be added to {output}: the shapes differ"
            ))),
            _ => Err(ShapeError::new("wrong number of operands")),
        }
    }

    /// Applies it to the sums, in f64. `params` are those of [`Epilogue::params`].
    pub fn evaluate(
        &self,
        mut sums: ArrayD<f64>,
        residual: Option<&ArrayD<f64>>,
        params: &[&ArrayD<f64>],
    ) -> ArrayD<f64> {
        if let Some(norm) = self.norm {
            let (gamma, beta, mean, var) = match params {
                [gamma, beta, mean, var] => (Some(gamma), Some(beta), mean, var),
                [mean, var] => (None, None, mean, var),
                _ => panic!("epilogue: {} tensors for a batch norm", params.len()),
            };
            for (c, mut channel) in sums.axis_iter_mut(Axis(0)).enumerate() {
                let scale = gamma.map_or(1.0, |gamma| gamma[[c]]) / (var[[c]] + norm.eps).sqrt();
                let shift = beta.map_or(0.0, |beta| beta[[c]]);
                channel.mapv_inplace(|x| (x - mean[[c]]) * scale + shift);
            }
        }
        if let Some(residual) = residual.filter(|_| self.add) {
            sums += residual;
        }
        if !self.act.is_empty() {
            sums.mapv_inplace(|x| apply(&self.act, x));
        }
        sums
    }

    /// The folded batch norm for recipes; its tensors start at parameter `first`.
    pub fn norm(&self, cx: &mut Lower<'_>, first: usize) -> Option<Norm> {
        self.norm.map(|norm| match norm.affine {
            true => cx.norm(Some(first), Some(first + 1), first + 2, first + 3, norm.eps),
            false => cx.norm(None, None, first, first + 1, norm.eps),
        })
    }

    /// The activation as `min(max(x, slope·x), high)`, if it has that form: convolutions apply it in registers.
    pub fn clamp(&self) -> Option<(f64, f64)> {
        clamp(&self.act)
    }

    /// How it is shown in dumps and hashed.
    pub fn attributes(&self) -> Vec<(&'static str, String)> {
        let mut attributes = Vec::new();
        if let Some(norm) = self.norm {
            attributes.push((
                "bn",
                format!(
                    "eps {}{}",
                    shown(norm.eps),
                    if norm.affine { "" } else { ", no affine" }
                ),
            ));
        }
        if self.add {
            attributes.push(("add", "on".to_owned()));
        }
        if !self.act.is_empty() {
            attributes.push(("act", self.written.clone()));
        }
        attributes
    }
}

/// Steps as `min(max(x, slope·x), high)`, if they have that form for every `x`, be it infinite or NaN.
pub fn clamp(steps: &[Step]) -> Option<(f64, f64)> {
    const NONE: f64 = f64::INFINITY;
    match *steps {
        [] => Some((1.0, NONE)),
        [Step::Max(0.0)] => Some((0.0, NONE)),
        [Step::Max(0.0), Step::Min(high)] => Some((0.0, high)),
        // A slope of zero is no rectifier: it makes −infinity NaN, which `max` does not.
        [Step::Leaky(slope)] if slope > 0.0 && slope <= 1.0 => Some((slope, NONE)),
        [Step::Min(high)] => Some((1.0, high)),
        _ => None,
    }
}

/// Steps applied to one value, in f64.
pub fn apply(steps: &[Step], x: f64) -> f64 {
    steps.iter().fold(x, |v, step| match *step {
        Step::Add(c) => v + c,
        Step::Mul(c) => v * c,
        Step::Max(c) => larger(c, v),
        Step::Min(c) => smaller(c, v),
        Step::MulX => v * x,
        Step::AddX => v + x,
        Step::Leaky(c) => {
            if v < 0.0 {
                c * v
            } else {
                v
            }
        }
        Step::Exp => v.exp(),
        Step::Tanh => v.tanh(),
        Step::Sigmoid => 1.0 / (1.0 + (-v).exp()),
        Step::Abs => v.abs(),
        Step::Sqrt => v.sqrt(),
        Step::Recip => v.recip(),
        Step::WhereNegative => {
            if x < 0.0 {
                v
            } else {
                x
            }
        }
        Step::ExpMinusOne => v.exp_m1(),
        Step::Softplus => softplus(v),
        Step::Silu => silu(v),
        Step::Mish => mish(v),
        Step::Gelu => gelu(v),
        Step::GeluTanh => gelu_tanh(v),
    })
}

/// The epilogue of a layer that has one.
pub fn epilogue(layer: &dyn Layer) -> Option<&Epilogue> {
    let conv = layer.downcast::<Conv>().map(|conv| &conv.epilogue);
    conv.or_else(|| layer.downcast::<Dense>().map(|dense| &dense.epilogue))
}

/// The layer with its epilogue changed, if it has one.
pub fn with_epilogue(
    layer: &dyn Layer,
    change: impl FnOnce(&mut Epilogue),
) -> Option<Box<dyn Layer>> {
    if let Some(conv) = layer.downcast::<Conv>() {
        let mut conv = conv.clone();
        change(&mut conv.epilogue);
        return Some(Box::new(conv));
    }
    let mut dense = layer.downcast::<Dense>()?.clone();
    change(&mut dense.epilogue);
    Some(Box::new(dense))
}
