//! The gradients of `local` as loops: every position has weights of its own, so each is a matrix by itself.

use super::conv::Taps;
use super::scatter::add_to_taps;
use crate::layer::{NO_HALO, copy};
use crate::lower::{Lower, Storage};
use crate::shape::Shape;
use cnnc_runtime::kernel::{Axis, OuterCall, Pace};

/// For each position the products of its weights with its cotangents, summed over the output channels; then they are added to what the taps meet.
pub(super) fn input(cx: &mut Lower<'_>, taps: &Taps, output: &Storage, dy: &Storage) {
    let [_, kh, kw] = taps.kernel;
    let [_, rows, columns] = dy.dhw;
    let (ins, outs, volume) = (output.channels, dy.channels, kh * kw);
    let own = ins * volume;
    let weight = cx.tensor(0);
    let products = copy::scratch(cx, rows * columns * own);
    cx.parallel(rows, |cx, i| {
        cx.repeat(columns, |cx, j| {
            let position = i.clone().times(columns as i64).add(&j);
            let from = i.times(dy.strides[1]).add(&j.times(dy.strides[2]));
            let terms = Pace {
                count: outs,
                a: 1,
                b: own as i64,
            };
            cx.call(OuterCall {
                pixels: [Pace::ONCE, Pace::ONCE, terms],
                rows: Axis::ONCE,
                columns: own,
                out: products.access(position.clone().times(own as i64)),
                acc: None,
                a: dy.access(from),
                b: weight.moved(&position.times((outs * own) as i64)),
            });
        });
    });
    // Taps, then channels, as they are added.
    let columns_shape = Shape::new([own, 1, rows, columns]).expect("no larger than the weights");
    let by_tap = cx.scratch(&columns_shape, NO_HALO);
    let dims = [
        (rows * columns, own as i64, own as i64),
        (volume, ins as i64, 1),
        (ins, 1, volume as i64),
    ];
    copy::copy(cx, &by_tap, &products, &dims);
    // With the padding, where taps meet elements, too.
    let extent = |axis: usize| {
        let reached = (dy.dhw[axis] - 1) * taps.stride[axis] + taps.kernel[axis];
        reached.max(taps.before[axis] + output.dhw[axis])
    };
    let padded = Shape::new([ins, 1, extent(1), extent(2)]).expect("little more than the operand");
    let padded = cx.scratch(&padded, NO_HALO);
    add_to_taps(cx, taps, dy, &by_tap, &padded);
    let first = taps.before.map(|before| before as i64);
    let inside = Storage {
        base: padded.base + padded.at(first[0], first[1], first[2]),
        dhw: output.dhw,
        ..padded
    };
    copy::copy(cx, output, &inside, &copy::all(output, &inside));
}

/// What each position sees, in the order of its weights; then for each position a matrix of products, summed over the images.
pub(super) fn weight(cx: &mut Lower<'_>, taps: &Taps, x: &Storage, dy: &Storage) {
    let [_, kh, kw] = taps.kernel;
    let [_, rows, columns] = dy.dhw;
    let (ins, outs, volume) = (x.channels, dy.channels, kh * kw);
    let own = ins * volume;
    let (row, image) = (columns * own, rows * columns * own);
    let patches = copy::scratch(cx, x.images * image);
    let first = taps.before.map(|before| -(before as i64));
    let seen = Storage {
        base: x.base + x.at(first[0], first[1], first[2]),
        ..x.clone()
    };
    let step = |axis: usize| taps.stride[axis] as i64 * x.strides[axis];
    let dims = [
        (x.images, image as i64, x.image),
        (rows, row as i64, step(1)),
        (columns, own as i64, step(2)),
        (ins, volume as i64, 1),
        (kh, kw as i64, x.strides[1]),
        (kw, 1, x.strides[2]),
    ];
    copy::copy(cx, &patches, &seen, &dims);
    let out = cx.output();
    cx.parallel(rows, |cx, i| {
        cx.repeat(columns, |cx, j| {
            let position = i.clone().times(columns as i64).add(&j);
            let from = i.times(dy.strides[1]).add(&j.times(dy.strides[2]));
            let images = Pace {
                count: x.images,
                a: dy.image,
                b: image as i64,
            };
            cx.call(OuterCall {
                pixels: [Pace::ONCE, Pace::ONCE, images],
                rows: Axis {
                    count: outs,
                    stride: own as i64,
                },
                columns: own,
                out: out.access(position.clone().times((outs * own) as i64)),
                acc: None,
                a: dy.access(from),
                b: patches.access(position.times(own as i64)),
            });
        });
    });
}
