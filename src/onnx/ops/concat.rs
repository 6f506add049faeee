//! Tensors behind one another.

use super::super::ctx::{Call, Ctx, Item, Val, one};
use super::super::error::{Why, invalid, unsupported};
use super::super::net::{Id, Op, RANK};
use super::super::node::axis;
use super::super::tensor::product;
use super::products::as_value;

/// `Concat`.
pub fn concat(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let mut vals = Vec::new();
    let computed = call
        .inputs
        .iter()
        .position(|item| matches!(item, Some(Item::Val(_))));
    for at in 0..call.inputs.len() {
        match (&call.inputs[at], computed) {
            // Nothing, as torch writes a list that begins empty.
            (Some(Item::Const(tensor)), _) if tensor.len() == 0 => {}
            (Some(Item::Const(tensor)), Some(near)) => {
                if !tensor.is_float() || tensor.to_floats().iter().any(|x| !x.is_finite()) {
                    return unsupported(
                        "a constant that stands beside what is computed is not finite",
                    );
                }
                let near = call.val(near)?.id;
                vals.push(as_value(ctx, near, tensor)?);
            }
            (Some(Item::Const(_)), None) => {
                return unsupported("constants stand beside whole numbers that are computed");
            }
            _ => vals.push(call.val(at)?),
        }
    }
    let Some(first) = vals.first() else {
        return invalid("nothing to put together");
    };
    let at = axis(call.attrs.int("axis", 1)?, first.dims.len())?;
    let mut dims = first.dims.clone();
    dims[at] = 0;
    for val in &vals {
        let fits = val.dims.len() == dims.len()
            && (0..dims.len()).all(|axis| axis == at || val.dims[axis] == first.dims[axis]);
        if !fits {
            return invalid(format!(
                "{:?} and {:?} cannot stand behind one another along axis {at}",
                first.dims, val.dims
            ));
        }
        dims[at] += val.dims[at];
    }
    if product(&dims).is_none() {
        return unsupported(format!("a tensor of {dims:?} is too large"));
    }
    if vals.len() == 1 {
        return Ok(vec![Item::Val(first.clone())]);
    }
    let id = stacked(ctx, &vals, at)?;
    one(id, dims)
}

/// Tensors behind one another.
pub fn stacked(ctx: &mut Ctx, vals: &[Val], axis: usize) -> Result<Id, Why> {
    // Whether the axis exists may differ with the batch of one, so all have the groups around it.
    let natural = vals.iter().all(|val| {
        let lead = ctx.lead(&val.dims);
        axis >= lead
            && val.dims.len() - lead <= RANK
            && val.dims.len() - lead == vals[0].dims.len() - ctx.lead(&vals[0].dims)
    });
    let mut parts = Vec::new();
    let mut at = 0;
    for val in vals {
        if natural {
            let (id, place) = ctx.along(val, axis)?;
            (at, _) = (place, parts.push(id));
        } else {
            if ctx.batch.is_some() && axis == 0 {
                return unsupported("images of a batch are put behind one another");
            }
            let before: usize = val.dims[..axis].iter().product();
            let behind: usize = val.dims[axis + 1..].iter().product();
            let dims: Vec<usize> = match before {
                1 => vec![val.dims[axis], behind],
                _ => vec![before, val.dims[axis], behind],
            };
            (at, _) = (
                usize::from(before != 1),
                parts.push(ctx.net.view(val.id, &dims)),
            );
        }
    }
    // Below one change of axes.
    let below: Vec<_> = parts.iter().map(|&id| ctx.below(id)).collect();
    let order = below[0].1.clone();
    if !order.is_sorted() && below.iter().all(|(_, other)| *other == order) {
        let ids: Vec<Id> = below.iter().map(|(id, _)| *id).collect();
        let id = joined(ctx, &ids, order[at]);
        return Ok(ctx.net.permute(id, &order));
    }
    Ok(joined(ctx, &parts, at))
}

/// `concat`.
pub fn joined(ctx: &mut Ctx, ids: &[Id], axis: usize) -> Id {
    let mut dims = ctx.net.dims(ids[0]).to_vec();
    dims[axis] = ids.iter().map(|&id| ctx.net.dims(id)[axis]).sum();
    ctx.net.push(Op::Concat(axis), ids, Vec::new(), dims)
}
