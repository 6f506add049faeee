//! `f32_lrn`: local response normalisation across channels (Krizhevsky 2012, section 3.3).
//!
//! `y[c] = x[c] / (k + alpha_over · Σ x[j]²)^beta` over the `size` channels `j` from `c − size/2`, clipped.

use super::declare::{Pixelwise, declare};
use super::support::{BLOCK, View, span};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, math, store_first};

declare! {
    /// Local response normalisation: a call of `f32_lrn`.
    pub struct LrnCall: Lrn {
        /// The pixels.
        over: Pixelwise<P>,
        /// Channels whose squares are summed.
        size: usize,
        /// Factor of the sum: alpha over `size`.
        alpha_over: f64,
        /// Exponent.
        beta: f64,
        /// What is added to the scaled sum.
        k: f64,
    }
    kernel(_c) = super::F32_LRN;
    args(c) { out: Write = c.over.out.at, x: Read = c.over.x.at }
    consts(c) {
        rows: Count = c.over.rows, out_row: Stride = c.over.out.row, in_row: Stride = c.over.x.row,
        pixels: Count = c.over.pixels, out_px: Stride = c.over.out.pixel, in_px: Stride = c.over.x.pixel,
        channels: Count = c.over.channels, size: Count = c.size,
        alpha_over: Float = c.alpha_over, beta: Float = c.beta, k: Float = c.k,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_lrn",
    signature: Lrn::SIGNATURE,
    exact: false,
    footprint,
    entry,
    twin,
};

entries! {
    fn entry = body
}

#[inline(always)]
unsafe fn body<S: Simd>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: the caller keeps the contract of `KernelFn`.
    unsafe {
        let c = Lrn::read(consts);
        match c.size <= BLOCK {
            true => pixels::<S, false>(out, x, &c),
            false => pixels::<S, true>(out, x, &c),
        }
    }
}

/// Every pixel; `LONG` sums are more than a block.
#[inline(always)]
unsafe fn pixels<S: Simd, const LONG: bool>(out: *mut f32, x: *const f32, c: &Lrn) {
    // SAFETY: every address is one of the footprint.
    unsafe {
        let (alpha_over, k) = (
            S::splat(float(c.alpha_over as i64)),
            S::splat(float(c.k as i64)),
        );
        let beta = float(c.beta as i64);
        let lanes = S::LANES as isize;
        for r in 0..c.rows {
            for p in 0..c.pixels {
                let x = x.offset(r * c.in_row + p * c.in_px);
                let out = out.offset(r * c.out_row + p * c.out_px);
                let mut l = 0;
                while l < c.channels {
                    let (mut blocks, mut sum) = (S::splat_wide(0.0), S::splat(0.0));
                    let first = l - c.size / 2;
                    for j in first..first + c.size {
                        if LONG && (j - first) % BLOCK == 0 {
                            blocks = S::add_wide(blocks, S::widen(sum));
                            sum = S::splat(0.0);
                        }
                        let value = load_inside::<S>(x, j, c.channels);
                        sum = S::fma(value, value, sum);
                    }
                    if LONG {
                        sum = S::narrow(S::add_wide(blocks, S::widen(sum)));
                    }
                    let left = (c.channels - l) as usize;
                    let value = load_first::<S>(x.offset(l), left);
                    let base = S::fma(alpha_over, sum, k);
                    store_first::<S>(out.offset(l), left, divide_by_power::<S>(value, base, beta));
                    l += lanes;
                }
            }
        }
    }
}

/// The elements from `first` on, zero where they are outside `0..end`.
#[inline(always)]
pub(super) unsafe fn load_inside<S: Simd>(x: *const f32, first: isize, end: isize) -> S::V {
    let lanes = S::LANES as isize;
    let from = x.wrapping_offset(first);
    if first >= 0 && first + lanes <= end {
        // SAFETY: the whole vector is inside.
        unsafe { S::load(from) }
    } else {
        let (from_lane, to_lane) = ((-first).clamp(0, lanes), (end - first).clamp(0, lanes));
        // SAFETY: only lanes inside are touched.
        unsafe { S::load_range(from, from_lane, to_lane.max(from_lane)) }
    }
}

/// `value / baseᵇᵉᵗᵃ`, for a positive base.
#[inline(always)]
unsafe fn divide_by_power<S: Simd>(value: S::V, base: S::V, beta: f32) -> S::V {
    // SAFETY: as of `Simd`.
    unsafe {
        if beta == 0.0 {
            value
        } else if beta == 0.75 {
            let root = S::sqrt(base);
            S::div(value, S::mul(root, S::sqrt(root)))
        } else {
            S::mul(
                value,
                math::exp::<S>(S::mul(S::splat(-beta), math::log::<S>(base))),
            )
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Lrn::new(consts);
    vec![
        span(&[(c.rows, c.out_row), (c.pixels, c.out_px), (c.channels, 1)]),
        span(&[(c.rows, c.in_row), (c.pixels, c.in_px), (c.channels, 1)]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Lrn::new(consts);
    let [alpha_over, beta, k] = [c.alpha_over, c.beta, c.k].map(|constant| float(constant as i64));
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.pixels {
            let x = r * c.in_row + p * c.in_px;
            for l in 0..c.channels {
                let first = l - c.size / 2;
                let (mut blocks, mut sum) = (0.0, 0.0);
                for j in 0..c.size {
                    if j % BLOCK == 0 {
                        blocks += f64::from(sum);
                        sum = 0.0;
                    }
                    if (0..c.channels).contains(&(first + j)) {
                        sum += view.get(1, x + first + j).powi(2);
                    }
                }
                let sum = (blocks + f64::from(sum)) as f32;
                let base = f64::from(k + alpha_over * sum);
                let value = f64::from(view.get(1, x + l)) / base.powf(f64::from(beta));
                view.set(r * c.out_row + p * c.out_px + l, value as f32);
            }
        }
    }
}
