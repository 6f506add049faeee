//! `where`: of two tensors the one that a third says, element by element.

use super::elementwise::{Elementwise, Op, combined, element, operand, sliding};
use super::{Attributes, Decl, Inferred, Layer, Lowering, ShapeError, Sliding, grid};
use crate::gradient::{Adjoint, NoGradient};
use crate::id::ValueId;
use crate::lower::{Lower, Storage, Sweep};
use crate::shape::Shape;
use cnnc_runtime::kernel::ChooseCall;
use ndarray::ArrayD;

/// Zeros of the extents of a tensor, whatever it holds: nothing is less than itself, NaN and infinity included.
pub(super) fn zeros(g: &mut Adjoint<'_>, like: ValueId) -> ValueId {
    g.push(Elementwise(Op::Less), &[like, like])
}

/// Row of the table of layers.
pub static DECL: Decl = Decl {
    keyword: "where",
    doc: "A choice, element by element: `where(c, a, b)` is `a` where `c` is above 0, and `b` elsewhere. An axis of extent 1 is repeated, and a vector \
          has one value for each channel. Conditions are what `less` and `equal` make; `c * d` is both, `max(c, d)` one of them, and `scale -1 shift 1` the \
          opposite. They have no gradient.",
    params: &[],
    operands: (3, 3),
    build: |_| Ok(Box::new(Choose)),
    samples: &[
        "input c, a, b: 5x4x3; where(c, a, b)",
        "input c: 17x3x3; input a: 17; input b: 1; where(c, a, b)",
        "input x: 9x5x4; input r: 9x1x4; c: less(r, x); where(c, x, r)",
        "input c: 1x4x5; input a: 33x4x1; input b: 33x4x5; where(c, a, b)",
        "input c, a: 7; input b: 7x2x3x2; where(c, a, b)",
    ],
};

/// A choice.
#[derive(Clone, Copy, Debug)]
pub struct Choose;

impl Layer for Choose {
    fn attributes(&self) -> (&'static str, Attributes) {
        (DECL.keyword, Vec::new())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        combined(DECL.keyword, inputs).map(Inferred::plain)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let shapes: Vec<Shape> = inputs.iter().map(|input| grid::shape(input)).collect();
        let views: Vec<_> = inputs.iter().map(|input| grid::view(input)).collect();
        let output = combined(DECL.keyword, &shapes).expect("infer accepted it");
        grid::tabulate(&output, |at| {
            let chosen = if element(&views[0], at) > 0.0 { 1 } else { 2 };
            element(&views[chosen], at)
        })
    }

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        let (condition, dy) = (g.x(0), g.dy());
        g.give_wanted(1, |g| {
            let nothing = zeros(g, dy);
            g.push(Choose, &[condition, dy, nothing])
        });
        g.give_wanted(2, |g| {
            let nothing = zeros(g, dy);
            g.push(Choose, &[condition, nothing, dy])
        });
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn sliding(&self, operands: &[Shape]) -> Sliding {
        sliding(operands)
    }
}

impl Lowering for Choose {
    fn lower(&self, cx: &mut Lower<'_>) {
        let output = cx.output();
        let [condition, a, b]: [Storage; 3] =
            std::array::from_fn(|index| operand(cx, index, &output));
        cx.sweep(&[output, condition, a, b], |cx, sweep| {
            let Sweep {
                rows,
                pixels: runs,
                channels: run,
                tensors: [out, condition, a, b],
            } = sweep.runs();
            cx.call(ChooseCall {
                rows,
                runs,
                run,
                out,
                condition,
                a,
                b,
            });
        });
    }
}
