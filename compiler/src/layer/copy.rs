//! Copies and permutations: what layers that only move elements are lowered to.

use super::NO_HALO;
use crate::lower::{Lower, Storage, Sweep};
use crate::shape::Shape;
use cnnc_runtime::kernel::{Axis, CopyCall, FillCall, Move};

/// One loop of a copy: trip count, stride in the output, stride in the input (zero repeats elements).
pub type Dim = (usize, i64, i64);

/// Most loops that `f32_copy` has.
const LOOPS: usize = 5;

/// The loops that visit every element of `to`, reading `from`, when both have the same extents.
pub fn all(to: &Storage, from: &Storage) -> [Dim; 4] {
    let [d, h, w] = to.dhw;
    [
        (d, to.strides[0], from.strides[0]),
        (h, to.strides[1], from.strides[1]),
        (w, to.strides[2], from.strides[2]),
        (to.channels, 1, 1),
    ]
}

/// Copies `dims`, outermost first, from the start of `from` to the start of `to`.
pub fn copy(cx: &mut Lower<'_>, to: &Storage, from: &Storage, dims: &[Dim]) {
    let mut loops: Vec<Dim> = Vec::new();
    for &(count, out, into) in dims.iter().filter(|dim| dim.0 != 1) {
        let run = count as i64;
        match loops.last_mut() {
            Some(outer) if outer.1 == run * out && outer.2 == run * into => {
                *outer = (outer.0 * count, out, into);
            }
            _ => loops.push((count, out, into)),
        }
    }
    let elements: usize = loops.iter().map(|dim| dim.0).product();
    let mut cut = (1, 0, 0);
    if let Some(outer) = loops.first_mut() {
        let parts = cx.machine().shares(outer.0, elements);
        outer.0 /= parts;
        let step = outer.0 as i64;
        cut = (parts, step * outer.1, step * outer.2);
    }
    // Loops that the kernel has no room for become loops around it.
    let outside = loops.len().saturating_sub(LOOPS);
    let mut around: Vec<Dim> = loops.drain(..outside).collect();
    around.resize(2, (1, 0, 0));
    let mut axes = [Move::ONCE; LOOPS];
    for (axis, &(count, out, from)) in axes[LOOPS - loops.len()..].iter_mut().zip(&loops) {
        *axis = Move { count, out, from };
    }
    let (outer, inner) = (around[0], around[1]);
    cx.parallel(cut.0, |cx, i| {
        cx.repeat(outer.0, |cx, j| {
            cx.repeat(inner.0, |cx, k| {
                let offset = |stride: fn(Dim) -> i64| {
                    let [i, j, k] = [(&i, cut), (&j, outer), (&k, inner)]
                        .map(|(var, dim)| var.clone().times(stride(dim)));
                    i.add(&j).add(&k)
                };
                cx.call(CopyCall {
                    out: to.access(offset(|dim| dim.1)),
                    x: from.access(offset(|dim| dim.2)),
                    axes,
                    flush: false,
                });
            });
        });
    });
}

/// Fills all of `to` with one value.
pub fn fill(cx: &mut Lower<'_>, to: &Storage, value: f64) {
    cx.sweep(std::array::from_ref(to), |cx, sweep| {
        let Sweep {
            rows,
            pixels,
            channels,
            tensors: [out],
        } = sweep.runs();
        let axis = |count, stride| Axis { count, stride };
        cx.call(FillCall {
            out: out.at,
            axes: [Axis::ONCE, axis(rows, out.row), axis(pixels, out.pixel)],
            run: channels,
            value,
        });
    });
}

/// The loops that visit the elements of `from` in the spec's order (channels first) and write them densely.
pub fn row_major(from: &Storage) -> [Dim; 4] {
    let [d, h, w] = from.dhw;
    let (row, plane, volume) = (w as i64, (h * w) as i64, (d * h * w) as i64);
    [
        (from.channels, volume, 1),
        (d, plane, from.strides[0]),
        (h, row, from.strides[1]),
        (w, 1, from.strides[2]),
    ]
}

/// The loops that visit the elements of `from` pixel by pixel and write them densely.
pub fn pixel_major(from: &Storage) -> [Dim; 4] {
    let [d, h, w] = from.dhw;
    let (c, row, plane) = (
        from.channels as i64,
        (w * from.channels) as i64,
        (h * w * from.channels) as i64,
    );
    [
        (d, plane, from.strides[0]),
        (h, row, from.strides[1]),
        (w, c, from.strides[2]),
        (from.channels, 1, 1),
    ]
}

/// The same loops with output and input exchanged.
pub fn inverse<const N: usize>(dims: &[Dim; N]) -> [Dim; N] {
    dims.map(|(count, out, into)| (count, into, out))
}

/// A scratch vector of `elements`.
pub fn scratch(cx: &mut Lower<'_>, elements: usize) -> Storage {
    let shape = Shape::new([elements]).expect("no larger than an operand");
    cx.scratch(&shape, NO_HALO)
}

/// A copy of `from` in scratch memory, in the spec's order.
pub fn unfolded(cx: &mut Lower<'_>, from: &Storage) -> Storage {
    let flat = scratch(cx, from.channels * from.pixels());
    copy(cx, &flat, from, &row_major(from));
    flat
}
