//! Where elements lie: shapes, orders, parts.

use super::super::ctx::{Call, Ctx, Item, Val, one};
use super::super::error::{Why, invalid, unsupported};
use super::super::fold::places_of;
use super::super::net::{Id, Op, RANK};
use super::super::node::{axes, axis};
use super::super::shapes::{self, Range};
use super::super::tensor::product;
use super::super::text;

/// `Reshape`, `Flatten`, `Squeeze`, `Unsqueeze`: other extents for the same elements.
pub fn extents(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let rank = x.dims.len();
    let dims = match call.op {
        "Reshape" => match shapes::listed(call.attrs, "shape", call.constant(1)?)? {
            Some(wanted) => {
                shapes::reshape(&x.dims, &wanted, call.attrs.int("allowzero", 0)? == 1)?
            }
            None => return invalid("a reshape without extents"),
        },
        "Flatten" => {
            let at = match call.attrs.int("axis", 1)? {
                at if at == rank as i64 => rank,
                at => axis(at, rank)?,
            };
            vec![x.dims[..at].iter().product(), x.dims[at..].iter().product()]
        }
        "Squeeze" => shapes::squeeze(
            &x.dims,
            shapes::listed(call.attrs, "axes", call.constant(1)?)?.as_deref(),
        )?,
        _ => {
            let list = shapes::listed(call.attrs, "axes", call.constant(1)?)?;
            shapes::unsqueeze(&x.dims, &list.unwrap_or_default())?
        }
    };
    ctx.batched(&dims)?;
    one(x.id, dims)
}

/// `Transpose`.
pub fn transpose(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let order = shapes::permutation(call.attrs, x.dims.len())?;
    let dims: Vec<usize> = order.iter().map(|&axis| x.dims[axis]).collect();
    if ctx.batch.is_some() && order.first() != Some(&0) {
        return unsupported("it moves the axis of the batch");
    }
    // The batch of one stays, or is an axis like any other.
    let lead = usize::from(
        ctx.batch.is_some()
            || (order.first() == Some(&0) && x.dims.first() == Some(&1) && x.dims.len() > 1),
    );
    let inner: Vec<usize> = x.dims[lead..].to_vec();
    let order: Vec<usize> = order[lead..].iter().map(|&axis| axis - lead).collect();
    let id = turned(ctx, x.id, &inner, &order);
    one(id, dims)
}

/// The axes of a tensor of those extents in another order, whatever their number; the result may have other extents, too.
fn turned(ctx: &mut Ctx, x: Id, dims: &[usize], order: &[usize]) -> Id {
    if let Some(id) = idiom(ctx, x, dims, order) {
        return id;
    }
    // Axes that stay together are one.
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for &axis in order.iter().filter(|&&axis| dims[axis] != 1) {
        match groups.last_mut() {
            Some(group)
                if (group[group.len() - 1] + 1..axis).all(|between| dims[between] == 1)
                    && axis > group[group.len() - 1] =>
            {
                group.push(axis)
            }
            _ => groups.push(vec![axis]),
        }
    }
    // Where nothing is won by it, axes stay as they are.
    if dims.len() <= RANK && !dims.is_empty() {
        let id = ctx.net.view(x, dims);
        return ctx.net.permute(id, order);
    }
    if groups.is_empty() {
        return x;
    }
    let mut sorted: Vec<usize> = (0..groups.len()).collect();
    sorted.sort_by_key(|&g| groups[g][0]);
    let size = |g: usize| groups[g].iter().map(|&axis| dims[axis]).product::<usize>();
    let merged: Vec<usize> = sorted.iter().map(|&g| size(g)).collect();
    // Group g of the result stands at `place[g]` in the operand.
    let mut place = vec![0; groups.len()];
    for (at, &g) in sorted.iter().enumerate() {
        place[g] = at;
    }
    if merged.len() <= RANK {
        let id = ctx.net.view(x, &merged);
        return ctx.net.permute(id, &place);
    }
    // More axes than the language has: one group after another is moved to its place.
    let mut now: Vec<usize> = (0..merged.len()).collect();
    let mut id = x;
    for (target, &wanted) in place.iter().enumerate() {
        let at = now
            .iter()
            .position(|&g| g == wanted)
            .expect("every group is there");
        if at == target {
            continue;
        }
        let size = |list: &[usize]| list.iter().map(|&g| merged[g]).product::<usize>();
        let parts = [
            size(&now[..target]),
            size(&now[target..at]),
            merged[wanted],
            size(&now[at + 1..]),
        ];
        id = ctx.net.view(id, &parts);
        id = ctx.net.permute(id, &[0, 2, 1, 3]);
        let moved = now.remove(at);
        now.insert(target, moved);
    }
    id
}

