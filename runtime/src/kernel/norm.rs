//! `f32_softmax` and `f32_l2norm`: each pixel's channels divided by their sum, or by their length.
//!
//! Softmax's twin sums in order, its entries lane by lane, so they agree to about 1e-6 and not bit for bit. Lengths are sums in f64, where
//! squares of f32 are exact and neither overflow nor vanish, in one order for each number of lanes.

use super::declare::{Pixelwise, declare};
use super::support::{BLOCK, View, max, span};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{MOST_LANES, Simd, entries, load_first, math, store_first, total_wide};

declare! {
    /// Softmax over the channels of each pixel: a call of `f32_softmax`.
    pub struct SoftmaxCall: Softmax {
        /// The pixels.
        over: Pixelwise<P>,
    }
    kernel(_c) = super::F32_SOFTMAX;
    args(c) { out: Write = c.over.out.at, x: Same = c.over.x.at }
    consts(c) {
        rows: Count = c.over.rows, out_row: Stride = c.over.out.row, in_row: Stride = c.over.x.row,
        pixels: Count = c.over.pixels, out_px: Stride = c.over.out.pixel, in_px: Stride = c.over.x.pixel,
        channels: Count = c.over.channels,
    }
}

declare! {
    /// Channels of each pixel divided by their length: a call of `f32_l2norm`.
    pub struct L2NormCall: L2Norm {
        /// The pixels.
        over: Pixelwise<P>,
        /// The least length that is divided by.
        eps: f64,
    }
    kernel(_c) = super::F32_L2NORM;
    args(c) { out: Write = c.over.out.at, x: Same = c.over.x.at }
    consts(c) {
        rows: Count = c.over.rows, out_row: Stride = c.over.out.row, in_row: Stride = c.over.x.row,
        pixels: Count = c.over.pixels, out_px: Stride = c.over.out.pixel, in_px: Stride = c.over.x.pixel,
        channels: Count = c.over.channels, eps: Float = c.eps,
    }
}

pub(super) const SOFTMAX: Kernel = Kernel {
    name: "f32_softmax",
    signature: Softmax::SIGNATURE,
    exact: false,
    footprint,
    entry: softmax_entry,
    twin: twin_softmax,
};

pub(super) const L2NORM: Kernel = Kernel {
    name: "f32_l2norm",
    signature: L2Norm::SIGNATURE,
    exact: true,
    footprint,
    entry: l2norm_entry,
    twin: twin_l2norm,
};

entries! {
    fn softmax_entry = softmax
}

entries! {
    fn l2norm_entry = l2norm
}

#[inline(always)]
unsafe fn softmax<S: Simd>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Softmax::read(consts);
        let channels = c.channels as usize;
        for r in 0..c.rows {
            for p in 0..c.pixels {
                let x = x.offset(r * c.in_row + p * c.in_px);
                let out = out.offset(r * c.out_row + p * c.out_px);
                let most = S::splat(largest::<S>(x, channels));
                let mut blocks = S::splat_wide(0.0);
                let mut sums = S::splat(0.0);
                let mut l = 0;
                while l < channels {
                    let left = channels - l;
                    let power = math::exp::<S>(S::sub(load_first::<S>(x.add(l), left), most));
                    store_first::<S>(out.add(l), left, power);
                    // Read back, for the lanes beyond the last channel must not count.
                    sums = S::add(sums, load_first::<S>(out.add(l), left));
                    l += S::LANES;
                    if l.is_multiple_of(BLOCK as usize * S::LANES) {
                        blocks = S::add_wide(blocks, S::widen(sums));
                        sums = S::splat(0.0);
                    }
                }
                let sum = if channels <= BLOCK as usize * S::LANES {
                    total::<S>(S::add(S::narrow(blocks), sums))
                } else {
                    total_wide::<S>(S::add_wide(blocks, S::widen(sums))) as f32
                };
                divide::<S>(out, out, channels, sum);
            }
        }
    }
}

