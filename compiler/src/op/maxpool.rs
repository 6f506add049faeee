//! `maxpool_input`: the adjoint of a max pool.

use super::same_shape;
use crate::layer::pool::PoolWindow;
use crate::layer::{Attributes, Inferred, Layer, Lowering, ShapeError, grid};
use crate::loops::Affine;
use crate::lower::Lower;
use crate::shape::Shape;
use cnnc_runtime::kernel::{MaxInputCall, PoolAxis};
use ndarray::{Array4, ArrayD, IxDyn};

/// Its keyword.
pub const KEYWORD: &str = "maxpool_input";

/// What each window got goes to the first of its largest elements, row by row. Of the operands x and dy.
#[derive(Clone, Debug)]
pub struct MaxPoolInput {
    /// The pool's window.
    pub window: PoolWindow,
}

/// The index of the first of the largest: the pixels of a box of a channel, row by row.
pub(super) fn first_largest(
    value: impl Fn([usize; 3]) -> f64,
    along: [std::ops::Range<usize>; 3],
) -> Option<[usize; 3]> {
    let [planes, rows, pixels] = along;
    let mut best: Option<([usize; 3], f64)> = None;
    for d in planes {
        for h in rows.clone() {
            for w in pixels.clone() {
                let x = value([d, h, w]);
                if best.is_none_or(|(_, most)| x > most || (x.is_nan() && !most.is_nan())) {
                    best = Some(([d, h, w], x));
                }
            }
        }
    }
    best.map(|(place, _)| place)
}

impl Layer for MaxPoolInput {
    fn attributes(&self) -> (&'static str, Attributes) {
        (KEYWORD, self.window.attributes())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let (_, pooled) = self.window.place(&inputs[0])?;
        match pooled.dhw() == inputs[1].dhw() && pooled.channels() == inputs[1].channels() {
            true => Ok(Inferred::plain(inputs[0].clone())),
            // Names both shapes.
            false => same_shape(KEYWORD, &[pooled, inputs[1].clone()]).map(Inferred::plain),
        }
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shape = grid::shape(inputs[0]);
        let (x, dy) = (grid::view(inputs[0]), grid::view(inputs[1]));
        let (placed, _) = self.window.place(&shape).expect("infer accepted it");
        let (extents, dilation) = (shape.dhw(), self.window.0.dilation);
        let mut dx = Array4::zeros(x.dim());
        for ((c, d, h, w), dy) in dy.indexed_iter() {
            let outputs = [d, h, w];
            let bins: [_; 3] = std::array::from_fn(|axis| {
                self.window
                    .bin(&placed, extents[axis], axis, outputs[axis], false)
            });
            let place = |taps: [usize; 3]| -> [usize; 3] {
                std::array::from_fn(|axis| bins[axis].start + taps[axis] * dilation[axis])
            };
            let value = |taps: [usize; 3]| {
                let [d, h, w] = place(taps);
                x[[c, d, h, w]]
            };
            let first = first_largest(value, bins.map(|bin| 0..bin.taps));
            let [d, h, w] = place(first.expect("a window sees an element"));
            dx[[c, d, h, w]] += dy;
        }
        let dx = dx.into_raw_vec_and_offset().0;
        ArrayD::from_shape_vec(IxDyn(shape.dims()), dx).expect("as many elements")
    }
    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for MaxPoolInput {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (out, x, dy) = (cx.output(), cx.input(0), cx.input(1));
        let (placed, _) = self
            .window
            .place(cx.input_shape(0))
            .expect("infer accepted it");
        let window = &self.window.0;
        cx.call(MaxInputCall {
            axes: std::array::from_fn(|axis| PoolAxis {
                inputs: x.dhw[axis],
                outputs: dy.dhw[axis],
                window: window.kernel[axis],
                step: window.stride[axis],
                dilation: window.dilation[axis],
                before: placed.before[axis],
                out: out.strides[axis],
                x: x.strides[axis],
                dy: dy.strides[axis],
            }),
            channels: x.channels,
            out: out.access(Affine::default()),
            x: x.access(Affine::default()),
            dy: dy.access(Affine::default()),
        });
    }
}
