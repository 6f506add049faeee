//! `f32_pool_max` and `f32_pool_avg`: windows that lie wholly inside the input (the compiler splits edges).
//!
//! A maximum of NaN is NaN. A mean is within 1e-6 of the exact one, relative to the mean of its terms' magnitudes, however many there are: blocks
//! of [`BLOCK`] terms are summed in f32, and their sums in f64.

use super::declare::{Axis, Pixels, declare};
use super::support::{BLOCK, View, maximum, span};
use super::window::{Fold, Place, walk, windows};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{Simd, entries};

declare! {
    /// The largest element of each window: a call of `f32_pool_max`.
    pub struct MaxPoolCall: Pool {
        /// Rows.
        rows: usize,
        /// Pixels in a row.
        pixels: usize,
        /// Channels.
        channels: usize,
        /// The window: elements of `x` from its first one on.
        window: [Axis; 3],
        /// One pixel for each window.
        out: Pixels<P>,
        /// The first elements of neighbouring windows are a row or a pixel apart.
        x: Pixels<P>,
    }
    kernel(_c) = super::F32_POOL_MAX;
    args(c) { out: Write = c.out.at, x: Read = c.x.at }
    consts(c) {
        rows: Count = c.rows, out_row: Stride = c.out.row, in_row: Stride = c.x.row,
        pixels: Count = c.pixels, out_px: Stride = c.out.pixel, in_px: Stride = c.x.pixel,
        n0: Count = c.window[0].count, s0: Stride = c.window[0].stride,
        n1: Count = c.window[1].count, s1: Stride = c.window[1].stride,
        n2: Count = c.window[2].count, s2: Stride = c.window[2].stride,
        channels: Count = c.channels,
    }
}

declare! {
    /// The scaled sum of each window: a call of `f32_pool_avg`.
    pub struct AvgPoolCall: Average {
        /// Rows.
        rows: usize,
        /// Pixels in a row.
        pixels: usize,
        /// Channels.
        channels: usize,
        /// The window: elements of `x` from its first one on.
        window: [Axis; 3],
        /// One pixel for each window.
        out: Pixels<P>,
        /// The first elements of neighbouring windows are a row or a pixel apart.
        x: Pixels<P>,
        /// Factor of the sum: one over the number of elements.
        scale: f64,
    }
    kernel(_c) = super::F32_POOL_AVG;
    args(c) { out: Write = c.out.at, x: Read = c.x.at }
    consts(c) {
        rows: Count = c.rows, out_row: Stride = c.out.row, in_row: Stride = c.x.row,
        pixels: Count = c.pixels, out_px: Stride = c.out.pixel, in_px: Stride = c.x.pixel,
        n0: Count = c.window[0].count, s0: Stride = c.window[0].stride,
        n1: Count = c.window[1].count, s1: Stride = c.window[1].stride,
        n2: Count = c.window[2].count, s2: Stride = c.window[2].stride,
        channels: Count = c.channels, scale: Float = c.scale,
    }
}

pub(super) const MAX: Kernel = Kernel {
    name: "f32_pool_max",
    signature: Pool::SIGNATURE,
    exact: true,
    footprint,
    entry: max_entry,
    twin: twin_max,
};

pub(super) const AVG: Kernel = Kernel {
    name: "f32_pool_avg",
    signature: Average::SIGNATURE,
    exact: true,
    footprint,
    entry: avg_entry,
    twin: twin_avg,
};

entries! {
    fn max_entry = max_body
}

entries! {
    fn avg_entry = avg_body
}

#[inline(always)]
unsafe fn max_body<S: Simd>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: the caller keeps the contract of `KernelFn`.
    unsafe {
        let c = Pool::read(consts);
        let mut windows = windows!(c);
        windows.taps.rotate_right(1);
        walk::<S, _>(out, x, windows, &Most);
    }
}

#[inline(always)]
unsafe fn avg_body<S: Simd>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: the caller keeps the contract of `KernelFn`.
    unsafe {
        let c = Average::read(consts);
        let scale = float(c.scale as i64);
        match c.n0 * c.n1 * c.n2 <= BLOCK {
            true => walk::<S, _>(out, x, windows!(c), &Mean { scale }),
            false => walk::<S, _>(out, x, windows!(c), &LongMean { scale }),
        }
    }
}

/// The largest, of equal ones the first, column by column.
struct Most;

impl<S: Simd> Fold<S> for Most {
    type State = S::V;
    type Tap = ();
    const COLUMNS: bool = true;

    #[inline(always)]
    unsafe fn start(&self, _: usize) -> S::V {
        // SAFETY: as of `Simd`.
        unsafe { S::splat(f32::NEG_INFINITY) }
    }

    #[inline(always)]
    unsafe fn tap(&self, _: isize, _: usize) {}

    #[inline(always)]
    unsafe fn fold(&self, state: S::V, x: S::V, (): ()) -> S::V {
        // SAFETY: as of `Simd`.
        unsafe { S::maximum(x, state) }
    }

    #[inline(always)]
    unsafe fn column(&self, [top, middle, bottom]: [S::V; 3]) -> S::V {
        // SAFETY: as of `Simd`.
        unsafe { S::maximum(bottom, S::maximum(middle, top)) }
    }

