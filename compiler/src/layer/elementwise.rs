//! `sub`, `mul`, `div`, `max`, `min`, `absdiff`, `less`, `equal`: tensors of equal shape combined element by element (and `add`, which stands in [`super::add`]).
//!
//! An operand with one value for each channel (`[C]`, or `C` with all other extents 1) is repeated over
//! the pixels of the others, as squeeze-and-excitation does.

use super::abs::Abs;
use super::pointwise::{larger, smaller};
use super::{
    Attributes, Decl, Inferred, Layer, Lowering, NO_HALO, ShapeError, Sliding, copy, grid,
};
use crate::gradient::{Adjoint, NoGradient};
use crate::id::ValueId;
use crate::lower::{Lower, Storage, Sweep};
use crate::op::extremum::Extremum;
use crate::op::slope::Slope;
use crate::shape::Shape;
use cnnc_runtime::kernel::{ZipCall, ZipOp};
use ndarray::{ArrayD, ArrayView4};

/// Row of the table of layers: `mul`.
pub static MUL: Decl = Decl {
    keyword: "mul",
    doc: "Product of two or more tensors, element by element. An axis of extent 1 is repeated, and a vector has one value for each channel, \
          as in squeeze-and-excitation (Hu et al. 2017). As an operator in expressions: `a * b`.",
    params: &[],
    operands: (2, usize::MAX),
    build: |_| Ok(Box::new(Elementwise(Op::Mul))),
    samples: &[
        "input a, b: 5x4x3; mul(a, b)",
        "input a: 17; input b: 17x3x3; input c: 17x1x1; mul(a, b, c)",
        "input x: 9x5x4; s: globalavgpool dense 9 sigmoid; mul(x, s)",
        "input a: 1x4x5; input b: 17x4x1; mul(a, b)",
        "input a: 1; input b: 9x3; mul(b, a)",
        "input a: 9x1x1; input b: 9x3; mul(a, b)",
    ],
};

/// Row of the table of layers: `sub`.
pub static SUB: Decl = Decl {
    keyword: "sub",
    doc: "Difference of two tensors, element by element: the first minus the second. An axis of extent 1 is repeated, and a \
          vector has one value for each channel. As an operator in expressions: `a - b`.",
    params: &[],
    operands: (2, 2),
    build: |_| Ok(Box::new(Elementwise(Op::Sub))),
    samples: &[
        "input a, b: 5x4x3; sub(a, b)",
        "input a: 17; input b: 17x2x3x2; sub(a, b)",
        "input a: 9x1x3; input b: 1x4x1; sub(a, b)",
    ],
};

/// Row of the table of layers: `div`.
pub static DIV: Decl = Decl {
    keyword: "div",
    doc: "Quotient of two tensors, element by element: the first over the second, infinite or NaN where that is 0, as IEEE 754 has it. An \
          axis of extent 1 is repeated, and a vector has one value for each channel.",
    params: &[],
    operands: (2, 2),
    build: |_| Ok(Box::new(Elementwise(Op::Div))),
    samples: &[
        "input a, b: 5x4x3; div(a, b)",
        "input a: 17x3x3; input b: 17; div(a, b)",
        "input a: 9; input b: 9x2x3x2; div(a, b)",
        "input a: 7x5; input b: 1x5; div(a, b)",
    ],
};

/// Row of the table of layers: `max`.
pub static MAX: Decl = Decl {
    keyword: "max",
    doc: "Largest of two or more tensors, element by element (maxout). An axis of extent 1 is repeated, and a vector has one value for each channel.",
    params: &[],
    operands: (2, usize::MAX),
    build: |_| Ok(Box::new(Elementwise(Op::Max))),
    samples: &[
        "input a, b: 5x4x3; max(a, b)",
        "input a, b, c: 17; max(a, b, c)",
        "input a: 5x4x3; input b: 1x1x3; input c: 5; max(a, b, c)",
    ],
};

/// Row of the table of layers: `min`.
pub static MIN: Decl = Decl {
    keyword: "min",
    doc: "Smallest of two or more tensors, element by element. An axis of extent 1 is repeated, and a vector has one value for each channel.",
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

/// Row of the table of layers: `less`.
pub static LESS: Decl = Decl {
    keyword: "less",
    doc: "1 where the first tensor is below the second, 0 elsewhere: `where` chooses by it. What is NaN is below nothing. An axis of extent 1 is repeated, and a \
          vector has one value for each channel. It has no gradient.",
    params: &[],
    operands: (2, 2),
    build: |_| Ok(Box::new(Elementwise(Op::Less))),
    samples: &[
        "input a, b: 5x4x3; less(a, b)",
        "input a: 17; input b: 17x3x3; less(a, b)",
        "input a: 9x1x3; input b: 1; less(a, b)",
    ],
};

/// Row of the table of layers: `equal`.
pub static EQUAL: Decl = Decl {
    keyword: "equal",
    doc: "1 where two tensors are the same number, 0 elsewhere: `where` chooses by it. What is NaN equals nothing. An axis of extent 1 is repeated, and a vector \
          has one value for each channel. It has no gradient.",
    params: &[],
    operands: (2, 2),
    build: |_| Ok(Box::new(Elementwise(Op::Equal))),
    samples: &[
        "input a, b: 5x4x3; x: a sign; y: b sign; equal(x, y)",
        "input a: 17; input b: 17x2x3x2; x: a scale 2; y: x round; z: b scale 2; w: z round; equal(y, w)",
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
    /// Whether the first is below the second.
    Less,
    /// Whether both are the same.
    Equal,
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
            Op::Less => (&LESS, ZipOp::Less),
            Op::Equal => (&EQUAL, ZipOp::Equal),
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
            Op::Less => f64::from(u8::from(a < b)),
            Op::Equal => f64::from(u8::from(a == b)),
        }
    }
}

