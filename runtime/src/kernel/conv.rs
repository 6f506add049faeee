//! `f32_conv_MRxNRv`: a tile of convolution, dense layer or matrix product, the kernel that matters most.
//!
//! One call computes `rows × tiles·MR` pixels of one panel of `NR` vectors of output channels. The
//! reduction runs over `n0 × n1 × n2` taps of `run` contiguous inputs each, in this order, as one
//! chain of multiply-adds per output that starts from the bias. Packed weights hold `NR·lanes`
//! values for each step of the reduction; lanes beyond `channels` are computed and not stored.

use super::support::{Activation, View, activate, consts, invalid, multiply_add, span, vector};
use super::{Footprint, Kernel, KernelFn, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

consts! { Conv {
    rows, out_row, in_row, res_row, tiles, out_px, in_px, res_px,
    n0, s0, n1, s1, n2, s2, run, channels, residual, slope, hi,
} }

/// The row of one tile, without its name and entries.
pub(super) const fn row<const MR: usize, const NR: usize>(
    name: &'static str,
    entry: fn(Isa) -> Option<KernelFn>,
) -> Kernel {
    Kernel {
        name,
        args: &["out", "x", "w", "bias", "residual"],
        consts: Conv::NAMES,
        in_place: false,
        exact: true,
        footprint: footprint::<MR, NR>,
        entry,
        twin: twin::<MR, NR>,
    }
}

entries! {
    /// A tile that fits 16 registers of 8 lanes.
    pub(super) fn narrow<MR, NR> = tile
}

entries! {
    /// A tile that needs 32 registers.
    pub(super) fn wide<MR, NR> = tile for Avx512 Portable16
}

/// Steps of the reduction in one turn of the innermost loop.
const UNROLL: usize = 4;

/// Elements of a cache line.
const LINE: usize = 16;

/// How far ahead weights are fetched where they are what takes the time: a single pixel uses each only once.
const AHEAD: usize = 512;

#[inline(always)]
unsafe fn tile<S: Simd, const MR: usize, const NR: usize>(
    out: *mut f32,
    x: *const f32,
    w: *const f32,
    bias: *const f32,
    residual: *const f32,
    consts: *const i64,
) {
    // Accumulators, a step's weights and one broadcast input; a single pixel needs each weight only once.
    const { assert!(MR * NR + if MR == 1 { 1 } else { NR } < S::REGISTERS) };
    // SAFETY: every address below is one of the footprint, in the order of its dimensions.
    unsafe {
        let c = Conv::read(consts);
        let activation = Activation::<S>::new(c.slope, c.hi);
        let lanes = S::LANES;
        let last = c.channels as usize - (NR - 1) * lanes;
        for r in 0..c.rows {
            for t in 0..c.tiles {
                let first = t * MR as isize;
                let mut sums = [[S::splat(0.0); NR]; MR];
                for j in 0..NR {
                    let start = S::load(bias.add(j * lanes));
                    for p in 0..MR {
                        sums[p][j] = start;
                    }
                }

                let origin = x.offset(r * c.in_row + first * c.in_px);
                let mut w = w;
                for i0 in 0..c.n0 {
                    for i1 in 0..c.n1 {
                        for i2 in 0..c.n2 {
                            let mut x = origin.offset(i0 * c.s0 + i1 * c.s1 + i2 * c.s2);
                            let mut left = c.run;
                            while left >= UNROLL as isize {
                                for u in 0..UNROLL {
                                    step::<S, MR, NR>(
                                        &mut sums,
                                        x.add(u),
                                        c.in_px,
                                        w.add(u * NR * lanes),
                                    );
                                }
                                x = x.add(UNROLL);
                                w = w.add(UNROLL * NR * lanes);
                                left -= UNROLL as isize;
                            }
                            while left > 0 {
                                step::<S, MR, NR>(&mut sums, x, c.in_px, w);
                                x = x.add(1);
                                w = w.add(NR * lanes);
                                left -= 1;
                            }
                        }
                    }
                }

                for p in 0..MR {
                    let pixel = first + p as isize;
                    let out = out.offset(r * c.out_row + pixel * c.out_px);
                    let residual = residual.wrapping_offset(r * c.res_row + pixel * c.res_px);
                    for j in 0..NR {
                        let count = if j == NR - 1 { last } else { lanes };
                        let mut sum = sums[p][j];
                        if c.residual != 0 {
                            sum = S::add(sum, load_first::<S>(residual.add(j * lanes), count));
                        }
                        store_first::<S>(out.add(j * lanes), count, activation.apply(sum));
                    }
                }
            }
        }
    }
}

/// One step of the reduction: each pixel's input times the panel's weights.
#[inline(always)]
unsafe fn step<S: Simd, const MR: usize, const NR: usize>(
    sums: &mut [[S::V; NR]; MR],
    x: *const f32,
    in_px: isize,
    w: *const f32,
) {
    // SAFETY: the caller's `x` and `w` are inside the footprint for each pixel and vector.
    unsafe {
        let mut weights = [S::splat(0.0); NR];
        for j in 0..NR {
            weights[j] = S::load(w.add(j * S::LANES));
            if MR == 1 && j * S::LANES % LINE == 0 {
                S::prefetch(w.wrapping_add(AHEAD + j * S::LANES));
            }
        }
        for p in 0..MR {
            let input = S::splat(*x.offset(p as isize * in_px));
            for j in 0..NR {
                sums[p][j] = S::fma(input, weights[j], sums[p][j]);
            }
        }
    }
}

fn footprint<const MR: usize, const NR: usize>(isa: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Conv::new(consts);
    let pixels = c.tiles * MR as isize;
    let panel = (NR * isa.lanes()) as isize;
    let last = c.channels - (panel - isa.lanes() as isize);
    if last < 1 || last > isa.lanes() as isize || !(0..=1).contains(&c.residual) {
        return invalid();
    }
    vec![
        span(&[(c.rows, c.out_row), (pixels, c.out_px), (c.channels, 1)]),
        span(&[
            (c.rows, c.in_row),
            (pixels, c.in_px),
            (c.n0, c.s0),
            (c.n1, c.s1),
            (c.n2, c.s2),
            (c.run, 1),
        ]),
        vector(c.n0 * c.n1 * c.n2 * c.run * panel),
        vector(panel),
        if c.residual == 0 {
            None
        } else {
            span(&[(c.rows, c.res_row), (pixels, c.res_px), (c.channels, 1)])
        },
    ]
}

fn twin<const MR: usize, const NR: usize>(
    memory: &mut [f32],
    at: &[usize; MAX_ARGS],
    consts: &[i64],
    isa: Isa,
) {
    let c = Conv::new(consts);
    let (slope, hi) = (float(c.slope as i64), float(c.hi as i64));
    let panel = (NR * isa.lanes()) as isize;
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.tiles * MR as isize {
            for l in 0..c.channels {
                let mut sum = view.get(3, l);
                let mut weight = l;
                for i0 in 0..c.n0 {
                    for i1 in 0..c.n1 {
                        for i2 in 0..c.n2 {
                            for k in 0..c.run {
                                let x = r * c.in_row
                                    + p * c.in_px
                                    + i0 * c.s0
                                    + i1 * c.s1
                                    + i2 * c.s2
                                    + k;
                                sum = multiply_add(isa, view.get(1, x), view.get(2, weight), sum);
                                weight += panel;
                            }
                        }
                    }
                }
                if c.residual != 0 {
                    sum += view.get(4, r * c.res_row + p * c.res_px + l);
                }
                view.set(r * c.out_row + p * c.out_px + l, activate(sum, slope, hi));
            }
        }
    }
}
