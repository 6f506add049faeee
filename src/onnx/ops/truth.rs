//! Comparisons, what is made of them, and choices by them. A truth value is 1 or 0.

use super::super::ctx::{Call, Ctx, Item, Val, one};
use super::super::error::{Why, invalid, unsupported};
use super::super::net::{Id, Op, RANK};
use super::super::tensor::{Tensor, broadcast};
use super::pairs::{beside, tensors};

/// An operand as a tensor of the network, truth values and whole numbers too; a constant of as many axes as `near` has.
fn operand(ctx: &mut Ctx, call: &Call<'_>, at: usize, near: &Val) -> Result<Val, Why> {
    match call.inputs.get(at) {
        Some(Some(Item::Val(val) | Item::Whole(val))) => Ok(val.clone()),
        Some(Some(Item::Const(tensor))) => beside(ctx, near, tensor),
        Some(Some(Item::Unknown)) => unsupported("its operand is not supported"),
        _ => invalid(format!("operand {at} is missing")),
    }
}

/// Operands of that number, which are not all constant.
fn operands<const N: usize>(ctx: &mut Ctx, call: &Call<'_>) -> Result<[Val; N], Why> {
    if call.inputs.len() != N {
        return invalid(format!("{} operands", call.inputs.len()));
    }
    let vals = call.inputs.iter().filter_map(|item| match item {
        Some(Item::Val(val) | Item::Whole(val)) => Some(val),
        _ => None,
    });
    // The one with the most axes says how many a constant has.
    let Some(near) = vals.max_by_key(|val| val.dims.len()).cloned() else {
        return unsupported("constants that are not computed");
    };
    let mut all = Vec::new();
    for at in 0..N {
        all.push(operand(ctx, call, at, &near)?);
    }
    all.try_into()
        .map_err(|_| Why::Invalid("operands are missing".to_owned()))
}

/// `Less`, `Greater`, `LessOrEqual`, `GreaterOrEqual`, `Equal`, `And`, `Or`, `Xor`, `Not`.
pub fn truth(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    if call.op == "Not" {
        let [x] = operands(ctx, call)?;
        return one(ctx.net.unary(Op::Scale(-1.0, 1.0), x.id), x.dims);
    }
    if call.opset < 7 && call.attrs.int("broadcast", 0)? == 1 {
        return unsupported("operands that are repeated as operator sets before 7 have it");
    }
    let [a, b] = operands(ctx, call)?;
    let dims = broadcast(&a.dims, &b.dims)?;
    ctx.batched(&dims)?;
    let id = match call.op {
        "Less" => tensors(ctx, "Less", &a, &b, &dims)?,
        "Greater" => tensors(ctx, "Less", &b, &a, &dims)?,
        "Equal" => tensors(ctx, "Equal", &a, &b, &dims)?,
        "LessOrEqual" | "GreaterOrEqual" => {
            // Of what is NaN neither holds.
            let (low, high) = if call.op == "LessOrEqual" {
                (&a, &b)
            } else {
                (&b, &a)
            };
            let less = tensors(ctx, "Less", low, high, &dims)?;
            let same = tensors(ctx, "Equal", &a, &b, &dims)?;
            let [less, same] = [less, same].map(|id| Val {
                id,
                dims: dims.clone(),
            });
            tensors(ctx, "Max", &less, &same, &dims)?
        }
        "And" => tensors(ctx, "Mul", &a, &b, &dims)?,
        "Or" => tensors(ctx, "Max", &a, &b, &dims)?,
        "Xor" => {
            let apart = tensors(ctx, "Sub", &a, &b, &dims)?;
            ctx.net.unary(Op::Word("abs"), apart)
        }
        op => return invalid(format!("{op} is no comparison")),
    };
    one(id, dims)
}

/// `Where`.
pub fn choice(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let [mut condition, a, b] = operands(ctx, call)?;
    if let Some(above) = above_zero(ctx, condition.id) {
        condition.id = above;
    }
    let dims = broadcast(&broadcast(&condition.dims, &a.dims)?, &b.dims)?;
    ctx.batched(&dims)?;
    let to = ctx.lang(&dims);
    if dims.len() - ctx.lead(&dims) > RANK {
        return unsupported(format!("a choice of {dims:?}: the language has four axes"));
    }
    let all = [&condition, &a, &b];
    if ctx.batch.is_some() && all.iter().any(|val| val.dims.len() != dims.len()) {
        return unsupported("the images of a batch are mixed");
    }
    let mut ids = Vec::new();
    for val in all {
        let mut from = vec![1; dims.len() - val.dims.len()];
        from.extend(&val.dims);
        let from = &from[dims.len() - to.len().min(dims.len())..];
        let count: usize = from.iter().product();
        // A number for each channel is repeated by the layer itself.
        let own = if count == to.iter().product::<usize>() {
            &to[..]
        } else if count == to[0] && from[0] == to[0] {
            &to[..1]
        } else {
            from
        };
        ids.push(ctx.net.view(val.id, own));
    }
    let id = ctx.net.push(Op::Word("where"), &ids, Vec::new(), to);
    one(id, dims)
}

/// What is compared with 0, if a condition is whether something is above that: a choice asks so by itself.
fn above_zero(ctx: &Ctx, condition: Id) -> Option<Id> {
    if ctx.net.op(condition) != Some(&Op::Word("less")) {
        return None;
    }
    let layer = ctx.net.values[condition].layer.as_ref()?;
    let &[low, high] = &layer.operands[..] else {
        return None;
    };
    let low = match ctx.net.op(low) {
        Some(Op::Reshape) => ctx.net.source(low)?,
        _ => low,
    };
    let layer = ctx.net.values[low].layer.as_ref()?;
    let zero = |value: &Tensor| value.uniform() == Some(0.0);
    let is_zero = layer.op == Op::Constant && layer.params.iter().all(|(_, value)| zero(value));
    (is_zero && ctx.net.dims(high) == ctx.net.dims(condition)).then_some(high)
}
