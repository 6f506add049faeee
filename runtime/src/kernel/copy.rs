//! `f32_copy`: elements moved between any two layouts of up to five dimensions. `f32_input` does the same with what enters a network, and makes
//! denormals zero: inside there are none then, so that it does not matter which instructions look at them and which only move them.

use super::declare::declare;
use super::support::{View, span};
use super::transpose::{LEAST, Matrix, transpose};
use super::{Footprint, Kernel, MAX_ARGS, without_denormal};
use crate::isa::Isa;
use crate::simd::{Simd, entries};
use std::ptr::copy_nonoverlapping;

/// An axis along which elements are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Iterations.
    pub count: usize,
    /// From one to the next in what is written.
    pub out: i64,
    /// From one to the next in what is read.
    pub from: i64,
}

impl Move {
    /// One iteration.
    pub const ONCE: Move = Move {
        count: 1,
        out: 0,
        from: 0,
    };
}

declare! {
    /// Elements moved: a call of `f32_copy`, or of `f32_input`.
    pub struct CopyCall: Copy5 {
        /// The first element written.
        out: P,
        /// The first element read.
        x: P,
        /// The axes, in any order.
        axes: [Move; 5],
        /// Whether denormals become zeros: the call is one of `f32_input`.
        flush: bool,
    }
    kernel(c) = if c.flush { super::F32_INPUT } else { super::F32_COPY };
    args(c) { out: Write = c.out, x: Read = c.x }
    consts(c) {
        n0: Count = c.axes[0].count, o0: Stride = c.axes[0].out, i0: Stride = c.axes[0].from,
        n1: Count = c.axes[1].count, o1: Stride = c.axes[1].out, i1: Stride = c.axes[1].from,
        n2: Count = c.axes[2].count, o2: Stride = c.axes[2].out, i2: Stride = c.axes[2].from,
        n3: Count = c.axes[3].count, o3: Stride = c.axes[3].out, i3: Stride = c.axes[3].from,
        n4: Count = c.axes[4].count, o4: Stride = c.axes[4].out, i4: Stride = c.axes[4].from,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_copy",
    signature: Copy5::SIGNATURE,
    exact: true,
    footprint,
    entry: copying,
    twin: twin::<false>,
};

pub(super) const INPUT: Kernel = Kernel {
    name: "f32_input",
    entry: entering,
    twin: twin::<true>,
    ..ROW
};

entries!(fn copying = copy);
entries!(fn entering = enter);

/// # Safety
/// As of [`KernelFn`](crate::simd::KernelFn).
#[inline(always)]
unsafe fn copy<S: Simd>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: passed on.
    unsafe { body::<S, false>(out, x, consts) }
}

/// # Safety
/// As of [`KernelFn`](crate::simd::KernelFn).
#[inline(always)]
unsafe fn enter<S: Simd>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: passed on.
    unsafe { body::<S, true>(out, x, consts) }
}

/// # Safety
/// As of [`copy`], for the elements that are named.
#[inline(always)]
unsafe fn body<S: Simd, const INPUT: bool>(out: *mut f32, x: *const f32, consts: *const i64) {
    // SAFETY: every address that is touched is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        match order(&Copy5::read(consts)) {
            Order::Transposed(outer, matrix) => matrices::<S, INPUT>(out, x, outer, matrix),
            Order::Woven(others, written, read) => woven::<INPUT>(out, x, others, written, read),
            Order::Plain(dims) => plain::<INPUT>(out, x, dims),
        }
    }
}

/// One matrix after the other.
///
/// # Safety
/// As of [`copy`], for the elements that are named.
#[inline(always)]
unsafe fn matrices<S: Simd, const INPUT: bool>(
    out: *mut f32,
    x: *const f32,
    [d0, d1, d2]: [Dim; 3],
    matrix: Matrix,
) {
    let count = d0.0 * d1.0 * d2.0;
    let is_far = count * matrix.rows * matrix.columns >= FAR;
    let (mut j0, mut j1, mut j2) = (0, 0, 0);
    let (mut this_out, mut this_x) = (out, x);
    for _ in 0..count {
        j2 += 1;
        if j2 == d2.0 {
            (j1, j2) = (j1 + 1, 0);
        }
        if j1 == d1.0 {
            (j0, j1) = (j0 + 1, 0);
        }
        // Behind the last one these are of none.
        let next_out = out.wrapping_offset(j0 * d0.1 + j1 * d1.1 + j2 * d2.1);
        let next_x = x.wrapping_offset(j0 * d0.2 + j1 * d1.2 + j2 * d2.2);
        let ahead = if is_far {
            Some((next_out, next_x))
        } else {
            None
        };
        // SAFETY: a matrix of both footprints, which do not overlap.
        unsafe { transpose::<S, INPUT>(this_out, this_x, matrix, ahead) };
        (this_out, this_x) = (next_out, next_x);
    }
}

