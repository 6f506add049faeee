//! `f32_outer`: a matrix of sums of products over pixels, what gradients of weights are made of.
//!
//! `out[m, n] = acc[m, n] + Σ a[p, m] · b[p, n]` over three axes of pixels, each sum one chain of multiply-adds in f32 that begins at zero. Sums of very
//! many terms are several calls, each of which adds to what the one before it has left.

use super::declare::{Axis, declare};
use super::support::{View, multiply_add, span};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

/// Iterations along an axis, and how far each operand moves with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Iterations.
    pub count: usize,
    /// Step of `a`.
    pub a: i64,
    /// Step of `b`.
    pub b: i64,
}

impl Pace {
    /// One iteration.
    pub const ONCE: Pace = Pace {
        count: 1,
        a: 0,
        b: 0,
    };
}

declare! {
    /// `out[m, n] = acc[m, n] + Σ a[p, m] · b[p, n]`: a call of `f32_outer`.
    pub struct OuterCall: Outer {
        /// The axes of the pixels, outermost first.
        pixels: [Pace; 3],
        /// Rows of the result: so many adjacent elements of `a`.
        rows: Axis,
        /// Columns of the result: so many adjacent elements of `b`.
        columns: usize,
        /// The result.
        out: P,
        /// What is added to the sums, if anything is; laid out as the result is.
        acc: Option<P>,
        /// The operand whose elements become rows.
        a: P,
        /// The operand whose elements become columns.
        b: P,
    }
    kernel(_c) = super::F32_OUTER;
    args(c) { out: Write = c.out, acc: Same = c.acc, a: Read = c.a, b: Read = c.b }
    consts(c) {
        n0: Count = c.pixels[0].count, a0: Stride = c.pixels[0].a, b0: Stride = c.pixels[0].b,
        n1: Count = c.pixels[1].count, a1: Stride = c.pixels[1].a, b1: Stride = c.pixels[1].b,
        n2: Count = c.pixels[2].count, a2: Stride = c.pixels[2].a, b2: Stride = c.pixels[2].b,
        rows: Count = c.rows.count, row: Stride = c.rows.stride, columns: Count = c.columns,
        add: Flag = c.acc.is_some(),
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_outer",
    signature: Outer::SIGNATURE,
    exact: true,
    footprint,
    entry,
    twin,
};

entries! {
    fn entry = body
}

/// Rows of a tile.
const MR: isize = 6;

#[inline(always)]
unsafe fn body<S: Simd>(
    out: *mut f32,
    acc: *const f32,
    a: *const f32,
    b: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Outer::read(consts);
        let columns = c.columns as usize;
        let mut n = 0;
        while n < columns {
            let left = columns - n;
            let two = left > S::LANES;
            let mut m = 0;
            while m < c.rows {
                let at = m * c.row;
                let (out, acc) = (
                    out.offset(at).add(n),
                    acc.wrapping_offset(at).wrapping_add(n),
                );
                let (a, b, rows) = (a.offset(m), b.add(n), c.rows - m);
                match (rows, two) {
                    (1, true) => tile::<S, 1, 2>(out, acc, a, b, left, &c),
                    (2, true) => tile::<S, 2, 2>(out, acc, a, b, left, &c),
                    (3, true) => tile::<S, 3, 2>(out, acc, a, b, left, &c),
                    (4, true) => tile::<S, 4, 2>(out, acc, a, b, left, &c),
                    (5, true) => tile::<S, 5, 2>(out, acc, a, b, left, &c),
                    (_, true) => tile::<S, 6, 2>(out, acc, a, b, left, &c),
                    (1, false) => tile::<S, 1, 1>(out, acc, a, b, left, &c),
                    (2, false) => tile::<S, 2, 1>(out, acc, a, b, left, &c),
                    (3, false) => tile::<S, 3, 1>(out, acc, a, b, left, &c),
                    (4, false) => tile::<S, 4, 1>(out, acc, a, b, left, &c),
                    (5, false) => tile::<S, 5, 1>(out, acc, a, b, left, &c),
                    (_, false) => tile::<S, 6, 1>(out, acc, a, b, left, &c),
                }
                m += MR;
            }
            n += if two { 2 * S::LANES } else { S::LANES };
        }
    }
}

