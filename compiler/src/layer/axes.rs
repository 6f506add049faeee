//! Axes as a spec counts them, channels first, of tensors that are stored with channels last.

use crate::graph::Shape;
use crate::lower::Storage;

/// The axis among depth, height and width; `None` for that of the channels.
fn spatial(shape: &Shape, axis: usize) -> Option<usize> {
    Some(axis.checked_sub(1)? + 3 - shape.spatial().len())
}

/// From one element of a tensor of that shape to the next along the axis.
pub fn stride(storage: &Storage, shape: &Shape, axis: usize) -> i64 {
    spatial(shape, axis).map_or(1, |axis| storage.strides[axis])
}
