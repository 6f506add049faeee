//! `f32_accumulate`: a multiple of one tensor, added to another or by itself; adjoints of pools and resamplings are made of it.

use super::declare::{Pixels, declare};
use super::support::{View, multiply_add, span};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

declare! {
    /// `out = acc + factor · x`: a call of `f32_accumulate`.
    pub struct AccumulateCall: Accumulate {
        /// Rows.
        rows: usize,
        /// Runs in a row.
        runs: usize,
        /// Elements of a run.
        run: usize,
        /// The result; a `pixel` is a run.
        out: Pixels<P>,
        /// Whether it is added to what is there.
        add: bool,
        /// The operand.
        x: Pixels<P>,
        /// Its factor.
        factor: f64,
    }
    kernel(_c) = super::F32_ACCUMULATE;
    args(c) { out: Write = c.out.at, acc: Same = c.add.then(|| c.out.at.clone()), x: Read = c.x.at }
    consts(c) {
        n0: Count = c.rows, o0: Stride = c.out.row, i0: Stride = c.x.row,
        n1: Count = c.runs, o1: Stride = c.out.pixel, i1: Stride = c.x.pixel,
        run: Count = c.run, add: Flag = c.add, factor: Float = c.factor,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_accumulate",
    signature: Accumulate::SIGNATURE,
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
    acc: *const f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Accumulate::read(consts);
        let factor = S::splat(float(c.factor as i64));
        let run = c.run as usize;
        for i in 0..c.n0 {
            for j in 0..c.n1 {
                let to = i * c.o0 + j * c.o1;
                let (out, acc) = (out.offset(to), acc.wrapping_offset(to));
                let x = x.offset(i * c.i0 + j * c.i1);
                let mut k = 0;
                while k < run {
                    let x = load_first::<S>(x.add(k), run - k);
                    let value = if c.add != 0 {
                        S::fma(factor, x, load_first::<S>(acc.add(k), run - k))
                    } else {
                        S::mul(factor, x)
                    };
                    store_first::<S>(out.add(k), run - k, value);
                    k += S::LANES;
                }
            }
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Accumulate::new(consts);
    let out = span(&[(c.n0, c.o0), (c.n1, c.o1), (c.run, 1)]);
    vec![
        out.clone(),
        out.filter(|_| c.add != 0),
        span(&[(c.n0, c.i0), (c.n1, c.i1), (c.run, 1)]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa) {
    let c = Accumulate::new(consts);
    let factor = float(c.factor as i64);
    let mut view = View::new(memory, at);
    for i in 0..c.n0 {
        for j in 0..c.n1 {
            for k in 0..c.run {
                let to = i * c.o0 + j * c.o1 + k;
                let x = view.get(2, i * c.i0 + j * c.i1 + k);
                let value = match c.add {
                    0 => factor * x,
                    _ => multiply_add(isa, factor, x, view.get(1, to)),
                };
                view.set(to, value);
            }
        }
    }
}
