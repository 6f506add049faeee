//! Extents that operators make of extents: what both constants and tensors of the network go by.

use super::error::{Why, invalid};
use super::node::{Attrs, axes};
use super::tensor::{AXES, Tensor, product};

/// Whole numbers of an operand that must be constant: shapes, axes, places.
pub(super) fn ints(tensor: Option<&Tensor>) -> Result<Option<Vec<i64>>, Why> {
    let Some(tensor) = tensor else {
        return Ok(None);
    };
    match tensor.to_ints() {
        Some(values) => Ok(Some(values.to_vec())),
        None => invalid("an operand that lists whole numbers is of floating point"),
    }
}

/// A list that is an attribute in old operator sets, and an operand in new ones.
pub(super) fn listed(
    attrs: &Attrs<'_>,
    name: &str,
    operand: Option<&Tensor>,
) -> Result<Option<Vec<i64>>, Why> {
    match operand {
        Some(_) => ints(operand),
        None => Ok(attrs.ints(name)?.map(<[i64]>::to_vec)),
    }
}

/// What `Reshape` makes.
pub(super) fn reshape(dims: &[usize], wanted: &[i64], allow_zero: bool) -> Result<Vec<usize>, Why> {
    if wanted.len() > AXES {
        return invalid(format!("{} axes, more than a tensor has", wanted.len()));
    }
    let mut result = Vec::with_capacity(wanted.len());
    let mut open = None;
    for (at, &n) in wanted.iter().enumerate() {
        result.push(match n {
            -1 if open.is_none() => {
                open = Some(at);
                1
            }
            0 if !allow_zero => match dims.get(at) {
                Some(&n) => n,
                None => return invalid(format!("{dims:?} has no extent {at} to be kept")),
            },
            n => match usize::try_from(n) {
                Ok(n) => n,
                Err(_) => return invalid(format!("{wanted:?} are no extents")),
            },
        });
    }
    let count = dims.iter().product::<usize>();
    if let Some(at) = open {
        match product(&result) {
            Some(rest) if rest > 0 && count.is_multiple_of(rest) => result[at] = count / rest,
            _ => return invalid(format!("{dims:?} does not become {wanted:?}")),
        }
    }
    match product(&result) == Some(count) {
        true => Ok(result),
        false => invalid(format!("{dims:?} does not become {wanted:?}")),
    }
}

/// What `Squeeze` leaves.
pub(super) fn squeeze(dims: &[usize], list: Option<&[i64]>) -> Result<Vec<usize>, Why> {
    let out = match list {
        Some(list) => axes(list, dims.len())?,
        None => (0..dims.len()).filter(|&axis| dims[axis] == 1).collect(),
    };
    if let Some(&axis) = out.iter().find(|&&axis| dims[axis] != 1) {
        return invalid(format!("axis {axis} of {dims:?} is not 1"));
    }
    Ok((0..dims.len())
        .filter(|axis| !out.contains(axis))
        .map(|axis| dims[axis])
        .collect())
}

/// What `Unsqueeze` makes.
pub(super) fn unsqueeze(dims: &[usize], list: &[i64]) -> Result<Vec<usize>, Why> {
    let rank = dims.len() + list.len();
    if rank > AXES {
        return invalid(format!("{rank} axes, more than a tensor has"));
    }
    let new = axes(list, rank)?;
    let mut old = dims.iter();
    Ok((0..rank)
        .map(|axis| {
            if new.contains(&axis) {
                1
            } else {
                *old.next().expect("as many as there are")
            }
        })
        .collect())
}

/// The order of axes of `Transpose`.
pub(super) fn permutation(attrs: &Attrs<'_>, rank: usize) -> Result<Vec<usize>, Why> {
    let order = match attrs.ints("perm")? {
        Some(list) => axes(list, rank)?,
        None => (0..rank).rev().collect(),
    };
    match order.len() == rank {
        true => Ok(order),
        false => invalid(format!(
            "{order:?} are not the axes of a tensor with {rank}"
        )),
    }
}

/// A range of an axis: first place, number of places, step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub axis: usize,
    pub first: usize,
    pub count: usize,
    pub step: i64,
}

/// What `Slice` takes, axis by axis.
pub(super) fn slices(
    dims: &[usize],
    attrs: &Attrs<'_>,
    operands: &[Option<&Tensor>],
) -> Result<Vec<Range>, Why> {
    let get = |at: usize| operands.get(at).copied().flatten();
    let starts = listed(attrs, "starts", get(1))?;
    let ends = listed(attrs, "ends", get(2))?;
    let (Some(starts), Some(ends)) = (starts, ends) else {
        return invalid("a slice without its beginning or end");
    };
    let list = match listed(attrs, "axes", get(3))? {
        Some(list) => axes(&list, dims.len())?,
        None => (0..starts.len()).collect(),
    };
    let steps = ints(get(4))?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), list.len(), steps.len()] != [starts.len(); 3]
        || list.iter().any(|&axis| axis >= dims.len())
    {
        return invalid("a slice whose lists do not fit each other");
    }
    let mut ranges = Vec::new();
    for (at, &axis) in list.iter().enumerate() {
        let n = dims[axis] as i64;
        let step = steps[at];
        if step == 0 {
            return invalid("a slice with a step of 0");
        }
        let place = |x: i64| if x < 0 { x.saturating_add(n) } else { x };
        let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
        let (first, end) = (
            place(starts[at]).clamp(low, high),
            place(ends[at]).clamp(low, high),
        );
        let span = if step > 0 { end - first } else { first - end };
        let length = i128::from(step).abs();
        let count = (i128::from(span.max(0)) + length - 1) / length;
        ranges.push(Range {
            axis,
            first: first.max(0) as usize,
            count: count as usize,
            step,
        });
    }
    Ok(ranges)
}

/// Extents of the parts of `Split`.
pub(super) fn split(
    extent: usize,
    attrs: &Attrs<'_>,
    operand: Option<&Tensor>,
    outputs: usize,
) -> Result<Vec<usize>, Why> {
    let parts: Vec<usize> = match listed(attrs, "split", operand)? {
        Some(list) => {
            let sound: Option<Vec<usize>> = list.iter().map(|&n| usize::try_from(n).ok()).collect();
            match sound {
                Some(parts) => parts,
                None => return invalid(format!("{list:?} are no parts")),
            }
        }
        None => {
            let parts = usize::try_from(attrs.int("num_outputs", outputs as i64)?).unwrap_or(0);
            if parts == 0 || parts > 1 << 16 {
                return invalid(format!("{parts} parts"));
            }
            let each = extent.div_ceil(parts);
            (0..parts)
                .map(|at| each.min(extent.saturating_sub(at * each)))
                .collect()
        }
    };
    let sum = parts.iter().try_fold(0usize, |sum, &n| sum.checked_add(n));
    match sum == Some(extent) && parts.len() >= outputs {
        true => Ok(parts),
        false => invalid(format!("parts {parts:?} of {extent}")),
    }
}
