//! Axes in another order, and blocks of pixels that become channels and back.

use super::super::ctx::{Call, Ctx, Item, one};
use super::super::error::{Why, invalid, unsupported};
use super::super::net::{Id, Op, RANK};
use super::super::shapes;

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
            // Four axes of a tensor's own are no groups of channels.
            if rest.len() == 2
                && ctx.net.dims(x) != dims
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
