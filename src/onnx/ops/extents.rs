//! Other extents: for the same elements, or for more of them.

use super::super::ctx::{Call, Ctx, Item, one};
use super::super::error::{Why, invalid, unsupported};
use super::super::net::RANK;
use super::super::node::axis;
use super::super::shapes;
use super::super::tensor::broadcast;

/// `Reshape`, `Flatten`, `Squeeze`, `Unsqueeze`: other extents for the same elements.
pub fn extents(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let rank = x.dims.len();
    let dims = match call.op {
        "Reshape" => match shapes::listed(call.attrs, "shape", call.constant(1)?)? {
            Some(wanted) => {
                shapes::reshape(&x.dims, &wanted, call.attrs.int("allowzero", 0)? == 1)?
            }
            None => return invalid("a reshape without extents"),
        },
        "Flatten" => {
            let at = match call.attrs.int("axis", 1)? {
                at if at == rank as i64 => rank,
                at => axis(at, rank)?,
            };
            vec![x.dims[..at].iter().product(), x.dims[at..].iter().product()]
        }
        "Squeeze" => shapes::squeeze(
            &x.dims,
            shapes::listed(call.attrs, "axes", call.constant(1)?)?.as_deref(),
        )?,
        _ => {
            let list = shapes::listed(call.attrs, "axes", call.constant(1)?)?;
            shapes::unsqueeze(&x.dims, &list.unwrap_or_default())?
        }
    };
    ctx.batched(&dims)?;
    one(x.id, dims)
}

/// `Expand` and `Tile`.
pub fn repeat(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let mut x = call.val(0)?;
    let Some(list) = shapes::ints(call.constant(1)?)? else {
        return invalid("extents are missing");
    };
    if list.iter().any(|n| !(0..=1 << 31).contains(n)) {
        return invalid(format!("extents of {list:?}"));
    }
    let list: Vec<usize> = list.iter().map(|&n| n as usize).collect();
    if call.op == "Tile" {
        if list.len() != x.dims.len() {
            return invalid(format!("{list:?} tiles of {:?}", x.dims));
        }
        for (axis, &n) in list.iter().enumerate() {
            if n == 0 || n > 256 {
                return unsupported(format!("{n} tiles"));
            }
            if n > 1 {
                let (id, at) = ctx.along(&x, axis)?;
                let from = ctx.net.dims(id).to_vec();
                let mut to = from.clone();
                to[at] *= n;
                x.id = ctx.net.expand(id, &from, &to);
                x.dims[axis] *= n;
            }
        }
        ctx.batched(&x.dims)?;
        return Ok(vec![Item::Val(x)]);
    }
    let dims = broadcast(&x.dims, &list)?;
    ctx.batched(&dims)?;
    if dims.iter().product::<usize>() == x.dims.iter().product::<usize>() {
        return one(x.id, dims);
    }
    let to = ctx.lang(&dims);
    let mut from = vec![1; dims.len() - x.dims.len()];
    from.extend(&x.dims);
    let from = from[dims.len() - to.len().min(dims.len())..].to_vec();
    if from.len() != to.len() || dims.len() - ctx.lead(&dims) > RANK {
        // One axis at a time, with what stands before and behind it.
        let mut full = vec![1; dims.len() - x.dims.len()];
        full.extend(&x.dims);
        let mut id = x.id;
        for axis in 0..dims.len() {
            if full[axis] != dims[axis] {
                let before: usize = full[..axis].iter().product();
                let behind: usize = full[axis + 1..].iter().product();
                id = ctx
                    .net
                    .expand(id, &[before, 1, behind], &[before, dims[axis], behind]);
                full[axis] = dims[axis];
            }
        }
        return one(id, dims);
    }
    let id = ctx.net.expand(x.id, &from, &to);
    one(id, dims)
}
