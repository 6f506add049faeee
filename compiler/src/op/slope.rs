//! `slope`: the cotangent times the derivative of a function of single elements.

use super::same_shape;
use crate::layer::elementwise::zip;
use crate::layer::pointwise::{Pointwise, map};
use crate::layer::{Attribute, Attributes, Inferred, Layer, Lowering, ShapeError};
use crate::lower::Lower;
use crate::shape::Shape;
use cnnc_runtime::kernel::{Step, ZipOp};
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
    fn attributes(&self) -> (&'static str, Attributes) {
        let (keyword, told) = Layer::attributes(&self.0);
        (KEYWORD, vec![("of", Attribute::Layer(keyword, told))])
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        same_shape(KEYWORD, inputs).map(Inferred::plain)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let mut result = inputs[1].clone();
        result.zip_mut_with(inputs[0], |dy, &x| *dy *= self.0.derivative(x));
        result
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl<T: Pointwise> Lowering for Slope<T> {
    /// The derivative, then its product with the cotangent in place; both at once where the derivative is 0 or 1.
    fn lower(&self, cx: &mut Lower<'_>) {
        let (out, x, dy) = (cx.output(), cx.input(0), cx.input(1));
        if self.0.slope() == [Step::Above(0.0)] {
            return zip(cx, ZipOp::Where, &out, &x, &dy);
        }
        map(cx, &out, &x, &self.0.slope());
        zip(cx, ZipOp::Mul, &out, &out, &dy);
    }
}
