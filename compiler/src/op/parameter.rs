//! `parameter`: a tensor of the network as a value.

use crate::layer::{Inferred, Layer, Lowering, ParamSpec, ShapeError};
use crate::loops::Affine;
use crate::lower::Lower;
use crate::shape::Shape;
use cnnc_runtime::kernel::{CopyCall, Move};
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
    fn lowering(&self) -> Option<&dyn Lowering> {
        // A vector, or a number for all channels; anything else is evaluated only.
        let elements: usize = self.tensor.shape.iter().product();
        let vector = self.shape.spatial().is_empty();
        let fits = elements == 1 || elements == self.shape.channels();
        (vector && fits).then_some(self as &dyn Lowering)
    }
}

impl Lowering for Parameter {
    fn lower(&self, cx: &mut Lower<'_>) {
        let out = cx.output();
        let count = out.channels;
        let packed = cx.vector(0, count, count);
        let mut axes = [Move::ONCE; 5];
        axes[4] = Move {
            count,
            out: 1,
            from: 1,
        };
        cx.call(CopyCall {
            out: out.access(Affine::default()),
            x: packed,
            axes,
            flush: false,
        });
    }
}
