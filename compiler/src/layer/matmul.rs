//! `matmul`: products of matrices that are both values.

use super::axes::stride;
use super::copy::{Dim, copy, scratch};
use super::permute::Permute;
use super::{Attributes, Decl, Inferred, Layer, Lowering, ShapeError};
use crate::gradient::{Adjoint, NoGradient};
use crate::id::ValueId;
use crate::lower::{Lower, Storage};
use crate::shape::Shape;
use cnnc_runtime::kernel::{Axis, OuterCall, Pace};
use ndarray::{ArrayD, IxDyn};

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "matmul",
    doc: "Product of two matrices that are both values: `y[i, j] = Σ a[i, k] · b[k, j]` over the last two axes, for every place along those before them (an \
          axis of extent 1 is repeated). Attention is made of it. A matrix of the network's own is `constant`, one times channels is `dense` or `conv 1x1`.",
    params: &[],
    operands: (2, 2),
    build: |_| Ok(Box::new(MatMul)),
    samples: &[
        "input a: 5x4; input b: 4x7; matmul(a, b)",
        "input a: 3x5x4; input b: 3x4x70; matmul(a, b)",
        "input a: 2x3x5x4; input b: 2x1x4x3; matmul(a, b)",
        "input a: 1x17; input b: 17x1; matmul(a, b)",
        "input a: 1x40x9; input b: 6x9x33; matmul(a, b)",
        "input x: 4x6x5; a: conv 3x3 3 pad half; b: permute (0, 2, 1); matmul(a, b); conv 3x3 5 pad half",
    ],
};

/// A product of matrices.
#[derive(Clone, Debug)]
pub struct MatMul;

/// Terms of a sum that are added up in one chain of f32.
const CHAIN: usize = 1 << 11;

impl Layer for MatMul {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let (a, b) = (inputs[0].dims(), inputs[1].dims());
        let rank = a.len();
        let wrong = |help: &str| {
            let message = format!("`matmul` cannot multiply {} with {}", inputs[0], inputs[1]);
            Err(ShapeError::new(message).help(help))
        };
        if rank < 2 || b.len() != rank {
            return wrong("both need as many axes, two at least: `reshape` them");
        }
        if a[rank - 1] != b[rank - 2] {
            return wrong("the last extent of the first is the last but one of the second");
        }
        let mut dims = Vec::new();
        for (&n, &m) in a[..rank - 2].iter().zip(b) {
            if n != m && n != 1 && m != 1 {
                return wrong("extents before the last two are equal, or 1");
            }
            dims.push(n.max(m));
        }
        dims.extend([a[rank - 2], b[rank - 1]]);
        let Some(output) = Shape::new(dims) else {
            let message = format!(
                "the product of {} and {} is too large",
                inputs[0], inputs[1]
            );
            return Err(ShapeError::new(message));
        };
        Ok(Inferred {
            macs: (output.elements() as u64).saturating_mul(a[rank - 1] as u64),
            ..Inferred::plain(output)
        })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shapes = inputs
            .iter()
            .map(|x| Shape::new(x.shape()).expect("infer accepted it"));
        let shapes: Vec<Shape> = shapes.collect();
        let output = self.infer(&shapes).expect("infer accepted it").output;
        let (a, b) = (inputs[0], inputs[1]);
        let rank = a.ndim();
        ArrayD::from_shape_fn(IxDyn(output.dims()), |at| {
            let place = |x: &ArrayD<f64>, row: usize, column: usize| {
                let mut place: Vec<usize> = (0..rank - 2)
                    .map(|axis| at[axis] % x.shape()[axis])
                    .collect();
                place.extend([row, column]);
                x[IxDyn(&place)]
            };
            let terms = 0..a.shape()[rank - 1];
            terms
                .map(|k| place(a, at[rank - 2], k) * place(b, k, at[rank - 1]))
                .sum()
        })
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let rank = g.shape(g.dy()).dims().len();
        let turned = |g: &mut Adjoint<'_>, value: ValueId| {
            let mut axes: Vec<usize> = (0..rank).collect();
            axes.swap(rank - 2, rank - 1);
            g.push(Permute { axes }, &[value])
        };
        g.give_wanted(0, |g| {
            let b = turned(g, g.x(1));
            g.push(MatMul, &[g.dy(), b])
        });
        g.give_wanted(1, |g| {
            let a = turned(g, g.x(0));
            g.push(MatMul, &[a, g.dy()])
        });
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

