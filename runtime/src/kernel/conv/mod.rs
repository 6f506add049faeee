//! `f32_conv_MRxNRv`: a tile of convolution, dense layer or matrix product, the kernel that matters most; `f32_longconv_MRxNRv`: the same
//! for sums of very many terms.
//!
//! One call computes `rows × tiles·MR` pixels of one panel of `NR` vectors of output channels. The
//! reduction runs over `n0 × n1 × n2` taps of `run` contiguous inputs each, in this order, as one
//! chain of multiply-adds per output that starts from the bias. Packed weights hold `NR·lanes`
//! values for each step of the reduction; lanes beyond `channels` are computed and not stored.
//! The long kernel adds up the products of [`BLOCK`](super::support::BLOCK) steps in f32, and these sums in f64, from the bias on: however many there are, a sum is
//! within 1e-6 of the exact one relative to `Σ |x · w|`.
//! All rows have the same weights where `w_row` is 0; else the call is a batch of matrix products, one for each row.

mod long;
mod twin;

pub(super) use twin::twin;

use super::declare::{Axis, Pixels, declare, pointer, strides};
use super::support::{Activation, invalid, span, vector};
use super::{Footprint, Kernel, KernelFn, Twin, conv_kernel, long_conv_kernel};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};
use long::reduce_long;
use std::mem::MaybeUninit;
use std::sync::atomic::{Ordering, compiler_fence};

declare! {
    /// A tile of a convolution, or of a matrix product, in rows: a call of `f32_conv_MRxNRv` or `f32_longconv_MRxNRv`.
    pub struct ConvCall: Conv {
        /// Pixels of a tile, and vectors of a panel.
        tile: (usize, usize),
        /// Whether sums are of so many terms that they are added in blocks.
        long: bool,
        /// Rows.
        rows: usize,
        /// Tiles in a row.
        tiles: usize,
        /// Output channels that are stored.
        channels: usize,
        /// The taps.
        taps: [Axis; 3],
        /// Adjacent inputs at each tap.
        run: usize,
        /// The result.
        out: Pixels<P>,
        /// The operand, at the first tap.
        x: Pixels<P>,
        /// The panel.
        w: P,
        /// From the panel of one row to that of the next.
        w_row: i64,
        /// One for each lane of the panel; without it sums begin with zero.
        bias: Option<P>,
        /// Of a call without bias, what is brought into the level-2 cache meanwhile, in floats: a hint, which is never read.
        fetch: Option<(P, usize)>,
        /// What is added to the sums.
        residual: Option<Pixels<P>>,
        /// Factor below zero of the activation.
        slope: f64,
        /// Upper limit of the activation.
        hi: f64,
    }
    kernel(c) = match c.long {
        true => long_conv_kernel(c.tile.0 as u8, c.tile.1 as u8),
        false => conv_kernel(c.tile.0 as u8, c.tile.1 as u8),
    };
    args(c) {
        out: Write = c.out.at, x: Read = c.x.at, w: Read = c.w, bias: Read = c.bias.clone().or(c.fetch.as_ref().map(|fetch| fetch.0.clone())), residual: Same = pointer(&c.residual),
    }
    consts(c) {
        rows: Count = c.rows, out_row: Stride = c.out.row, in_row: Stride = c.x.row, res_row: Stride = strides(&c.residual).0,
        tiles: Count = c.tiles, out_px: Stride = c.out.pixel, in_px: Stride = c.x.pixel, res_px: Stride = strides(&c.residual).1,
        n0: Count = c.taps[0].count, s0: Stride = c.taps[0].stride,
        n1: Count = c.taps[1].count, s1: Stride = c.taps[1].stride,
        n2: Count = c.taps[2].count, s2: Stride = c.taps[2].stride,
        run: Count = c.run, channels: Count = c.channels, residual: Flag = c.residual.is_some(),
        slope: Float = c.slope, hi: Float = c.hi, w_row: Stride = c.w_row,
        biased: Flag = c.bias.is_some(), fetched: Count = c.fetch.as_ref().map_or(0, |fetch| fetch.1),
    }
}

