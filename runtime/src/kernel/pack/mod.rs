//! `f32_pack_*`: parameters as a weights file has them, laid out as the other kernels read them.
//!
//! A batch norm that is folded in multiplies each output channel by `gamma / sqrt(var + eps)`. All of it is computed in f64 and
//! rounded once, on every ISA, so what is packed does not depend on the machine that packs it.

mod bias;
mod panels;
mod shares;
mod winograd;

pub(super) use bias::{BIAS, SCALE};
pub use bias::{PackBiasCall, PackScaleCall};
pub(super) use panels::PANELS;
pub use panels::PackPanelsCall;
pub(super) use shares::SHARES;
pub use shares::{Fusion, PackSharesCall};
pub use winograd::PackWinogradCall;
pub(super) use winograd::WINOGRAD;

use super::support::{View, vector};
use super::{Footprint, Signature, Type, double};

/// A batch norm of the output channels that a call packs.
#[derive(Clone, Debug)]
pub struct FoldedNorm<P> {
    /// Scale, if affine.
    pub gamma: Option<P>,
    /// Shift, if affine.
    pub beta: Option<P>,
    /// Running mean.
    pub mean: P,
    /// Running variance.
    pub var: P,
    /// Added to the variance.
    pub eps: f64,
}

/// The scale of a norm, if there is one.
fn gamma<P: Clone>(norm: &Option<FoldedNorm<P>>) -> Option<P> {
    norm.as_ref()?.gamma.clone()
}

/// The variance of a norm, if there is one.
fn var<P: Clone>(norm: &Option<FoldedNorm<P>>) -> Option<P> {
    norm.as_ref().map(|norm| norm.var.clone())
}

/// What is added to the variance of a norm, if there is one.
fn eps<P>(norm: &Option<FoldedNorm<P>>) -> f64 {
    norm.as_ref().map_or(0.0, |norm| norm.eps)
}

/// What a norm multiplies a channel by.
#[inline(always)]
fn scale(gamma: f32, var: f32, eps: f64) -> f64 {
    f64::from(gamma) / (f64::from(var) + eps).sqrt()
}

/// The scale of channel `index`; no `gamma` is one of 1.
///
/// # Safety
/// `var` has that many elements, and `gamma`, unless it is null.
#[inline(always)]
unsafe fn scale_of(gamma: *const f32, var: *const f32, index: usize, eps: f64) -> f64 {
    // SAFETY: the caller's promise.
    unsafe {
        let gamma = if gamma.is_null() {
            1.0
        } else {
            *gamma.add(index)
        };
        scale(gamma, *var.add(index), eps)
    }
}

/// The same to a twin, whose arguments have these numbers.
fn twin_scale(view: &View<'_>, gamma: Option<usize>, var: usize, index: isize, eps: f64) -> f64 {
    let gamma = gamma.map_or(1.0, |arg| view.get(arg, index));
    scale(gamma, view.get(var, index), eps)
}

/// A vector of `count` elements, if it is there.
fn optional(there: bool, count: isize) -> Option<Footprint> {
    vector(count).filter(|_| there)
}

/// Which argument of a call is a variance, and what is added to it; a kernel that folds a norm has one of each.
pub(crate) fn variance(signature: &Signature, consts: &[i64]) -> Option<(usize, f64)> {
    let var = signature.args.iter().position(|arg| arg.name == "var")?;
    let mut consts = consts.iter().zip(signature.constants());
    let (&eps, _) = consts.find(|(_, declared)| declared.ty == Type::Double)?;
    Some((var, double(eps)))
}
