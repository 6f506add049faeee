//! A tensor of the network and a constant, element by element.

use super::super::ctx::{Ctx, Val, inverse};
use super::super::error::{Why, invalid, unsupported};
use super::super::net::{Id, Op, RANK};
use super::super::tensor::{Tensor, broadcast};
use super::super::text;
use super::pairs::{beside, joined, tensors};

/// A tensor of the network and a constant.
pub fn with_constant(
    ctx: &mut Ctx,
    op: &str,
    x: Id,
    dims: &[usize],
    constant: &Tensor,
    once: bool,
) -> Result<(Id, Vec<usize>), Why> {
    let all = broadcast(dims, &constant.dims)?;
    if all.contains(&0) {
        return unsupported("a tensor without elements");
    }
    ctx.batched(&all)?;
    if ctx.batch.is_some() && all.len() != dims.len() {
        return unsupported(format!(
            "operands of {dims:?} and {:?}: the images of a batch are mixed",
            constant.dims
        ));
    }
    let to = ctx.lang(&all);
    let mut x = x;
    if all.iter().product::<usize>() != dims.iter().product::<usize>()
        && constant.uniform().is_some()
    {
        let mut from = vec![1; all.len() - dims.len()];
        from.extend(dims);
        let from = from[all.len() - to.len().min(all.len())..].to_vec();
        if from.len() != to.len() {
            return unsupported(format!("a constant of {:?} for {dims:?}", constant.dims));
        }
        x = ctx.net.expand(x, &from, &to);
    }
    if let Some(value) = constant.uniform() {
        return Ok((number(ctx, op, x, value, once)?, all));
    }
    if op == "Pow" {
        let base = Val {
            id: x,
            dims: dims.to_vec(),
        };
        let exponent = beside(ctx, &base, constant)?;
        return Ok((tensors(ctx, op, &base, &exponent, &all)?, all));
    }
    // The constant with the axes that the tensor has in the language.
    let lead = all.len() - all.len().min(to.len());
    let mut own = vec![1; all.len() - constant.dims.len()];
    own.extend(&constant.dims);
    let many = all.len() - ctx.lead(&all) > RANK;
    if many {
        if ctx.pay(all.iter().product()).is_err() {
            return unsupported(format!("a constant of {:?} for {dims:?}", constant.dims));
        }
        let whole = ctx
            .net
            .constant(x, constant.broadcast(&all).with_dims(to.clone()));
        let x = ctx.net.view(x, &to);
        return Ok((joined(ctx, op, x, whole), all));
    }
    if own[..lead].iter().any(|&n| n != 1) {
        return unsupported("a constant with numbers of its own for each image of a batch");
    }
    let mut values = constant.with_dims(if all.is_empty() {
        vec![1]
    } else {
        own[lead..].to_vec()
    });
    if all.iter().product::<usize>() != dims.iter().product::<usize>() {
        // The tensor is repeated along axes of the constant.
        let mut from = vec![1; all.len() - dims.len()];
        from.extend(dims);
        let x = ctx.net.view(x, &from[lead..]);
        let constant = ctx.net.constant(x, values);
        return Ok((joined(ctx, op, x, constant), all));
    }
    let mut id = ctx.net.view(x, &to);
    // Below a change of axes.
    let (source, order) = ctx.below(id);
    if !order.is_sorted() {
        id = source;
        values = values.permuted(&inverse(&order));
    }
    let now = ctx.net.dims(id).to_vec();
    let channels =
        (1..values.dims.len()).all(|axis| values.dims[axis] == 1) && values.dims[0] == now[0];
    if !channels || matches!(op, "Max" | "Min") {
        let values = if channels {
            values.with_dims(vec![now[0]])
        } else {
            values
        };
        let constant = ctx.net.constant(id, values);
        let result = joined(ctx, op, id, constant);
        return Ok((ctx.net.permute(result, &order), all));
    }
    let values = values.with_dims(vec![now[0]]);
    let mapped = |f: fn(f32) -> f32| {
        let numbers = values.to_floats().iter().map(|&v| f(v)).collect();
        Tensor::floats(values.dims.clone(), numbers)
    };
    if values.to_floats().iter().any(|v| !v.is_finite()) {
        return unsupported("a constant that is not finite");
    }
    let bias_of_its_own = !once && matches!(ctx.net.op(id), Some(Op::Conv(_) | Op::Dense(_)));
    let affine =
        |ctx: &mut Ctx, id: Id, weight: Option<Tensor>, bias: Option<Tensor>| match bias_of_its_own
            && weight.is_none()
        {
            // The convolution is read elsewhere without this shift.
            true => ctx.net.affine(id, Some(mapped(|_| 1.0)), bias),
            false => ctx.net.affine(id, weight, bias),
        };
    let result = match op {
        "Add" => affine(ctx, id, None, Some(values.clone())),
        "Sub" => affine(ctx, id, None, Some(mapped(|v| -v))),
        "Mul" => affine(ctx, id, Some(values.clone()), None),
        "Div" => affine(ctx, id, Some(mapped(|v| 1.0 / v)), None),
        _ => return invalid(format!("{op} of two operands")),
    };
    Ok((ctx.net.permute(result, &order), all))
}