/// Orders that are layers: shuffled channels, channels that become pixels and the other way round.
fn idiom(ctx: &mut Ctx, x: Id, dims: &[usize], order: &[usize]) -> Option<Id> {
    match (dims, order) {
        (&[c, r, s, h, w], [0, 3, 1, 4, 2]) if r == s && r > 1 => {
            let id = ctx.net.view(x, &[c * r * r, h, w]);
            Some(ctx.net.push(
                Op::Text("depth_to_space", format!("{r} crd")),
                &[id],
                Vec::new(),
                vec![c, h * r, w * r],
            ))
        }
        (&[r, s, c, h, w], [2, 3, 0, 4, 1]) if r == s && r > 1 => {
            let id = ctx.net.view(x, &[c * r * r, h, w]);
            Some(ctx.net.push(
                Op::Text("depth_to_space", r.to_string()),
                &[id],
                Vec::new(),
                vec![c, h * r, w * r],
            ))
        }
        (&[c, h, r, w, s], [0, 2, 4, 1, 3]) if r == s && r > 1 => {
            let id = ctx.net.view(x, &[c, h * r, w * r]);
            Some(ctx.net.push(
                Op::Text("space_to_depth", format!("{r} crd")),
                &[id],
                Vec::new(),
                vec![c * r * r, h, w],
            ))
        }
        (&[c, h, r, w, s], [2, 4, 0, 1, 3]) if r == s && r > 1 => {
            let id = ctx.net.view(x, &[c, h * r, w * r]);
            Some(ctx.net.push(
                Op::Text("space_to_depth", r.to_string()),
                &[id],
                Vec::new(),
                vec![c * r * r, h, w],
            ))
        }
        (&[g, k, ref rest @ ..], [1, 0, others @ ..])
            if rest.len() == 2
                && others.iter().enumerate().all(|(at, &axis)| axis == at + 2)
                && g > 1
                && k > 1 =>
        {
            let mut map = vec![g * k];
            map.extend(rest);
            let id = ctx.net.view(x, &map);
            Some(
                ctx.net
                    .push(Op::Text("shuffle", g.to_string()), &[id], Vec::new(), map),
            )
        }
        _ => None,
    }
}

/// `DepthToSpace`, `SpaceToDepth`.
pub fn blocks(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let size = call.attrs.int("blocksize", 0)?;
    let (&[n, c, h, w], Some(b)) = (
        &x.dims[..],
        usize::try_from(size)
            .ok()
            .filter(|b| (1..=1024).contains(b)),
    ) else {
        return invalid(format!("blocks of {size} in {:?}", x.dims));
    };
    let id = ctx.map(&x)?;
    let (word, args, dims) = if call.op == "DepthToSpace" {
        let crd = call.attrs.text("mode", "DCR")? == "CRD";
        if c % (b * b) != 0 {
            return invalid(format!("blocks of {b} in {c} channels"));
        }
        (
            "depth_to_space",
            if crd {
                format!("{b} crd")
            } else {
                b.to_string()
            },
            vec![n, c / (b * b), h * b, w * b],
        )
    } else {
        if h % b != 0 || w % b != 0 {
            return invalid(format!("blocks of {b} in {h}x{w}"));
        }
        (
            "space_to_depth",
            b.to_string(),
            vec![n, c * b * b, h / b, w / b],
        )
    };
    let id = ctx
        .net
        .push(Op::Text(word, args), &[id], Vec::new(), dims[1..].to_vec());
    one(id, dims)
}

/// `Concat`.
pub fn concat(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let mut vals = Vec::new();
    for at in 0..call.inputs.len() {
        match &call.inputs[at] {
            // Nothing, as torch writes a list that begins empty.
            Some(Item::Const(tensor)) if tensor.len() == 0 => {}
            Some(Item::Const(_)) => return unsupported("constants stand beside what is computed"),
            _ => vals.push(call.val(at)?),
        }
    }
    let Some(first) = vals.first() else {
        return invalid("nothing to put together");
    };
    let at = axis(call.attrs.int("axis", 1)?, first.dims.len())?;
    let mut dims = first.dims.clone();
    dims[at] = 0;
    for val in &vals {
        let fits = val.dims.len() == dims.len()
            && (0..dims.len()).all(|axis| axis == at || val.dims[axis] == first.dims[axis]);
        if !fits {
            return invalid(format!(
                "{:?} and {:?} cannot stand behind one another along axis {at}",
                first.dims, val.dims
            ));
        }
        dims[at] += val.dims[at];
    }
    if product(&dims).is_none() {
        return unsupported(format!("a tensor of {dims:?} is too large"));
    }
    if vals.len() == 1 {
        return Ok(vec![Item::Val(first.clone())]);
    }
    let id = stacked(ctx, &vals, at)?;
    one(id, dims)
}

