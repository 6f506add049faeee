//! What is done to a layer's sums before they are stored: folded batch norm, residual add, activation, in this order.
//!
//! A layer that can do so returns its epilogue from [`Layer::epilogue_mut`](super::Layer::epilogue_mut). Passes fill it in; a spec never writes
//! one. Parameters of the folded batch norm follow the layer's own, and what is added is the last operand.

use super::gelu::{Gelu, erf, gelu, gelu_tanh};
use super::hardswish::HardSwish;
use super::mish::{Mish, mish};
use super::pointwise::{Pointwise, larger, smaller};
use super::silu::{Silu, silu};
use super::softplus::softplus;
use super::{Attribute, Attributes, ParamSpec, ShapeError};
use crate::lower::Norm;
use crate::lower::{Lower, Storage};
use crate::shape::Shape;
use cnnc_runtime::kernel::map::Step;
use ndarray::{ArrayD, Axis};

/// The epilogue of a layer that makes sums.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Epilogue {
    /// Batch norm folded into weights and bias.
    pub norm: Option<FoldedNorm>,
    /// Whether the last operand is added.
    pub add: bool,
    /// Activation, applied last,
    pub act: Vec<Step>,
    /// and the layer that it was: `leaky 0.1`.
    pub written: Option<(&'static str, Attributes)>,
}

/// A batch norm without its tensors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FoldedNorm {
    /// Added to the variance.
    pub eps: f64,
    /// Whether it has scale and shift.
    pub affine: bool,
}

/// A layer that becomes a part of the epilogue of the layer before it.
#[derive(Clone, Debug)]
pub enum Part {
    /// A batch norm.
    Norm(FoldedNorm),
    /// The addition of another operand.
    Add,
    /// An activation, and the layer that it was.
    Act(Vec<Step>, (&'static str, Attributes)),
}

impl Epilogue {
    /// Puts a part behind those that are there.
    ///
    /// # Errors
    /// Something is there already that is applied no earlier: a description of it.
    pub fn append(&mut self, part: Part) -> Result<(), &'static str> {
        if !self.act.is_empty() {
            return Err("an activation");
        }
        match part {
            Part::Act(steps, written) => (self.act, self.written) = (steps, Some(written)),
            _ if self.add => return Err("a residual add"),
            Part::Add => self.add = true,
            Part::Norm(_) if self.norm.is_some() => return Err("a batch norm"),
            Part::Norm(norm) => self.norm = Some(norm),
        }
        Ok(())
    }

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
        match inputs {
            [_, others @ ..] => self.check_residual(others, output),
            [] => Err(ShapeError::new("wrong number of operands")),
        }
    }

    /// Checks what is behind the layer's own operands.
    ///
    /// # Errors
    /// As [`Epilogue::check`].
    pub fn check_residual(&self, others: &[Shape], output: &Shape) -> Result<(), ShapeError> {
        match (self.add, others) {
            (false, []) => Ok(()),
            (true, [residual]) if residual == output => Ok(()),
            (true, [residual]) => Err(ShapeError::new(format!(
                "{residual} cannot be added to {output}: the shapes differ"
            ))),
            _ => Err(ShapeError::new("wrong number of operands")),
        }
    }

    /// How many of the layer's parameters are tensors of the folded batch norm: the last ones.
    fn tensors(&self) -> usize {
        self.norm.map_or(0, |norm| if norm.affine { 4 } else { 2 })
    }

    /// Applies it to the sums, in f64. Operands and parameters are the layer's.
    pub fn evaluate(
        &self,
        mut sums: ArrayD<f64>,
        inputs: &[&ArrayD<f64>],
        params: &[&ArrayD<f64>],
    ) -> ArrayD<f64> {
        if let Some(norm) = self.norm {
            let params = &params[params.len() - self.tensors()..];
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
        if let Some(residual) = inputs.last().filter(|_| self.add) {
            sums += *residual;
        }
        if !self.act.is_empty() {
            sums.mapv_inplace(|x| apply(&self.act, x));
        }
        sums
    }

    /// Where what is added to the sums lies.
    pub fn residual(&self, cx: &Lower<'_>) -> Option<Storage> {
        self.add.then(|| cx.input(cx.operands() - 1))
    }

    /// The folded batch norm for packing.
    pub fn norm(&self, cx: &mut Lower<'_>) -> Option<Norm> {
        let first = cx.node().params.len() - self.tensors();
        self.norm.map(|norm| match norm.affine {
            true => cx.norm(Some(first), Some(first + 1), first + 2, first + 3, norm.eps),
            false => cx.norm(None, None, first, first + 1, norm.eps),
        })
    }

    /// How it is shown in dumps and hashed.
    pub fn attributes(&self) -> Attributes {
        let mut attributes = Vec::new();
        if let Some(norm) = self.norm {
            let mut settings = vec![("eps", norm.eps.into())];
            settings.extend((!norm.affine).then(|| ("affine", false.into())));
            attributes.push(("bn", Attribute::Settings(settings)));
        }
        if self.add {
            attributes.push(("add", true.into()));
        }
        if let Some((keyword, told)) = &self.written {
            attributes.push(("act", Attribute::Layer(keyword, told.clone())));
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

/// 1, −1 or the number itself.
fn sign(v: f64) -> f64 {
    if v > 0.0 {
        1.0
    } else if v < 0.0 {
        -1.0
    } else {
        v
    }
}

/// Steps applied to one value, in f64.
pub fn apply(steps: &[Step], x: f64) -> f64 {
    steps.iter().fold(x, |v, step| match *step {
        Step::Square => v * v,
        Step::Above(c) => f64::from(v > c),
        Step::OneAbove => {
            if x > 0.0 {
                1.0
            } else {
                v
            }
        }
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
        Step::SiluSlope => Silu.derivative(v),
        Step::MishSlope => Mish.derivative(v),
        Step::GeluSlope => Gelu { approximate: false }.derivative(v),
        Step::GeluTanhSlope => Gelu { approximate: true }.derivative(v),
        Step::HardSwishSlope => HardSwish.derivative(v),
        Step::XOver => x / v,
        Step::Pow(c) => v.powf(c),
        Step::Log => v.ln(),
        Step::Sin => v.sin(),
        Step::Cos => v.cos(),
        Step::Erf => erf(v),
        Step::Floor => v.floor(),
        Step::Round => v.round_ties_even(),
        Step::Sign => sign(v),
        Step::KeepAbove(c) => {
            if v > c {
                v
            } else {
                0.0
            }
        }
        Step::KeepBeyond(c) => {
            if v.abs() > c {
                v
            } else {
                0.0
            }
        }
        Step::Toward(c) => v - c * sign(v),
    })
}
