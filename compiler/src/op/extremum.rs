//! `extremum`: what an operand of `max` or `min` has of the cotangent.

use super::same_shape;
use crate::layer::elementwise::combined;
use crate::layer::{Inferred, Layer, ShapeError, grid};
use crate::shape::Shape;
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
    fn attributes(&self) -> (&'static str, Vec<(&'static str, String)>) {
        let which = if self.largest { "largest" } else { "smallest" };
        (
            KEYWORD,
            vec![("of", self.of.to_string()), ("which", which.to_owned())],
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
        grid::tabulate(&shape, |[c, d, h, w]| {
            let at = |index: usize| match views[index].dim() {
                (_, 1, 1, 1) => sign * views[index][[c, 0, 0, 0]],
                _ => sign * views[index][[c, d, h, w]],
            };
            let mine = at(self.of);
            let all = || (0..views.len()).map(at);
            match all().any(|other| other > mine) {
                true => 0.0,
                false => dy[[c, d, h, w]] / all().filter(|other| *other == mine).count() as f64,
            }
        })
    }
}
