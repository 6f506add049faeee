//! What becomes of the terms of a loss: their mean or their sum.

use super::sums::sum;
use crate::layer::{NO_HALO, copy};
use crate::loops::Affine;
use crate::lower::{Lower, Storage};
use crate::shape::Shape;
use cnnc_runtime::kernel::{AccumulateCall, Pixels};

/// What becomes of the terms of a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
}

impl Total {
    /// As it is written among a layer's attributes.
    pub(super) fn name(self) -> &'static str {
        match self {
            Total::Mean => "mean",
            Total::Sum => "sum",
        }
    }

    /// What each of so many terms is multiplied by.
    pub(super) fn factor(self, terms: usize) -> f64 {
        match self {
            Total::Mean => 1.0 / terms as f64,
            Total::Sum => 1.0,
        }
    }
}

/// The shape of a loss: a number.
pub(super) fn number() -> Shape {
    Shape::new([1]).expect("a number")
}

/// Emits what makes a number for each pixel of that shape, and adds up the numbers, times a factor.
pub(super) fn of_pixels(
    cx: &mut Lower<'_>,
    shape: &Shape,
    factor: f64,
    emit: impl FnOnce(&mut Lower<'_>, &Storage),
) {
    let out = cx.output();
    let single = shape.elements() == shape.channels();
    if single && factor == 1.0 {
        return emit(cx, &out);
    }
    let losses = Shape::new([&[1], shape.spatial()].concat()).expect("smaller");
    let losses = cx.scratch(&losses, NO_HALO);
    emit(cx, &losses);
    let total = match single {
        true => losses,
        false => {
            let total = copy::scratch(cx, 1);
            sum(cx, &total, &losses);
            total
        }
    };
    let number = |storage: &Storage| Pixels {
        at: storage.access(Affine::default()),
        row: 0,
        pixel: 0,
    };
    cx.call(AccumulateCall {
        rows: 1,
        runs: 1,
        run: 1,
        out: number(&out),
        add: false,
        x: number(&total),
        factor,
    });
}

/// Calls with each plane of pixels: what is in a row of a tensor there.
pub(super) fn planes(
    cx: &mut Lower<'_>,
    planes: usize,
    call: impl FnOnce(&mut Lower<'_>, &dyn Fn(&Storage) -> Pixels<crate::loops::Access>),
) {
    cx.repeat(planes, |cx, plane| {
        let part = |storage: &Storage| Pixels {
            at: storage.access(plane.clone().times(storage.strides[0])),
            row: storage.strides[1],
            pixel: storage.strides[2],
        };
        call(cx, &part);
    });
}