/// A Gram matrix divided by the number of positions, or by that of elements.
fn divided(ctx: &mut Ctx, x: Id, value: f32) -> Option<Id> {
    let sum = matches!(ctx.net.op(x), Some(Op::Text("gram", how)) if how == "sum");
    let source = ctx.net.source(x).filter(|_| sum)?;
    let elements: usize = ctx.net.dims(source).iter().product();
    let positions = elements / ctx.net.dims(source)[0];
    let how = match value {
        value if value == positions as f32 => "",
        value if value == elements as f32 => "all",
        _ => return None,
    };
    let dims = ctx.net.dims(x).to_vec();
    let gram = Op::Text("gram", how.to_owned());
    Some(ctx.net.push(gram, &[source], Vec::new(), dims))
}

/// A tensor of the network and one number.
fn number(ctx: &mut Ctx, op: &str, x: Id, value: f32, once: bool) -> Result<Id, Why> {
    if op == "Div"
        && once
        && let Some(id) = divided(ctx, x, value)
    {
        return Ok(id);
    }
    // What is infinite on its side confines nothing.
    let free = match op {
        "Max" => value == f32::NEG_INFINITY,
        "Min" => value == f32::INFINITY,
        _ => false,
    };
    if !free && !value.is_finite() {
        return unsupported("a constant that is not finite");
    }
    let op = match op {
        _ if free => Op::Scale(1.0, 0.0),
        "Add" => Op::Scale(1.0, value),
        "Sub" => Op::Scale(1.0, -value),
        "Mul" => Op::Scale(value, 0.0),
        "Div" => Op::Scale(1.0 / value, 0.0),
        "Max" => Op::Clip(value, f32::MAX),
        "Min" => Op::Clip(f32::MIN, value),
        "Pow" => match value {
            0.5 => Op::Word("sqrt"),
            1.0 => Op::Scale(1.0, 0.0),
            value => Op::Text("pow", text::number(value)),
        },
        _ => return invalid(format!("{op} of two operands")),
    };
    // A shift for each channel is a bias.
    if let Op::Scale(1.0, shift) = op
        && once
        && matches!(ctx.net.op(x), Some(Op::Conv(_) | Op::Dense(_)))
        && shift != 0.0
        && ctx.net.values[x]
            .layer
            .as_ref()
            .is_some_and(|layer| layer.params.len() == 1)
    {
        let n = ctx.net.dims(x)[0];
        let bias = Tensor::floats(vec![n], vec![shift; n]);
        return Ok(ctx.net.affine(x, None, Some(bias)));
    }
    if let Op::Scale(factor, shift) = op
        && !(factor.is_finite() && shift.is_finite())
    {
        return unsupported("a constant that is not finite");
    }
    Ok(ctx.net.unary(op, x))
}
