//! Elements in the place of others: what an assignment to a part of a tensor becomes.

use super::super::ctx::{Call, Ctx, Item, Val};
use super::super::error::{Why, invalid, unsupported};
use super::super::fold::written_places;
use super::super::net::Id;
use super::super::shapes::Range;
use super::super::tensor::Tensor;
use super::concat::stacked;
use super::parts::range;
use super::products::as_value;

/// `ScatterND`.
pub fn scatter(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    if call.attrs.text("reduction", "none")? != "none" {
        return unsupported("what is written is combined with what was there");
    }
    let places = call.needed(1)?;
    let vals = [0, 2].map(|at| match call.inputs.get(at) {
        Some(Some(Item::Val(val))) => Some(val.id),
        _ => None,
    });
    let Some(near) = vals.into_iter().flatten().next() else {
        return unsupported("whole numbers that are computed");
    };
    let x = value(ctx, call, 0, near)?;
    let updates = value(ctx, call, 2, near)?;
    let ranges = region(places, &x.dims)?;
    let mut own = x.dims.clone();
    for range in &ranges {
        own[range.axis] = range.count;
    }
    if own.iter().product::<usize>() != updates.dims.iter().product::<usize>() {
        return invalid(format!("{:?} is written where {own:?} is", updates.dims));
    }
    ctx.batched(&own)?;
    let updates = Val {
        id: updates.id,
        dims: own,
    };
    Ok(vec![Item::Val(replaced(ctx, &x, updates, &ranges)?)])
}

/// An operand as a tensor of the network.
fn value(ctx: &mut Ctx, call: &Call<'_>, at: usize, near: Id) -> Result<Val, Why> {
    match call.inputs.get(at) {
        Some(Some(Item::Const(tensor))) => {
            if !tensor.is_float() || tensor.to_floats().iter().any(|x| !x.is_finite()) {
                return unsupported("a constant that is not finite, or of whole numbers");
            }
            as_value(ctx, near, tensor)
        }
        _ => call.val(at),
    }
}

/// The ranges of axes that places are, one after another; axes that they take as a whole are none.
fn region(places: &Tensor, dims: &[usize]) -> Result<Vec<Range>, Why> {
    let (depth, places) = written_places(places, dims)?;
    if places.is_empty() {
        return unsupported("a tensor without elements");
    }
    let (first, last) = (&places[..depth], &places[places.len() - depth..]);
    let counts: Option<Vec<usize>> = (0..depth)
        .map(|axis| Some(last[axis].checked_sub(first[axis])? as usize + 1))
        .collect();
    let counts = counts.filter(|counts| {
        let all = counts
            .iter()
            .try_fold(1usize, |n, &count| n.checked_mul(count));
        let mut tuples = places.chunks_exact(depth).enumerate();
        all == Some(tuples.len())
            && tuples.all(|(at, tuple)| {
                let mut rest = at;
                (0..depth).rev().all(|axis| {
                    let place = first[axis] as usize + rest % counts[axis];
                    rest /= counts[axis];
                    place == tuple[axis] as usize
                })
            })
    });
    let Some(counts) = counts else {
        return unsupported("places that are no region of a tensor");
    };
    let ranges = (0..depth).map(|axis| Range {
        axis,
        first: first[axis] as usize,
        count: counts[axis],
        step: 1,
    });
    Ok(ranges
        .filter(|range| range.count != dims[range.axis])
        .collect())
}

/// A tensor with another one in those ranges.
fn replaced(ctx: &mut Ctx, x: &Val, updates: Val, ranges: &[Range]) -> Result<Val, Why> {
    let Some((own, rest)) = ranges.split_first() else {
        return Ok(updates);
    };
    let mut part = |first: usize, end: usize| match first < end {
        true => {
            let (axis, count) = (own.axis, end - first);
            let part = Range {
                axis,
                first,
                count,
                step: 1,
            };
            range(ctx, x, part).map(Some)
        }
        false => Ok(None),
    };
    let end = own.first + own.count;
    let before = part(0, own.first)?;
    let middle = part(own.first, end)?;
    let behind = part(end, x.dims[own.axis])?;
    let middle = match middle {
        Some(middle) => Some(replaced(ctx, &middle, updates, rest)?),
        None => None,
    };
    let parts: Vec<Val> = [before, middle, behind].into_iter().flatten().collect();
    let id = stacked(ctx, &parts, own.axis)?;
    Ok(Val {
        id,
        dims: x.dims.clone(),
    })
}
