//! Parts of an axis: ranges, every so many places, places of a list.

use super::super::ctx::{Call, Ctx, Item, Val, one};
use super::super::error::{Why, unsupported};
use super::super::fold::places_of;
use super::super::net::{Id, Op};
use super::super::node::axis;
use super::super::shapes::{self, Range};
use super::super::tensor::Tensor;
use super::super::text;
use super::concat::joined;

/// A range of an axis of a tensor of the network, with the language's axes.
fn part(ctx: &mut Ctx, id: Id, axis: usize, from: usize, to: usize) -> Id {
    if from == 0 && to == ctx.net.dims(id)[axis] {
        return id;
    }
    let (source, order) = ctx.below(id);
    let mut dims = ctx.net.dims(source).to_vec();
    let at = order[axis];
    dims[at] = to - from;
    // A part of a part.
    let (source, from) = match ctx.net.op(source) {
        Some(&Op::Slice(first, _, same)) if same == at => {
            (ctx.net.source(source).expect("one operand"), from + first)
        }
        _ => (source, from),
    };
    // Rows and then columns are a box of pixels.
    if at == 2
        && dims.len() == 3
        && let Some(&Op::Slice(row, _, 1)) = ctx.net.op(source)
        && let Some(whole) = ctx.net.source(source)
    {
        let outer = ctx.net.dims(whole);
        let middle = [(outer[1] - dims[1]) / 2, (outer[2] - dims[2]) / 2];
        let size = text::extents(&dims[1..]);
        let args = match middle == [row, from] {
            true => size,
            false => format!("{size} at ({row}, {from})"),
        };
        let id = ctx
            .net
            .push(Op::Text("crop", args), &[whole], Vec::new(), dims);
        return ctx.net.permute(id, &order);
    }
    let id = ctx.net.push(
        Op::Slice(from, from + dims[at], at),
        &[source],
        Vec::new(),
        dims,
    );
    ctx.net.permute(id, &order)
}

/// A range of an axis of the file's tensor.
pub fn range(ctx: &mut Ctx, x: &Val, range: Range) -> Result<Val, Why> {
    let mut dims = x.dims.clone();
    dims[range.axis] = range.count;
    if range.count == x.dims[range.axis] && range.step == 1 {
        return Ok(x.clone());
    }
    if range.count == 0 {
        return unsupported("a tensor without elements");
    }
    let (id, at) = ctx.along(x, range.axis)?;
    let id = match range.step {
        1 => part(ctx, id, at, range.first, range.first + range.count),
        _ if range.count == 1 => part(ctx, id, at, range.first, range.first + 1),
        step if step > 1 => {
            let step = step as usize;
            // From the first place on, cut so that the last is the one that is wanted.
            let extent = x.dims[range.axis];
            let cut = match range.first == 0 && extent.div_ceil(step) == range.count {
                true => id,
                false => {
                    let end = range.first + (range.count - 1) * step + 1;
                    part(ctx, id, at, range.first, end)
                }
            };
            strided(ctx, cut, at, step)
        }
        -1 => {
            let end = range.first + 1;
            let cut = part(ctx, id, at, end - range.count, end);
            let (source, order) = ctx.below(cut);
            let dims = ctx.net.dims(source).to_vec();
            let turned = ctx.net.push(
                Op::Text("flip", format!("axis {}", order[at])),
                &[source],
                Vec::new(),
                dims,
            );
            ctx.net.permute(turned, &order)
        }
        step => {
            // Backwards: one place behind the other.
            if range.count > 256 {
                return unsupported("a long axis is turned round");
            }
            let place = |i: usize| (range.first as i64 + i as i64 * step) as usize;
            let parts: Vec<Id> = (0..range.count)
                .map(|i| part(ctx, id, at, place(i), place(i) + 1))
                .collect();
            joined(ctx, &parts, at)
        }
    };
    Ok(Val { id, dims })
}

