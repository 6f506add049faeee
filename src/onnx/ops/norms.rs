//! Norms and softmax: elements by what others are.

use super::super::ctx::{Call, Ctx, Item, Val, one};
use super::super::error::{Why, invalid, unsupported};
use super::super::net::{Op, RANK};
use super::super::node::axis;
use super::super::tensor::{Tensor, broadcast};
use super::pointwise::epsilon;

/// `Softmax`, `LogSoftmax`, `Hardmax`.
pub fn softmax(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let rank = x.dims.len();
    let old = call.opset < 13;
    let at = axis(call.attrs.int("axis", if old { 1 } else { -1 })?, rank)?;
    let (id, place) = if old && x.dims[at + 1..].iter().any(|&n| n != 1) {
        // Before operator set 13 everything from the axis on was one.
        let mut flat = x.clone();
        flat.dims = vec![x.dims[..at].iter().product(), x.dims[at..].iter().product()];
        if at == 0 || ctx.batch.is_some_and(|batch| flat.dims[0] != batch) {
            return unsupported("it goes over the axis of the batch");
        }
        ctx.along(&flat, 1)?
    } else {
        ctx.along(&x, at)?
    };
    let (source, order) = ctx.below(id);
    let word = match call.op {
        "Softmax" => "softmax",
        "LogSoftmax" => "logsoftmax",
        _ => "hardmax",
    };
    let op = match order[place] {
        0 => Op::Word(word),
        axis => Op::Text(word, format!("axis {axis}")),
    };
    let dims = ctx.net.dims(source).to_vec();
    let id = ctx.net.push(op, &[source], Vec::new(), dims);
    let id = ctx.net.permute(id, &order);
    one(id, x.dims)
}

/// `LpNormalization`.
pub fn lp_norm(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    if call.attrs.int("p", 2)? != 2 {
        return unsupported("`p` 1");
    }
    let at = axis(call.attrs.int("axis", -1)?, x.dims.len())?;
    let (id, place) = ctx.along(&x, at)?;
    let (front, back) = ctx.front(id, place);
    let dims = ctx.net.dims(front).to_vec();
    let id = ctx.net.push(
        Op::Text("l2norm", String::new()),
        &[front],
        Vec::new(),
        dims,
    );
    let id = ctx.net.permute(id, &back);
    one(id, x.dims)
}

/// `InstanceNormalization`, `GroupNormalization`, `MeanVarianceNormalization`.
pub fn map_norm(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    if x.dims.len() < 3 {
        return unsupported(format!("a norm of {:?}", x.dims));
    }
    let id = ctx.map(&x)?;
    let channels = x.dims[1];
    let dims = ctx.net.dims(id).to_vec();
    let id = match call.op {
        "InstanceNormalization" => {
            let params = vec![
                ("weight", call.vector(1, channels)?),
                ("bias", call.vector(2, channels)?),
            ];
            let args = format!("{} affine", epsilon(call)?);
            ctx.net
                .push(Op::Text("instancenorm", args), &[id], params, dims)
        }
        "GroupNormalization" => {
            let groups = usize::try_from(call.attrs.int("num_groups", 0)?).unwrap_or(0);
            if groups == 0 || channels % groups != 0 {
                return invalid(format!("{groups} groups of {channels} channels"));
            }
            // The extent is the input's alone: a small file may say any.
            if groups != channels && ctx.pay(channels.saturating_mul(2)).is_err() {
                return unsupported(format!("parameters of {channels} channels"));
            }
            let each = |at: usize| -> Result<Tensor, Why> {
                let given = call.needed(at)?;
                // A number for each group, before operator set 21.
                match given.len() == groups && groups != channels {
                    true => {
                        let values = given.to_floats();
                        let all = (0..channels)
                            .map(|c| values[c / (channels / groups)])
                            .collect();
                        Ok(Tensor::floats(vec![channels], all))
                    }
                    false => call.vector(at, channels),
                }
            };
            let params = vec![("weight", each(1)?), ("bias", each(2)?)];
            let args = format!("{groups} {}", epsilon(call)?);
            ctx.net
                .push(Op::Text("groupnorm", args), &[id], params, dims)
        }
        _ => {
            let list = call
                .attrs
                .ints("axes")?
                .map_or(vec![0, 2, 3], <[i64]>::to_vec);
            if list != [0, 2, 3] || ctx.batch.is_some() || x.dims.len() != 4 {
                return unsupported(format!("`axes` is {list:?}"));
            }
            ctx.net.push(
                Op::Text("instancenorm", "eps 1e-9".into()),
                &[id],
                Vec::new(),
                dims,
            )
        }
    };
    one(id, x.dims)
}

