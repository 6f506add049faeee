//! `f32_copy`: elements moved between any two layouts of up to five dimensions. `f32_input` does the same with what enters a network, and makes
//! denormals zero: inside there are none then, so that it does not matter which instructions look at them and which only move them.

use super::declare::declare;
use super::support::{View, span};
use super::{Footprint, Kernel, MAX_ARGS, without_denormal};
use crate::isa::Isa;
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
    entry: |_| Some(entry::<false>),
    twin: twin::<false>,
};

pub(super) const INPUT: Kernel = Kernel {
    name: "f32_input",
    entry: |_| Some(entry::<true>),
    twin: twin::<true>,
    ..ROW
};

/// The element as it is moved.
#[inline(always)]
fn moved<const INPUT: bool>(x: f32) -> f32 {
    if INPUT { without_denormal(x) } else { x }
}

/// Any ISA's: copying is bound by memory.
unsafe extern "C" fn entry<const INPUT: bool>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let dims = order(&Copy5::read(consts));
        let [d0, d1, d2, d3, (n, o, i)] = dims;
        if let [.., (rows, 1, _), (columns, _, 1)] = dims
            && is_worth_tiles(rows, columns, dims.iter().map(|dim| dim.0).product())
        {
            for j0 in 0..d0.0 {
                for j1 in 0..d1.0 {
                    for j2 in 0..d2.0 {
                        let x = x.offset(j0 * d0.2 + j1 * d1.2 + j2 * d2.2);
                        let out = out.offset(j0 * d0.1 + j1 * d1.1 + j2 * d2.1);
                        transpose::<INPUT>(out, x, (rows, d3.2), (columns, o));
                    }
                }
            }
            return;
        }
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
                        for j in 0..n {
                            *out.offset(j * o) = moved::<INPUT>(*x.offset(j * i));
                        }
                    }
                }
            }
        }
    }
}

/// `out[r + c·apart] = x[r·apart + c]` in tiles of which every line that is touched stays in the first-level cache: rows with their distance in
/// `x`, columns with theirs in `out`.
#[inline(always)]
unsafe fn transpose<const INPUT: bool>(
    out: *mut f32,
    x: *const f32,
    (rows, below): (isize, isize),
    (columns, beside): (isize, isize),
) {
    // Lines that are far apart may share the sets of the cache: few of them at a time.
    // SAFETY: passed on.
    unsafe {
        match below > beside {
            true => tiles::<INPUT, 8, 16>(out, x, (rows, below), (columns, beside)),
            false => tiles::<INPUT, 16, 8>(out, x, (rows, below), (columns, beside)),
        }
    }
}

#[inline(always)]
unsafe fn tiles<const INPUT: bool, const TALL: usize, const WIDE: usize>(
    out: *mut f32,
    x: *const f32,
    (rows, below): (isize, isize),
    (columns, beside): (isize, isize),
) {
    let (tall, wide) = (TALL as isize, WIDE as isize);
    let mut r = 0;
    while r < rows {
        let mut c = 0;
        while c < columns {
            // SAFETY: each is an element of both footprints.
            let element = |r: isize, c: isize| unsafe {
                *out.offset(r + c * beside) = moved::<INPUT>(*x.offset(r * below + c));
            };
            if r + tall <= rows && c + wide <= columns {
                for i in 0..tall {
                    for j in 0..wide {
                        element(r + i, c + j);
                    }
                }
            } else {
                for r in r..rows.min(r + tall) {
                    for c in c..columns.min(c + wide) {
                        element(r, c);
                    }
                }
            }
            c += wide;
        }
        r += tall;
    }
}

/// Whether a transposition, of so many elements in all, touches more lines than the caches nearby keep until the next element of each is due.
#[inline(always)]
fn is_worth_tiles(rows: isize, columns: isize, elements: isize) -> bool {
    rows.min(columns) >= SHORT && elements >= 1 << 15
}

/// Elements below which a loop is over before it has begun.
const SHORT: isize = 8;

/// The dimensions as `(count, stride of the output, stride of the input)`, outermost first: innermost the two that are contiguous, one where it is
/// written and one where it is read, if both are long; else a long one where there is one.
fn order(c: &Copy5) -> [(isize, isize, isize); 5] {
    let mut dims = [
        (c.n0, c.o0, c.i0),
        (c.n1, c.o1, c.i1),
        (c.n2, c.o2, c.i2),
        (c.n3, c.o3, c.i3),
        (c.n4, c.o4, c.i4),
    ];
    let long = |find: fn(&(isize, isize, isize)) -> isize| {
        dims.iter().position(|dim| dim.0 >= SHORT && find(dim) == 1)
    };
    let (written, read) = (long(|dim| dim.1), long(|dim| dim.2));
    if let (Some(written), Some(read)) = (written, read)
        && written != read
        && is_worth_tiles(
            dims[written].0,
            dims[read].0,
            dims.iter().map(|dim| dim.0).product(),
        )
    {
        let last = [dims[written], dims[read]];
        let mut others = (0..5).filter(|&dim| dim != written && dim != read);
        let first = [(); 3].map(|()| dims[others.next().expect("three are left")]);
        return [first[0], first[1], first[2], last[0], last[1]];
    }
    for _ in 1..dims.len() {
        if dims[4].0 == 1 {
            dims.rotate_right(1);
        }
    }
    if dims[4].0 < SHORT && dims[3].0 > dims[4].0 {
        dims.swap(3, 4);
    }
    dims
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
