//! `f32_pool_max` and `f32_pool_avg`: windows that lie wholly inside the input (the compiler splits edges).

use super::support::{View, consts, max, span};
use super::window::{Fold, walk, windows};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{Simd, entries};

consts! { Pool {
    rows, out_row, in_row, pixels, out_px, in_px,
    n0, s0, n1, s1, n2, s2, channels,
} }

consts! { Average {
    rows, out_row, in_row, pixels, out_px, in_px,
    n0, s0, n1, s1, n2, s2, channels, scale,
} }

pub(super) const MAX: Kernel = Kernel {
    name: "f32_pool_max",
    args: &["out", "x"],
    consts: Pool::NAMES,
    in_place: false,
    exact: true,
    footprint,
    entry: max_entry,
    twin: twin_max,
};

pub(super) const AVG: Kernel = Kernel {
    name: "f32_pool_avg",
    args: &["out", "x"],
    consts: Average::NAMES,
    in_place: false,
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
        walk::<S, _>(out, x, windows!(c), &Most);
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
        walk::<S, _>(
            out,
            x,
            windows!(c),
            &Mean {
                scale: float(c.scale as i64),
            },
        );
    }
}

/// The largest.
struct Most;

impl<S: Simd> Fold<S> for Most {
    type Tap = ();

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
        unsafe { S::max(x, state) }
    }

    #[inline(always)]
    unsafe fn finish(&self, state: S::V) -> S::V {
        state
    }
}

/// The sum, scaled.
struct Mean {
    scale: f32,
}

impl<S: Simd> Fold<S> for Mean {
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
    unsafe fn finish(&self, state: S::V) -> S::V {
        // SAFETY: as of `Simd`.
        unsafe { S::mul(state, S::splat(self.scale)) }
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
    windows(
        memory,
        at,
        Pool::new(consts),
        f32::NEG_INFINITY,
        |most, x| max(x, most),
        |most| most,
    );
}

fn twin_avg(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let scale = float(Average::new(consts).scale as i64);
    windows(
        memory,
        at,
        Pool::new(consts),
        0.0,
        |sum, x| sum + x,
        |sum| sum * scale,
    );
}

/// Folds every window in order.
fn windows(
    memory: &mut [f32],
    at: &[usize; MAX_ARGS],
    c: Pool,
    init: f32,
    fold: impl Fn(f32, f32) -> f32,
    finish: impl Fn(f32) -> f32,
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
                            state = fold(state, view.get(1, x));
                        }
                    }
                }
                view.set(r * c.out_row + p * c.out_px + l, finish(state));
            }
        }
    }
}