/// `ROWS` rows of `NR` vectors, of whose columns `left` are left: more than `NR − 1` vectors.
#[inline(always)]
unsafe fn tile<S: Simd, const ROWS: usize, const NR: usize>(
    out: *mut f32,
    acc: *const f32,
    a: *const f32,
    b: *const f32,
    left: usize,
    c: &Outer,
) {
    // SAFETY: the caller's promise; `left` keeps the last vector within the columns.
    unsafe {
        let mut sums = [[S::splat(0.0); NR]; ROWS];
        let whole = left >= NR * S::LANES;
        for i0 in 0..c.n0 {
            for i1 in 0..c.n1 {
                let mut a = a.wrapping_offset(i0 * c.a0 + i1 * c.a1);
                let mut b = b.wrapping_offset(i0 * c.b0 + i1 * c.b1);
                if whole {
                    for _ in 0..c.n2 {
                        let mut columns = [S::splat(0.0); NR];
                        for j in 0..NR {
                            columns[j] = S::load(b.add(j * S::LANES));
                        }
                        step::<S, ROWS, NR>(&mut sums, a, &columns);
                        (a, b) = (a.wrapping_offset(c.a2), b.wrapping_offset(c.b2));
                    }
                } else {
                    for _ in 0..c.n2 {
                        let mut columns = [S::splat(0.0); NR];
                        for j in 0..NR {
                            columns[j] = load_first::<S>(b.add(j * S::LANES), left - j * S::LANES);
                        }
                        step::<S, ROWS, NR>(&mut sums, a, &columns);
                        (a, b) = (a.wrapping_offset(c.a2), b.wrapping_offset(c.b2));
                    }
                }
            }
        }
        for i in 0..ROWS {
            let at = i as isize * c.row;
            for j in 0..NR {
                let (first, count) = (j * S::LANES, left - j * S::LANES);
                let mut sum = sums[i][j];
                if c.add != 0 {
                    sum = S::add(load_first::<S>(acc.offset(at).add(first), count), sum);
                }
                store_first::<S>(out.offset(at).add(first), count, sum);
            }
        }
    }
}

#[inline(always)]
unsafe fn step<S: Simd, const ROWS: usize, const NR: usize>(
    sums: &mut [[S::V; NR]; ROWS],
    a: *const f32,
    columns: &[S::V; NR],
) {
    // SAFETY: the caller's promise.
    unsafe {
        for i in 0..ROWS {
            let row = S::splat(*a.add(i));
            for j in 0..NR {
                sums[i][j] = S::fma(row, columns[j], sums[i][j]);
            }
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Outer::new(consts);
    let matrix = span(&[(c.rows, c.row), (c.columns, 1)]);
    vec![
        matrix.clone(),
        matrix.filter(|_| c.add != 0),
        span(&[(c.n0, c.a0), (c.n1, c.a1), (c.n2, c.a2), (c.rows, 1)]),
        span(&[(c.n0, c.b0), (c.n1, c.b1), (c.n2, c.b2), (c.columns, 1)]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa) {
    let c = Outer::new(consts);
    let mut view = View::new(memory, at);
    for m in 0..c.rows {
        for n in 0..c.columns {
            let mut sum = 0.0;
            for i0 in 0..c.n0 {
                for i1 in 0..c.n1 {
                    for i2 in 0..c.n2 {
                        let a = view.get(2, i0 * c.a0 + i1 * c.a1 + i2 * c.a2 + m);
                        let b = view.get(3, i0 * c.b0 + i1 * c.b1 + i2 * c.b2 + n);
                        sum = multiply_add(isa, a, b, sum);
                    }
                }
            }
            let to = m * c.row + n;
            let value = if c.add != 0 {
                view.get(1, to) + sum
            } else {
                sum
            };
            view.set(to, value);
        }
    }
}
