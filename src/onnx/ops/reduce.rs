//! Reductions: one number of many.

use super::super::ctx::{Call, Ctx, Item, one};
use super::super::error::{Why, unsupported};
use super::super::net::{Id, Kind, Op, RANK};
use super::super::node::axes;
use super::super::shapes;

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
