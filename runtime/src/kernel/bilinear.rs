//! `f32_bilinear`: a picture resampled to another size, with the formulas of PyTorch's `interpolate`.
//!
//! An output that lies on an input is that input: a neighbour of weight zero takes no part, whatever it is. Positions are therefore whole
//! numbers of steps, in which the machine and the reference agree on what lies where.

use super::declare::{Pixels, declare};
use super::support::{View, invalid, span};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

declare! {
    /// A picture of another size: a call of `f32_bilinear`.
    pub struct BilinearCall: Bilinear {
        /// Height and width of the operand.
        from: [usize; 2],
        /// Height and width of the result.
        to: [usize; 2],
        /// Channels.
        channels: usize,
        /// The first pixel of the result.
        out: Pixels<P>,
        /// The first pixel of the operand.
        x: Pixels<P>,
        /// Whether the corners of both are the same pixels.
        align_corners: bool,
        /// The rows of the result that are computed.
        rows: std::ops::Range<usize>,
    }
    kernel(_c) = super::F32_BILINEAR;
    args(c) { out: Write = c.out.at, x: Read = c.x.at }
    consts(c) {
        in_h: Count = c.from[0], in_w: Count = c.from[1], in_row: Stride = c.x.row, in_px: Stride = c.x.pixel,
        out_h: Count = c.to[0], out_w: Count = c.to[1], out_row: Stride = c.out.row, out_px: Stride = c.out.pixel,
        channels: Count = c.channels, align_corners: Flag = c.align_corners,
        row_from: Index = c.rows.start, row_to: Index = c.rows.end,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_bilinear",
    signature: Bilinear::SIGNATURE,
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
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Bilinear::read(consts);
        let channels = c.channels as usize;
        let mut i = c.row_from;
        while i < c.row_to {
            let (top, bottom, down) = source(i, c.out_h, c.in_h, c.align_corners);
            for j in 0..c.out_w {
                let (left, right, along) = source(j, c.out_w, c.in_w, c.align_corners);
                let out = out.offset(i * c.out_row + j * c.out_px);
                let corners = [
                    x.offset(top * c.in_row + left * c.in_px),
                    x.offset(top * c.in_row + right * c.in_px),
                    x.offset(bottom * c.in_row + left * c.in_px),
                    x.offset(bottom * c.in_row + right * c.in_px),
                ];
                let mut l = 0;
                while l < channels {
                    let count = channels - l;
                    let upper = between::<S>(
                        load_first::<S>(corners[0].add(l), count),
                        load_first::<S>(corners[1].add(l), count),
                        along,
                    );
                    let lower = between::<S>(
                        load_first::<S>(corners[2].add(l), count),
                        load_first::<S>(corners[3].add(l), count),
                        along,
                    );
                    store_first::<S>(out.add(l), count, between::<S>(upper, lower, down));
                    l += S::LANES;
                }
            }
            i += 1;
        }
    }
}

/// `(1 − t)·a + t·b`, `a` if `t` is zero.
#[inline(always)]
unsafe fn between<S: Simd>(a: S::V, b: S::V, t: f32) -> S::V {
    if t == 0.0 {
        return a;
    }
    // SAFETY: as of `Simd`.
    unsafe { S::add(S::mul(S::splat(1.0 - t), a), S::mul(S::splat(t), b)) }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Bilinear::new(consts);
    if c.in_h < 1 || c.in_w < 1 {
        return invalid();
    }
    let rows = c.row_to - c.row_from;
    let output =
        span(&[(rows, c.out_row), (c.out_w, c.out_px), (c.channels, 1)]).map(|output| Footprint {
            offset: (c.row_from * c.out_row) as i64,
            ..output
        });
    vec![
        output,
        span(&[(c.in_h, c.in_row), (c.in_w, c.in_px), (c.channels, 1)]),
    ]
}

/// Between which two inputs output `i` lies, and how far it is towards the second.
#[inline(always)]
fn source(i: isize, outputs: isize, inputs: isize, align_corners: isize) -> (isize, isize, f32) {
    // The position as a fraction.
    let (position, steps) = match align_corners != 0 {
        true if outputs == 1 => (0, 1),
        true => (i * (inputs - 1), outputs - 1),
        false => (((2 * i + 1) * inputs - outputs).max(0), 2 * outputs),
    };
    let (first, rest) = (position / steps, position % steps);
    if first >= inputs - 1 {
        return (inputs - 1, inputs - 1, 0.0);
    }
    (first, first + 1, rest as f32 / steps as f32)
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Bilinear::new(consts);
    let mut view = View::new(memory, at);
    for i in c.row_from..c.row_to {
        let (top, bottom, down) = source(i, c.out_h, c.in_h, c.align_corners);
        for j in 0..c.out_w {
            let (left, right, along) = source(j, c.out_w, c.in_w, c.align_corners);
            for l in 0..c.channels {
                let x =
                    |row: isize, column: isize| view.get(1, row * c.in_row + column * c.in_px + l);
                let mix = |a: f32, b: f32, t: f32| match t == 0.0 {
                    true => a,
                    false => (1.0 - t) * a + t * b,
                };
                let upper = mix(x(top, left), x(top, right), along);
                let lower = mix(x(bottom, left), x(bottom, right), along);
                view.set(i * c.out_row + j * c.out_px + l, mix(upper, lower, down));
            }
        }
    }
}