/// In blocks of which every line that is touched, on either side, stays in the first-level cache; short axes, whose elements share lines, are
/// walked within a block.
///
/// # Safety
/// As of [`copy`], for the elements that are named.
#[inline(always)]
unsafe fn woven<const INPUT: bool>(
    out: *mut f32,
    x: *const f32,
    others: [Dim; 3],
    (n, o, i): Dim,
    (m, p, q): Dim,
) {
    const BLOCK: isize = 16;
    let (mut around, mut within) = (others, others);
    for axis in 0..3 {
        let short = others[axis].0 < SHORT;
        (if short { &mut around } else { &mut within })[axis].0 = 1;
    }
    for block in 0..around[0].0 * around[1].0 * around[2].0 {
        let (out_block, x_block) = nth(block, &around);
        let mut r = 0;
        while r < n {
            let mut c = 0;
            while c < m {
                for each in 0..within[0].0 * within[1].0 * within[2].0 {
                    let (out_each, x_each) = nth(each, &within);
                    let (tall, wide) = (BLOCK.min(n - r), BLOCK.min(m - c));
                    // SAFETY: elements of both footprints.
                    unsafe {
                        let out = out.offset(out_block + out_each + r * o + c * p);
                        let x = x.offset(x_block + x_each + r * i + c * q);
                        for c in 0..wide {
                            let (out, x) = (out.offset(c * p), x.offset(c * q));
                            if tall == BLOCK {
                                strip::<INPUT>(out, x, (BLOCK, o, i));
                            } else {
                                strip::<INPUT>(out, x, (tall, o, i));
                            }
                        }
                    }
                }
                c += BLOCK;
            }
            r += BLOCK;
        }
    }
}

/// Elements one by one.
///
/// # Safety
/// As of [`copy`], for the elements that are named.
#[inline(always)]
unsafe fn strip<const INPUT: bool>(out: *mut f32, x: *const f32, (n, o, i): Dim) {
    for j in 0..n {
        // SAFETY: the caller vouches for `n` elements of both.
        unsafe { *out.offset(j * o) = moved::<INPUT>(*x.offset(j * i)) };
    }
}

/// Where the iteration of that index writes and reads.
#[inline(always)]
fn nth(index: isize, dims: &[Dim; 3]) -> (isize, isize) {
    let (mut rest, mut out, mut x) = (index, 0, 0);
    for &(count, o, i) in dims {
        out += rest % count * o;
        x += rest % count * i;
        rest /= count;
    }
    (out, x)
}

/// In runs where both are contiguous, else one by one.
///
/// # Safety
/// As of [`copy`], for the elements that are named.
#[inline(always)]
unsafe fn plain<const INPUT: bool>(
    out: *mut f32,
    x: *const f32,
    [d0, d1, d2, d3, (n, o, i)]: [Dim; 5],
) {
    // SAFETY: every address is one of the footprint.
    unsafe {
        for j0 in 0..d0.0 {
            for j1 in 0..d1.0 {
                for j2 in 0..d2.0 {
                    for j3 in 0..d3.0 {
                        let x = x.offset(j0 * d0.2 + j1 * d1.2 + j2 * d2.2 + j3 * d3.2);
                        let out = out.offset(j0 * d0.1 + j1 * d1.1 + j2 * d2.1 + j3 * d3.1);
                        if o == 1 && i == 1 && n >= SHORT {
                            if INPUT {
                                for j in 0..n {
                                    *out.offset(j) = moved::<INPUT>(*x.offset(j));
                                }
                            } else {
                                copy_nonoverlapping(x, out, n as usize);
                            }
                            continue;
                        }
                        strip::<INPUT>(out, x, (n, o, i));
                    }
                }
            }
        }
    }
}