/// `LayerNormalization`.
pub fn layer_norm(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let at = axis(call.attrs.int("axis", -1)?, x.dims.len())?;
    let lead = ctx.lead(&x.dims);
    let normal = normalised(ctx, call, &x, at, lead)?;
    if call.outputs < 2 {
        return Ok(normal);
    }
    // Mean, and one over the deviation.
    let n: usize = x.dims[at..].iter().product();
    let before: usize = x.dims[lead.min(at)..at].iter().product();
    let flat = ctx.net.view(x.id, &[before, n]);
    let mean = ctx.net.push(
        Op::Text("reduce", "mean (1) keep".into()),
        &[flat],
        Vec::new(),
        vec![before, 1],
    );
    let centred = ctx
        .net
        .push(Op::Word("sub"), &[flat, mean], Vec::new(), vec![before, n]);
    let square = ctx.net.unary(Op::Text("pow", "2".into()), centred);
    let variance = ctx.net.push(
        Op::Text("reduce", "mean (1) keep".into()),
        &[square],
        Vec::new(),
        vec![before, 1],
    );
    let shifted = ctx
        .net
        .unary(Op::Scale(1.0, call.attrs.float("epsilon", 1e-5)?), variance);
    let inverse = ctx.net.unary(Op::Text("pow", "(-0.5)".into()), shifted);
    let mut dims = x.dims.clone();
    dims[at..].fill(1);
    let mut all = normal;
    for id in [mean, inverse] {
        all.push(Item::Val(Val {
            id,
            dims: dims.clone(),
        }));
    }
    Ok(all)
}

/// The normalised tensor of `LayerNormalization`.
fn normalised(
    ctx: &mut Ctx,
    call: &Call<'_>,
    x: &Val,
    at: usize,
    lead: usize,
) -> Result<Vec<Item>, Why> {
    let x = x.clone();
    if at < lead && ctx.batch.is_some() {
        return unsupported("it goes over the axis of the batch");
    }
    let n: usize = x.dims[at..].iter().product();
    let before: usize = x.dims[lead.min(at)..at].iter().product();
    let weight = spread(ctx, call, 1, &x.dims, at)?;
    let bias = match call.constant(2)? {
        Some(_) => spread(ctx, call, 2, &x.dims, at)?,
        None => {
            repeated(ctx, n)?;
            Tensor::floats(vec![n], vec![0.0; n])
        }
    };
    let params = vec![("weight", weight), ("bias", bias)];
    let eps = epsilon(call)?;
    if before == 1 {
        let id = ctx.net.view(x.id, &[n]);
        let id = ctx
            .net
            .push(Op::Text("layernorm", eps), &[id], params, vec![n]);
        return one(id, x.dims);
    }
    // The last axis alone keeps the others, so that changes of axes cancel.
    let args = format!("over channels {eps}");
    if at + 1 == x.dims.len() && x.dims.len() - lead <= RANK {
        let id = ctx.natural(&x);
        let (front, back) = ctx.front(id, x.dims.len() - lead - 1);
        let dims = ctx.net.dims(front).to_vec();
        let id = ctx
            .net
            .push(Op::Text("layernorm", args), &[front], params, dims);
        let id = ctx.net.permute(id, &back);
        return one(id, x.dims);
    }
    let id = ctx.net.view(x.id, &[before, n]);
    let id = ctx.net.permute(id, &[1, 0]);
    let id = ctx
        .net
        .push(Op::Text("layernorm", args), &[id], params, vec![n, before]);
    let id = ctx.net.permute(id, &[1, 0]);
    one(id, x.dims)
}

/// Counts numbers that the file has not: extents alone, which cost a file nothing, make no more than so many.
fn repeated(ctx: &mut Ctx, n: usize) -> Result<(), Why> {
    ctx.net.repeated = ctx.net.repeated.saturating_add(n);
    match ctx.net.repeated <= 1 << 22 {
        true => Ok(()),
        false => unsupported("norms of more elements than their parameters have numbers"),
    }
}

/// A parameter of a norm from axis `at` on: one that has fewer numbers is repeated.
fn spread(
    ctx: &mut Ctx,
    call: &Call<'_>,
    operand: usize,
    dims: &[usize],
    at: usize,
) -> Result<Tensor, Why> {
    let own = &dims[at..];
    let n: usize = own.iter().product();
    let given = call.needed(operand)?;
    if given.len() == n {
        return Ok(given.with_dims(vec![n]));
    }
    if broadcast(dims, &given.dims)? != dims {
        return invalid(format!("operand {operand} is larger than the first"));
    }
    if broadcast(own, &given.dims).ok().as_deref() != Some(own) {
        return unsupported(format!(
            "operand {operand} is {:?}, and the norm goes over {own:?}",
            given.dims
        ));
    }
    repeated(ctx, n)?;
    Ok(given.broadcast(own).with_dims(vec![n]))
}
