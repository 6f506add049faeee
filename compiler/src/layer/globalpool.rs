//! `globalavgpool` and `globalmaxpool`: one value for each channel.

use super::Sliding;
use super::avgpool::AvgPool;
use super::maxpool::MaxPool;
use super::pointwise::larger;
use super::pool::{self, Bin, PoolWindow, Pooling, Segment};
use super::window::Window;
use super::{Attributes, Decl, Inferred, Layer, Lowering, ShapeError};
use crate::gradient::{Adjoint, NoGradient};
use crate::lower::Lower;
use crate::op::along::{Along, mean};
use crate::op::maxpool::MaxPoolInput;
use crate::shape::Shape;
use ndarray::{ArrayD, Axis, IxDyn};

/// Row of the table of layers: `globalavgpool`.
pub static AVERAGE: Decl = Decl {
    keyword: "globalavgpool",
    doc: "Mean of each channel over all pixels; the result is a vector of the channels.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(GlobalPool(Pooling::Average))),
    samples: &[
        "input x: 5x4x3; globalavgpool",
        "input x: 17x9; globalavgpool",
        "input x: 3x2x4x5; globalavgpool",
        "input x: 7; globalavgpool",
        "input x: 3x6x6; conv 3x3 40 pad half; globalavgpool; dense 5",
    ],
};

/// Row of the table of layers: `globalmaxpool`.
pub static MAX: Decl = Decl {
    keyword: "globalmaxpool",
    doc: "Largest element of each channel; the result is a vector of the channels.",
    params: &[],
    operands: (1, 1),
    build: |_| Ok(Box::new(GlobalPool(Pooling::Max))),
    samples: &[
        "input x: 5x4x3; globalmaxpool",
        "input x: 17x9; globalmaxpool",
        "input x: 3x2x4x5; globalmaxpool",
    ],
};

/// A pool over all pixels.
#[derive(Clone, Debug)]
pub struct GlobalPool(
    /// What it computes.
    pub Pooling,
);

impl Layer for GlobalPool {
    fn attributes(&self) -> (&'static str, Attributes) {
        let row = match self.0 {
            Pooling::Average => &AVERAGE,
            Pooling::Max => &MAX,
        };
        (row.keyword, Vec::new())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let output = Shape::new([inputs[0].channels()]).expect("no larger than the operand");
        Ok(Inferred::plain(output))
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let pooled: Vec<f64> = inputs[0]
            .axis_iter(Axis(0))
            .map(|channel| match self.0 {
                Pooling::Average => channel.sum() / channel.len() as f64,
                Pooling::Max => channel.fold(f64::NEG_INFINITY, |most, &x| larger(x, most)),
            })
            .collect();
        ArrayD::from_shape_vec(IxDyn(&[pooled.len()]), pooled).expect("one value for each channel")
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let (x, y) = (g.shape(g.x(0)), g.shape(g.y()));
        let dx = match self.0 {
            Pooling::Average => {
                let all = |axis: usize, _| mean(0, x.dhw()[axis], x.dhw()[axis]);
                g.push(Along::adjoint(self.attributes(), &x, &y, all), &[g.dy()])
            }
            Pooling::Max => {
                let window = PoolWindow(Window::whole(&x));
                g.push(MaxPoolInput { window }, &[g.x(0), g.dy()])
            }
        };
        g.give(0, dx);
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, operands: &[Shape]) -> Sliding {
        let x = &operands[0];
        if x.spatial().is_empty() {
            return Sliding::Pixels;
        }
        let window = PoolWindow(Window::whole(x));
        Sliding::Whole(match self.0 {
            Pooling::Max => Box::new(MaxPool { window }),
            Pooling::Average => Box::new(AvgPool {
                window,
                count_padding: false,
            }),
        })
    }
}

impl Lowering for GlobalPool {
    fn lower(&self, cx: &mut Lower<'_>) {
        let extents = cx.input_shape(0).dhw();
        pool::lower(cx, self.0, [1; 3], |axis| {
            let all = Bin {
                start: 0,
                taps: extents[axis],
                counted: extents[axis],
            };
            vec![Segment::one(0, all)]
        });
    }
}
