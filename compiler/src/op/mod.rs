//! Operations that no spec can write: what gradients need beside the layers of the language.
//!
//! An operation is a [`Layer`](crate::layer::Layer) like any other, but for two things: it has no declaration, and no loops compute it, so that it is evaluated only.
//! They are as general as the rules allow: one [`slope::Slope`] for all activations, one [`along::Along`] for everything that is a sparse matrix along each axis.

pub mod along;
pub mod conv;
pub mod extremum;
pub mod lrn;
pub mod maxpool;
pub mod parameter;
pub mod product;
pub mod regions;
pub mod shares;
pub mod slope;
pub mod sums;

use crate::shape::Shape;

/// Every operation that is no layer of the language: what nodes may be is these and [`crate::layer::LAYERS`].
pub static OPS: &[&str] = &[
    along::KEYWORD,
    conv::INPUT,
    conv::WEIGHT,
    extremum::KEYWORD,
    lrn::KEYWORD,
    maxpool::KEYWORD,
    parameter::KEYWORD,
    product::KEYWORD,
    regions::ALIGN,
    regions::POOL,
    shares::FACTORS,
    shares::GRADIENT,
    slope::KEYWORD,
    sums::PIXELS,
    sums::TOGETHER,
];

/// The shape of a tensor's gradient as a value, which has four dimensions at most: all behind the third are one. The elements have the
/// tensor's order.
///
/// # Panics
/// On a tensor that the [limits](crate::limits) do not allow.
pub fn folded(tensor: &[usize]) -> Shape {
    let mut dims = tensor.to_vec();
    if dims.len() > 4 {
        let rest = dims.drain(3..).product();
        dims.push(rest);
    }
    Shape::new(dims).expect("tensors of layers are within the limits")
}

/// The one shape that all operands have.
///
/// # Errors
/// One that differs.
fn same_shape(keyword: &str, inputs: &[Shape]) -> Result<Shape, crate::layer::ShapeError> {
    match inputs.iter().find(|shape| **shape != inputs[0]) {
        None => Ok(inputs[0].clone()),
        Some(other) => Err(crate::layer::ShapeError::new(format!(
            "`{keyword}` cannot combine {} and {other}",
            inputs[0]
        ))),
    }
}
