//! Two or more operands, element by element.

use super::super::ctx::{Call, Ctx, Item, Val, one};
use super::super::error::{Why, invalid, unsupported};
use super::super::fold::old_broadcast;
use super::super::net::{Id, Op};
use super::super::tensor::broadcast;
use super::constant::with_constant;
use super::pairs::{beside, tensors};

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
                        return Ok(Item::Val(Val { id, dims: b.dims }));
                    }
                    _ => {
                        let dims = broadcast(&a.dims, &b.dims)?;
                        ctx.batched(&dims)?;
                        let base = beside(ctx, &b, &a)?;
                        let id = tensors(ctx, op, &base, &b, &dims)?;
                        return Ok(Item::Val(Val { id, dims }));
                    }
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
    Ok(Item::Val(Val { id, dims }))
}
