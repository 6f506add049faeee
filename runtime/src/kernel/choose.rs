//! `f32_choose`: of two tensors the one that a third says, element by element. A stride of zero repeats an input.

use super::declare::{Pixels, declare};
use super::support::{View, span};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

declare! {
    /// `condition > 0 ? a : b`: a call of `f32_choose`.
    pub struct ChooseCall: Choose {
        /// Rows.
        rows: usize,
        /// Runs in a row.
        runs: usize,
        /// Elements of a run.
        run: usize,
        /// The result; a `pixel` is a run.
        out: Pixels<P>,
        /// What chooses.
        condition: Pixels<P>,
        /// What is chosen where the condition is above 0.
        a: Pixels<P>,
        /// What is chosen elsewhere.
        b: Pixels<P>,
    }
    kernel(_c) = super::F32_CHOOSE;
    args(c) { out: Write = c.out.at, condition: Read = c.condition.at, a: Read = c.a.at, b: Read = c.b.at }
    consts(c) {
        n0: Count = c.rows, o0: Stride = c.out.row, c0: Stride = c.condition.row, a0: Stride = c.a.row, b0: Stride = c.b.row,
        n1: Count = c.runs, o1: Stride = c.out.pixel, c1: Stride = c.condition.pixel, a1: Stride = c.a.pixel, b1: Stride = c.b.pixel,
        run: Count = c.run,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_choose",
    signature: Choose::SIGNATURE,
    exact: true,
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
    condition: *const f32,
    a: *const f32,
    b: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Choose::read(consts);
        let run = c.run as usize;
        for i0 in 0..c.n0 {
            for i1 in 0..c.n1 {
                let out = out.offset(i0 * c.o0 + i1 * c.o1);
                let condition = condition.offset(i0 * c.c0 + i1 * c.c1);
                let a = a.offset(i0 * c.a0 + i1 * c.a1);
                let b = b.offset(i0 * c.b0 + i1 * c.b1);
                let mut k = 0;
                while k < run {
                    let left = run - k;
                    let value = S::select_lt(
                        S::splat(0.0),
                        load_first::<S>(condition.add(k), left),
                        load_first::<S>(a.add(k), left),
                        load_first::<S>(b.add(k), left),
                    );
                    store_first::<S>(out.add(k), left, value);
                    k += S::LANES;
                }
            }
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Choose::new(consts);
    vec![
        span(&[(c.n0, c.o0), (c.n1, c.o1), (c.run, 1)]),
        span(&[(c.n0, c.c0), (c.n1, c.c1), (c.run, 1)]),
        span(&[(c.n0, c.a0), (c.n1, c.a1), (c.run, 1)]),
        span(&[(c.n0, c.b0), (c.n1, c.b1), (c.run, 1)]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Choose::new(consts);
    let mut view = View::new(memory, at);
    for i0 in 0..c.n0 {
        for i1 in 0..c.n1 {
            for k in 0..c.run {
                let condition = view.get(1, i0 * c.c0 + i1 * c.c1 + k);
                let value = match condition > 0.0 {
                    true => view.get(2, i0 * c.a0 + i1 * c.a1 + k),
                    false => view.get(3, i0 * c.b0 + i1 * c.b1 + k),
                };
                view.set(i0 * c.o0 + i1 * c.o1 + k, value);
            }
        }
    }
}