/// Tensors behind one another.
fn stacked(ctx: &mut Ctx, vals: &[Val], axis: usize) -> Result<Id, Why> {
    // Whether the axis exists may differ with the batch of one, so all have the groups around it.
    let natural = vals.iter().all(|val| {
        let lead = ctx.lead(&val.dims);
        axis >= lead
            && val.dims.len() - lead <= RANK
            && val.dims.len() - lead == vals[0].dims.len() - ctx.lead(&vals[0].dims)
    });
    let mut parts = Vec::new();
    let mut at = 0;
    for val in vals {
        if natural {
            let (id, place) = ctx.along(val, axis)?;
            (at, _) = (place, parts.push(id));
        } else {
            if ctx.batch.is_some() && axis == 0 {
                return unsupported("images of a batch are put behind one another");
            }
            let before: usize = val.dims[..axis].iter().product();
            let behind: usize = val.dims[axis + 1..].iter().product();
            let dims: Vec<usize> = match before {
                1 => vec![val.dims[axis], behind],
                _ => vec![before, val.dims[axis], behind],
            };
            (at, _) = (
                usize::from(before != 1),
                parts.push(ctx.net.view(val.id, &dims)),
            );
        }
    }
    // Below one change of axes.
    let below: Vec<_> = parts.iter().map(|&id| ctx.below(id)).collect();
    let order = below[0].1.clone();
    if !order.is_sorted() && below.iter().all(|(_, other)| *other == order) {
        let ids: Vec<Id> = below.iter().map(|(id, _)| *id).collect();
        let id = joined(ctx, &ids, order[at]);
        return Ok(ctx.net.permute(id, &order));
    }
    Ok(joined(ctx, &parts, at))
}

/// `concat`.
fn joined(ctx: &mut Ctx, ids: &[Id], axis: usize) -> Id {
    let mut dims = ctx.net.dims(ids[0]).to_vec();
    dims[axis] = ids.iter().map(|&id| ctx.net.dims(id)[axis]).sum();
    ctx.net.push(Op::Concat(axis), ids, Vec::new(), dims)
}

/// A range of an axis of a tensor of the network, with the language's axes.
fn part(ctx: &mut Ctx, id: Id, axis: usize, from: usize, to: usize) -> Id {
    if from == 0 && to == ctx.net.dims(id)[axis] {
        return id;
    }
    let (source, order) = ctx.below(id);
    let mut dims = ctx.net.dims(source).to_vec();
    let at = order[axis];
    dims[at] = to - from;
    // A part of a part.
    let (source, from) = match ctx.net.op(source) {
        Some(&Op::Slice(first, _, same)) if same == at => {
            (ctx.net.source(source).expect("one operand"), from + first)
        }
        _ => (source, from),
    };
    // Rows and then columns are a box of pixels.
    if at == 2
        && dims.len() == 3
        && let Some(&Op::Slice(row, _, 1)) = ctx.net.op(source)
        && let Some(whole) = ctx.net.source(source)
    {
        let outer = ctx.net.dims(whole);
        let middle = [(outer[1] - dims[1]) / 2, (outer[2] - dims[2]) / 2];
        let size = text::extents(&dims[1..]);
        let args = match middle == [row, from] {
            true => size,
            false => format!("{size} at ({row}, {from})"),
        };
        let id = ctx
            .net
            .push(Op::Text("crop", args), &[whole], Vec::new(), dims);
        return ctx.net.permute(id, &order);
    }
    let id = ctx.net.push(
        Op::Slice(from, from + dims[at], at),
        &[source],
        Vec::new(),
        dims,
    );
    ctx.net.permute(id, &order)
}