/// Every `step`-th place of an axis.
fn strided(ctx: &mut Ctx, id: Id, at: usize, step: usize) -> Id {
    let (source, order) = ctx.below(id);
    let at = order[at];
    let dims = ctx.net.dims(source).to_vec();
    let rank = dims.len();
    // Pixels have a layer for it; channels become pixels.
    let id = if at > 0 {
        let mut stride = vec![1; rank - 1];
        stride[at - 1] = step;
        let mut dims = dims;
        dims[at] = dims[at].div_ceil(step);
        // Strides of several axes are one layer.
        let (source, stride) = match (ctx.net.op(source), ctx.net.source(source)) {
            (Some(Op::Text("subsample", args)), Some(inner)) => {
                let old: Vec<usize> = args[1..]
                    .split('x')
                    .filter_map(|n| n.parse().ok())
                    .collect();
                (inner, old.iter().zip(&stride).map(|(a, b)| a * b).collect())
            }
            _ => (source, stride),
        };
        ctx.net.push(
            Op::Text("subsample", format!("/{}", text::extents(&stride))),
            &[source],
            Vec::new(),
            dims,
        )
    } else {
        let rest: usize = dims[1..].iter().product();
        let flat = ctx.net.view(source, &[1, dims[0], rest]);
        let count = dims[0].div_ceil(step);
        let taken = ctx.net.push(
            Op::Text("subsample", format!("/{step}x1")),
            &[flat],
            Vec::new(),
            vec![1, count, rest],
        );
        let mut dims = dims;
        dims[0] = count;
        ctx.net.view(taken, &dims)
    };
    ctx.net.permute(id, &order)
}

/// `Slice`.
pub fn slice(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let mut x = call.val(0)?;
    let mut operands = vec![None];
    for at in 1..call.inputs.len() {
        operands.push(call.constant(at)?);
    }
    let ranges = shapes::slices(&x.dims, call.attrs, &operands)?;
    if ranges.iter().any(|range| range.count == 0) {
        for range in ranges {
            x.dims[range.axis] = range.count;
        }
        return Ok(vec![nothing(x.dims)]);
    }
    for one in ranges {
        x = range(ctx, &x, one)?;
    }
    Ok(vec![Item::Val(x)])
}

/// A tensor without elements, which depends on nothing.
fn nothing(dims: Vec<usize>) -> Item {
    Item::Const(Tensor::floats(dims, Vec::new()))
}

/// `Split`.
pub fn split(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let at = axis(call.attrs.int("axis", 0)?, x.dims.len())?;
    let mut first = 0;
    let mut all = Vec::new();
    for count in shapes::split(x.dims[at], call.attrs, call.constant(1)?, call.outputs)? {
        let part = Range {
            axis: at,
            first,
            count,
            step: 1,
        };
        all.push(match count {
            0 => {
                let mut dims = x.dims.clone();
                dims[at] = 0;
                nothing(dims)
            }
            _ => Item::Val(range(ctx, &x, part)?),
        });
        first += count;
    }
    Ok(all)
}

/// `Gather` at constant places.
pub fn gather(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    if let Some(Some(Item::Val(_))) = call.inputs.get(1) {
        return unsupported(
            "places are computed, or an input of the graph (a table of embeddings)",
        );
    }
    let x = call.val(0)?;
    let places = call.needed(1)?.clone();
    let at = axis(call.attrs.int("axis", 0)?, x.dims.len())?;
    let list = places_of(&places, x.dims[at])?;
    let mut dims = x.dims[..at].to_vec();
    dims.extend(&places.dims);
    dims.extend(&x.dims[at + 1..]);
    let Some(&first) = list.first() else {
        return Ok(vec![nothing(dims)]);
    };
    // Places in a row are one range.
    let rows = runs(&list);
    if list.len() > 4096 {
        return unsupported("more than four thousand places");
    }
    let id = if let [(from, to)] = rows[..]
        && list.len() > 1
    {
        range(
            ctx,
            &x,
            Range {
                axis: at,
                first: from,
                count: to - from,
                step: 1,
            },
        )?
        .id
    } else if list.len() == 1 {
        range(
            ctx,
            &x,
            Range {
                axis: at,
                first,
                count: 1,
                step: 1,
            },
        )?
        .id
    } else {
        let (id, place) = ctx.along(&x, at)?;
        let (source, order) = ctx.below(id);
        let mut taken = ctx.net.dims(source).to_vec();
        taken[order[place]] = list.len();
        let words: Vec<String> = list.iter().map(usize::to_string).collect();
        let args = match order[place] {
            0 => format!("({})", words.join(", ")),
            axis => format!("({}) axis {axis}", words.join(", ")),
        };
        let id = ctx
            .net
            .push(Op::Text("gather", args), &[source], Vec::new(), taken);
        ctx.net.permute(id, &order)
    };
    ctx.batched(&dims)?;
    one(id, dims)
}

/// Ranges of places that follow each other.
fn runs(list: &[usize]) -> Vec<(usize, usize)> {
    let mut all: Vec<(usize, usize)> = Vec::new();
    for &place in list {
        match all.last_mut() {
            Some(last) if last.1 == place => last.1 += 1,
            _ => all.push((place, place + 1)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    #[test]
    fn ranges_of_places() {
        assert_eq!(super::runs(&[3, 4, 5, 1, 2, 9]), [(3, 6), (1, 3), (9, 10)]);
    }
}
