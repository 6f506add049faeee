//! What goes over axes: reductions, softmax, norms, matrix products.

use super::super::ctx::{Call, Ctx, Item, one};
use super::super::error::{Why, invalid, unsupported};
use super::super::net::{Conv, Id, Kind, Op, RANK};
use super::super::node::{axes, axis};
use super::super::shapes;
use super::super::tensor::{Tensor, broadcast};
use super::pointwise::epsilon;

/// `ReduceMean` and its like.
pub fn reduce(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let rank = x.dims.len();
    let list = shapes::listed(call.attrs, "axes", call.constant(1)?)?;
    let over = match list {
        Some(list) if !list.is_empty() => axes(&list, rank)?,
        // No axes at all: what a reduction does to each element remains.
        _ if call.attrs.int("noop_with_empty_axes", 0)? == 1 => Vec::new(),
        _ => (0..rank).collect(),
    };
    let kind = match call.op {
        "ReduceMean" => Kind::Mean,
        "ReduceSum" => Kind::Sum,
        "ReduceMax" => Kind::Max,
        "ReduceMin" => Kind::Min,
        "ReduceL1" => Kind::L1,
        "ReduceL2" => Kind::L2,
        "ReduceSumSquare" => Kind::SumSquare,
        "ReduceLogSum" => Kind::LogSum,
        "ReduceLogSumExp" => Kind::LogSumExp,
        "ReduceProd" => Kind::Prod,
        _ => return unsupported("the language has no such reduction"),
    };
    let mut kept = x.dims.clone();
    for &axis in &over {
        kept[axis] = 1;
    }
    let dims: Vec<usize> = match call.attrs.int("keepdims", 1)? == 1 {
        true => kept,
        false => (0..rank)
            .filter(|axis| !over.contains(axis))
            .map(|axis| x.dims[axis])
            .collect(),
    };
    if ctx.batch.is_some() && over.contains(&0) {
        return unsupported("it goes over the axis of the batch");
    }
    ctx.batched(&dims)?;
    let lead = ctx.lead(&x.dims);
    if rank - lead.min(rank) > RANK && !over.is_empty() {
        return unsupported(format!("an operand with {rank} axes"));
    }
    let mut over: Vec<usize> = over
        .iter()
        .filter_map(|axis| axis.checked_sub(lead))
        .collect();
    let id = ctx.natural(&x);
    over.retain(|&axis| ctx.net.dims(id)[axis] != 1);
    let id = match over.is_empty() {
        false => reduced(ctx, id, kind, &mut over),
        true => match kind {
            Kind::L1 | Kind::L2 => ctx.net.unary(Op::Word("abs"), id),
            Kind::SumSquare => ctx.net.unary(Op::Text("pow", "2".into()), id),
            Kind::LogSum => ctx.net.unary(Op::Word("log"), id),
            _ => id,
        },
    };
    one(id, dims)
}

