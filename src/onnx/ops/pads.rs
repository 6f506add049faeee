//! What is put around a tensor.

use super::super::ctx::{Call, Ctx, Item, one};
use super::super::error::{Why, invalid, unsupported};
use super::super::net::{Id, Op, RANK};
use super::super::node::axes;
use super::super::shapes::{self, Range};
use super::super::text;
use super::parts::range;

/// `Pad`.
pub fn pad(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let rank = x.dims.len();
    let name = if call.attrs.has("paddings") {
        "paddings"
    } else {
        "pads"
    };
    let Some(list) = shapes::listed(call.attrs, name, call.constant(1)?)? else {
        return invalid("`pads` is missing");
    };
    let over = match shapes::ints(call.constant(3)?)? {
        Some(list) => axes(&list, rank)?,
        None => (0..rank).collect(),
    };
    if list.len() != 2 * over.len() || list.iter().any(|n| n.unsigned_abs() > 1 << 16) {
        return invalid(format!("`pads` is {list:?} for {} axes", over.len()));
    }
    let value = match call.constant(2)? {
        Some(tensor) => tensor
            .scalar()
            .ok_or_else(|| Why::Invalid("the value of what is padded is no number".into()))?,
        None => call.attrs.float("value", 0.0)?,
    };
    let mode = call.attrs.text("mode", "constant")?;
    let mut pads = vec![[0i64; 2]; rank];
    for (at, &axis) in over.iter().enumerate() {
        pads[axis] = [list[at], list[at + over.len()]];
    }
    // Negative ones cut off.
    let mut x = x;
    for (axis, pads) in pads.iter_mut().enumerate() {
        let cut = pads.map(|n| usize::try_from(-n).unwrap_or(0));
        if cut != [0, 0] {
            let Some(count) = x.dims[axis].checked_sub(cut[0] + cut[1]).filter(|&n| n > 0) else {
                return invalid("more is cut off than there is");
            };
            x = range(
                ctx,
                &x,
                Range {
                    axis,
                    first: cut[0],
                    count,
                    step: 1,
                },
            )?;
            *pads = pads.map(|n| n.max(0));
        }
    }
    let word = match &*mode {
        "constant" => "",
        "reflect" => " reflect",
        "edge" => " edge",
        "wrap" => " wrap",
        other => return unsupported(format!("`mode` {other}")),
    };
    let mut dims = x.dims.clone();
    for (axis, pads) in pads.iter().enumerate() {
        let [before, behind] = pads.map(|n| n as usize);
        dims[axis] += before + behind;
        if mode == "reflect" && before.max(behind) >= x.dims[axis] && before + behind > 0 {
            return unsupported("what is mirrored is longer than the axis");
        }
    }
    if pads.iter().all(|&pads| pads == [0, 0]) {
        return Ok(vec![Item::Val(x)]);
    }
    let lead = ctx.lead(&x.dims);
    if pads[..lead].iter().any(|&pads| pads != [0, 0]) || rank - lead > RANK {
        return unsupported(format!(
            "`pads` is {list:?}: the axis of the batch, or one of too many"
        ));
    }
    let id = ctx.natural(&x);
    // Below a change of axes.
    let (source, order) = ctx.below(id);
    let mut own = vec![[0usize; 2]; order.len()];
    for (axis, pads) in pads[lead.min(rank)..].iter().enumerate() {
        own[order[axis]] = pads.map(|n| n as usize);
    }
    let id = padded(ctx, source, &own, word, value);
    let id = ctx.net.permute(id, &order);
    one(id, dims)
}

/// A tensor with something around it, along any of the language's axes.
fn padded(ctx: &mut Ctx, x: Id, pads: &[[usize; 2]], mode: &str, value: f32) -> Id {
    let mut dims = ctx.net.dims(x).to_vec();
    let mut id = x;
    if pads[1..].iter().any(|&pads| pads != [0, 0]) {
        for (n, pads) in dims[1..].iter_mut().zip(&pads[1..]) {
            *n += pads[0] + pads[1];
        }
        let op = match (mode, value) {
            ("", 0.0) => Op::Pad(pads[1..].to_vec()),
            ("", value) => Op::Text(
                "pad",
                format!("{} value {}", text::pads(&pads[1..]), text::number(value)),
            ),
            (mode, _) => Op::Text("pad", text::pads(&pads[1..]) + mode),
        };
        id = ctx.net.push(op, &[id], Vec::new(), dims.clone());
    }
    if pads[0] != [0, 0] && mode.is_empty() {
        dims[0] += pads[0][0] + pads[0][1];
        let value = match value {
            0.0 => String::new(),
            value => format!(" value {}", text::number(value)),
        };
        let args = format!("{} {}{value}", pads[0][0], pads[0][1]);
        id = ctx
            .net
            .push(Op::Text("padchannels", args), &[id], Vec::new(), dims);
    } else if pads[0] != [0, 0] {
        // Channels become the first axis of pixels.
        let rest: usize = dims[1..].iter().product();
        let flat = ctx.net.view(id, &[1, dims[0], rest]);
        dims[0] += pads[0][0] + pads[0][1];
        let args = format!("({}, {}, 0, 0){mode}", pads[0][0], pads[0][1]);
        let wide = ctx.net.push(
            Op::Text("pad", args),
            &[flat],
            Vec::new(),
            vec![1, dims[0], rest],
        );
        id = ctx.net.view(wide, &dims);
    }
    id
}
