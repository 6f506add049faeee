//! `slope`: the cotangent times the derivative of a function of single elements.

use super::same_shape;
use crate::layer::pointwise::Pointwise;
use crate::layer::{Inferred, Layer, ShapeError, written};
use crate::shape::Shape;
use ndarray::ArrayD;

/// Its keyword.
pub const KEYWORD: &str = "slope";

/// `dy · f′(x)` of the operands x and dy.
#[derive(Clone, Debug)]
pub struct Slope<T>(
    /// The layer that is `f`.
    pub T,
);

impl<T: Pointwise> Layer for Slope<T> {
    fn attributes(&self) -> (&'static str, Vec<(&'static str, String)>) {
        (KEYWORD, vec![("of", written(&self.0))])
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        same_shape(KEYWORD, inputs).map(Inferred::plain)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut result = inputs[1].clone();
        result.zip_mut_with(inputs[0], |dy, &x| *dy *= self.0.derivative(x));
        result
    }
}