/// The row of one tile, without its name and entries.
pub(super) const fn row<const MR: usize, const NR: usize>(
    name: &'static str,
    entry: fn(Isa) -> Option<KernelFn>,
    twin: Twin,
) -> Kernel {
    Kernel {
        name,
        signature: Conv::SIGNATURE,
        exact: true,
        footprint: footprint::<MR, NR>,
        entry,
        twin,
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

entries! {
    /// A tile of the long kernel.
    pub(super) fn long<MR, NR> = long_tile
}

/// The outputs of a tile, in registers for as long as no index varies.
type Sums<S, const MR: usize, const NR: usize> = [[<S as Simd>::V; NR]; MR];

/// Elements of a cache line.
const LINE: usize = 16;

/// How far ahead weights are fetched: by a single pixel, which uses each only once, and with 16 registers, where a panel is used by so few pixels that
/// it is as often read from level 2.
const AHEAD: usize = 512;

/// Whether the weights of the panel in use are fetched.
const fn fetches_ahead<S: Simd>(pixels: usize) -> bool {
    S::REGISTERS < 32 || pixels == 1
}

#[inline(always)]
unsafe fn tile<S: Simd, const MR: usize, const NR: usize>(
    out: *mut f32,
    x: *const f32,
    w: *const f32,
    bias: *const f32,
    residual: *const f32,
    consts: *const i64,
) {
    // SAFETY: passed on.
    unsafe { tiles::<S, MR, NR, false>(out, x, w, bias, residual, consts) }
}

#[inline(always)]
unsafe fn long_tile<S: Simd, const MR: usize, const NR: usize>(
    out: *mut f32,
    x: *const f32,
    w: *const f32,
    bias: *const f32,
    residual: *const f32,
    consts: *const i64,
) {
    // SAFETY: passed on.
    unsafe { tiles::<S, MR, NR, true>(out, x, w, bias, residual, consts) }
}

#[inline(always)]
unsafe fn tiles<S: Simd, const MR: usize, const NR: usize, const LONG: bool>(
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
        let whole = c.channels == (NR * S::LANES) as isize;
        let mut next = NextPanel::new::<S, MR, NR>(&c);
        for r in 0..c.rows {
            let w = w.offset(r * c.w_row);
            if c.w_row != 0 && c.fetched == 0 {
                next.pass = 0;
            }
            for t in 0..c.tiles {
                let first = t * MR as isize;
                let x = x.offset(r * c.in_row + first * c.in_px);
                let out = out.offset(r * c.out_row + first * c.out_px);
                let mut sums = if LONG {
                    reduce_long::<S, MR, NR>(x, w, bias, &c)
                } else {
                    let (ahead, lines) = match c.fetched {
                        0 => next.part(w.wrapping_offset(next.panel)),
                        _ => next.part(bias),
                    };
                    reduce::<S, MR, NR>(x, w, bias, &c, ahead, lines)
                };
                let residual = residual.wrapping_offset(r * c.res_row + first * c.res_px);
                if whole {
                    if c.residual != 0 {
                        for p in 0..MR {
                            for j in 0..NR {
                                let at = residual.offset(p as isize * c.res_px).add(j * S::LANES);
                                sums[p][j] = S::add(sums[p][j], S::load(at));
                            }
                        }
                    }
                    if activation.leaky {
                        for p in 0..MR {
                            for j in 0..NR {
                                sums[p][j] = activation.leak(sums[p][j]);
                            }
                        }
                    }
                    for p in 0..MR {
                        for j in 0..NR {
                            let out = out.offset(p as isize * c.out_px).add(j * S::LANES);
                            S::store(out, activation.clamp(sums[p][j]));
                        }
                    }
                } else {
                    finish::<S, MR, NR>(out, residual, &c, &activation, &sums);
                }
            }
        }
    }
}

/// The panel behind the one in use, or what else is to be fetched, which is brought nearer in parts: one in each pass over the panel in use.
struct NextPanel {
    /// Lines for each turn of the unrolled reduction.
    lines: isize,
    /// Floats of a part, and of all parts.
    part: isize,
    panel: isize,
    /// Passes so far.
    pass: isize,
}

/// Whether the next panel is fetched. With 16 registers, its counter and pointer cost more than they gain; a single pixel's pass fetches its own panel.
const fn fetches<S: Simd>(pixels: usize) -> bool {
    S::REGISTERS >= 32 && pixels > 1
}

impl NextPanel {
    #[inline(always)]
    fn new<S: Simd, const MR: usize, const NR: usize>(c: &Conv) -> NextPanel {
        let taps = c.n0 * c.n1 * c.n2;
        let passes = if c.w_row == 0 || c.fetched != 0 {
            c.rows * c.tiles
        } else {
            c.tiles
        };
        let turns = taps * (c.run / S::UNROLL as isize);
        let panel = taps * c.run * (NR * S::LANES) as isize;
        let used = (S::UNROLL * NR * S::LANES / LINE) as isize;
        let (each, all) = match c.fetched {
            0 => (used, passes),
            // Every pass has as many turns.
            floats => (floats / LINE as isize, passes * turns),
        };
        let lines = if fetches::<S>(MR) && all > 0 {
            (each + all - 1) / all
        } else {
            0
        };
        NextPanel {
            lines,
            part: lines * LINE as isize * turns,
            panel: if c.fetched == 0 { panel } else { c.fetched },
            pass: 0,
        }
    }

    /// Where the part of this pass of what begins `at` there begins, and how many of its lines to fetch in each turn.
    #[inline(always)]
    fn part(&mut self, at: *const f32) -> (*const f32, isize) {
        let start = self.pass * self.part;
        self.pass += 1;
        let lines = if start < self.panel { self.lines } else { 0 };
        (at.wrapping_offset(start), lines)
    }
}

/// The sums of one tile: a single chain of multiply-adds for each output. In each turn `lines` cache lines from `ahead` on are fetched.
#[inline(always)]
unsafe fn reduce<S: Simd, const MR: usize, const NR: usize>(
    x: *const f32,
    w: *const f32,
    bias: *const f32,
    c: &Conv,
    mut ahead: *const f32,
    lines: isize,
) -> Sums<S, MR, NR> {
    let panel = NR * S::LANES;
    let unroll = S::UNROLL as isize;
    // SAFETY: every address is one of the footprint; `w` advances once per step of the reduction.
    unsafe {
        let mut sums = [[S::splat(0.0); NR]; MR];
        for j in 0..NR {
            let start = match c.biased {
                0 => S::splat(0.0),
                _ => S::load(bias.add(j * S::LANES)),
            };
            for p in 0..MR {
                sums[p][j] = start;
            }
        }
        let mut w = w;
        for i0 in 0..c.n0 {
            for i1 in 0..c.n1 {
                for i2 in 0..c.n2 {
                    let mut inputs = Inputs::<MR>::new::<S>(
                        x.offset(i0 * c.s0 + i1 * c.s1 + i2 * c.s2),
                        c.in_px,
                    );
                    let mut left = c.run;
                    while left >= unroll {
                        for u in 0..S::UNROLL {
                            // Loads that are moved ahead would need registers which a full tile does not have.
                            if MR * NR + NR + 1 + usize::from(fetches::<S>(MR)) >= S::REGISTERS
                                || inputs.many()
                            {
                                compiler_fence(Ordering::SeqCst);
                            }
                            step::<S, MR, NR>(&mut sums, &inputs, u, w.add(u * panel));
                        }
                        inputs.advance(S::UNROLL);
                        w = w.add(S::UNROLL * panel);
                        left -= unroll;
                        // Behind the steps: among them, the counter and the pointer would take registers from the sums.
                        if fetches::<S>(MR) {
                            for _ in 0..lines {
                                S::prefetch_near(ahead);
                                ahead = ahead.wrapping_add(LINE);
                            }
                        }
                    }
                    while left > 0 {
                        step::<S, MR, NR>(&mut sums, &inputs, 0, w);
                        inputs.advance(1);
                        w = w.add(panel);
                        left -= 1;
                    }
                }
            }
        }
        sums
    }
}

/// One step of the reduction: each pixel's input times the panel's weights.
#[inline(always)]
unsafe fn step<S: Simd, const MR: usize, const NR: usize>(
    sums: &mut Sums<S, MR, NR>,
    inputs: &Inputs<MR>,
    u: usize,
    w: *const f32,
) {
    // SAFETY: the caller's inputs and `w` are inside the footprint for each pixel and vector.
    unsafe {
        let mut weights = [S::splat(0.0); NR];
        for j in 0..NR {
            weights[j] = S::load(w.add(j * S::LANES));
            if fetches_ahead::<S>(MR) && (j * S::LANES).is_multiple_of(LINE) {
                S::prefetch(w.wrapping_add(AHEAD + j * S::LANES));
            }
        }
        for p in 0..MR {
            let input = S::splat(*inputs.at(p).add(u));
            for j in 0..NR {
                sums[p][j] = S::fma(weights[j], input, sums[p][j]);
            }
        }
    }
}

/// Where each pixel's next input is.
struct Inputs<const MR: usize> {
    /// One pointer for each `GROUP` pixels.
    bases: [*const f32; MR],
    in_px: isize,
}

impl<const MR: usize> Inputs<MR> {
    /// Pixels addressed from one pointer. Up to 8 can be reached from the first one by adding strides; for more, the
    /// optimiser runs out of integer registers for the sums, and of vector registers for what it loads early instead.
    const GROUP: usize = if MR > 8 { 4 } else { MR };

    /// # Safety
    /// `first` and what lies `in_px` apart must be inside one allocation.
    #[inline(always)]
    unsafe fn new<S: Simd>(first: *const f32, in_px: isize) -> Self {
        let mut bases = [first; MR];
        for group in 1..MR.div_ceil(Self::GROUP) {
            // SAFETY: the caller's promise. Opaque, or this would become the first pointer and an offset again.
            bases[group] =
                unsafe { S::opaque(first.offset((group * Self::GROUP) as isize * in_px)) };
        }
        Inputs { bases, in_px }
    }

    /// Whether there are several pointers.
    #[inline(always)]
    fn many(&self) -> bool {
        MR > Self::GROUP
    }

    /// The next input of one pixel.
    ///
    /// # Safety
    /// There must be one.
    #[inline(always)]
    unsafe fn at(&self, pixel: usize) -> *const f32 {
        let beyond = (pixel % Self::GROUP) as isize * self.in_px;
        // SAFETY: the caller's promise.
        unsafe { self.bases[pixel / Self::GROUP].offset(beyond) }
    }

    /// Moves on by `steps` inputs.
    #[inline(always)]
    fn advance(&mut self, steps: usize) {
        for group in 0..MR.div_ceil(Self::GROUP) {
            self.bases[group] = self.bases[group].wrapping_add(steps);
        }
    }
}

/// Adds the residual, if any, and stores what is not padding: the epilogue that is not worth unrolling.
#[inline(always)]
unsafe fn finish<S: Simd, const MR: usize, const NR: usize>(
    out: *mut f32,
    residual: *const f32,
    c: &Conv,
    activation: &Activation<S>,
    sums: &Sums<S, MR, NR>,
) {
    let last = c.channels as usize - (NR - 1) * S::LANES;
    let mut memory = MaybeUninit::<Sums<S, MR, NR>>::uninit();
    let memory: *mut S::V = memory.as_mut_ptr().cast();
    // SAFETY: `memory` holds every sum, and the addresses are those of the footprint.
    unsafe {
        for p in 0..MR {
            for j in 0..NR {
                *memory.add(p * NR + j) = sums[p][j];
            }
        }
        for p in 0..MR {
            let out = out.offset(p as isize * c.out_px);
            let residual = residual.wrapping_offset(p as isize * c.res_px);
            for j in 0..NR {
                let count = if j == NR - 1 { last } else { S::LANES };
                let mut sum = *memory.add(p * NR + j);
                if c.residual != 0 {
                    sum = S::add(sum, load_first::<S>(residual.add(j * S::LANES), count));
                }
                store_first::<S>(out.add(j * S::LANES), count, activation.apply(sum));
            }
        }
    }
}

fn footprint<const MR: usize, const NR: usize>(isa: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    footprint_of(MR, NR * isa.lanes(), isa.lanes() as isize, consts)
}

/// One function for all tiles of `mr` pixels by `panel` channels.
fn footprint_of(mr: usize, panel: usize, lanes: isize, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Conv::new(consts);
    let (pixels, panel) = (c.tiles * mr as isize, panel as isize);
    let last = c.channels - (panel - lanes);
    if last < 1 || last > lanes || !(0..=1).contains(&c.residual) {
        return invalid();
    }
    if !(0..=1).contains(&c.biased) || c.fetched < 0 || (c.biased == 1 && c.fetched > 0) {
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
        span(&[
            (if c.w_row == 0 { 1 } else { c.rows }, c.w_row),
            (c.n0 * c.n1 * c.n2 * c.run * panel, 1),
        ]),
        if c.biased == 0 { None } else { vector(panel) },
        if c.residual == 0 {
            None
        } else {
            span(&[(c.rows, c.res_row), (pixels, c.res_px), (c.channels, 1)])
        },
    ]
}
