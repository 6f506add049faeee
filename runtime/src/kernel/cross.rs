//! `f32_cross`: products of two sets of channels, summed over all pixels: what a Gram matrix is made of.
//!
//! `out[j, c] = scale · Σ y[p, j] · x[p, c]`, within 1e-6 of the exact value relative to `scale · Σ |y · x|`, however many pixels there are:
//! blocks of [`BLOCK`] pixels are summed in f32, and their sums in f64.

use super::declare::{Axis, declare};
use super::support::{BLOCK, View, multiply_add, span};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, settle, store_first};

declare! {
    /// `out[j, c] = scale · Σ y[p, j] · x[p, c]`: a call of `f32_cross`.
    pub struct CrossCall: Cross {
        /// Planes, rows and pixels, in both operands.
        grid: [Axis; 3],
        /// Channels of `y`, rows of the result.
        outs: usize,
        /// Channels of `x`, columns of the result.
        channels: usize,
        /// The result.
        out: P,
        /// From one row of the result to the next.
        out_px: i64,
        /// The operand whose channels become columns.
        x: P,
        /// The operand whose channels become rows.
        y: P,
        /// Factor of the sums.
        scale: f64,
    }
    kernel(_c) = super::F32_CROSS;
    args(c) { out: Write = c.out, x: Read = c.x, y: Read = c.y }
    consts(c) {
        planes: Count = c.grid[0].count, plane: Stride = c.grid[0].stride,
        rows: Count = c.grid[1].count, row: Stride = c.grid[1].stride,
        pixels: Count = c.grid[2].count, pixel: Stride = c.grid[2].stride,
        outs: Count = c.outs, out_px: Stride = c.out_px, channels: Count = c.channels, scale: Float = c.scale,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_cross",
    signature: Cross::SIGNATURE,
    exact: true,
    footprint,
    entry,
    twin,
};

entries! {
    fn entry = body
}

/// Channels of `y` that one pass over the pixels serves.
const TOGETHER: isize = 4;

#[inline(always)]
unsafe fn body<S: Simd>(
    out: *mut f32,
    x: *const f32,
    y: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Cross::read(consts);
        let channels = c.channels as usize;
        let mut j = 0;
        while j < c.outs {
            let together = j + TOGETHER <= c.outs;
            let mut l = 0;
            while l < channels {
                let (x, left) = (x.add(l), channels - l);
                let (y, out) = (y.offset(j), out.offset(j * c.out_px).add(l));
                match (together, left > S::LANES) {
                    (true, true) => block::<S, { TOGETHER as usize }, 2>(out, x, y, left, &c),
                    (true, false) => block::<S, { TOGETHER as usize }, 1>(out, x, y, left, &c),
                    (false, true) => block::<S, 1, 2>(out, x, y, left, &c),
                    (false, false) => block::<S, 1, 1>(out, x, y, left, &c),
                }
                l += if left > S::LANES {
                    2 * S::LANES
                } else {
                    S::LANES
                };
            }
            j += if together { TOGETHER } else { 1 };
        }
    }
}

/// `MR` channels of `y` times `NR` vectors of `x`, of which `left` channels are left: more than `NR − 1` vectors.
#[inline(always)]
unsafe fn block<S: Simd, const MR: usize, const NR: usize>(
    out: *mut f32,
    x: *const f32,
    y: *const f32,
    left: usize,
    c: &Cross,
) {
    // SAFETY: the caller's promise; `left` keeps the last vector within the channels.
    unsafe {
        let mut totals = [[S::splat_wide(0.0); NR]; MR];
        let mut sums = [[S::splat(0.0); NR]; MR];
        let mut room = BLOCK;
        for d in 0..c.planes {
            for h in 0..c.rows {
                let mut w = 0;
                while w < c.pixels {
                    let end = c.pixels.min(w + room);
                    room -= end - w;
                    while w < end {
                        let at = d * c.plane + h * c.row + w * c.pixel;
                        let mut v = [S::splat(0.0); NR];
                        for i in 0..NR {
                            let skipped = i * S::LANES;
                            v[i] = load_first::<S>(x.offset(at).add(skipped), left - skipped);
                        }
                        for k in 0..MR {
                            let factor = S::splat(*y.offset(at).add(k));
                            for i in 0..NR {
                                sums[k][i] = S::fma(factor, v[i], sums[k][i]);
                            }
                        }
                        w += 1;
                    }
                    if room == 0 {
                        settle::<S, MR, NR>(&mut totals, &mut sums);
                        room = BLOCK;
                    }
                }
            }
        }
        settle::<S, MR, NR>(&mut totals, &mut sums);
        let scale = S::splat_wide(f64::from(float(c.scale as i64)));
        for k in 0..MR {
            for i in 0..NR {
                let skipped = i * S::LANES;
                let to = out.offset(k as isize * c.out_px).add(skipped);
                let value = S::narrow(S::mul_wide(totals[k][i], scale));
                store_first::<S>(to, left - skipped, value);
            }
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Cross::new(consts);
    let pixels = [(c.planes, c.plane), (c.rows, c.row), (c.pixels, c.pixel)];
    let read = |channels| span(&[pixels[0], pixels[1], pixels[2], (channels, 1)]);
    vec![
        span(&[(c.outs, c.out_px), (c.channels, 1)]),
        read(c.channels),
        read(c.outs),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa) {
    let c = Cross::new(consts);
    let mut view = View::new(memory, at);
    for j in 0..c.outs {
        for l in 0..c.channels {
            let (mut total, mut sum, mut terms) = (0.0, 0.0, 0);
            for d in 0..c.planes {
                for h in 0..c.rows {
                    for w in 0..c.pixels {
                        let pixel = d * c.plane + h * c.row + w * c.pixel;
                        let (x, y) = (view.get(1, pixel + l), view.get(2, pixel + j));
                        sum = multiply_add(isa, y, x, sum);
                        terms += 1;
                        if terms % BLOCK == 0 {
                            total += f64::from(sum);
                            sum = 0.0;
                        }
                    }
                }
            }
            let value = (total + f64::from(sum)) * f64::from(float(c.scale as i64));
            view.set(j * c.out_px + l, value as f32);
        }
    }
}
