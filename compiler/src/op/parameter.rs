//! `parameter`: a tensor of the network as a value.

use crate::gradient::{Adjoint, NoGradient};
use crate::layer::{Attribute, Attributes, Inferred, Layer, Lowering, ParamSpec, ShapeError, copy};
use crate::loops::Affine;
use crate::lower::{Lower, Storage};
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

impl Parameter {
    fn elements(&self) -> usize {
        self.tensor.shape.iter().product()
    }
}

impl Layer for Parameter {
    fn attributes(&self) -> (&'static str, Attributes) {
        (
            KEYWORD,
            vec![("shape", Attribute::extents(self.shape.dims()))],
        )
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

    fn gradient(&self, g: &mut Adjoint<'_>) -> Result<(), NoGradient> {
        if self.elements() != self.shape.elements() {
            return g.refuse("it is repeated");
        }
        if g.wants_param(0) {
            let dy = g.dy();
            g.give_param(0, dy);
        }
        Ok(())
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        // As many elements, or a number for all channels; anything else is evaluated only.
        let number = self.elements() == 1 && self.shape.spatial().is_empty();
        let fits = number || self.elements() == self.shape.elements();
        fits.then_some(self as &dyn Lowering)
    }
}

impl Lowering for Parameter {
    fn lower(&self, cx: &mut Lower<'_>) {
        let out = cx.output();
        if self.elements() > 1 {
            let tensor = cx.tensor(0);
            let elements = Storage {
                buffer: tensor.buffer,
                base: tensor.offset.base,
                ..out.clone()
            };
            let dims = copy::inverse(&copy::row_major(&out));
            return copy::copy(cx, &out, &elements, &dims);
        }
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