/// A range of an axis of the file's tensor.
fn range(ctx: &mut Ctx, x: &Val, range: Range) -> Result<Val, Why> {
    let mut dims = x.dims.clone();
    dims[range.axis] = range.count;
    if range.count == x.dims[range.axis] && range.step == 1 {
        return Ok(x.clone());
    }
    if range.count == 0 {
        return unsupported("a tensor without elements");
    }
    let (id, at) = ctx.along(x, range.axis)?;
    let id = match range.step {
        1 => part(ctx, id, at, range.first, range.first + range.count),
        _ if range.count == 1 => part(ctx, id, at, range.first, range.first + 1),
        step if step > 1 => {
            let step = step as usize;
            // From the first place on, cut so that the last is the one that is wanted.
            let extent = x.dims[range.axis];
            let cut = match range.first == 0 && extent.div_ceil(step) == range.count {
                true => id,
                false => {
                    let end = range.first + (range.count - 1) * step + 1;
                    part(ctx, id, at, range.first, end)
                }
            };
            strided(ctx, cut, at, step)
        }
        -1 => {
            let end = range.first + 1;
            let cut = part(ctx, id, at, end - range.count, end);
            let (source, order) = ctx.below(cut);
            let dims = ctx.net.dims(source).to_vec();
            let turned = ctx.net.push(
                Op::Text("flip", format!("axis {}", order[at])),
                &[source],
                Vec::new(),
                dims,
            );
            ctx.net.permute(turned, &order)
        }
        step => {
            // Backwards: one place behind the other.
            if range.count > 256 {
                return unsupported("a long axis is turned round");
            }
            let place = |i: usize| (range.first as i64 + i as i64 * step) as usize;
            let parts: Vec<Id> = (0..range.count)
                .map(|i| part(ctx, id, at, place(i), place(i) + 1))
                .collect();
            joined(ctx, &parts, at)
        }
    };
    Ok(Val { id, dims })
}

/// Every `step`-th place of an axis.
fn strided(ctx: &mut Ctx, id: Id, at: usize, step: usize) -> Id {
    let (source, order) = ctx.below(id);
    let at = order[at];
    let dims = ctx.net.dims(source).to_vec();
    let rank = dims.len();
    // Pixels have a layer for it; channels become pixels.
    let id = if at > 0 {
        let mut stride = vec![1; rank - 1];
        stride[at - 1] = step;
        let mut dims = dims;
        dims[at] = dims[at].div_ceil(step);
        // Strides of several axes are one layer.
        let (source, stride) = match (ctx.net.op(source), ctx.net.source(source)) {
            (Some(Op::Text("subsample", args)), Some(inner)) => {
                let old: Vec<usize> = args[1..]
                    .split('x')
                    .filter_map(|n| n.parse().ok())
                    .collect();
                (inner, old.iter().zip(&stride).map(|(a, b)| a * b).collect())
            }
            _ => (source, stride),
        };
        ctx.net.push(
            Op::Text("subsample", format!("/{}", text::extents(&stride))),
            &[source],
            Vec::new(),
            dims,
        )
    } else {
        let rest: usize = dims[1..].iter().product();
        let flat = ctx.net.view(source, &[1, dims[0], rest]);
        let count = dims[0].div_ceil(step);
        let taken = ctx.net.push(
            Op::Text("subsample", format!("/{step}x1")),
            &[flat],
            Vec::new(),
            vec![1, count, rest],
        );
        let mut dims = dims;
        dims[0] = count;
        ctx.net.view(taken, &dims)
    };
    ctx.net.permute(id, &order)
}

/// `Slice`.
pub fn slice(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let mut x = call.val(0)?;
    let mut operands = vec![None];
    for at in 1..call.inputs.len() {
        operands.push(call.constant(at)?);
    }
    for one in shapes::slices(&x.dims, call.attrs, &operands)? {
        x = range(ctx, &x, one)?;
    }
    Ok(vec![Item::Val(x)])
}

/// `Split`.
pub fn split(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let at = axis(call.attrs.int("axis", 0)?, x.dims.len())?;
    let mut first = 0;
    let mut all = Vec::new();
    for count in shapes::split(x.dims[at], call.attrs, call.constant(1)?, call.outputs)? {
        let part = Range {
            axis: at,
            first,
            count,
            step: 1,
        };
        all.push(match count {
            0 => Item::Unknown,
            _ => Item::Val(range(ctx, &x, part)?),
        });
        first += count;
    }
    Ok(all)
}

