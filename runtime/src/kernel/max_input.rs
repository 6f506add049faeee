//! `f32_max_input`: the adjoint of a max pool. What each window got goes to the first of its largest elements, row by row.
//!
//! Windows are cut off at the operand's edges. NaN is larger than nothing here, so a window of nothing else gives to its first element.

use super::declare::declare;
use super::support::{View, clear, span};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

/// An axis of a pool: extents, the window, and the strides of the three tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolAxis {
    /// Elements of the operand.
    pub inputs: usize,
    /// Windows.
    pub outputs: usize,
    /// Elements of a window.
    pub window: usize,
    /// From one window to the next.
    pub step: usize,
    /// From one element of a window to the next.
    pub dilation: usize,
    /// Padding before the first element.
    pub before: usize,
    /// Stride of the operand's gradient.
    pub out: i64,
    /// Stride of the operand.
    pub x: i64,
    /// Stride of the cotangent.
    pub dy: i64,
}

declare! {
    /// The gradient of a max pool in its operand: a call of `f32_max_input`.
    pub struct MaxInputCall: MaxInput {
        /// Depth, height and width.
        axes: [PoolAxis; 3],
        /// Channels.
        channels: usize,
        /// The operand's gradient, every element of which is written.
        out: P,
        /// The operand.
        x: P,
        /// The cotangent of the result.
        dy: P,
    }
    kernel(_c) = super::F32_MAX_INPUT;
    args(c) { out: Write = c.out, x: Read = c.x, dy: Read = c.dy }
    consts(c) {
        n0: Count = c.axes[0].inputs, m0: Count = c.axes[0].outputs, k0: Count = c.axes[0].window, s0: Count = c.axes[0].step,
        b0: Count = c.axes[0].before, o0: Stride = c.axes[0].out, x0: Stride = c.axes[0].x, d0: Stride = c.axes[0].dy,
        n1: Count = c.axes[1].inputs, m1: Count = c.axes[1].outputs, k1: Count = c.axes[1].window, s1: Count = c.axes[1].step,
        b1: Count = c.axes[1].before, o1: Stride = c.axes[1].out, x1: Stride = c.axes[1].x, d1: Stride = c.axes[1].dy,
        n2: Count = c.axes[2].inputs, m2: Count = c.axes[2].outputs, k2: Count = c.axes[2].window, s2: Count = c.axes[2].step,
        b2: Count = c.axes[2].before, o2: Stride = c.axes[2].out, x2: Stride = c.axes[2].x, d2: Stride = c.axes[2].dy,
        channels: Count = c.channels,
        t0: Count = c.axes[0].dilation, t1: Count = c.axes[1].dilation, t2: Count = c.axes[2].dilation,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_max_input",
    signature: MaxInput::SIGNATURE,
    exact: true,
    footprint,
    entry,
    twin,
};

entries! {
    fn entry = body
}

/// The elements that window `i` sees: the first, and how many.
#[inline(always)]
fn seen(
    i: isize,
    inputs: isize,
    window: isize,
    step: isize,
    before: isize,
    dilation: isize,
) -> (isize, isize) {
    let start = i * step - before;
    // Taps before the first element, and before what is behind the last.
    let outside = if start < 0 {
        (dilation - 1 - start) / dilation
    } else {
        0
    };
    let inside = (inputs - start + dilation - 1) / dilation;
    let end = if inside < window { inside } else { window };
    (start + outside * dilation, end - outside)
}

#[inline(always)]
unsafe fn body<S: Simd>(
    out: *mut f32,
    x: *const f32,
    dy: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = MaxInput::read(consts);
        let channels = c.channels as usize;
        clear::<S>(out, [c.n0, c.n1, c.n2], [c.o0, c.o1, c.o2], channels);
        for i in 0..c.m0 {
            for j in 0..c.m1 {
                for l in 0..c.m2 {
                    let dy = dy.offset(i * c.d0 + j * c.d1 + l * c.d2);
                    let planes = seen(i, c.n0, c.k0, c.s0, c.b0, c.t0);
                    let rows = seen(j, c.n1, c.k1, c.s1, c.b1, c.t1);
                    let pixels = seen(l, c.n2, c.k2, c.s2, c.b2, c.t2);
                    let to = planes.0 * c.o0 + rows.0 * c.o1 + pixels.0 * c.o2;
                    let from = planes.0 * c.x0 + rows.0 * c.x1 + pixels.0 * c.x2;
                    let (out, x) = (out.offset(to), x.offset(from));
                    let mut k = 0;
                    while k < channels {
                        let (out, x, dy) = (out.add(k), x.add(k), dy.add(k));
                        let seen = [(0, planes.1), (0, rows.1), (0, pixels.1)];
                        let strides = [
                            [c.t0 * c.o0, c.t1 * c.o1, c.t2 * c.o2],
                            [c.t0 * c.x0, c.t1 * c.x1, c.t2 * c.x2],
                        ];
                        to_first_largest::<S>(out, x, dy, channels - k, seen, strides);
                        k += S::LANES;
                    }
                }
            }
        }
    }
}

