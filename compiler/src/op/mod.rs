//! Operations that no spec can write: what gradients and training steps need beside the layers of the language.
//!
//! An operation is a [`Layer`](crate::layer::Layer) like any other, but that it has no declaration. One that is evaluated only, and not lowered to loops, keeps
//! networks that need it from being trained.
//! They are as general as the rules allow: one [`slope::Slope`] for all activations, one [`along::Along`] for everything that is a sparse matrix along each axis.

pub mod along;
pub mod batch_norm;
pub mod batch_sum;
pub mod contrastive;
pub mod conv;
mod conv_loops;
mod conv_winograd;
pub mod cross_entropy;
pub mod deviation;
pub mod extremum;
mod local_loops;
pub mod lrn;
pub mod maxpool;
pub mod parameter;
pub mod product;
pub mod regions;
mod scatter;
pub mod shares;
pub mod slope;
pub mod sums;
pub mod total;
pub mod update;

use crate::shape::Shape;

/// Every operation of gradients: what their nodes are is these and [`crate::layer::LAYERS`].
pub static OPS: &[&str] = &[
    along::KEYWORD,
    conv::INPUT,
    conv::WEIGHT,
    extremum::KEYWORD,
    lrn::NEAR,
    lrn::POWER,
    maxpool::KEYWORD,
    parameter::KEYWORD,
    product::KEYWORD,
    regions::ALIGN,
    regions::POOL,
    shares::FACTORS,
    slope::KEYWORD,
    sums::PIXELS,
    sums::TOGETHER,
];

/// The operations of training steps, beside those: losses, statistics of a batch, optimisers.
pub static STEPS: &[&str] = &[
    batch_norm::BACKWARD,
    batch_norm::COUNT,
    batch_norm::FORWARD,
    batch_norm::MEAN,
    batch_norm::PRODUCT,
    batch_norm::VARIANCE,
    batch_sum::KEYWORD,
    contrastive::GRADIENT,
    contrastive::LOSS,
    cross_entropy::GRADIENT,
    cross_entropy::LOSS,
    deviation::GRADIENT,
    deviation::LOSS,
    update::KEYWORD,
];

/// The shape of a tensor's gradient as a value: a vector in the order of the tensor's elements.
///
/// # Panics
/// On a tensor that the [limits](crate::limits) do not allow.
pub fn flat(tensor: &[usize]) -> Shape {
    Shape::new([tensor.iter().product()]).expect("tensors of layers are within the limits")
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
