//! `update`: a step of an optimiser.

use super::same_shape;
use crate::layer::{Attributes, Inferred, Layer, Lowering, ShapeError};
use crate::loops::Affine;
use crate::lower::Lower;
use crate::shape::Shape;
use cnnc_runtime::kernel::{Rule, UpdateCall};
use ndarray::{ArrayD, Zip};

/// Its keyword.
pub const KEYWORD: &str = "update";

/// Elements that a call takes at most, so that threads share them.
const BLOCK: usize = 8192;

/// Vectors of the same length, and behind them the factors of the rule.
#[derive(Clone, Debug)]
pub struct Update(
    /// What becomes of the elements.
    pub Rule,
);

impl Layer for Update {
    fn attributes(&self) -> (&'static str, Attributes) {
        let rule = match self.0 {
            Rule::Blend => "blend",
            Rule::Blend3 => "blend3",
            Rule::Squares => "squares",
            Rule::Scaled => "scaled",
        };
        (KEYWORD, vec![("rule", rule.into())])
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let (factors, vectors) = inputs.split_last().expect("there are operands");
        let shape = same_shape(KEYWORD, vectors)?;
        let fits = vectors.len() == self.0.operands()
            && factors.dims() == [self.0.factors()]
            && shape.spatial().is_empty();
        match fits {
            true => Ok(Inferred::plain(shape)),
            false => Err(ShapeError::new(format!(
                "`{KEYWORD}` {:?} does not take {} vectors of {shape} with factors {factors}",
                self.0,
                vectors.len()
            ))),
        }
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let factors: Vec<f64> = inputs[inputs.len() - 1].iter().copied().collect();
        let mut result = inputs[0].clone();
        let third = inputs[self.0.operands() - 1];
        Zip::from(&mut result)
            .and(inputs[1])
            .and(third)
            .for_each(|a, &b, &c| *a = self.0.apply([*a, b, c], &factors));
        result
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for Update {
    fn lower(&self, cx: &mut Lower<'_>) {
        let vectors: Vec<_> = (0..self.0.operands())
            .map(|index| cx.input(index))
            .collect();
        let (out, factors) = (cx.output(), cx.input(self.0.operands()));
        let (whole, rest) = (out.channels / BLOCK, out.channels % BLOCK);
        let part = |cx: &mut Lower<'_>, from: Affine, count: usize| {
            cx.call(UpdateCall {
                count,
                rule: self.0,
                out: out.access(from.clone()),
                a: vectors[0].access(from.clone()),
                b: vectors[1].access(from.clone()),
                c: vectors.get(2).map(|c| c.access(from)),
                factors: factors.access(Affine::default()),
            });
        };
        cx.parallel(whole, |cx, block| {
            part(cx, block.times(BLOCK as i64), BLOCK);
        });
        if rest > 0 {
            part(cx, Affine::constant((whole * BLOCK) as i64), rest);
        }
    }
}