/// Extents of an operand among others of that rank: what has no pixels, or one, has a number for each channel.
fn aligned(shape: &Shape, rank: usize) -> Option<Vec<usize>> {
    let mut dims = shape.dims().to_vec();
    if is_single(shape) {
        dims.resize(rank, 1);
    }
    (dims.len() == rank).then_some(dims)
}

/// Whether it has one number for each channel.
fn is_single(shape: &Shape) -> bool {
    shape.spatial().iter().all(|&n| n == 1)
}

/// The shape that operands of that layer combine to: along each axis they have the same extent, or 1 and are repeated.
///
/// # Errors
/// Operands that neither have it nor are repeated to it.
pub(crate) fn combined(keyword: &str, inputs: &[Shape]) -> Result<Shape, ShapeError> {
    let largest = widest(inputs);
    let most =
        |shapes: &mut dyn Iterator<Item = &Shape>| shapes.map(|shape| shape.dims().len()).max();
    let rank = most(&mut inputs.iter().filter(|shape| !is_single(shape)));
    let rank = rank.or_else(|| most(&mut inputs.iter()));
    let rank = rank.expect("at least two operands");
    let differs = |other: &Shape| {
        let message = format!("`{keyword}` cannot combine {largest} and {other}");
        ShapeError::new(message).help(format!(
            "operands have the same shape, or are vectors of {} channels",
            largest.channels()
        ))
    };
    let mut output = vec![1; rank];
    for shape in inputs {
        let dims = aligned(shape, rank).ok_or_else(|| differs(shape))?;
        for (most, n) in output.iter_mut().zip(dims) {
            *most = n.max(*most);
        }
    }
    for shape in inputs {
        let dims = aligned(shape, rank).expect("it was above");
        if !dims
            .iter()
            .zip(&output)
            .all(|(&n, &most)| n == most || n == 1)
        {
            return Err(differs(shape));
        }
    }
    Shape::new(output).ok_or_else(|| {
        ShapeError::new(format!(
            "the result of `{keyword}` on {largest} is too large"
        ))
    })
}

/// The largest of the operands.
fn widest(inputs: &[Shape]) -> &Shape {
    inputs
        .iter()
        .max_by_key(|shape| (shape.elements(), shape.dims().len()))
        .expect("at least two operands")
}

/// Element `at` of the result of a combination, in an operand that is repeated to it.
pub(crate) fn element(view: &ArrayView4<'_, f64>, at: [usize; 4]) -> f64 {
    let (c, d, h, w) = view.dim();
    let [i, j, k, l] = at;
    view[[i % c, j % d, k % h, l % w]]
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
        let output = combined(self.0.row().0.keyword, &shapes).expect("infer accepted it");
        grid::tabulate(&output, |at| {
            let at = |index: usize| element(&views[index], at);
            (1..inputs.len()).fold(at(0), |value, index| self.0.apply(value, at(index)))
        })
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        match self.0 {
            // A small change of an operand changes nothing.
            Op::Less | Op::Equal => {}
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

    fn sliding(&self, operands: &[Shape]) -> Sliding {
        sliding(operands)
    }
}

/// How a combination slides: pixel by pixel, unless an operand's rows or columns are repeated.
pub(crate) fn sliding(operands: &[Shape]) -> Sliding {
    let pixels = widest(operands).dhw();
    let alike = |shape: &Shape| shape.dhw() == pixels || shape.dhw() == [1; 3];
    match operands.iter().all(alike) {
        true => Sliding::Pixels,
        false => Sliding::Fixed("repeats rows or columns of an operand".to_owned()),
    }
}

impl Lowering for Elementwise {
    fn lower(&self, cx: &mut Lower<'_>) {
        let output = cx.output();
        let mut so_far = operand(cx, 0, &output);
        for index in 1..cx.operands() {
            let next = operand(cx, index, &output);
            zip(cx, self.0.row().1, &output, &so_far, &next);
            so_far = output.clone();
        }
    }
}

/// An operand with the result's extents: an axis that has only one repeats it.
pub(crate) fn operand(cx: &mut Lower<'_>, index: usize, output: &Storage) -> Storage {
    let operand = cx.input(index);
    spread(cx, operand, output)
}

/// A tensor with the result's extents, of any storage.
pub(crate) fn spread(cx: &mut Lower<'_>, operand: Storage, output: &Storage) -> Storage {
    if operand.channels == output.channels {
        return repeated(operand, output);
    }
    // Channels are beside one another in what kernels read.
    let [d, h, w] = operand.dhw;
    let shape = Shape::new([output.channels, d, h, w]).expect("no larger than the result");
    let wide = cx.scratch(&shape, NO_HALO);
    let mut dims = copy::all(&wide, &operand);
    dims[3] = (output.channels, 1, 0);
    copy::copy(cx, &wide, &operand, &dims);
    repeated(wide, output)
}

/// A tensor with the result's pixels: an axis that has only one repeats it.
pub(crate) fn repeated(mut operand: Storage, output: &Storage) -> Storage {
    for axis in 0..3 {
        if operand.dhw[axis] != output.dhw[axis] {
            operand.dhw[axis] = output.dhw[axis];
            operand.strides[axis] = 0;
        }
    }
    operand
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
