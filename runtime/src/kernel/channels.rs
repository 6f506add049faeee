//! `f32_scale_shift` and `f32_prelu`: elementwise, with parameters per channel.

use super::declare::{Pixelwise, declare};
use super::support::{Activation, View, activate, multiply_add, span, vector};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

declare! {
    /// Each channel scaled, shifted and activated: a call of `f32_scale_shift`.
    pub struct ScaleShiftCall: ScaleShift {
        /// The pixels.
        over: Pixelwise<P>,
        /// A factor for each channel.
        scale: P,
        /// A term for each channel.
        shift: P,
        /// Factor below zero of the activation.
        slope: f64,
        /// Upper limit of the activation.
        hi: f64,
    }
    kernel(_c) = super::F32_SCALE_SHIFT;
    args(c) { out: Write = c.over.out.at, x: Same = c.over.x.at, scale: Read = c.scale, shift: Read = c.shift }
    consts(c) {
        rows: Count = c.over.rows, out_row: Stride = c.over.out.row, in_row: Stride = c.over.x.row,
        pixels: Count = c.over.pixels, out_px: Stride = c.over.out.pixel, in_px: Stride = c.over.x.pixel,
        channels: Count = c.over.channels, slope: Float = c.slope, hi: Float = c.hi,
    }
}

declare! {
    /// What is below zero times its channel's slope: a call of `f32_prelu`.
    pub struct PReluCall: PRelu {
        /// The pixels.
        over: Pixelwise<P>,
        /// A slope for each channel.
        slopes: P,
    }
    kernel(_c) = super::F32_PRELU;
    args(c) { out: Write = c.over.out.at, x: Same = c.over.x.at, slopes: Read = c.slopes }
    consts(c) {
        rows: Count = c.over.rows, out_row: Stride = c.over.out.row, in_row: Stride = c.over.x.row,
        pixels: Count = c.over.pixels, out_px: Stride = c.over.out.pixel, in_px: Stride = c.over.x.pixel,
        channels: Count = c.over.channels,
    }
}

pub(super) const SCALE_SHIFT: Kernel = Kernel {
    name: "f32_scale_shift",
    signature: ScaleShift::SIGNATURE,
    exact: true,
    footprint: |_, consts| {
        let c = PRelu::new(consts);
        vec![output(c), input(c), vector(c.channels), vector(c.channels)]
    },
    entry: scale_shift_entry,
    twin: twin_scale_shift,
};

pub(super) const PRELU: Kernel = Kernel {
    name: "f32_prelu",
    signature: PRelu::SIGNATURE,
    exact: true,
    footprint: |_, consts| {
        let c = PRelu::new(consts);
        vec![output(c), input(c), vector(c.channels)]
    },
    entry: prelu_entry,
    twin: twin_prelu,
};

entries! {
    fn scale_shift_entry = scale_shift
}

entries! {
    fn prelu_entry = prelu
}

#[inline(always)]
unsafe fn scale_shift<S: Simd>(
    out: *mut f32,
    x: *const f32,
    scale: *const f32,
    shift: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = ScaleShift::read(consts);
        let activation = Activation::<S>::new(c.slope, c.hi);
        for r in 0..c.rows {
            for p in 0..c.pixels {
                let x = x.offset(r * c.in_row + p * c.in_px);
                let out = out.offset(r * c.out_row + p * c.out_px);
                let channels = c.channels as usize;
                let mut l = 0;
                while l < channels {
                    let left = channels - l;
                    let (scale, shift) = (
                        load_first::<S>(scale.add(l), left),
                        load_first::<S>(shift.add(l), left),
                    );
                    let value = S::fma(load_first::<S>(x.add(l), left), scale, shift);
                    store_first::<S>(out.add(l), left, activation.apply(value));
                    l += S::LANES;
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn prelu<S: Simd>(
    out: *mut f32,
    x: *const f32,
    slopes: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = PRelu::read(consts);
        for r in 0..c.rows {
            for p in 0..c.pixels {
                let x = x.offset(r * c.in_row + p * c.in_px);
                let out = out.offset(r * c.out_row + p * c.out_px);
                let channels = c.channels as usize;
                let mut l = 0;
                while l < channels {
                    let left = channels - l;
                    let value = load_first::<S>(x.add(l), left);
                    let scaled = S::mul(value, load_first::<S>(slopes.add(l), left));
                    store_first::<S>(
                        out.add(l),
                        left,
                        S::select_lt(value, S::splat(0.0), scaled, value),
                    );
                    l += S::LANES;
                }
            }
        }
    }
}

fn output(c: PRelu) -> Option<Footprint> {
    span(&[(c.rows, c.out_row), (c.pixels, c.out_px), (c.channels, 1)])
}

fn input(c: PRelu) -> Option<Footprint> {
    span(&[(c.rows, c.in_row), (c.pixels, c.in_px), (c.channels, 1)])
}

fn twin_scale_shift(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa) {
    let c = ScaleShift::new(consts);
    let (slope, hi) = (float(c.slope as i64), float(c.hi as i64));
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.pixels {
            for l in 0..c.channels {
                let x = view.get(1, r * c.in_row + p * c.in_px + l);
                let value = multiply_add(isa, x, view.get(2, l), view.get(3, l));
                view.set(r * c.out_row + p * c.out_px + l, activate(value, slope, hi));
            }
        }
    }
}

fn twin_prelu(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = PRelu::new(consts);
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.pixels {
            for l in 0..c.channels {
                let x = view.get(1, r * c.in_row + p * c.in_px + l);
                let value = if x < 0.0 { x * view.get(2, l) } else { x };
                view.set(r * c.out_row + p * c.out_px + l, value);
            }
        }
    }
}