fn reduced(ctx: &mut Ctx, id: Id, kind: Kind, over: &mut [usize]) -> Id {
    let (source, order) = ctx.below(id);
    let mut own: Vec<usize> = over.iter().map(|&axis| order[axis]).collect();
    own.sort_unstable();
    let dims = ctx.net.dims(source).to_vec();
    let rest: Vec<usize> = (0..dims.len()).filter(|axis| !own.contains(axis)).collect();
    let mut kept: Vec<usize> = rest.iter().map(|&axis| dims[axis]).collect();
    if kept.is_empty() {
        kept.push(1);
    }
    let id = match kind {
        Kind::Mean if own.iter().copied().eq(1..dims.len()) => {
            ctx.net
                .push(Op::Word("globalavgpool"), &[source], Vec::new(), kept)
        }
        Kind::Max if own.iter().copied().eq(1..dims.len()) => {
            ctx.net
                .push(Op::Word("globalmaxpool"), &[source], Vec::new(), kept)
        }
        _ => ctx
            .net
            .push(Op::Reduce(kind, own.clone()), &[source], Vec::new(), kept),
    };
    if order.is_sorted() || rest.len() < 2 {
        return id;
    }
    // What is left has the order that it had.
    let left: Vec<usize> = order
        .iter()
        .filter(|axis| !own.contains(axis))
        .map(|axis| rest.iter().position(|a| a == axis).expect("it is left"))
        .collect();
    ctx.net.permute(id, &left)
}

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
        all.push(Item::Val(super::super::ctx::Val {
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
    x: &super::super::ctx::Val,
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

/// `MatMul`.
pub fn matmul(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    match (&call.inputs[..], call.inputs.len()) {
        ([Some(Item::Val(x)), Some(Item::Const(weight))], 2) => {
            let (x, weight) = (x.clone(), weight.clone());
            let &[k, n] = &weight.dims[..] else {
                let val = as_value(ctx, x.id, &weight)?;
                return values(ctx, &x, &val);
            };
            if x.dims.last() != Some(&k) || x.dims.len() < 2 {
                return invalid(format!("a product of {:?} and {:?}", x.dims, weight.dims));
            }
            let id = product(ctx, x.id, &x.dims, weight.permuted(&[1, 0]), None)?;
            let mut dims = x.dims.clone();
            *dims.last_mut().expect("two axes") = n;
            one(id, dims)
        }
        ([Some(Item::Const(weight)), Some(Item::Val(x))], 2) => {
            let (weight, x) = (weight.clone(), x.clone());
            let rank = x.dims.len();
            if rank < 2 || weight.dims.len() < 2 {
                return unsupported(format!("a product of {:?} and {:?}", weight.dims, x.dims));
            }
            if weight.dims[..weight.dims.len() - 2].iter().any(|&n| n != 1) {
                let val = as_value(ctx, x.id, &weight)?;
                return values(ctx, &val, &x);
            }
            let &[m, k] = &weight.dims[weight.dims.len() - 2..] else {
                return invalid("a product of vectors");
            };
            let before: usize = x.dims[ctx.lead(&x.dims).min(rank - 2)..rank - 2]
                .iter()
                .product();
            if x.dims[rank - 2] != k || before != 1 || weight.dims.len() > rank {
                return unsupported(format!("a product of {:?} and {:?}", weight.dims, x.dims));
            }
            let n = x.dims[rank - 1];
            let id = ctx.net.view(x.id, &[k, n]);
            let id = pixels(ctx, id, weight.with_dims(vec![m, k, 1]), None);
            let mut dims = x.dims.clone();
            dims[rank - 2] = m;
            one(id, dims)
        }
        ([Some(Item::Val(a)), Some(Item::Val(b))], 2) => {
            let (a, b) = (a.clone(), b.clone());
            values(ctx, &a, &b)
        }
        _ => invalid("two operands are needed"),
    }
}

/// A constant as a tensor of the network.
fn as_value(ctx: &mut Ctx, near: Id, weight: &Tensor) -> Result<super::super::ctx::Val, Why> {
    ctx.batched(&weight.dims)?;
    let lang = ctx.lang(&weight.dims);
    let id = ctx.net.constant(near, weight.with_dims(lang));
    Ok(super::super::ctx::Val {
        id,
        dims: weight.dims.clone(),
    })
}

/// A product of two tensors of the network.
fn values(
    ctx: &mut Ctx,
    a: &super::super::ctx::Val,
    b: &super::super::ctx::Val,
) -> Result<Vec<Item>, Why> {
    let rank = a.dims.len();
    let lead = ctx.lead(&a.dims);
    if rank != b.dims.len() || rank < lead + 2 || rank - lead > RANK || lead != ctx.lead(&b.dims) {
        return unsupported(format!("a product of {:?} and {:?}", a.dims, b.dims));
    }
    let (m, k, n) = (a.dims[rank - 2], a.dims[rank - 1], b.dims[rank - 1]);
    let mut dims = super::super::tensor::broadcast(&a.dims[..rank - 2], &b.dims[..rank - 2])?;
    if b.dims[rank - 2] != k {
        return invalid(format!("a product of {:?} and {:?}", a.dims, b.dims));
    }
    dims.extend([m, n]);
    let ids = [ctx.natural(a), ctx.natural(b)];
    let result = ctx.lang(&dims);
    one(
        ctx.net.push(Op::Word("matmul"), &ids, Vec::new(), result),
        dims,
    )
}

/// `x · Wᵀ + b` over the last axis; `weight` is (out, in).
fn product(
    ctx: &mut Ctx,
    x: Id,
    dims: &[usize],
    weight: Tensor,
    bias: Option<Tensor>,
) -> Result<Id, Why> {
    let (out, k) = (weight.dims[0], weight.dims[1]);
    let lead = ctx.lead(dims).min(dims.len() - 1);
    let before = &dims[lead..dims.len() - 1];
    if before.iter().product::<usize>() == 1 {
        let id = ctx.net.view(x, &[k]);
        return Ok(super::window::dense(ctx, id, weight, bias));
    }
    // As channels of pixels; a change of axes goes there and back.
    let kept: Vec<usize> = match before.len() < RANK {
        true => before.to_vec(),
        false => vec![before.iter().product()],
    };
    let mut natural = kept.clone();
    natural.push(k);
    let id = ctx.net.view(x, &natural);
    let (front, back) = ctx.front(id, natural.len() - 1);
    let mut ones = vec![out, k];
    ones.resize(natural.len() + 1, 1);
    let id = pixels(ctx, front, weight.with_dims(ones), bias);
    Ok(ctx.net.permute(id, &back))
}

/// A convolution of single pixels.
fn pixels(ctx: &mut Ctx, x: Id, weight: Tensor, bias: Option<Tensor>) -> Id {
    let mut dims = ctx.net.dims(x).to_vec();
    let spatial = dims.len() - 1;
    dims[0] = weight.dims[0];
    let op = Op::Conv(Conv {
        transposed: false,
        kernel: vec![1; spatial],
        out: weight.dims[0],
        stride: vec![1; spatial],
        pads: vec![[0, 0]; spatial],
        dilation: vec![1; spatial],
        groups: 1,
        output_pad: 0,
    });
    let mut params = vec![("weight", weight)];
    params.extend(bias.map(|bias| ("bias", bias)));
    ctx.net.push(op, &[x], params, dims)
}

/// `Gemm`.
pub fn gemm(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    if matches!(call.inputs.first(), Some(Some(Item::Const(_)))) {
        return unsupported("its first operand is constant");
    }
    let mut x = call.val(0)?;
    if call.attrs.int("transA", 0)? != 0 {
        let &[k, m] = &x.dims[..] else {
            return invalid(format!("a product of {:?}", x.dims));
        };
        if ctx.batch.is_some() {
            return unsupported("`transA`: it moves the axis of the batch");
        }
        let id = ctx.net.view(x.id, &[k, m]);
        x = super::super::ctx::Val {
            id: ctx.net.permute(id, &[1, 0]),
            dims: vec![m, k],
        };
    }
    if let Some(Some(Item::Val(_))) = call.inputs.get(1) {
        return unsupported("its weights are computed, or an input of the graph");
    }
    let weight = call.needed(1)?;
    let (&[m, k], &[_, _]) = (&x.dims[..], &weight.dims[..]) else {
        return invalid(format!("a product of {:?} and {:?}", x.dims, weight.dims));
    };
    let mut weight = match call.attrs.int("transB", 0)? {
        0 => weight.permuted(&[1, 0]),
        _ => weight.clone(),
    };
    if weight.dims[1] != k {
        return invalid(format!(
            "a product of {:?} and weights of {:?}",
            x.dims, weight.dims
        ));
    }
    let n = weight.dims[0];
    let (alpha, beta) = (
        call.attrs.float("alpha", 1.0)?,
        call.attrs.float("beta", 1.0)?,
    );
    let times = |tensor: &Tensor, factor: f32| {
        Tensor::floats(
            tensor.dims.clone(),
            tensor.to_floats().iter().map(|v| v * factor).collect(),
        )
    };
    if alpha != 1.0 {
        weight = times(&weight, alpha);
    }
    let dims = vec![m, n];
    let add = match call.inputs.get(2) {
        Some(Some(Item::Val(add))) => {
            let id = product(ctx, x.id, &x.dims, weight, None)?;
            let scaled = ctx.net.unary(Op::Scale(beta, 0.0), add.id);
            let a = Item::Val(super::super::ctx::Val { id, dims });
            let b = Item::Val(super::super::ctx::Val {
                id: scaled,
                dims: add.dims.clone(),
            });
            let call = Call {
                op: "Add",
                opset: 13,
                attrs: call.attrs,
                inputs: vec![Some(a), Some(b)],
                outputs: 1,
                once: vec![false, false],
            };
            return super::binary::binary(ctx, &call);
        }
        _ => call.constant(2)?.cloned(),
    };
    let Some(add) = add else {
        let id = product(ctx, x.id, &x.dims, weight, None)?;
        return one(id, dims);
    };
    let add = if beta == 1.0 { add } else { times(&add, beta) };
    if add.len() == 1 || add.len() == n && add.dims.last() == Some(&n) {
        let bias = match add.len() {
            1 => Tensor::floats(vec![n], vec![add.to_floats()[0]; n]),
            _ => add.with_dims(vec![n]),
        };
        let id = product(ctx, x.id, &x.dims, weight, Some(bias))?;
        return one(id, dims);
    }
    let id = product(ctx, x.id, &x.dims, weight, None)?;
    let (id, dims) = super::binary::with_constant(ctx, "Add", id, &dims, &add, false)?;
    one(id, dims)
}
