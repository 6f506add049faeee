//! Two or more operands, element by element.

use super::super::ctx::{Call, Ctx, Item, inverse, one};
use super::super::error::{Why, invalid, unsupported};
use super::super::fold::old_broadcast;
use super::super::net::{Id, Kind, Op};
use super::super::tensor::{Tensor, broadcast};
use super::super::text;

/// `Add`, `Sub`, `Mul`, `Div`, `Pow`, `Max`, `Min`, `Sum`, `Mean`.
pub fn binary(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let op = match call.op {
        "Sum" | "Mean" => "Add",
        op => op,
    };
    let mut all = Vec::new();
    for item in &call.inputs {
        match item {
            Some(item) => all.push(item.clone()),
            None => return invalid("an operand is missing"),
        }
    }
    if call.opset < 7
        && call.attrs.int("broadcast", 0)? == 1
        && let [a, b] = &mut all[..]
    {
        let at = call.attrs.int("axis", -1)?;
        let a: &[usize] = match a {
            Item::Const(a) => &a.dims[..],
            Item::Val(a) | Item::Whole(a) => &a.dims[..],
            Item::Unknown => &[],
        };
        match b {
            Item::Const(b) => b.dims = old_broadcast(a, &b.dims, at)?,
            Item::Val(b) => b.dims = old_broadcast(a, &b.dims, at)?,
            Item::Whole(_) | Item::Unknown => {}
        }
    }
    let count = all.len();
    if matches!(op, "Sub" | "Div" | "Pow") && count != 2 {
        return invalid(format!("{count} operands"));
    }
    // Several tensors of the same extents are one layer.
    let same = all
        .iter()
        .all(|item| matches!((item, &all[0]), (Item::Val(a), Item::Val(b)) if a.dims == b.dims));
    if same && count > 2 {
        let vals: Vec<_> = (0..count)
            .map(|at| call.val(at))
            .collect::<Result<_, _>>()?;
        let ids: Vec<Id> = vals.iter().map(|val| ctx.natural(val)).collect();
        let word = match op {
            "Add" => "add",
            "Mul" => "mul",
            "Max" => "max",
            _ => "min",
        };
        let dims = ctx.net.dims(ids[0]).to_vec();
        let id = ctx.net.push(Op::Word(word), &ids, Vec::new(), dims);
        let id = if call.op == "Mean" {
            ctx.net.unary(Op::Scale(1.0 / count as f32, 0.0), id)
        } else {
            id
        };
        return one(id, vals[0].dims.clone());
    }
    let mut all = all.into_iter();
    let Some(mut total) = all.next() else {
        return invalid("no operands");
    };
    for (at, next) in all.enumerate() {
        let val = if matches!(total, Item::Val(_)) {
            at
        } else {
            at + 1
        };
        total = two(
            ctx,
            op,
            total,
            next,
            call.once.get(val).copied().unwrap_or(false),
        )?;
    }
    if let (Item::Val(val), "Mean") = (&mut total, call.op) {
        val.id = ctx.net.unary(Op::Scale(1.0 / count as f32, 0.0), val.id);
    }
    Ok(vec![total])
}

fn two(ctx: &mut Ctx, op: &str, a: Item, b: Item, once: bool) -> Result<Item, Why> {
    let (id, dims) = match (a, b) {
        (Item::Val(a), Item::Const(b)) => with_constant(ctx, op, a.id, &a.dims, &b, once)?,
        (Item::Const(a), Item::Val(b)) => {
            let (op, x) = match op {
                "Sub" => ("Add", ctx.net.unary(Op::Scale(-1.0, 0.0), b.id)),
                "Div" => ("Mul", ctx.net.unary(Op::Text("pow", "(-1)".into()), b.id)),
                "Pow" => match a.scalar() {
                    Some(base) if base > 0.0 => {
                        let scaled = ctx.net.unary(Op::Scale(base.ln(), 0.0), b.id);
                        let id = ctx.net.unary(Op::Word("exp"), scaled);
                        return Ok(Item::Val(super::super::ctx::Val { id, dims: b.dims }));
                    }
                    _ => return unsupported("a constant to the power of a tensor"),
                },
                op => (op, b.id),
            };
            with_constant(ctx, op, x, &b.dims, &a, once)?
        }
        (Item::Val(a), Item::Val(b)) => {
            let dims = broadcast(&a.dims, &b.dims)?;
            ctx.batched(&dims)?;
            (tensors(ctx, op, &a, &b, &dims)?, dims)
        }
        (Item::Const(_), Item::Const(_)) => return unsupported("constants that are not computed"),
        _ => return Ok(Item::Unknown),
    };
    Ok(Item::Val(super::super::ctx::Val { id, dims }))
}

