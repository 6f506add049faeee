//! `f32_zip`: two tensors combined element by element, then activated. A stride of zero repeats an input.

use super::declare::{Pixels, declare};
use super::support::{Activation, View, activate, invalid, maximum, minimum, span};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

declare! {
    /// Two tensors combined element by element, then activated: a call of `f32_zip`.
    pub struct ZipCall: Zip {
        /// Rows.
        rows: usize,
        /// Runs in a row.
        runs: usize,
        /// Elements of a run.
        run: usize,
        /// The result; a `pixel` is a run.
        out: Pixels<P>,
        /// The left operand.
        a: Pixels<P>,
        /// The right operand.
        b: Pixels<P>,
        /// What becomes of two elements.
        op: ZipOp,
        /// Factor below zero of the activation.
        slope: f64,
        /// Upper limit of the activation.
        hi: f64,
    }
    kernel(_c) = super::F32_ZIP;
    args(c) { out: Write = c.out.at, a: Same = c.a.at, b: Read = c.b.at }
    consts(c) {
        n0: Count = c.rows, o0: Stride = c.out.row, a0: Stride = c.a.row, b0: Stride = c.b.row,
        n1: Count = c.runs, o1: Stride = c.out.pixel, a1: Stride = c.a.pixel, b1: Stride = c.b.pixel,
        run: Count = c.run, op: Code of ZipOp = c.op, slope: Float = c.slope, hi: Float = c.hi,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_zip",
    signature: Zip::SIGNATURE,
    exact: true,
    footprint,
    entry,
    twin,
};

/// The operation of `f32_zip`: its constant `op`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(i64)]
pub enum ZipOp {
    /// `a + b`
    Add = 0,
    /// `a − b`
    Sub = 1,
    /// `a · b`
    Mul = 2,
    /// `|a − b|`
    AbsDiff = 3,
    /// `max(a, b)`, NaN when either is
    Max = 4,
    /// `min(a, b)`, NaN when either is
    Min = 5,
    /// `a / b`
    Div = 6,
    /// `a < b ? 1 : 0`
    Less = 7,
    /// `a > 0 ? b : 0`
    Where = 8,
    /// `a = b ? 1 : 0`
    Equal = 9,
}

impl ZipOp {
    /// Every operation.
    pub const ALL: [ZipOp; 10] = [
        ZipOp::Add,
        ZipOp::Sub,
        ZipOp::Mul,
        ZipOp::AbsDiff,
        ZipOp::Max,
        ZipOp::Min,
        ZipOp::Div,
        ZipOp::Less,
        ZipOp::Where,
        ZipOp::Equal,
    ];
}

entries! {
    fn entry = body
}

#[inline(always)]
unsafe fn body<S: Simd>(
    out: *mut f32,
    a: *const f32,
    b: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: the caller keeps the contract of `KernelFn`.
    unsafe {
        let c = Zip::read(consts);
        match c.op {
            0 => combine::<S, 0>(out, a, b, &c),
            1 => combine::<S, 1>(out, a, b, &c),
            2 => combine::<S, 2>(out, a, b, &c),
            3 => combine::<S, 3>(out, a, b, &c),
            4 => combine::<S, 4>(out, a, b, &c),
            5 => combine::<S, 5>(out, a, b, &c),
            6 => combine::<S, 6>(out, a, b, &c),
            7 => combine::<S, 7>(out, a, b, &c),
            8 => combine::<S, 8>(out, a, b, &c),
            _ => combine::<S, 9>(out, a, b, &c),
        }
    }
}

#[inline(always)]
unsafe fn combine<S: Simd, const OP: i64>(out: *mut f32, a: *const f32, b: *const f32, c: &Zip) {
    // SAFETY: every address is one of the footprint.
    unsafe {
        let activation = Activation::<S>::new(c.slope, c.hi);
        for i0 in 0..c.n0 {
            for i1 in 0..c.n1 {
                let out = out.offset(i0 * c.o0 + i1 * c.o1);
                let a = a.offset(i0 * c.a0 + i1 * c.a1);
                let b = b.offset(i0 * c.b0 + i1 * c.b1);
                let run = c.run as usize;
                let mut k = 0;
                while k < run {
                    let (a, b) = (
                        load_first::<S>(a.add(k), run - k),
                        load_first::<S>(b.add(k), run - k),
                    );
                    let value = match OP {
                        0 => S::add(a, b),
                        1 => S::sub(a, b),
                        2 => S::mul(a, b),
                        3 => S::abs(S::sub(a, b)),
                        4 => S::maximum(a, b),
                        5 => S::minimum(a, b),
                        6 => S::div(a, b),
                        7 => S::select_lt(a, b, S::splat(1.0), S::splat(0.0)),
                        8 => S::select_lt(S::splat(0.0), a, b, S::splat(0.0)),
                        _ => equal::<S>(a, b),
                    };
                    store_first::<S>(out.add(k), run - k, activation.apply(value));
                    k += S::LANES;
                }
            }
        }
    }
}

/// 1 where both are the same number.
#[inline(always)]
unsafe fn equal<S: Simd>(a: S::V, b: S::V) -> S::V {
    // SAFETY: as of `Simd`.
    unsafe {
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        let unless = S::select_lt(b, a, zero, one);
        let value = S::select_lt(a, b, zero, unless);
        // What is NaN is not above −1.
        let size = S::maximum(S::abs(a), S::abs(b));
        S::select_lt(S::splat(-1.0), size, value, zero)
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Zip::new(consts);
    if !(ZipOp::Add as isize..=ZipOp::Equal as isize).contains(&c.op) {
        return invalid();
    }
    vec![
        span(&[(c.n0, c.o0), (c.n1, c.o1), (c.run, 1)]),
        span(&[(c.n0, c.a0), (c.n1, c.a1), (c.run, 1)]),
        span(&[(c.n0, c.b0), (c.n1, c.b1), (c.run, 1)]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Zip::new(consts);
    let (slope, hi) = (float(c.slope as i64), float(c.hi as i64));
    let mut view = View::new(memory, at);
    for i0 in 0..c.n0 {
        for i1 in 0..c.n1 {
            for k in 0..c.run {
                let a = view.get(1, i0 * c.a0 + i1 * c.a1 + k);
                let b = view.get(2, i0 * c.b0 + i1 * c.b1 + k);
                let value = match c.op {
                    0 => a + b,
                    1 => a - b,
                    2 => a * b,
                    3 => (a - b).abs(),
                    4 => maximum(a, b),
                    5 => minimum(a, b),
                    6 => a / b,
                    7 => f32::from(a < b),
                    8 if a > 0.0 => b,
                    8 => 0.0,
                    9 => f32::from(a == b),
                    other => panic!("f32_zip: no operation {other}"),
                };
                view.set(i0 * c.o0 + i1 * c.o1 + k, activate(value, slope, hi));
            }
        }
    }
}
