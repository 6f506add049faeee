//! `product`: a matrix times the channels of each pixel.

use crate::layer::{Attributes, Inferred, Layer, Lowering, ShapeError, copy};
use crate::loops::Affine;
use crate::lower::Lower;
use crate::shape::Shape;
use cnnc_runtime::kernel::{Axis, OuterCall, Pace};
use ndarray::{ArrayD, IxDyn};

/// Its keyword.
pub const KEYWORD: &str = "product";

/// `y[i, p] = Σ a[i, k] · x[k, p]` of the operands a and x.
#[derive(Clone, Debug)]
pub struct Product;

impl Layer for Product {
    fn attributes(&self) -> (&'static str, Attributes) {
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

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for Product {
    /// The pixels of each channel side by side, so that they are the rows of one matrix.
    fn lower(&self, cx: &mut Lower<'_>) {
        let (out, a, x) = (cx.output(), cx.input(0), cx.input(1));
        let flat = copy::unfolded(cx, &x);
        let [planes, rows, width] = out.dhw;
        let channels = Pace {
            count: x.channels,
            a: x.pixels() as i64,
            b: a.strides[2],
        };
        cx.parallel(planes, |cx, plane| {
            cx.parallel(rows, |cx, row| {
                let line = plane.clone().times(rows as i64).add(&row);
                let to = plane.times(out.strides[0]).add(&row.times(out.strides[1]));
                cx.call(OuterCall {
                    pixels: [Pace::ONCE, Pace::ONCE, channels],
                    rows: Axis {
                        count: width,
                        stride: out.strides[2],
                    },
                    columns: out.channels,
                    out: out.access(to),
                    acc: None,
                    a: flat.access(line.times(width as i64)),
                    b: a.access(Affine::default()),
                });
            });
        });
    }
}
