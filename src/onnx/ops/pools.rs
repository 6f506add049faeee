//! Pools: of windows, of whole maps and of regions.

use super::super::ctx::{Call, Ctx, Item, Val, one};
use super::super::error::{Why, invalid, unsupported};
use super::super::net::{Id, Op};
use super::super::tensor::Tensor;
use super::super::text;
use super::window::{Window, padded};

/// `MaxPool`, `AveragePool`, `LpPool`.
pub fn pool(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    if call.outputs > 1 {
        return unsupported("the places of the largest elements are asked for");
    }
    let x = call.val(0)?;
    let spatial = x.dims.len().saturating_sub(2);
    if spatial == 0 {
        return invalid(format!("a pool of {:?}", x.dims));
    }
    let mut window = Window::read(call, None, spatial)?;
    let ceil = call.attrs.int("ceil_mode", 0)? == 1;
    window.settle(&x.dims[2..])?;
    let extents = window.extents(&x.dims[2..], ceil)?;
    let mut id = ctx.map(&x)?;
    let mut dims = vec![x.dims[0], x.dims[1]];
    dims.extend(&extents);
    let mut include = call.attrs.int("count_include_pad", 0)? == 1;
    if call.op != "MaxPool"
        && !ceil
        && window.pads.iter().all(|&pads| pads == [0, 0])
        && let Some((source, pads)) = padded(ctx, id)
        && pads
            .iter()
            .zip(&window.kernel)
            .all(|(pads, &kernel)| pads[0] < kernel && pads[1] < kernel)
    {
        (id, window.pads, include) = (source, pads, true);
    }
    // A window in the padding alone sees nothing; the language's windows see something.
    let mut args = text::window(
        &window.kernel,
        &window.stride,
        &window.pads,
        &window.dilation,
        true,
    );
    if ceil {
        args += " ceil";
    }
    let result = dims[1..].to_vec();
    let id = match call.op {
        "MaxPool" => ctx
            .net
            .push(Op::Text("maxpool", args), &[id], Vec::new(), result),
        "AveragePool" => {
            if include && window.pads.iter().any(|&pads| pads != [0, 0]) {
                args += " count_include_pad";
            }
            ctx.net
                .push(Op::Text("avgpool", args), &[id], Vec::new(), result)
        }
        _ => {
            let p = match call.opset {
                1 => call.attrs.float("p", 2.0)?,
                _ => call.attrs.int("p", 2)? as f32,
            };
            if p.fract() != 0.0 || !(1.0..=16.0).contains(&p) {
                return unsupported(format!("`p` {p}"));
            }
            ctx.net.push(
                Op::Text("lppool", format!("{args} p {p}")),
                &[id],
                Vec::new(),
                result,
            )
        }
    };
    one(id, dims)
}

/// `|x|ᵖ`.
fn power(ctx: &mut Ctx, id: usize, p: f32) -> usize {
    match p {
        1.0 => ctx.net.unary(Op::Word("abs"), id),
        p if p % 2.0 == 0.0 => ctx.net.unary(Op::Text("pow", text::number(p)), id),
        p => {
            let abs = ctx.net.unary(Op::Word("abs"), id);
            ctx.net.unary(Op::Text("pow", text::number(p)), abs)
        }
    }
}

/// The `p`-th root.
fn root(ctx: &mut Ctx, id: usize, p: f32) -> usize {
    match p {
        1.0 => id,
        2.0 => ctx.net.unary(Op::Word("sqrt"), id),
        p => ctx.net.unary(Op::Text("pow", text::number(1.0 / p)), id),
    }
}

/// `GlobalAveragePool`, `GlobalMaxPool`, `GlobalLpPool`.
pub fn global_pool(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    if x.dims.len() < 3 {
        return invalid(format!("a pool of {:?}", x.dims));
    }
    let id = ctx.map(&x)?;
    let mut dims = x.dims[..2].to_vec();
    dims.resize(x.dims.len(), 1);
    let channels = vec![x.dims[1]];
    let id = match call.op {
        "GlobalAveragePool" => ctx
            .net
            .push(Op::Word("globalavgpool"), &[id], Vec::new(), channels),
        "GlobalMaxPool" => ctx
            .net
            .push(Op::Word("globalmaxpool"), &[id], Vec::new(), channels),
        _ => {
            let p = call.attrs.int("p", 2)? as f32;
            let count: usize = x.dims[2..].iter().product();
            let powers = power(ctx, id, p);
            let mean = ctx
                .net
                .push(Op::Word("globalavgpool"), &[powers], Vec::new(), channels);
            let sum = ctx.net.unary(Op::Scale(count as f32, 0.0), mean);
            root(ctx, sum, p)
        }
    };
    one(id, dims)
}

