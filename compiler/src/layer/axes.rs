//! Axes as a spec counts them, channels first, of tensors that are stored with channels last.

use super::{ArgError, Args, Attribute, Kind, Literal, ParamDecl, ShapeError};
use crate::lower::Storage;
use crate::shape::Shape;

/// Declaration of `axis`.
pub const AXIS: ParamDecl = ParamDecl {
    name: "axis",
    kind: Kind::Int,
    positional: false,
    default: Some("0"),
    doc: "The axis, counted from 0, which is that of the channels; 1 is the first of the pixels.",
};

/// A list of axes, in order: `(1, 2)`, or the number of a single one.
///
/// # Errors
/// What is no list of different axes.
pub fn list(args: &Args, name: &str) -> Result<Option<Vec<usize>>, ArgError> {
    const MOST: usize = 4;
    let Some(given) = args.get(name) else {
        return Ok(None);
    };
    let items = match &given.value {
        Literal::Int(_) => std::slice::from_ref(given),
        value => value.as_items(),
    };
    let mut axes = Vec::new();
    for item in items {
        let message = match item.value {
            Literal::Int(n) => match usize::try_from(n).ok().filter(|axis| *axis < MOST) {
                Some(axis) if !axes.contains(&axis) => {
                    axes.push(axis);
                    continue;
                }
                Some(axis) => format!("axis {axis} stands twice in `{name}`"),
                None => format!("axes are 0 to {}, not {n}", MOST - 1),
            },
            _ => "an axis is an integer".to_owned(),
        };
        return Err(ArgError::new(Some(item.span), message));
    }
    if axes.is_empty() {
        let message = format!("`{name}` takes axes such as `(1, 2)`");
        return Err(args.error(name, message).help("0 is that of the channels"));
    }
    axes.sort_unstable();
    Ok(Some(axes))
}

/// `axis` as an attribute, where it is not that of the channels.
pub fn attribute(axis: usize) -> Option<(&'static str, Attribute)> {
    (axis > 0).then(|| (AXIS.name, axis.into()))
}

/// Extent of the tensor along the axis.
///
/// # Errors
/// An axis that it does not have.
pub fn extent(shape: &Shape, axis: usize) -> Result<usize, ShapeError> {
    shape.dims().get(axis).copied().ok_or_else(|| {
        let rank = shape.dims().len();
        let help = match rank {
            1 => "a vector has axis 0".to_owned(),
            _ => format!("its axes are 0 to {}, 0 for the channels", rank - 1),
        };
        ShapeError::new(format!("{shape} has no axis {axis}")).help(help)
    })
}

/// The shape with another extent along that axis, unless it has too many elements then.
pub fn with_extent(shape: &Shape, axis: usize, extent: usize) -> Option<Shape> {
    let mut dims = shape.dims().to_vec();
    dims[axis] = extent;
    Shape::new(dims)
}

/// The axis among depth, height and width; `None` for that of the channels.
pub fn spatial(shape: &Shape, axis: usize) -> Option<usize> {
    Some(axis.checked_sub(1)? + 3 - shape.spatial().len())
}

/// From one element of a tensor of that shape to the next along the axis.
pub fn stride(storage: &Storage, shape: &Shape, axis: usize) -> i64 {
    spatial(shape, axis).map_or(1, |axis| storage.strides[axis])
}

/// Elements `from..from + count` along the axis, and all along the others.
pub fn part(storage: &Storage, shape: &Shape, axis: usize, from: usize, count: usize) -> Storage {
    let Some(spatial) = spatial(shape, axis) else {
        return storage.window(from, count);
    };
    let mut part = storage.clone();
    part.base += from as i64 * storage.strides[spatial];
    part.dhw[spatial] = count;
    part
}
