//! `hardmax`: 1 where the largest element along an axis is.

use super::axes::{self, AXIS};
use super::copy::{copy, fill, inverse, row_major, scratch};
use super::reduce::left;
use super::{ArgError, Args, Attributes, Decl, Inferred, Layer, Lowering, ShapeError, Sliding};
use crate::gradient::{Adjoint, NoGradient};
use crate::loops::Affine;
use crate::lower::{Lower, Storage};
use crate::shape::Shape;
use cnnc_runtime::kernel::{MaxInputCall, PoolAxis};
use ndarray::{ArrayD, Axis};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "hardmax",
    doc: "1 where the largest element along an axis is, the first of equal ones, and 0 elsewhere. A NaN is never the largest, unless it is the first. \
          Nothing is learned through it: its gradient is 0.",
    params: &[AXIS],
    operands: (1, 1),
    build,
    samples: &[
        "input x: 10; hardmax",
        "input x: 17x3x2; hardmax",
        "input x: 5x4x3; hardmax axis 1",
        "input x: 3x2x3x4; hardmax axis 3",
    ],
};

/// 1 where the largest element is.
#[derive(Clone, Debug)]
pub struct Hardmax {
    /// The axis, channels first.
    pub axis: usize,
}

fn build(args: &mut Args) -> Result<Box<dyn Layer>, ArgError> {
    let axis = args.whole(AXIS.name)?.unwrap_or(0);
    Ok(Box::new(Hardmax { axis }))
}

impl Layer for Hardmax {
    fn attributes(&self) -> (&'static str, Attributes) {
        let axis = axes::attribute(self.axis).into_iter().collect();
        (DECL.keyword, axis)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        axes::extent(&inputs[0], self.axis)?;
        Ok(Inferred::plain(inputs[0].clone()))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut result = inputs[0].clone();
        for mut lane in result.lanes_mut(Axis(self.axis)) {
            let mut best = 0;
            for (place, &x) in lane.iter().enumerate() {
                if x > lane[best] {
                    best = place;
                }
            }
            lane.fill(0.0);
            lane[best] = 1.0;
        }
        result
    }

    /// None: a small change of the operand moves nothing.
    fn gradient(&self, _: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        match self.axis {
            0 => Sliding::Pixels,
            axis => Sliding::Fixed(format!("compares pixels along axis {axis}")),
        }
    }
}

impl Lowering for Hardmax {
    /// What the gradient of a max pool over all of the axis makes of ones. Channels become pixels for that, and pixels channels.
    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, from, x) = (cx.output(), cx.input(0), cx.input_shape(0));
        if self.axis > 0 {
            let [kept, _] = left(x, &[self.axis], true);
            let ones = scratch(cx, kept.elements());
            fill(cx, &ones, 1.0);
            let [d, h, w] = kept.dhw();
            let ones = Storage {
                channels: x.channels(),
                dhw: [d, h, w],
                strides: [h * w, w, 1].map(|step| (step * x.channels()) as i64),
                ..ones
            };
            return first_largest(cx, &to, &from, &ones);
        }
        let (channels, pixels) = (from.channels, from.pixels());
        let turned = |storage: Storage, count: usize| Storage {
            channels: pixels,
            dhw: [1, 1, count],
            strides: [0, 0, pixels as i64],
            ..storage
        };
        let dims = row_major(&from);
        let [flat, result] = [0; 2].map(|_| scratch(cx, channels * pixels));
        copy(cx, &flat, &from, &dims);
        let ones = scratch(cx, pixels);
        fill(cx, &ones, 1.0);
        let (rows, ones) = (turned(flat, channels), turned(ones, 1));
        first_largest(cx, &turned(result.clone(), channels), &rows, &ones);
        copy(cx, &to, &result, &inverse(&row_major(&to)));
    }
}

fn first_largest(cx: &mut Lower<'_>, out: &Storage, x: &Storage, dy: &Storage) {
    cx.call(MaxInputCall {
        axes: std::array::from_fn(|axis| PoolAxis {
            inputs: x.dhw[axis],
            outputs: dy.dhw[axis],
            window: x.dhw[axis] / dy.dhw[axis],
            step: 1,
            dilation: 1,
            before: 0,
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
