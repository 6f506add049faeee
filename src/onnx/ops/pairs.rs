//! Two tensors of the network, element by element.

use super::super::ctx::{Ctx, Val};
use super::super::error::{Why, unsupported};
use super::super::net::{Id, Op, RANK};
use super::super::tensor::Tensor;
use super::l2norm::l2norm;
use super::normal::normal;

/// Two tensors of the network.
pub fn tensors(ctx: &mut Ctx, op: &str, a: &Val, b: &Val, dims: &[usize]) -> Result<Id, Why> {
    // The first axis of each is the batch, and stays the first.
    if ctx.batch.is_some() && a.dims.len() != b.dims.len() {
        return unsupported(format!(
            "operands of {:?} and {:?}: the images of a batch are mixed",
            a.dims, b.dims
        ));
    }
    let normal = match op {
        "Div" if dims == a.dims => l2norm(ctx, a, b).or_else(|| normal(ctx, a, b, false)),
        "Mul" if dims == a.dims && dims != b.dims => normal(ctx, a, b, true),
        "Mul" if dims == b.dims && dims != a.dims => normal(ctx, b, a, true),
        _ => None,
    };
    if let Some(id) = normal {
        return Ok(id);
    }
    // Below one change of axes.
    if a.dims == b.dims && ctx.net.dims(a.id) == ctx.net.dims(b.id) {
        let ((x, first), (y, second)) = (ctx.below(a.id), ctx.below(b.id));
        if first == second && !first.is_sorted() {
            let id = joined(ctx, op, x, y);
            return Ok(ctx.net.permute(id, &first));
        }
    }
    let to = ctx.lang(dims);
    let mut ids = [a.id, b.id];
    let mut vector = false;
    for (id, val) in ids.iter_mut().zip([a, b]) {
        let mut from = vec![1; dims.len() - val.dims.len()];
        from.extend(&val.dims);
        let from = from[dims.len() - to.len().min(dims.len())..].to_vec();
        let count: usize = from.iter().product();
        if count == to.iter().product::<usize>() {
            *id = ctx.net.view(*id, &to);
        } else if dims.len() - ctx.lead(dims) > RANK || from.len() != to.len() {
            return merged(ctx, op, a, b, dims);
        } else if count == to[0] && from[0] == to[0] && to.len() > 1 && !vector {
            // A number for each channel is repeated by the layer itself.
            vector = true;
            *id = ctx.net.view(*id, &[to[0]]);
        } else {
            *id = ctx.net.view(*id, &from);
        }
    }
    let [x, y] = ids;
    Ok(joined(ctx, op, x, y))
}

/// A constant as a tensor of the network, of as many axes as that beside it has.
pub fn beside(ctx: &mut Ctx, near: &Val, constant: &Tensor) -> Result<Val, Why> {
    let mut dims = vec![1; near.dims.len().saturating_sub(constant.dims.len())];
    dims.extend(&constant.dims);
    let lead = ctx.lead(&dims).min(dims.len());
    if ctx.batch.is_some() && dims.first() != Some(&1) {
        return unsupported("a constant with numbers of its own for each image of a batch");
    }
    ctx.pay(constant.unwidened() + constant.len())?;
    let own = match dims.len() - lead {
        0..=RANK => ctx.lang(&dims),
        _ => vec![constant.len()],
    };
    let numbers = Tensor::floats(own, constant.to_floats().into_owned());
    let id = ctx.net.constant(near.id, numbers);
    Ok(Val { id, dims })
}

/// Operands with more axes than the language has: axes that both have, or that one repeats, are one where they stand together.
fn merged(ctx: &mut Ctx, op: &str, a: &Val, b: &Val, dims: &[usize]) -> Result<Id, Why> {
    let lead = usize::from(ctx.batch.is_some());
    let full = |val: &Val| {
        let mut all = vec![1; dims.len() - val.dims.len()];
        all.extend(&val.dims);
        all
    };
    let (a_dims, b_dims) = (full(a), full(b));
    let mut groups: Vec<(usize, usize, (bool, bool))> = Vec::new();
    for axis in lead..dims.len() {
        let (m, n) = (a_dims[axis], b_dims[axis]);
        if m == 1 && n == 1 {
            continue;
        }
        let kind = (m == 1, n == 1);
        match groups.last_mut() {
            Some(last) if last.2 == kind => *last = (last.0 * m, last.1 * n, kind),
            _ => groups.push((m, n, kind)),
        }
    }
    if groups.len() > RANK {
        return unsupported(format!("operands of {:?} and {:?}", a.dims, b.dims));
    }
    let x: Vec<usize> = groups.iter().map(|group| group.0).collect();
    let y: Vec<usize> = groups.iter().map(|group| group.1).collect();
    let (x, y) = (ctx.net.view(a.id, &x), ctx.net.view(b.id, &y));
    Ok(joined(ctx, op, x, y))
}

/// The layer of two tensors: an axis of extent 1 is repeated, and a vector has a number for each channel.
pub fn joined(ctx: &mut Ctx, op: &str, x: Id, y: Id) -> Id {
    let (a, b) = (ctx.net.dims(x).to_vec(), ctx.net.dims(y).to_vec());
    let rank = a.len().max(b.len());
    let whole = |dims: &[usize]| {
        let mut dims = dims.to_vec();
        dims.resize(rank, 1);
        dims
    };
    let dims: Vec<usize> = whole(&a)
        .iter()
        .zip(whole(&b))
        .map(|(&m, n)| m.max(n))
        .collect();
    let word = match op {
        "Mul" if a == b => return ctx.net.product(x, y),
        "Mul" => "mul",
        "Add" => "add",
        "Sub" => "sub",
        "Div" => "div",
        "Pow" => "power",
        "Less" => "less",
        "Equal" => "equal",
        "Max" => "max",
        _ => "min",
    };
    // The larger one first, which says what the result is.
    let ordered = matches!(op, "Sub" | "Div" | "Pow" | "Less");
    let ids = match ordered || a.iter().product::<usize>() >= b.iter().product() {
        true => [x, y],
        false => [y, x],
    };
    ctx.net.push(Op::Word(word), &ids, Vec::new(), dims)
}
