//! `Resize` and `Upsample`.

use super::super::ctx::{Call, Ctx, Item, one};
use super::super::error::{Why, invalid, unsupported};
use super::super::net::Op;
use super::super::node::axes;
use super::super::shapes;
use super::super::text;

/// `Resize`, `Upsample`.
pub fn resize(ctx: &mut Ctx, call: &Call<'_>) -> Result<Vec<Item>, Why> {
    let x = call.val(0)?;
    let rank = x.dims.len();
    let upsample = call.op == "Upsample";
    // Resize 10 has scales behind the operand, 11 and later a region before and sizes behind them.
    let (scales, sizes) = match (upsample, call.opset) {
        (true, ..9) => (None, None),
        (true, _) | (false, ..11) => (call.constant(1)?, None),
        (false, _) => (call.constant(2)?, call.constant(3)?),
    };
    let over = match call.attrs.ints("axes")? {
        Some(list) => axes(list, rank)?,
        None => (0..rank).collect(),
    };
    let scales: Option<Vec<f32>> = match scales {
        Some(tensor) if tensor.len() > 0 => Some(tensor.to_floats().into_owned()),
        _ => call.attrs.floats("scales")?.map(<[f32]>::to_vec),
    };
    let mut dims = x.dims.clone();
    let mut factors = vec![1f32; rank];
    let sizes = shapes::ints(sizes.filter(|sizes| sizes.len() > 0))?;
    let exact = scales.is_none();
    match (&scales, &sizes) {
        (Some(scales), None) if scales.len() == over.len() => {
            for (&axis, &scale) in over.iter().zip(scales) {
                // In 32 bits: 0.7 of 10 is 7, and less than that in 64.
                let n = (x.dims[axis] as f32 * scale).floor();
                if !(scale > 0.0 && (1.0..=16_777_216.0).contains(&n)) {
                    return invalid(format!("a scale of {scale} for {} elements", x.dims[axis]));
                }
                dims[axis] = n as usize;
                factors[axis] = scale;
            }
        }
        (None, Some(sizes)) if sizes.len() == over.len() => {
            let policy = call.attrs.text("keep_aspect_ratio_policy", "stretch")?;
            if sizes.iter().any(|n| !(1..=1 << 24).contains(n)) {
                return invalid(format!("sizes of {sizes:?}"));
            }
            let all = over
                .iter()
                .zip(sizes)
                .map(|(&axis, &n)| n as f64 / x.dims[axis] as f64);
            let scale = match &*policy {
                "stretch" => None,
                "not_larger" => all.min_by(f64::total_cmp),
                "not_smaller" => all.max_by(f64::total_cmp),
                other => return invalid(format!("`keep_aspect_ratio_policy` is {other}")),
            };
            for (&axis, &n) in over.iter().zip(sizes) {
                match scale {
                    None => dims[axis] = n as usize,
                    Some(scale) => {
                        dims[axis] = (scale * x.dims[axis] as f64 + 0.5).floor() as usize
                    }
                }
                factors[axis] = scale.map_or(n as f32 / x.dims[axis] as f32, |scale| scale as f32);
            }
        }
        _ => return invalid("either scales or sizes are needed, one for each axis"),
    }
    let mode = call.attrs.text("mode", "nearest")?;
    let default = if upsample || call.opset < 11 {
        "asymmetric"
    } else {
        "half_pixel"
    };
    let coordinates = call.attrs.text("coordinate_transformation_mode", default)?;
    let rounding = match upsample || call.opset < 11 {
        // Upsample and Resize 10 take the place before; the one behind along axes that become smaller.
        true => {
            let (less, more) = (|&x: &f32| x < 1.0, |&x: &f32| x > 1.0);
            let smaller = factors.iter().any(less);
            if smaller && mode == "nearest" && factors.iter().any(more) {
                return unsupported(
                    "some axes become smaller and others larger, which operator sets before 11 round differently",
                );
            }
            let side = if smaller { "ceil" } else { "floor" };
            side.to_owned()
        }
        false => call.attrs.text("nearest_mode", "round_prefer_floor")?,
    };
    let lead = ctx.lead(&dims);
    if (0..rank).all(|axis| dims[axis] == x.dims[axis]) && coordinates != "tf_crop_and_resize" {
        return one(x.id, dims);
    }
    if dims[..lead] != x.dims[..lead] || rank - lead > 4 || rank <= lead {
        return unsupported("the axis of the batch changes, or one of too many");
    }
    let channels = dims[lead] == x.dims[lead];
    let id = ctx.natural(&x);
    let from = ctx.net.dims(id).to_vec();
    let to = ctx.lang(&dims);
    let pixels = &to[1..];
    let scale: Vec<f32> = factors[lead + 1..].to_vec();
    // Whole factors are another layer.
    let whole: Option<Vec<usize>> = from[1..]
        .iter()
        .zip(pixels)
        .map(|(&from, &to)| to.is_multiple_of(from).then(|| to / from))
        .collect();
    let true_scale = exact
        || whole
            .as_ref()
            .is_some_and(|whole| whole.iter().zip(&scale).all(|(&n, &s)| n as f32 == s));
    if let Some(factor) = whole
        && channels
        && true_scale
        && !pixels.is_empty()
    {
        let plain = match (&*mode, &*coordinates) {
            ("nearest", "asymmetric") => rounding == "floor",
            ("nearest", "half_pixel" | "pytorch_half_pixel") => {
                rounding.starts_with("round_prefer")
            }
            _ => false,
        };
        // In the middle between two places: no factor of 2 has one, odd ones neither.
        let bilinear = match (&*mode, &*coordinates) {
            ("linear" | "bilinear", "half_pixel" | "half_pixel_symmetric") => Some(""),
            ("linear" | "bilinear", "pytorch_half_pixel") if pixels.iter().all(|&n| n > 1) => {
                Some("")
            }
            ("linear" | "bilinear", "align_corners") if from[1..].iter().all(|&n| n > 1) => {
                Some(" align_corners")
            }
            _ => None,
        };
        let text = match factor.iter().all(|&n| n == factor[0]) {
            true => factor[0].to_string(),
            false => text::extents(&factor),
        };
        if plain {
            let id = ctx
                .net
                .push(Op::Text("upsample", text), &[id], Vec::new(), to);
            return one(id, dims);
        }
        if let Some(corners) = bilinear
            && pixels.len() <= 2
        {
            let id = ctx.net.push(
                Op::Text("upsample", format!("{text} bilinear{corners}")),
                &[id],
                Vec::new(),
                to,
            );
            return one(id, dims);
        }
    }
    // A channel axis that changes becomes one of pixels.
    let (id, pixels, scale) = match channels {
        true => (id, pixels.to_vec(), scale),
        false => {
            let mut flat = vec![1];
            flat.extend(&from);
            if flat.len() > 4 {
                return unsupported("channels and three other axes change");
            }
            (
                ctx.net.view(id, &flat),
                to.clone(),
                factors[lead..].to_vec(),
            )
        }
    };
    let mut args = text::extents(&pixels);
    match &*mode {
        "nearest" => args += &format!(" nearest {coordinates} {rounding}"),
        "linear" | "bilinear" => args += &format!(" linear {coordinates}"),
        "cubic" => {
            let a = call.attrs.float("cubic_coeff_a", -0.75)?;
            args += &format!(" cubic {coordinates}");
            if a != -0.75 {
                args += &format!(" a {}", text::number(a));
            }
        }
        other => return invalid(format!("`mode` is {other}")),
    }
    if coordinates == "tf_crop_and_resize" {
        let list = call.needed(1)?.to_floats().into_owned();
        if list.len() != 2 * over.len() {
            return invalid(format!(
                "a region of {} numbers for {} axes",
                list.len(),
                over.len()
            ));
        }
        let mut region = vec![[0.0f32, 1.0]; rank];
        for (at, &axis) in over.iter().enumerate() {
            region[axis] = [list[at], list[at + over.len()]];
        }
        let first = rank - pixels.len();
        if region[..first].iter().any(|&part| part != [0.0, 1.0]) {
            return unsupported("a region of channels or images");
        }
        let all: Vec<String> = region[first..]
            .iter()
            .map(|part| text::number(part[0]))
            .chain(region[first..].iter().map(|part| text::number(part[1])))
            .collect();
        args = args.replace("tf_crop_and_resize", "crop");
        args += &format!(" roi ({})", all.join(", "));
        let outside = call.attrs.float("extrapolation_value", 0.0)?;
        if outside != 0.0 {
            args += &format!(" outside {}", text::number(outside));
        }
    }
    let known = [
        "tf_crop_and_resize",
        "half_pixel",
        "half_pixel_symmetric",
        "pytorch_half_pixel",
        "align_corners",
        "asymmetric",
    ];
    if !known.contains(&&*coordinates) {
        return unsupported(format!("`coordinate_transformation_mode` {coordinates}"));
    }
    let quotient = |axis: usize| pixels[axis] as f32 / ctx.net.dims(id)[axis + 1] as f32;
    if (0..pixels.len()).any(|axis| scale[axis] != quotient(axis)) {
        let list: Vec<String> = scale.iter().map(|&scale| text::number(scale)).collect();
        args += &format!(
            " scales ({})",
            if list.len() == 1 {
                format!("{},", list[0])
            } else {
                list.join(", ")
            }
        );
    }
    if call.attrs.int("exclude_outside", 0)? == 1 {
        args += " exclude_outside";
    }
    if call.attrs.int("antialias", 0)? == 1 {
        args += " antialias";
    }
    let mut result = ctx.net.dims(id)[..1].to_vec();
    result.extend(&pixels);
    let id = ctx
        .net
        .push(Op::Text("resize", args), &[id], Vec::new(), result);
    let id = ctx.net.view(id, &to);
    one(id, dims)
}