    #[inline(always)]
    unsafe fn join(&self, window: S::V, column: S::V) -> S::V {
        // SAFETY: as of `Simd`.
        unsafe { S::maximum(column, window) }
    }

    #[inline(always)]
    unsafe fn finish(&self, state: S::V, _: Place) -> S::V {
        state
    }
}

/// The sum, scaled.
struct Mean {
    scale: f32,
}

/// Of one block: through f64 it would be the same number.
impl<S: Simd> Fold<S> for Mean {
    type State = S::V;
    type Tap = ();

    #[inline(always)]
    unsafe fn start(&self, _: usize) -> S::V {
        // SAFETY: as of `Simd`.
        unsafe { S::splat(0.0) }
    }

    #[inline(always)]
    unsafe fn tap(&self, _: isize, _: usize) {}

    #[inline(always)]
    unsafe fn fold(&self, state: S::V, x: S::V, (): ()) -> S::V {
        // SAFETY: as of `Simd`.
        unsafe { S::add(state, x) }
    }

    #[inline(always)]
    unsafe fn finish(&self, state: S::V, _: Place) -> S::V {
        // SAFETY: as of `Simd`.
        unsafe { S::mul(state, S::splat(self.scale)) }
    }
}

/// The sum of more than one block, scaled.
struct LongMean {
    scale: f32,
}

impl<S: Simd> Fold<S> for LongMean {
    /// The blocks before, and the block so far.
    type State = (S::W, S::V);
    type Tap = ();
    const SETTLE: isize = BLOCK;

    #[inline(always)]
    unsafe fn start(&self, _: usize) -> (S::W, S::V) {
        // SAFETY: as of `Simd`.
        unsafe { (S::splat_wide(0.0), S::splat(0.0)) }
    }

    #[inline(always)]
    unsafe fn tap(&self, _: isize, _: usize) {}

    #[inline(always)]
    unsafe fn fold(&self, (total, sum): (S::W, S::V), x: S::V, (): ()) -> (S::W, S::V) {
        // SAFETY: as of `Simd`.
        unsafe { (total, S::add(sum, x)) }
    }

    #[inline(always)]
    unsafe fn settle(&self, (total, sum): (S::W, S::V)) -> (S::W, S::V) {
        // SAFETY: as of `Simd`.
        unsafe { (S::add_wide(total, S::widen(sum)), S::splat(0.0)) }
    }

    #[inline(always)]
    unsafe fn finish(&self, (total, sum): (S::W, S::V), _: Place) -> S::V {
        // SAFETY: as of `Simd`.
        unsafe {
            let total = S::add_wide(total, S::widen(sum));
            S::narrow(S::mul_wide(total, S::splat_wide(f64::from(self.scale))))
        }
    }
}

/// Of both: `Average` is `Pool` and one more.
fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Pool::new(consts);
    vec![
        span(&[(c.rows, c.out_row), (c.pixels, c.out_px), (c.channels, 1)]),
        span(&[
            (c.rows, c.in_row),
            (c.pixels, c.in_px),
            (c.n0, c.s0),
            (c.n1, c.s1),
            (c.n2, c.s2),
            (c.channels, 1),
        ]),
    ]
}

fn twin_max(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Pool::new(consts);
    let by_columns = Pool {
        n0: c.n2,
        s0: c.s2,
        n1: c.n0,
        s1: c.s0,
        n2: c.n1,
        s2: c.s1,
        ..c
    };
    windows(
        memory,
        at,
        by_columns,
        f32::NEG_INFINITY,
        |most, _, x| maximum(x, most),
        |most| most,
    );
}

fn twin_avg(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let scale = float(Average::new(consts).scale as i64);
    let c = Pool::new(consts);
    let long = c.n0 * c.n1 * c.n2 > BLOCK;
    windows(
        memory,
        at,
        c,
        (0.0, 0.0),
        |(total, sum), index, x| match (index + 1) % BLOCK {
            0 if long => (total + f64::from(sum + x), 0.0),
            _ => (total, sum + x),
        },
        |(total, sum)| match long {
            true => ((total + f64::from(sum)) * f64::from(scale)) as f32,
            false => sum * scale,
        },
    );
}

/// Folds every window in order; `fold` gets the state, the number of the tap and the element.
fn windows<T: Copy>(
    memory: &mut [f32],
    at: &[usize; MAX_ARGS],
    c: Pool,
    init: T,
    fold: impl Fn(T, isize, f32) -> T,
    finish: impl Fn(T) -> f32,
) {
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.pixels {
            for l in 0..c.channels {
                let mut state = init;
                for i0 in 0..c.n0 {
                    for i1 in 0..c.n1 {
                        for i2 in 0..c.n2 {
                            let x =
                                r * c.in_row + p * c.in_px + i0 * c.s0 + i1 * c.s1 + i2 * c.s2 + l;
                            let tap = (i0 * c.n1 + i1) * c.n2 + i2;
                            state = fold(state, tap, view.get(1, x));
                        }
                    }
                }
                view.set(r * c.out_row + p * c.out_px + l, finish(state));
            }
        }
    }
}
