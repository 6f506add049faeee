//! `parameter`: a tensor of the network as a value.

use crate::layer::{Inferred, Layer, ParamSpec, ShapeError};
use crate::shape::Shape;
use ndarray::{ArrayD, IxDyn};

/// Its keyword.
pub const KEYWORD: &str = "parameter";

/// A tensor as a value, repeated until it fills a shape.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// What it is to its layer, and its shape.
    pub tensor: ParamSpec,
    /// The value's shape.
    pub shape: Shape,
}

impl Layer for Parameter {
    fn attributes(&self) -> (&'static str, Vec<(&'static str, String)>) {
        (KEYWORD, vec![("shape", self.shape.to_string())])
    }

    fn infer(&self, _: &[Shape]) -> Result<Inferred, ShapeError> {
        Ok(Inferred {
            params: vec![self.tensor.clone()],
            ..Inferred::plain(self.shape.clone())
        })
    }

    fn evaluate(&self, _: &[&ArrayD<f64>], params: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let elements = params[0].iter().copied().cycle();
        let elements = elements.take(self.shape.elements()).collect();
        ArrayD::from_shape_vec(IxDyn(self.shape.dims()), elements).expect("as many elements")
    }
}
