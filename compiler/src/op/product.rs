//! `product`: a matrix times the channels of each pixel.

use crate::layer::{Inferred, Layer, ShapeError};
use crate::shape::Shape;
use ndarray::{ArrayD, IxDyn};

/// Its keyword.
pub const KEYWORD: &str = "product";

/// `y[i, p] = Σ a[i, k] · x[k, p]` of the operands a and x.
#[derive(Clone, Debug)]
pub struct Product;

impl Layer for Product {
    fn attributes(&self) -> (&'static str, Vec<(&'static str, String)>) {
        (KEYWORD, Vec::new())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        let fits = match inputs[0].dims() {
            &[rows, columns] if columns == inputs[1].channels() => inputs[1].with_channels(rows),
            _ => None,
        };
        fits.map(Inferred::plain).ok_or_else(|| {
            ShapeError::new(format!(
                "{} cannot be multiplied with {}",
                inputs[0], inputs[1]
            ))
        })
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let (rows, columns) = (inputs[0].shape()[0], inputs[0].shape()[1]);
        let matrix = |tensor: &ArrayD<f64>, rows: usize| {
            let columns = tensor.len() / rows;
            let elements = tensor.iter().copied().collect();
            ndarray::Array2::from_shape_vec((rows, columns), elements).expect("as many elements")
        };
        let product = matrix(inputs[0], rows).dot(&matrix(inputs[1], columns));
        let mut dims = inputs[1].shape().to_vec();
        dims[0] = rows;
        let elements = product.iter().copied().collect();
        ArrayD::from_shape_vec(IxDyn(&dims), elements).expect("as many elements")
    }
}
