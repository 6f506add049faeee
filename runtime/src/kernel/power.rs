//! `f32_power`: one tensor to the power of another, element by element. A stride of zero repeats an input.
//!
//! What comes out is what IEEE 754's `pow` says, a NaN for what is negative to a power that is no whole number among it; numbers are within 1e-6 of the
//! exact ones, relative to them.

use super::declare::{Pixels, declare};
use super::support::{View, span};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, math, store_first};

declare! {
    /// `base` to the power of `exponent`: a call of `f32_power`.
    pub struct PowerCall: Power {
        /// Rows.
        rows: usize,
        /// Runs in a row.
        runs: usize,
        /// Elements of a run.
        run: usize,
        /// The result; a `pixel` is a run.
        out: Pixels<P>,
        /// The base.
        base: Pixels<P>,
        /// The exponent.
        exponent: Pixels<P>,
    }
    kernel(_c) = super::F32_POWER;
    args(c) { out: Write = c.out.at, base: Read = c.base.at, exponent: Read = c.exponent.at }
    consts(c) {
        n0: Count = c.rows, o0: Stride = c.out.row, b0: Stride = c.base.row, e0: Stride = c.exponent.row,
        n1: Count = c.runs, o1: Stride = c.out.pixel, b1: Stride = c.base.pixel, e1: Stride = c.exponent.pixel,
        run: Count = c.run,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_power",
    signature: Power::SIGNATURE,
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
    base: *const f32,
    exponent: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Power::read(consts);
        let run = c.run as usize;
        for i0 in 0..c.n0 {
            for i1 in 0..c.n1 {
                let out = out.offset(i0 * c.o0 + i1 * c.o1);
                let base = base.offset(i0 * c.b0 + i1 * c.b1);
                let exponent = exponent.offset(i0 * c.e0 + i1 * c.e1);
                let mut k = 0;
                while k < run {
                    let left = run - k;
                    let value = math::pow_each::<S>(
                        load_first::<S>(base.add(k), left),
                        load_first::<S>(exponent.add(k), left),
                    );
                    store_first::<S>(out.add(k), left, value);
                    k += S::LANES;
                }
            }
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Power::new(consts);
    vec![
        span(&[(c.n0, c.o0), (c.n1, c.o1), (c.run, 1)]),
        span(&[(c.n0, c.b0), (c.n1, c.b1), (c.run, 1)]),
        span(&[(c.n0, c.e0), (c.n1, c.e1), (c.run, 1)]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Power::new(consts);
    let mut view = View::new(memory, at);
    for i0 in 0..c.n0 {
        for i1 in 0..c.n1 {
            for k in 0..c.run {
                let base = f64::from(view.get(1, i0 * c.b0 + i1 * c.b1 + k));
                let exponent = f64::from(view.get(2, i0 * c.e0 + i1 * c.e1 + k));
                view.set(i0 * c.o0 + i1 * c.o1 + k, base.powf(exponent) as f32);
            }
        }
    }
}
