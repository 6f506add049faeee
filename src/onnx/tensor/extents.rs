//! Extents of tensors: how many elements they have, where each lies, what two combine to.

use super::super::error::{Why, invalid};

/// Most elements of a tensor: the language's limit.
pub const ELEMENTS: usize = 1 << 31;

/// Most axes of a tensor in a file.
pub const AXES: usize = 64;

/// Number of elements, if it is within limits. No zero makes up for extents that are too large.
pub fn product(dims: &[usize]) -> Option<usize> {
    let count = dims.iter().try_fold(1usize, |count, &n| {
        count.checked_mul(n.max(1)).filter(|&n| n <= ELEMENTS)
    })?;
    Some(if dims.contains(&0) { 0 } else { count })
}

/// Steps of each axis in row-major order.
pub fn strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(dims[axis]);
    }
    strides
}

/// Calls with the place of every element of those extents and steps, in order.
pub fn each(dims: &[usize], steps: &[usize], f: &mut dyn FnMut(usize)) {
    let count = product(dims).unwrap_or(0);
    let mut index = vec![0; dims.len()];
    let mut place = 0;
    for _ in 0..count {
        f(place);
        for axis in (0..dims.len()).rev() {
            index[axis] += 1;
            place += steps[axis];
            if index[axis] < dims[axis] {
                break;
            }
            place -= steps[axis] * dims[axis];
            index[axis] = 0;
        }
    }
}

/// Extents of what two tensors combine to, as numpy has it.
pub fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Why> {
    let rank = a.len().max(b.len());
    if rank > AXES {
        return invalid(format!("{rank} axes, more than a tensor has"));
    }
    let at = |dims: &[usize], axis: usize| match (axis + dims.len()).checked_sub(rank) {
        Some(axis) => dims[axis],
        None => 1,
    };
    let mut dims = Vec::with_capacity(rank);
    for axis in 0..rank {
        dims.push(match (at(a, axis), at(b, axis)) {
            (x, y) if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            _ => return invalid(format!("{a:?} and {b:?} do not combine")),
        });
    }
    match product(&dims) {
        Some(_) => Ok(dims),
        None => invalid(format!("{dims:?} is too large")),
    }
}
