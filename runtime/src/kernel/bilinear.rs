//! `f32_bilinear`: a picture resampled to another size, with the formulas of PyTorch's `interpolate`.

use super::support::{View, consts, invalid, span};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

consts! { Bilinear {
    in_h, in_w, in_row, in_px, out_h, out_w, out_row, out_px, channels, align_corners, row_from, row_to,
} }

pub(super) const ROW: Kernel = Kernel {
    name: "f32_bilinear",
    args: &["out", "x"],
    consts: Bilinear::NAMES,
    in_place: false,
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

/// `(1 − t)·a + t·b`
#[inline(always)]
unsafe fn between<S: Simd>(a: S::V, b: S::V, t: f32) -> S::V {
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
    let position = if align_corners != 0 {
        let scale = if outputs > 1 {
            (inputs - 1) as f32 / (outputs - 1) as f32
        } else {
            0.0
        };
        scale * i as f32
    } else {
        let scale = inputs as f32 / outputs as f32;
        let centre = scale * (i as f32 + 0.5) - 0.5;
        if centre < 0.0 { 0.0 } else { centre }
    };
    // Rounding may carry the last outputs a little past the last input.
    let first = (position as isize).min(inputs - 1);
    let second = (first + 1).min(inputs - 1);
    (first, second, position - first as f32)
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
                let upper = (1.0 - along) * x(top, left) + along * x(top, right);
                let lower = (1.0 - along) * x(bottom, left) + along * x(bottom, right);
                view.set(
                    i * c.out_row + j * c.out_px + l,
                    (1.0 - down) * upper + down * lower,
                );
            }
        }
    }
}
