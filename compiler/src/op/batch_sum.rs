//! `batch_sum`: the sum over all images of a batch.

use super::sums::sum;
use crate::layer::{Attributes, Inferred, Layer, Lowering, ShapeError};
use crate::lower::Lower;
use crate::shape::Shape;
use ndarray::ArrayD;

/// Its keyword.
pub const KEYWORD: &str = "batch_sum";

/// Of each image a vector; of all of them their sum.
#[derive(Clone, Debug)]
pub struct BatchSum;

impl Layer for BatchSum {
    fn attributes(&self) -> (&'static str, Attributes) {
        (KEYWORD, Vec::new())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        match inputs[0].spatial() {
            [] => Ok(Inferred::plain(inputs[0].clone())),
            _ => Err(ShapeError::new(format!(
                "`{KEYWORD}` takes vectors, not {}",
                inputs[0]
            ))),
        }
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        inputs[0].clone()
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }

    fn reduces(&self) -> bool {
        true
    }
}

impl Lowering for BatchSum {
    fn lower(&self, cx: &mut Lower<'_>) {
        let (out, x) = (cx.output(), cx.input(0));
        sum(cx, &out, &x);
    }
}
