//! Matrix products.

use super::super::ctx::{Call, Ctx, Item, Val, one};
use super::super::error::{Why, invalid, unsupported};
use super::super::net::{Conv, Id, Op, RANK};
use super::super::tensor::{Tensor, broadcast};
use super::binary::binary;
use super::constant::with_constant;
use super::pools::adaptive;

/// `MatMul`.
pub fn matmul(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    match (&call.inputs[..], call.inputs.len()) {
        ([Some(Item::Val(x)), Some(Item::Const(weight))], 2) => {
            let (x, weight) = (x.clone(), weight.clone());
            let &[k, n] = &weight.dims[..] else {
                // A matrix for each row of a map, say: the batch is the tensor's alone.
                let missing = x.dims.len().saturating_sub(weight.dims.len());
                let mut dims = vec![1; missing];
                dims.extend(&weight.dims);
                let val = as_value(ctx, x.id, &weight.with_dims(dims))?;
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
            if x.dims[rank - 2] != k || weight.dims.len() > rank {
                return unsupported(format!("a product of {:?} and {:?}", weight.dims, x.dims));
            }
            let weight = weight.with_dims(vec![m, k]);
            let id = match adaptive(ctx, &weight, &x) {
                Some(id) => id,
                None => in_front(ctx, weight, &x),
            };
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

/// A matrix times the last two axes of a tensor, whose rows are channels to it.
fn in_front(ctx: &mut Ctx, weight: Tensor, x: &Val) -> Id {
    let (rank, [m, k]) = (x.dims.len(), [weight.dims[0], weight.dims[1]]);
    let n = x.dims[rank - 1];
    let lead = ctx.lead(&x.dims).min(rank - 2);
    let before: usize = x.dims[lead..rank - 2].iter().product();
    if before == 1 {
        let id = ctx.net.view(x.id, &[k, n]);
        return pixels(ctx, id, weight.with_dims(vec![m, k, 1]), None);
    }
    let id = ctx.net.view(x.id, &[before, k, n]);
    let (front, back) = ctx.front(id, 1);
    let id = pixels(ctx, front, weight.with_dims(vec![m, k, 1, 1]), None);
    ctx.net.permute(id, &back)
}

/// A constant as a tensor of the network.
pub fn as_value(ctx: &mut Ctx, near: Id, weight: &Tensor) -> Result<Val, Why> {
    ctx.batched(&weight.dims)?;
    let lang = ctx.lang(&weight.dims);
    let id = ctx.net.constant(near, weight.with_dims(lang));
    Ok(Val {
        id,
        dims: weight.dims.clone(),
    })
}

/// A product of two tensors of the network.
fn values(ctx: &mut Ctx, a: &Val, b: &Val) -> Result<Vec<Item>, Why> {
    let rank = a.dims.len();
    let lead = ctx.lead(&a.dims);
    if rank != b.dims.len() || rank < lead + 2 || rank - lead > RANK || lead != ctx.lead(&b.dims) {
        return unsupported(format!("a product of {:?} and {:?}", a.dims, b.dims));
    }
    let (m, k, n) = (a.dims[rank - 2], a.dims[rank - 1], b.dims[rank - 1]);
    let mut dims = broadcast(&a.dims[..rank - 2], &b.dims[..rank - 2])?;
    if b.dims[rank - 2] != k {
        return invalid(format!("a product of {:?} and {:?}", a.dims, b.dims));
    }
    dims.extend([m, n]);
    let ids = [ctx.natural(a), ctx.natural(b)];
    if let Some(x) = own_transposed(ctx, ids) {
        let gram = Op::Text("gram", "sum".to_owned());
        return one(ctx.net.push(gram, &[x], Vec::new(), vec![m, m]), dims);
    }
    let result = ctx.lang(&dims);
    one(
        ctx.net.push(Op::Word("matmul"), &ids, Vec::new(), result),
        dims,
    )
}

/// The map that a product is of with its own transposition: channels times channels, over all positions.
fn own_transposed(ctx: &Ctx, [rows, columns]: [Id; 2]) -> Option<Id> {
    let &[channels, positions] = ctx.net.dims(rows) else {
        return None;
    };
    let map = |id: Id| match ctx.net.op(id) {
        Some(Op::Reshape) => ctx.net.source(id),
        _ => Some(id),
    };
    let turned = match ctx.net.op(columns) {
        Some(Op::Permute(_)) => ctx.below(columns) == (rows, vec![1, 0]),
        // One position, or one channel: nothing is moved.
        _ => {
            let fits = ctx.net.dims(columns) == [positions, channels];
            fits && positions.min(channels) == 1 && map(rows) == map(columns)
        }
    };
    let source = map(rows).filter(|&source| ctx.net.dims(source)[0] == channels);
    turned.then_some(source.unwrap_or(rows))
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
        return Ok(dense(ctx, id, weight, bias));
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
        x = Val {
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
            let a = Item::Val(Val { id, dims });
            let b = Item::Val(Val {
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
            return binary(ctx, &call);
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
    let (id, dims) = with_constant(ctx, "Add", id, &dims, &add, false)?;
    one(id, dims)
}

/// Weights of a matrix product: (out, in), with the bias that it may have.
fn dense(ctx: &mut Ctx, x: Id, weight: Tensor, bias: Option<Tensor>) -> Id {
    let out = weight.dims[0];
    let mut params = vec![("weight", weight)];
    params.extend(bias.map(|bias| ("bias", bias)));
    ctx.net.push(Op::Dense(out), &[x], params, vec![out])
}