/// Two tensors of the network.
fn tensors(
    ctx: &mut Ctx,
    op: &str,
    a: &super::super::ctx::Val,
    b: &super::super::ctx::Val,
    dims: &[usize],
) -> Result<Id, Why> {
    if op == "Pow" {
        return unsupported("a power whose exponent is computed");
    }
    // The first axis of each is the batch, and stays the first.
    if ctx.batch.is_some() && a.dims.len() != b.dims.len() {
        return unsupported(format!(
            "operands of {:?} and {:?}: the images of a batch are mixed",
            a.dims, b.dims
        ));
    }
    if op == "Div"
        && dims == a.dims
        && let Some(id) = l2norm(ctx, a, b)
    {
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
        } else if dims.len() - ctx.lead(dims) > super::super::net::RANK || from.len() != to.len() {
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

/// Operands with more axes than the language has: axes that both have, or that one repeats, are one where they stand together.
fn merged(
    ctx: &mut Ctx,
    op: &str,
    a: &super::super::ctx::Val,
    b: &super::super::ctx::Val,
    dims: &[usize],
) -> Result<Id, Why> {
    let lead = usize::from(ctx.batch.is_some());
    let full = |val: &super::super::ctx::Val| {
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
    if groups.len() > super::super::net::RANK {
        return unsupported(format!("operands of {:?} and {:?}", a.dims, b.dims));
    }
    let x: Vec<usize> = groups.iter().map(|group| group.0).collect();
    let y: Vec<usize> = groups.iter().map(|group| group.1).collect();
    let (x, y) = (ctx.net.view(a.id, &x), ctx.net.view(b.id, &y));
    Ok(joined(ctx, op, x, y))
}

/// The layer of two tensors: an axis of extent 1 is repeated, and a vector has a number for each channel.
fn joined(ctx: &mut Ctx, op: &str, x: Id, y: Id) -> Id {
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
        "Max" => "max",
        _ => "min",
    };
    // The larger one first, which says what the result is.
    let ids = match matches!(op, "Sub" | "Div") || a.iter().product::<usize>() >= b.iter().product()
    {
        true => [x, y],
        false => [y, x],
    };
    ctx.net.push(Op::Word(word), &ids, Vec::new(), dims)
}

/// x / max(‖x‖, eps), along the channels.
fn l2norm(ctx: &mut Ctx, a: &super::super::ctx::Val, b: &super::super::ctx::Val) -> Option<Id> {
    let whole = ctx.net.dims(a.id);
    let rest = &a.dims[ctx.lead(&a.dims)..];
    if rest != whole || ctx.lang(&a.dims) != whole {
        return None;
    }
    // One length for each pixel, where the pixel is: axes of 1 come and go, but no other extents change.
    let mut each = whole.to_vec();
    each[0] = 1;
    let mut from = vec![1; a.dims.len() - b.dims.len()];
    from.extend(&b.dims);
    let from = &from[a.dims.len() - rest.len()..];
    if from != each && from != whole {
        return None;
    }
    let mut repeated = from != each;
    let mut length = b.id;
    let mut least: Option<f32> = None;
    // With the extents that lengths are taken along.
    let same = |ctx: &Ctx, id: Id| {
        let root = |id: Id| match ctx.net.op(id) {
            Some(Op::Reshape) => ctx.net.source(id).unwrap_or(id),
            _ => id,
        };
        root(id) == root(a.id)
    };
    let whole = loop {
        match ctx.net.op(length)? {
            Op::Clip(low, high) if *high == f32::MAX => {
                least = Some(least.map_or(*low, |least| least.max(*low)));
            }
            Op::Reshape => {}
            Op::Text("tiled", _)
                if repeated
                    && ctx.net.dims(length) == whole
                    && ctx.net.dims(ctx.net.source(length)?) == each =>
            {
                repeated = false;
            }
            // √Σx², with or without something small added
            Op::Word("sqrt") => {
                let sum = ctx.net.source(length)?;
                let sum = match ctx.net.op(sum)? {
                    Op::Scale(1.0, shift) if (0.0..1e-6).contains(shift) => ctx.net.source(sum)?,
                    _ => sum,
                };
                let square = match ctx.net.op(sum)? {
                    Op::Reduce(Kind::SumSquare, axes) if axes[..] == [0] => ctx.net.source(sum)?,
                    Op::Reduce(Kind::Sum, axes) if axes[..] == [0] => {
                        let square = ctx.net.source(sum);
                        let layer = ctx.net.values[square?].layer.as_ref()?;
                        match &layer.op {
                            Op::Word("mul") if layer.operands[0] == layer.operands[1] => {
                                layer.operands[0]
                            }
                            Op::Text("pow", two) if two == "2" => layer.operands[0],
                            _ => return None,
                        }
                    }
                    _ => return None,
                };
                if !same(ctx, square) {
                    return None;
                }
                break square;
            }
            Op::Reduce(Kind::L2, axes) if axes[..] == [0] => {
                let whole = ctx.net.source(length)?;
                if !same(ctx, whole) {
                    return None;
                }
                break whole;
            }
            _ => return None,
        }
        length = ctx.net.source(length)?;
    };
    let eps = least.unwrap_or(1e-12);
    if repeated || ctx.lang(&a.dims) != ctx.net.dims(whole) || eps <= 0.0 {
        return None;
    }
    let args = if eps == 1e-12 {
        String::new()
    } else {
        format!("eps {}", text::number(eps))
    };
    let dims = ctx.net.dims(whole).to_vec();
    Some(
        ctx.net
            .push(Op::Text("l2norm", args), &[whole], Vec::new(), dims),
    )
}

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
            return Ok((ctx.net.affine(x, None, Some(bias)), all));
        }
        if let Op::Scale(factor, shift) = op
            && !(factor.is_finite() && shift.is_finite())
        {
            return unsupported("a constant that is not finite");
        }
        return Ok((ctx.net.unary(op, x), all));
    }
    if op == "Pow" {
        return unsupported("a power with another exponent for each element");
    }
    // The constant with the axes that the tensor has in the language.
    let lead = all.len() - all.len().min(to.len());
    let mut own = vec![1; all.len() - constant.dims.len()];
    own.extend(&constant.dims);
    let many = all.len() - ctx.lead(&all) > super::super::net::RANK;
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
