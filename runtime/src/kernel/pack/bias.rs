//! `f32_pack_bias`: a vector of a layer's channels, with a batch norm folded in; `f32_pack_scale`: what that norm multiplies by.

use super::{FoldedNorm, eps, gamma, optional, scale_of, twin_scale, var};
use crate::isa::Isa;
use crate::kernel::declare::{Axis, declare};
use crate::kernel::support::{View, invalid, span, vector};
use crate::kernel::{Footprint, Kernel, MAX_ARGS};

declare! {
    /// A padded vector: a call of `f32_pack_bias`. An element is `beta + (bias − mean) · scale` with a norm, else the bias; without a
    /// bias that is zero, and so are elements beyond the last.
    pub struct PackBiasCall: Bias {
        /// The vector.
        out: P,
        /// The biases.
        bias: Option<P>,
        /// Elements.
        elements: Axis,
        /// Elements including padding.
        padded: usize,
        /// What shifts them.
        norm: Option<FoldedNorm<P>>,
    }
    kernel(_c) = crate::kernel::F32_PACK_BIAS;
    args(c) {
        out: Write = c.out, bias: Read = c.bias, gamma: Read = gamma(&c.norm), beta: Read = beta(&c.norm),
        mean: Read = mean(&c.norm), var: Read = var(&c.norm),
    }
    consts(c) {
        count: Count = c.elements.count, stride: Stride = c.elements.stride, padded: Count = c.padded,
        bias: Flag = c.bias.is_some(), norm: Flag = c.norm.is_some(), gamma: Flag = gamma(&c.norm).is_some(),
        beta: Flag = beta(&c.norm).is_some(), eps: Double = eps(&c.norm),
    }
}

declare! {
    /// A padded vector of what a norm multiplies by: a call of `f32_pack_scale`.
    pub struct PackScaleCall: Scale {
        /// The vector.
        out: P,
        /// Channels.
        channels: usize,
        /// Channels including padding.
        padded: usize,
        /// The norm.
        norm: FoldedNorm<P>,
    }
    kernel(_c) = crate::kernel::F32_PACK_SCALE;
    args(c) { out: Write = c.out, gamma: Read = c.norm.gamma, var: Read = c.norm.var }
    consts(c) {
        channels: Count = c.channels, padded: Count = c.padded,
        gamma: Flag = c.norm.gamma.is_some(), eps: Double = c.norm.eps,
    }
}

fn beta<P: Clone>(norm: &Option<FoldedNorm<P>>) -> Option<P> {
    norm.as_ref()?.beta.clone()
}

fn mean<P: Clone>(norm: &Option<FoldedNorm<P>>) -> Option<P> {
    norm.as_ref().map(|norm| norm.mean.clone())
}

pub(in crate::kernel) const BIAS: Kernel = Kernel {
    name: "f32_pack_bias",
    signature: Bias::SIGNATURE,
    exact: true,
    footprint: bias_footprint,
    entry: |_| Some(bias_entry),
    twin: bias_twin,
};

pub(in crate::kernel) const SCALE: Kernel = Kernel {
    name: "f32_pack_scale",
    signature: Scale::SIGNATURE,
    exact: true,
    footprint: scale_footprint,
    entry: |_| Some(scale_entry),
    twin: scale_twin,
};

/// Any ISA's: vectors are short.
unsafe extern "C" fn bias_entry(
    out: *mut f32,
    bias: *const f32,
    gamma: *const f32,
    beta: *const f32,
    mean: *const f32,
    var: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Bias::read(consts);
        for i in 0..c.count {
            let value = match bias.is_null() {
                true => 0.0,
                false => *bias.offset(i * c.stride),
            };
            *out.offset(i) = match c.norm {
                0 => value,
                _ => {
                    let beta = if beta.is_null() { 0.0 } else { *beta.offset(i) };
                    let centred = f64::from(value) - f64::from(*mean.offset(i));
                    let scale = scale_of(gamma, var, i as usize, c.eps);
                    (f64::from(beta) + centred * scale) as f32
                }
            };
        }
        for i in c.count..c.padded {
            *out.offset(i) = 0.0;
        }
    }
}

/// Any ISA's, too.
unsafe extern "C" fn scale_entry(
    out: *mut f32,
    gamma: *const f32,
    var: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Scale::read(consts);
        for i in 0..c.padded {
            *out.offset(i) = match i < c.channels {
                true => scale_of(gamma, var, i as usize, c.eps) as f32,
                false => 0.0,
            };
        }
    }
}

fn bias_footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Bias::new(consts);
    if c.count > c.padded {
        return invalid();
    }
    vec![
        vector(c.padded),
        span(&[(c.count, c.stride)]).filter(|_| c.bias != 0),
        optional(c.norm != 0 && c.gamma != 0, c.count),
        optional(c.norm != 0 && c.beta != 0, c.count),
        optional(c.norm != 0, c.count),
        optional(c.norm != 0, c.count),
    ]
}

fn scale_footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Scale::new(consts);
    if c.channels > c.padded {
        return invalid();
    }
    vec![
        vector(c.padded),
        optional(c.gamma != 0, c.channels),
        vector(c.channels),
    ]
}

fn bias_twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Bias::new(consts);
    let mut view = View::new(memory, at);
    for i in 0..c.padded {
        let mut value = 0.0;
        if i < c.count && c.bias != 0 {
            value = view.get(1, i * c.stride);
        }
        if i < c.count && c.norm != 0 {
            let gamma = (c.gamma != 0).then_some(2);
            let scale = twin_scale(&view, gamma, 5, i, c.eps);
            let beta = if c.beta != 0 { view.get(3, i) } else { 0.0 };
            let centred = f64::from(value) - f64::from(view.get(4, i));
            value = (f64::from(beta) + centred * scale) as f32;
        }
        view.set(i, value);
    }
}

fn scale_twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Scale::new(consts);
    let mut view = View::new(memory, at);
    for i in 0..c.padded {
        let gamma = (c.gamma != 0).then_some(1);
        let value = match i < c.channels {
            true => twin_scale(&view, gamma, 2, i, c.eps) as f32,
            false => 0.0,
        };
        view.set(i, value);
    }
}