/// `Gather` at constant places.
pub fn gather(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    if let Some(Some(Item::Val(_))) = call.inputs.get(1) {
        return unsupported(
            "places are computed, or an input of the graph (a table of embeddings)",
        );
    }
    let x = call.val(0)?;
    let places = call.needed(1)?.clone();
    let at = axis(call.attrs.int("axis", 0)?, x.dims.len())?;
    let list = places_of(&places, x.dims[at])?;
    let mut dims = x.dims[..at].to_vec();
    dims.extend(&places.dims);
    dims.extend(&x.dims[at + 1..]);
    let Some(&first) = list.first() else {
        return unsupported("a tensor without elements");
    };
    // Places in a row are one range.
    let rows = runs(&list);
    if list.len() > 4096 {
        return unsupported("more than four thousand places");
    }
    let id = if let [(from, to)] = rows[..]
        && list.len() > 1
    {
        range(
            ctx,
            &x,
            Range {
                axis: at,
                first: from,
                count: to - from,
                step: 1,
            },
        )?
        .id
    } else if list.len() == 1 {
        range(
            ctx,
            &x,
            Range {
                axis: at,
                first,
                count: 1,
                step: 1,
            },
        )?
        .id
    } else {
        let (id, place) = ctx.along(&x, at)?;
        let (source, order) = ctx.below(id);
        let mut taken = ctx.net.dims(source).to_vec();
        taken[order[place]] = list.len();
        let words: Vec<String> = list.iter().map(usize::to_string).collect();
        let args = match order[place] {
            0 => format!("({})", words.join(", ")),
            axis => format!("({}) axis {axis}", words.join(", ")),
        };
        let id = ctx
            .net
            .push(Op::Text("gather", args), &[source], Vec::new(), taken);
        ctx.net.permute(id, &order)
    };
    ctx.batched(&dims)?;
    one(id, dims)
}

/// Ranges of places that follow each other.
fn runs(list: &[usize]) -> Vec<(usize, usize)> {
    let mut all: Vec<(usize, usize)> = Vec::new();
    for &place in list {
        match all.last_mut() {
            Some(last) if last.1 == place => last.1 += 1,
            _ => all.push((place, place + 1)),
        }
    }
    all
}

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

/// `Expand` and `Tile`.
pub fn repeat(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let mut x = call.val(0)?;
    let Some(list) = shapes::ints(call.constant(1)?)? else {
        return invalid("extents are missing");
    };
    if list.iter().any(|n| !(0..=1 << 31).contains(n)) {
        return invalid(format!("extents of {list:?}"));
    }
    let list: Vec<usize> = list.iter().map(|&n| n as usize).collect();
    if call.op == "Tile" {
        if list.len() != x.dims.len() {
            return invalid(format!("{list:?} tiles of {:?}", x.dims));
        }
        for (axis, &n) in list.iter().enumerate() {
            if n == 0 || n > 256 {
                return unsupported(format!("{n} tiles"));
            }
            if n > 1 {
                let (id, at) = ctx.along(&x, axis)?;
                let from = ctx.net.dims(id).to_vec();
                let mut to = from.clone();
                to[at] *= n;
                x.id = ctx.net.expand(id, &from, &to);
                x.dims[axis] *= n;
            }
        }
        ctx.batched(&x.dims)?;
        return Ok(vec![Item::Val(x)]);
    }
    let dims = super::super::tensor::broadcast(&x.dims, &list)?;
    ctx.batched(&dims)?;
    if dims.iter().product::<usize>() == x.dims.iter().product::<usize>() {
        return one(x.id, dims);
    }
    let to = ctx.lang(&dims);
    let mut from = vec![1; dims.len() - x.dims.len()];
    from.extend(&x.dims);
    let from = from[dims.len() - to.len().min(dims.len())..].to_vec();
    if from.len() != to.len() || dims.len() - ctx.lead(&dims) > RANK {
        // One axis at a time, with what stands before and behind it.
        let mut full = vec![1; dims.len() - x.dims.len()];
        full.extend(&x.dims);
        let mut id = x.id;
        for axis in 0..dims.len() {
            if full[axis] != dims[axis] {
                let before: usize = full[..axis].iter().product();
                let behind: usize = full[axis + 1..].iter().product();
                id = ctx
                    .net
                    .expand(id, &[before, 1, behind], &[before, dims[axis], behind]);
                full[axis] = dims[axis];
            }
        }
        return one(id, dims);
    }
    let id = ctx.net.expand(x.id, &from, &to);
    one(id, dims)
}

#[cfg(test)]
mod tests {
    #[test]
    fn ranges_of_places() {
        assert_eq!(super::runs(&[3, 4, 5, 1, 2, 9]), [(3, 6), (1, 3), (9, 10)]);
    }
}
