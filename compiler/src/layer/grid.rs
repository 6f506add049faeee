//! Tensors as channel × depth × height × width grids: what reference evaluations loop over.

use super::ShapeError;
use crate::shape::Shape;
use ndarray::{ArrayD, ArrayView4, Axis, Ix4, IxDyn};

/// A tensor of any rank as `[C, D, H, W]`, with 1 for the dimensions that it does not have.
pub fn view(tensor: &ArrayD<f64>) -> ArrayView4<'_, f64> {
    let mut view = tensor.view();
    while view.ndim() < 4 {
        view = view.insert_axis(Axis(1));
    }
    view.into_dimensionality::<Ix4>()
        .expect("a tensor has at most four dimensions")
}

/// The tensor of that shape whose element at `[c, d, h, w]` is `value([c, d, h, w])`.
pub fn tabulate(shape: &Shape, mut value: impl FnMut([usize; 4]) -> f64) -> ArrayD<f64> {
    let [depth, height, width] = shape.dhw();
    let mut elements = Vec::with_capacity(shape.elements());
    for c in 0..shape.channels() {
        for d in 0..depth {
            for h in 0..height {
                for w in 0..width {
                    elements.push(value([c, d, h, w]));
                }
            }
        }
    }
    ArrayD::from_shape_vec(IxDyn(shape.dims()), elements).expect("one element for each index")
}

/// Shape of a tensor that `infer` has accepted.
pub fn shape(tensor: &ArrayD<f64>) -> Shape {
    Shape::new(tensor.shape()).expect("operands have shapes that were inferred")
}

/// Extents for each spatial axis of `shape`: a single one stands for all.
///
/// # Errors
/// Another number of extents than axes, or no axis at all.
pub fn per_axis(extents: &[usize], shape: &Shape, name: &str) -> Result<Vec<usize>, ShapeError> {
    let rank = shape.spatial().len();
    match extents {
        _ if rank == 0 => Err(ShapeError::new(format!(
            "{shape} is a vector: it has no pixels that `{name}` could apply to"
        ))),
        &[extent] => Ok(vec![extent; rank]),
        _ if extents.len() == rank => Ok(extents.to_vec()),
        _ => Err(ShapeError::new(format!(
            "`{name}` has {} extents, {shape} has {rank} spatial dimensions",
            extents.len()
        ))),
    }
}