/// The element as it is moved.
#[inline(always)]
fn moved<const INPUT: bool>(x: f32) -> f32 {
    if INPUT { without_denormal(x) } else { x }
}

/// Elements below which a loop is over before it has begun.
const SHORT: isize = 8;

/// Elements in all from which on both sides together, twice as many, are more than level 2 keeps.
const FAR: isize = 1 << 17;

/// `(count, stride of the output, stride of the input)`
type Dim = (isize, isize, isize);

/// In which order elements are moved.
enum Order {
    /// Along the axes, outermost first: innermost a long one where there is one.
    Plain([Dim; 5]),
    /// The last two are long: the nearest to be written and the nearest to be read.
    Woven([Dim; 3], Dim, Dim),
    /// Matrices of the two axes that are contiguous, one where it is written and one where it is read.
    Transposed([Dim; 3], Matrix),
}

fn order(c: &Copy5) -> Order {
    let mut dims = [
        (c.n0, c.o0, c.i0),
        (c.n1, c.o1, c.i1),
        (c.n2, c.o2, c.i2),
        (c.n3, c.o3, c.i3),
        (c.n4, c.o4, c.i4),
    ];
    // Axes that are one on both sides, as rows and pixels without a gap.
    for outer in 0..5 {
        for inner in 0..5 {
            let ((m, o, i), (n, out, from)) = (dims[outer], dims[inner]);
            if outer != inner && m > 1 && n > 1 && o == n * out && i == n * from {
                dims[inner].0 = m * n;
                dims[outer] = (1, 0, 0);
            }
        }
    }
    let others = |written: usize, read: usize| {
        let mut others = (0..5).filter(|&dim| dim != written && dim != read);
        [(); 3].map(|()| dims[others.next().expect("three are left")])
    };
    let adjacent = |stride: fn(&Dim) -> isize| {
        dims.iter()
            .position(|dim| dim.0 >= LEAST && stride(dim) == 1)
    };
    if let (Some(written), Some(read)) = (adjacent(|dim| dim.1), adjacent(|dim| dim.2))
        && written != read
    {
        let (rows, _, below) = dims[written];
        let (columns, beside, _) = dims[read];
        let matrix = Matrix {
            rows,
            below,
            columns,
            beside,
        };
        return Order::Transposed(others(written, read), matrix);
    }
    let near = |stride: fn(&Dim) -> isize| {
        let long = (0..5).filter(|&at| dims[at].0 >= SHORT && stride(&dims[at]) != 0);
        long.min_by_key(|&at| stride(&dims[at]).unsigned_abs())
    };
    if let (Some(written), Some(read)) = (near(|dim| dim.1), near(|dim| dim.2))
        && written != read
        && dims.iter().all(|dim| dim.0 > 0)
    {
        return Order::Woven(others(written, read), dims[written], dims[read]);
    }
    for _ in 1..dims.len() {
        if dims[4].0 == 1 {
            dims.rotate_right(1);
        }
    }
    if dims[4].0 < SHORT && dims[3].0 > dims[4].0 {
        dims.swap(3, 4);
    }
    Order::Plain(dims)
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Copy5::new(consts);
    vec![
        span(&[
            (c.n0, c.o0),
            (c.n1, c.o1),
            (c.n2, c.o2),
            (c.n3, c.o3),
            (c.n4, c.o4),
        ]),
        span(&[
            (c.n0, c.i0),
            (c.n1, c.i1),
            (c.n2, c.i2),
            (c.n3, c.i3),
            (c.n4, c.i4),
        ]),
    ]
}

fn twin<const INPUT: bool>(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Copy5::new(consts);
    let mut view = View::new(memory, at);
    for j0 in 0..c.n0 {
        for j1 in 0..c.n1 {
            for j2 in 0..c.n2 {
                for j3 in 0..c.n3 {
                    for j4 in 0..c.n4 {
                        let x = j0 * c.i0 + j1 * c.i1 + j2 * c.i2 + j3 * c.i3 + j4 * c.i4;
                        let out = j0 * c.o0 + j1 * c.o1 + j2 * c.o2 + j3 * c.o3 + j4 * c.o4;
                        let x = view.get(1, x);
                        let denormal = INPUT && x.is_subnormal();
                        view.set(out, if denormal { 0.0f32.copysign(x) } else { x });
                    }
                }
            }
        }
    }
}