/// Regions as rows. There is one picture, so that the number which tells whose region it is may be there or not: it is not put in front of
/// corners, nor cut off.
fn rows(ctx: &mut Ctx, id: Id, count: usize, columns: usize) -> Id {
    let regions = ctx.net.view(id, &[count, columns]);
    let made = match ctx.net.op(regions) {
        Some(Op::Reshape) => ctx.net.source(regions).unwrap_or(regions),
        _ => regions,
    };
    let Some(layer) = &ctx.net.values[made].layer else {
        return regions;
    };
    let last = ctx.net.dims(made).len() - 1;
    let elements = |id: Id| ctx.net.dims(id).iter().product::<usize>();
    let of = |id: Id, columns: usize| (elements(id) == count * columns).then_some((id, columns));
    let found = match (&layer.op, &layer.operands[..], columns) {
        (Op::Concat(axis), &[number, corners], 5) if *axis == last => {
            let constant = ctx.net.op(number) == Some(&Op::Constant);
            of(corners, 4).filter(|_| constant)
        }
        (Op::Slice(1, 5, axis), &[whole], 4) if *axis == last => of(whole, 5),
        _ => None,
    };
    match found {
        Some((id, 4)) => rows(ctx, id, count, 4),
        Some((id, columns)) => ctx.net.view(id, &[count, columns]),
        None => regions,
    }
}

/// `MaxRoiPool`, `RoiAlign`.
pub fn regions(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let (x, rois) = (call.val(0)?, call.val(1)?);
    let align = call.op == "RoiAlign";
    let &[count, columns] = &rois.dims[..] else {
        return invalid(format!("regions of extents {:?}", rois.dims));
    };
    if ctx.batch.is_some() || x.dims.len() != 4 {
        return unsupported(format!("regions of maps of extents {:?}", x.dims));
    }
    if columns != if align { 4 } else { 5 } {
        return invalid(format!("regions of {columns} numbers"));
    }
    let map = ctx.map(&x)?;
    let regions = rows(ctx, rois.id, count, columns);
    let (size, scale, args) = if align {
        let size = [
            call.attrs.int("output_height", 1)?,
            call.attrs.int("output_width", 1)?,
        ];
        let largest = match &*call.attrs.text("mode", "avg")? {
            "avg" => "",
            "max" => " largest",
            other => return unsupported(format!("`mode` {other}")),
        };
        let samples = call.attrs.int("sampling_ratio", 0)?;
        if samples < 1 {
            return unsupported(
                "`sampling_ratio` 0, a number of samples that depends on the region; export it with 2",
            );
        }
        let default = if call.opset < 16 {
            "output_half_pixel"
        } else {
            "half_pixel"
        };
        let aligned = call.attrs.text("coordinate_transformation_mode", default)? == "half_pixel";
        let aligned = if aligned { " aligned" } else { "" };
        (
            size,
            call.attrs.float("spatial_scale", 1.0)?,
            format!(" samples {samples}{aligned}{largest}"),
        )
    } else {
        let size = call.attrs.ints("pooled_shape")?.unwrap_or_default();
        let &[height, width] = size else {
            return invalid("`pooled_shape` is missing");
        };
        (
            [height, width],
            call.attrs.float("spatial_scale", 1.0)?,
            String::new(),
        )
    };
    if size.iter().any(|n| !(1..=4096).contains(n)) {
        return invalid(format!("regions become {size:?}"));
    }
    let [height, width] = size.map(|n| n as usize);
    let word = if align { "roialign" } else { "roipool" };
    let args = format!(
        "{height}x{width} spatial_scale {}{args}",
        text::number(scale)
    );
    let channels = x.dims[1];
    let id = ctx.net.push(
        Op::Text(word, args),
        &[map, regions],
        Vec::new(),
        vec![channels, count, height, width],
    );
    let id = ctx.net.permute(id, &[1, 0, 2, 3]);
    one(id, vec![count, channels, height, width])
}

/// A product with a matrix whose rows are the shares of bins: an axis is pooled to as many of them as there are rows.
pub fn adaptive(ctx: &mut Ctx, shares: &Tensor, x: &Val) -> Option<Id> {
    let (&[bins, extent], rank) = (&shares.dims[..], x.dims.len()) else {
        return None;
    };
    let values = shares.to_floats();
    let is_share = |bin: usize| {
        let (first, end) = (bin * extent / bins, ((bin + 1) * extent).div_ceil(bins));
        let share = 1.0 / (end - first) as f32;
        let mut row = values[bin * extent..][..extent].iter().enumerate();
        row.all(|(at, &value)| match (first..end).contains(&at) {
            true => value == share,
            false => value == 0.0,
        })
    };
    if bins == 0 || extent < 2 || x.dims[rank - 2] != extent || !(0..bins).all(is_share) {
        return None;
    }
    let net = &mut ctx.net;
    let map = match (net.op(x.id), net.source(x.id)) {
        (Some(Op::Reshape), Some(source)) => source,
        _ => x.id,
    };
    let dims = net.dims(map).to_vec();
    let behind = x.dims[rank - 1];
    let axis = (1..dims.len()).find(|&axis| {
        dims[axis] == extent && dims[axis + 1..].iter().product::<usize>() == behind
    })?;
    let mut result = dims.clone();
    result[axis] = bins;
    // Axes that are pooled one after another are pooled together.
    let (source, before) = match (net.op(map), net.source(map)) {
        (Some(Op::Text("adaptiveavgpool", _)), Some(source)) => (source, net.dims(source)),
        _ => (map, &dims[..]),
    };
    let source = if before[axis] == extent { source } else { map };
    let pool = Op::Text("adaptiveavgpool", text::extents(&result[1..]));
    Some(net.push(pool, &[source], Vec::new(), result))
}