#[inline(always)]
unsafe fn l2norm<S: Simd>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = L2Norm::read(consts);
        let (channels, eps) = (c.channels as usize, f64::from(float(c.eps as i64)));
        for r in 0..c.rows {
            for p in 0..c.pixels {
                let x = x.offset(r * c.in_row + p * c.in_px);
                let out = out.offset(r * c.out_row + p * c.out_px);
                let mut sums = S::splat_wide(0.0);
                let mut l = 0;
                while l < channels {
                    let value = S::widen(load_first::<S>(x.add(l), channels - l));
                    sums = S::add_wide(sums, S::mul_wide(value, value));
                    l += S::LANES;
                }
                let length = total_wide::<S>(sums).sqrt();
                let length = if eps > length { eps } else { length };
                let inverse = S::splat_wide(1.0 / length);
                let mut l = 0;
                while l < channels {
                    let value = S::widen(load_first::<S>(x.add(l), channels - l));
                    let value = S::narrow(S::mul_wide(value, inverse));
                    store_first::<S>(out.add(l), channels - l, value);
                    l += S::LANES;
                }
            }
        }
    }
}

/// The largest of `count` elements, `f32::NEG_INFINITY` if there are none.
#[inline(always)]
pub(super) unsafe fn largest<S: Simd>(x: *const f32, count: usize) -> f32 {
    // SAFETY: the caller has `count` elements, and the array a vector's.
    unsafe {
        let mut most = S::splat(f32::NEG_INFINITY);
        let mut l = 0;
        while l + S::LANES <= count {
            most = S::max(S::load(x.add(l)), most);
            l += S::LANES;
        }
        let mut lanes = [f32::NEG_INFINITY; MOST_LANES];
        S::store(lanes.as_mut_ptr(), most);
        let mut value = f32::NEG_INFINITY;
        for lane in lanes {
            value = max(lane, value);
        }
        while l < count {
            value = max(*x.add(l), value);
            l += 1;
        }
        value
    }
}

/// The sum of all lanes.
#[inline(always)]
unsafe fn total<S: Simd>(v: S::V) -> f32 {
    let mut lanes = [0.0; MOST_LANES];
    // SAFETY: the array holds a vector of any ISA.
    unsafe { S::store(lanes.as_mut_ptr(), v) };
    let mut sum = 0.0;
    for lane in lanes {
        sum += lane;
    }
    sum
}

/// `out = x / divisor`
#[inline(always)]
unsafe fn divide<S: Simd>(out: *mut f32, x: *const f32, count: usize, divisor: f32) {
    // SAFETY: the caller has `count` elements.
    unsafe {
        let divisor = S::splat(divisor);
        let mut l = 0;
        while l < count {
            let value = S::div(load_first::<S>(x.add(l), count - l), divisor);
            store_first::<S>(out.add(l), count - l, value);
            l += S::LANES;
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Softmax::new(consts);
    vec![
        span(&[(c.rows, c.out_row), (c.pixels, c.out_px), (c.channels, 1)]),
        span(&[(c.rows, c.in_row), (c.pixels, c.in_px), (c.channels, 1)]),
    ]
}

fn twin_softmax(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Softmax::new(consts);
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.pixels {
            let (x, out) = (r * c.in_row + p * c.in_px, r * c.out_row + p * c.out_px);
            let mut most = f32::NEG_INFINITY;
            for l in 0..c.channels {
                most = max(view.get(1, x + l), most);
            }
            let mut sum = 0.0;
            for l in 0..c.channels {
                let power = f64::from(view.get(1, x + l) - most).exp() as f32;
                sum += f64::from(power);
                view.set(out + l, power);
            }
            for l in 0..c.channels {
                let power = view.get(0, out + l);
                view.set(out + l, power / sum as f32);
            }
        }
    }
}

fn twin_l2norm(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa) {
    let c = L2Norm::new(consts);
    let eps = f64::from(float(c.eps as i64));
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.pixels {
            let (x, out) = (r * c.in_row + p * c.in_px, r * c.out_row + p * c.out_px);
            let mut lanes = vec![0.0; isa.lanes()];
            for l in 0..c.channels {
                let value = f64::from(view.get(1, x + l));
                lanes[l as usize % isa.lanes()] += value * value;
            }
            let length = lanes.iter().sum::<f64>().sqrt();
            // NaN stays NaN.
            let inverse = 1.0 / if length < eps { eps } else { length };
            for l in 0..c.channels {
                let value = f64::from(view.get(1, x + l)) * inverse;
                view.set(out + l, value as f32);
            }
        }
    }
}
