//! `extremum`: what an operand of `max` or `min` has of the cotangent.

use super::same_shape;
use crate::layer::elementwise::{combined, element, operand, zip};
use crate::layer::pointwise::map;
use crate::layer::{Attributes, Inferred, Layer, Lowering, NO_HALO, ShapeError, grid};
use crate::lower::{Lower, Storage};
use crate::shape::Shape;
use cnnc_runtime::kernel::{Step, ZipOp};
use ndarray::ArrayD;

/// Its keyword.
pub const KEYWORD: &str = "extremum";

/// The share of operand `of` in the cotangent, which is the last operand: where it is the largest (or smallest), all of it, and as much for each where
/// several are equal.
#[derive(Clone, Debug)]
pub struct Extremum {
    /// The operand.
    pub of: usize,
    /// Whether the largest counts, or the smallest.
    pub largest: bool,
}

impl Layer for Extremum {
    fn attributes(&self) -> (&'static str, Attributes) {
        let which = if self.largest { "largest" } else { "smallest" };
        (
            KEYWORD,
            vec![("of", self.of.into()), ("which", which.into())],
        )
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let (dy, operands) = inputs.split_last().expect("a cotangent");
        let result = combined(KEYWORD, operands)?;
        same_shape(KEYWORD, &[result, dy.clone()]).map(Inferred::plain)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let (dy, operands) = inputs.split_last().expect("a cotangent");
        let views: Vec<_> = operands.iter().map(|operand| grid::view(operand)).collect();
        let dy = grid::view(dy);
        let shape = grid::shape(inputs.last().expect("a cotangent"));
        let sign = if self.largest { 1.0 } else { -1.0 };
        grid::tabulate(&shape, |place| {
            let at = |index: usize| sign * element(&views[index], place);
            let mine = at(self.of);
            let all = || (0..views.len()).map(at);
            match all().any(|other| other > mine) {
                true => 0.0,
                false => dy[place] / all().filter(|other| *other == mine).count() as f64,
            }
        })
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for Extremum {
    /// The extremum; for each operand 1 where it is that, the sum of which is how many share.
    fn lower(&self, cx: &mut Lower<'_>) {
        let out = cx.output();
        let last = cx.operands() - 1;
        let operands: Vec<Storage> = (0..=last).map(|index| operand(cx, index, &out)).collect();
        let [best, has, count] = [0; 3].map(|_| cx.scratch(cx.output_shape(), NO_HALO));
        let op = if self.largest { ZipOp::Max } else { ZipOp::Min };
        let mut so_far = operands[0].clone();
        for next in &operands[1..last] {
            zip(cx, op, &best, &so_far, next);
            so_far = best.clone();
        }
        let holds = |cx: &mut Lower<'_>, to: &Storage, index: usize| {
            let x = &operands[index];
            let (a, b) = if self.largest { (x, &best) } else { (&best, x) };
            zip(cx, ZipOp::Less, to, a, b);
            map(cx, to, to, &[Step::Mul(-1.0), Step::Add(1.0)]);
        };
        holds(cx, &count, 0);
        for index in 1..last {
            holds(cx, &has, index);
            zip(cx, ZipOp::Add, &count, &count, &has);
        }
        holds(cx, &has, self.of);
        zip(cx, ZipOp::Mul, &has, &has, &operands[last]);
        zip(cx, ZipOp::Div, &out, &has, &count);
    }
}
