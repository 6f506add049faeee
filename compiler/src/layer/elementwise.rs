//! `sub`, `mul`, `div`, `max`, `min`, `absdiff`: tensors of equal shape combined element by element (and `add`, which stands in [`super::add`]).
//!
//! An operand with one value for each channel (`[C]`, or `C` with all other extents 1) is repeated over
//! the pixels of the others, as squeeze-and-excitation does.

use super::abs::Abs;
use super::pointwise::{larger, smaller};
use super::{Attributes, Decl, Inferred, Layer, Lowering, ShapeError, Sliding, grid};
use crate::gradient::{Adjoint, NoGradient};
use crate::id::ValueId;
use crate::lower::{Lower, Storage, Sweep};
use crate::op::extremum::Extremum;
use crate::op::slope::Slope;
use crate::shape::Shape;
use cnnc_runtime::kernel::{ZipCall, ZipOp};
use ndarray::ArrayD;

/// Row of the table of layers: `mul`.
pub static MUL: Decl = Decl {
    keyword: "mul",
    doc: "Product of two or more tensors, element by element. An operand with one value for each channel is repeated over all pixels, \
          as squeeze-and-excitation does (Hu et al. 2017). As an operator in expressions: `a * b`.",
    params: &[],
    operands: (2, usize::MAX),
    build: |_| Ok(Box::new(Elementwise(Op::Mul))),
    samples: &[
        "input a, b: 5x4x3; mul(a, b)",
        "input a: 17; input b: 17x3x3; input c: 17x1x1; mul(a, b, c)",
        "input x: 9x5x4; s: globalavgpool dense 9 sigmoid; mul(x, s)",
    ],
};

/// Row of the table of layers: `sub`.
pub static SUB: Decl = Decl {
    keyword: "sub",
    doc: "Difference of two tensors, element by element: the first minus the second. An operand with one value for each channel is \
          repeated over all pixels. As an operator in expressions: `a - b`.",
    params: &[],
    operands: (2, 2),
    build: |_| Ok(Box::new(Elementwise(Op::Sub))),
    samples: &[
        "input a, b: 5x4x3; sub(a, b)",
        "input a: 17; input b: 17x2x3x2; sub(a, b)",
    ],
};

/// Row of the table of layers: `div`.
pub static DIV: Decl = Decl {
    keyword: "div",
    doc: "Quotient of two tensors, element by element: the first over the second, infinite or NaN where that is 0, as IEEE 754 has it. An \
          operand with one value for each channel is repeated over all pixels.",
    params: &[],
    operands: (2, 2),
    build: |_| Ok(Box::new(Elementwise(Op::Div))),
    samples: &[
        "input a, b: 5x4x3; div(a, b)",
        "input a: 17x3x3; input b: 17; div(a, b)",
        "input a: 9; input b: 9x2x3x2; div(a, b)",
    ],
};

/// Row of the table of layers: `max`.
pub static MAX: Decl = Decl {
    keyword: "max",
    doc: "Largest of two or more tensors, element by element (maxout). An operand with one value for each channel is repeated over all pixels.",
    params: &[],
    operands: (2, usize::MAX),
    build: |_| Ok(Box::new(Elementwise(Op::Max))),
    samples: &[
        "input a, b: 5x4x3; max(a, b)",
        "input a, b, c: 17; max(a, b, c)",
    ],
};

/// Row of the table of layers: `min`.
pub static MIN: Decl = Decl {
    keyword: "min",
    doc: "Smallest of two or more tensors, element by element. An operand with one value for each channel is repeated over all pixels.",
    params: &[],
    operands: (2, usize::MAX),
    build: |_| Ok(Box::new(Elementwise(Op::Min))),
    samples: &[
        "input a, b: 5x4x3; min(a, b)",
        "input a, b, c: 17; min(a, b, c)",
    ],
};

/// Row of the table of layers: `absdiff`.
pub static ABSDIFF: Decl = Decl {
    keyword: "absdiff",
    doc: "Distance of two tensors, element by element: `|a − b|`. Siamese networks compare their twins by it. The same as `abs(a - b)`.",
    params: &[],
    operands: (2, 2),
    build: |_| Ok(Box::new(Elementwise(Op::AbsDiff))),
    samples: &[
        "input a, b: 17; absdiff(a, b)",
        "input a, b: 3x4x5; absdiff(a, b)",
    ],
};

/// What an [`Elementwise`] layer computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Difference.
    Sub,
    /// Product.
    Mul,
    /// Quotient.
    Div,
    /// Maximum.
    Max,
    /// Minimum.
    Min,
    /// Absolute difference.
    AbsDiff,
}

/// Tensors combined element by element.
#[derive(Clone, Debug)]
pub struct Elementwise(
    /// The operation.
    pub Op,
);

impl Op {
    fn row(self) -> (&'static Decl, ZipOp) {
        match self {
            Op::Sub => (&SUB, ZipOp::Sub),
            Op::Mul => (&MUL, ZipOp::Mul),
            Op::Div => (&DIV, ZipOp::Div),
            Op::Max => (&MAX, ZipOp::Max),
            Op::Min => (&MIN, ZipOp::Min),
            Op::AbsDiff => (&ABSDIFF, ZipOp::AbsDiff),
        }
    }

    fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Op::Sub => a - b,
            Op::Mul => a * b,
            Op::Div => a / b,
            Op::Max => larger(a, b),
            Op::Min => smaller(a, b),
            Op::AbsDiff => (a - b).abs(),
        }
    }
}

/// The shape that operands of that layer combine to.
///
/// # Errors
/// Operands that neither have it nor are repeated to it.
pub(crate) fn combined(keyword: &str, inputs: &[Shape]) -> Result<Shape, ShapeError> {
    let output = widest(inputs);
    let repeats = |shape: &Shape| {
        shape.channels() == output.channels() && shape.spatial().iter().all(|&n| n == 1)
    };
    let differs = |shape: &&Shape| *shape != output && !repeats(shape);
    match inputs.iter().find(differs) {
        None => Ok(output.clone()),
        Some(other) => {
            let message = format!("`{keyword}` cannot combine {output} and {other}");
            Err(ShapeError::new(message).help(format!(
                "operands have the same shape, or are vectors of {} channels",
                output.channels()
            )))
        }
    }
}

/// The shape that the others must have or be repeated to.
pub(super) fn widest(inputs: &[Shape]) -> &Shape {
    inputs
        .iter()
        .max_by_key(|shape| (shape.elements(), shape.dims().len()))
        .expect("at least two operands")
}

impl Layer for Elementwise {
    fn attributes(&self) -> (&'static str, Attributes) {
        (self.0.row().0.keyword, Vec::new())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        combined(self.0.row().0.keyword, inputs).map(Inferred::plain)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shapes: Vec<Shape> = inputs.iter().map(|input| grid::shape(input)).collect();
        let views: Vec<_> = inputs.iter().map(|input| grid::view(input)).collect();
        grid::tabulate(widest(&shapes), |[c, d, h, w]| {
            let at = |index: usize| match shapes[index].dhw() {
                [1, 1, 1] => views[index][[c, 0, 0, 0]],
                _ => views[index][[c, d, h, w]],
            };
            (1..inputs.len()).fold(at(0), |value, index| self.0.apply(value, at(index)))
        })
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        match self.0 {
            Op::Sub => {
                g.give_wanted(0, |g| g.dy());
                g.give_wanted(1, |g| g.scale(g.dy(), -1.0, 0.0));
            }
            Op::Mul => {
                for i in 0..g.operands() {
                    g.give_wanted(i, |g| {
                        let others = (0..g.operands()).filter(|&other| other != i);
                        let others: Vec<ValueId> = others.map(|other| g.x(other)).collect();
                        others
                            .into_iter()
                            .fold(g.dy(), |product, x| g.mul(product, x))
                    });
                }
            }
            Op::Div => {
                let quotient = g.div(g.dy(), g.x(1));
                g.give_wanted(0, |_| quotient);
                g.give_wanted(1, |g| {
                    let product = g.mul(quotient, g.y());
                    g.scale(product, -1.0, 0.0)
                });
            }
            Op::Max | Op::Min => {
                let largest = self.0 == Op::Max;
                let mut all: Vec<ValueId> = (0..g.operands()).map(|i| g.x(i)).collect();
                all.push(g.dy());
                for of in 0..g.operands() {
                    g.give_wanted(of, |g| g.push(Extremum { of, largest }, &all));
                }
            }
            Op::AbsDiff => {
                let difference = g.sub(g.x(0), g.x(1));
                let slope = g.push(Slope(Abs), &[difference, g.dy()]);
                g.give_wanted(0, |_| slope);
                g.give_wanted(1, |g| g.scale(slope, -1.0, 0.0));
            }
        }
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, _: &[Shape]) -> Sliding {
        Sliding::Pixels
    }
}

impl Lowering for Elementwise {
    fn lower(&self, cx: &mut Lower<'_>) {
        let output = cx.output();
        let mut so_far = repeated(cx.input(0), &output);
        for index in 1..cx.operands() {
            let next = repeated(cx.input(index), &output);
            zip(cx, self.0.row().1, &output, &so_far, &next);
            so_far = output.clone();
        }
    }
}

/// An operand with the result's extents: one that lacks them repeats its only pixel.
pub(crate) fn repeated(operand: Storage, output: &Storage) -> Storage {
    if operand.dhw == output.dhw {
        return operand;
    }
    Storage {
        dhw: output.dhw,
        strides: [0; 3],
        ..operand
    }
}

/// Emits `f32_zip` of two tensors; the first may be the result.
pub(crate) fn zip(cx: &mut Lower<'_>, op: ZipOp, output: &Storage, a: &Storage, b: &Storage) {
    cx.sweep(&[output.clone(), a.clone(), b.clone()], |cx, sweep| {
        let Sweep {
            rows,
            pixels: runs,
            channels: run,
            tensors: [out, a, b],
        } = sweep.runs();
        cx.call(ZipCall {
            rows,
            runs,
            run,
            out,
            a,
            b,
            op,
            slope: 1.0,
            hi: f64::INFINITY,
        });
    });
}