/// Adds what one window got, one vector of channels, to the first of its largest elements. The strides are those of the result and of the operand.
///
/// # Safety
/// As of [`Simd`]; the window is not empty, and inside both tensors.
#[inline(always)]
pub(super) unsafe fn to_first_largest<S: Simd>(
    out: *mut f32,
    x: *const f32,
    dy: *const f32,
    left: usize,
    [planes, rows, pixels]: [(isize, isize); 3],
    [to, from]: [[isize; 3]; 2],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let at = planes.0 * from[0] + rows.0 * from[1] + pixels.0 * from[2];
        let mut most = load_first::<S>(x.offset(at), left);
        // Which element it is, as a number among those of the window.
        let mut which = S::splat(0.0);
        let mut number = 0.0;
        for i in planes.0..planes.1 {
            for j in rows.0..rows.1 {
                for l in pixels.0..pixels.1 {
                    let at = i * from[0] + j * from[1] + l * from[2];
                    let x = load_first::<S>(x.offset(at), left);
                    which = S::select_lt(most, x, S::splat(number), which);
                    most = S::select_lt(most, x, x, most);
                    number += 1.0;
                }
            }
        }
        let dy = load_first::<S>(dy, left);
        let mut number = 0.0;
        for i in planes.0..planes.1 {
            for j in rows.0..rows.1 {
                for l in pixels.0..pixels.1 {
                    let out = out.offset(i * to[0] + j * to[1] + l * to[2]);
                    let apart = S::abs(S::sub(which, S::splat(number)));
                    let given = S::select_lt(apart, S::splat(0.5), dy, S::splat(0.0));
                    let sum = S::add(load_first::<S>(out, left), given);
                    store_first::<S>(out, left, sum);
                    number += 1.0;
                }
            }
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = MaxInput::new(consts);
    let axes = [
        (c.m0, [c.n0, c.k0, c.s0, c.b0, c.t0]),
        (c.m1, [c.n1, c.k1, c.s1, c.b1, c.t1]),
        (c.m2, [c.n2, c.k2, c.s2, c.b2, c.t2]),
    ];
    let empty = |&(outputs, [inputs, window, step, before, dilation]): &(isize, [isize; 5])| {
        if outputs < 1 || dilation < 1 {
            return true;
        }
        let none = |i| seen(i, inputs, window, step, before, dilation).1 < 1;
        // Where taps are further apart than elements are many, each window may be between two.
        match dilation > inputs {
            true => (0..outputs).any(none),
            false => none(0) || none(outputs - 1),
        }
    };
    if axes.iter().any(empty) {
        return super::support::invalid();
    }
    vec![
        span(&[(c.n0, c.o0), (c.n1, c.o1), (c.n2, c.o2), (c.channels, 1)]),
        span(&[(c.n0, c.x0), (c.n1, c.x1), (c.n2, c.x2), (c.channels, 1)]),
        span(&[(c.m0, c.d0), (c.m1, c.d1), (c.m2, c.d2), (c.channels, 1)]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = MaxInput::new(consts);
    let mut view = View::new(memory, at);
    view.clear([c.n0, c.n1, c.n2], [c.o0, c.o1, c.o2], c.channels);
    for k in 0..c.channels {
        for i in 0..c.m0 {
            for j in 0..c.m1 {
                for l in 0..c.m2 {
                    let planes = seen(i, c.n0, c.k0, c.s0, c.b0, c.t0);
                    let rows = seen(j, c.n1, c.k1, c.s1, c.b1, c.t1);
                    let pixels = seen(l, c.n2, c.k2, c.s2, c.b2, c.t2);
                    let mut best = [planes.0, rows.0, pixels.0];
                    let x = |at: [isize; 3]| at[0] * c.x0 + at[1] * c.x1 + at[2] * c.x2 + k;
                    for i in 0..planes.1 {
                        for j in 0..rows.1 {
                            for l in 0..pixels.1 {
                                let at =
                                    [planes.0 + i * c.t0, rows.0 + j * c.t1, pixels.0 + l * c.t2];
                                if view.get(1, x(at)) > view.get(1, x(best)) {
                                    best = at;
                                }
                            }
                        }
                    }
                    let dy = view.get(2, i * c.d0 + j * c.d1 + l * c.d2 + k);
                    let to = best[0] * c.o0 + best[1] * c.o1 + best[2] * c.o2 + k;
                    view.add(to, dy);
                }
            }
        }
    }
}