/// A copy with its axes in that order, row by row, and how far apart the matrices of each of the result's places before the last two axes are.
fn rows(cx: &mut Lower<'_>, index: usize, order: [usize; 2]) -> (Storage, [i64; 2]) {
    let (from, x) = (cx.input(index), cx.input_shape(index));
    let rank = x.dims().len();
    let flat = scratch(cx, x.elements());
    let mut axes: Vec<usize> = (0..rank - 2).collect();
    axes.extend(order.map(|axis| rank - 2 + axis));
    let mut dims: Vec<Dim> = Vec::new();
    let mut step = 1;
    let mut steps = vec![0; 4];
    for &axis in axes.iter().rev() {
        let count = x.dims()[axis];
        dims.insert(0, (count, step, stride(&from, x, axis)));
        steps[axis] = if count == 1 { 0 } else { step };
        step *= count as i64;
    }
    copy(cx, &flat, &from, &dims);
    let before = std::array::from_fn(|axis| {
        let place = (axis + rank).checked_sub(4);
        place.map_or(0, |axis| steps[axis])
    });
    (flat, before)
}

impl Lowering for MatMul {
    /// Both matrices lie so that a step of the sums is a column of the first and a row of the second; the result is copied to where channels are last.
    fn lower(&self, cx: &mut Lower<'_>) {
        let (to, y) = (cx.output(), cx.output_shape());
        let rank = y.dims().len();
        let depth = cx.input_shape(0).dims()[rank - 1];
        let (m, n) = (y.dims()[rank - 2], y.dims()[rank - 1]);
        let (a, a_steps) = rows(cx, 0, [1, 0]);
        let (b, b_steps) = rows(cx, 1, [0, 1]);
        let flat = scratch(cx, y.elements());
        let extent = |axis: usize| {
            (axis + rank)
                .checked_sub(4)
                .map_or(1, |axis| y.dims()[axis])
        };
        let (outer, inner) = (extent(0), extent(1));
        let parts = cx.machine().shares(m, y.elements() * depth);
        let taken = m / parts;
        cx.parallel(outer, |cx, i| {
            cx.parallel(inner, |cx, j| {
                cx.parallel(parts, |cx, part| {
                    let place =
                        |steps: [i64; 2]| i.clone().times(steps[0]).add(&j.clone().times(steps[1]));
                    let size = (m * n) as i64;
                    let first = part.clone().times((taken * n) as i64);
                    let out = place([inner as i64 * size, size]).add(&first);
                    let (left, right) = (
                        place(a_steps).add(&part.times(taken as i64)),
                        place(b_steps),
                    );
                    for from in (0..depth).step_by(CHAIN) {
                        let out = flat.access(out.clone());
                        let terms = Pace {
                            count: CHAIN.min(depth - from),
                            a: m as i64,
                            b: n as i64,
                        };
                        let start = from as i64;
                        cx.call(OuterCall {
                            pixels: [Pace::ONCE, Pace::ONCE, terms],
                            rows: Axis {
                                count: taken,
                                stride: n as i64,
                            },
                            columns: n,
                            acc: (from > 0).then(|| out.clone()),
                            out,
                            a: a.access(left.clone().offset(start * m as i64)),
                            b: b.access(right.clone().offset(start * n as i64)),
                        });
                    }
                });
            });
        });
        let mut dims: Vec<Dim> = Vec::new();
        let mut step = 1;
        for axis in (0..rank).rev() {
            dims.insert(0, (y.dims()[axis], stride(&to, y, axis), step));
            step *= y.dims()[axis] as i64;
        }
        copy(cx, &to, &flat, &dims);
    }
}
