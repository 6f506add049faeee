//! Layers that move elements, and those that work along an axis.

use super::node::{Cx, float, int, ints, permutation, signed, word};

type Printed = Result<(), String>;

/// The axis of a layer, the batch counted.
fn axis(cx: &Cx<'_, '_>) -> usize {
    cx.number("axis") + 1
}

pub(super) fn along(cx: &mut Cx<'_, '_>, op: &'static str) -> Printed {
    let x = cx.x(0);
    let axis = axis(cx);
    cx.end(op, &[&x], vec![int("axis", axis)]);
    Ok(())
}

pub(super) fn concat(cx: &mut Cx<'_, '_>) -> Printed {
    let operands = cx.inputs.clone();
    let operands: Vec<&str> = operands.iter().map(String::as_str).collect();
    let axis = axis(cx);
    cx.end("Concat", &operands, vec![int("axis", axis)]);
    Ok(())
}

pub(super) fn flatten(cx: &mut Cx<'_, '_>) -> Printed {
    let mut x = cx.x(0);
    let rank = cx.dims(0).len();
    if cx.word("order") == "spatial" && rank > 1 {
        let order: Vec<usize> = (2..=rank).chain([1]).collect();
        x = cx.transpose(&x, &order);
    }
    cx.end("Flatten", &[&x], vec![int("axis", 1)]);
    Ok(())
}

pub(super) fn reshape(cx: &mut Cx<'_, '_>) -> Printed {
    let x = cx.x(0);
    cx.end_reshape(&x);
    Ok(())
}

pub(super) fn permute(cx: &mut Cx<'_, '_>) -> Printed {
    let order: Vec<usize> = cx.numbers("axes").iter().map(|axis| axis + 1).collect();
    let x = cx.x(0);
    cx.end("Transpose", &[&x], vec![permutation(&order)]);
    Ok(())
}

fn end_pad(cx: &mut Cx<'_, '_>, before: &[usize], after: &[usize], mode: &'static str, value: f32) {
    let pads = [&[0], before, &[0], after].concat();
    let pads = cx.whole("pads", &signed(&pads));
    let x = cx.x(0);
    let mode_word = word("mode", mode);
    if mode == "constant" {
        let value = cx.scalar("value", value);
        cx.end("Pad", &[&x, &pads, &value], vec![mode_word]);
    } else {
        cx.end("Pad", &[&x, &pads], vec![mode_word]);
    }
}

pub(super) fn pad(cx: &mut Cx<'_, '_>) -> Printed {
    let sides = cx.numbers("pad");
    let side = |which: usize| -> Vec<usize> {
        let sides = sides.chunks(2).map(|pair| pair[which]);
        std::iter::once(0).chain(sides).collect()
    };
    let mode = match cx.word("mode") {
        "" => "constant",
        mode => mode,
    };
    let value = cx.float("value");
    end_pad(cx, &side(0), &side(1), mode, value);
    Ok(())
}

pub(super) fn padchannels(cx: &mut Cx<'_, '_>) -> Printed {
    let rank = cx.dims(0).len();
    let side = |count: usize| {
        let mut side = vec![0; rank];
        side[0] = count;
        side
    };
    let (before, after) = (side(cx.number("before")), side(cx.number("after")));
    end_pad(cx, &before, &after, "constant", 0.0);
    Ok(())
}

/// `(axis, start, end, step)` of each axis that is cut, the batch counted.
fn end_slice(cx: &mut Cx<'_, '_>, cuts: &[(usize, i64, i64, i64)]) {
    let column = |of: fn(&(usize, i64, i64, i64)) -> i64| cuts.iter().map(of).collect::<Vec<i64>>();
    let starts = cx.whole("starts", &column(|cut| cut.1));
    let ends = cx.whole("ends", &column(|cut| cut.2));
    let axes = cx.whole("axes", &column(|cut| cut.0 as i64));
    let steps = cx.whole("steps", &column(|cut| cut.3));
    let x = cx.x(0);
    cx.end("Slice", &[&x, &starts, &ends, &axes, &steps], Vec::new());
}

pub(super) fn crop(cx: &mut Cx<'_, '_>) -> Printed {
    let (from, to) = (cx.dims(0), cx.result());
    let given = cx.numbers("at");
    let cuts = (1..from.len()).map(|axis| {
        // The middle, one more behind than before.
        let start = given
            .get(axis - 1)
            .copied()
            .unwrap_or((from[axis] - to[axis]) / 2);
        (axis + 1, start as i64, (start + to[axis]) as i64, 1)
    });
    let cuts: Vec<_> = cuts.collect();
    end_slice(cx, &cuts);
    Ok(())
}

pub(super) fn slice(cx: &mut Cx<'_, '_>) -> Printed {
    let axis = axis(cx);
    let extent = cx.dims(0)[axis - 1];
    let to = if cx.has("to") {
        cx.number("to")
    } else {
        extent
    };
    let step = cx.number("step").max(1) as i64;
    let from = cx.number("from") as i64;
    end_slice(cx, &[(axis, from, to as i64, step)]);
    Ok(())
}

pub(super) fn flip(cx: &mut Cx<'_, '_>) -> Printed {
    let axis = axis(cx);
    end_slice(cx, &[(axis, -1, -(i64::from(i32::MAX)), -1)]);
    Ok(())
}

pub(super) fn subsample(cx: &mut Cx<'_, '_>) -> Printed {
    let (from, strides) = (cx.dims(0), cx.numbers("stride"));
    let cuts = (1..from.len()).map(|axis| {
        let stride = strides
            .get(axis - 1)
            .or(strides.first())
            .copied()
            .unwrap_or(1);
        (axis + 1, 0, from[axis] as i64, stride as i64)
    });
    let cuts: Vec<_> = cuts.collect();
    end_slice(cx, &cuts);
    Ok(())
}

pub(super) fn tile(cx: &mut Cx<'_, '_>) -> Printed {
    let repeats: Vec<usize> = std::iter::once(1).chain(cx.numbers("repeats")).collect();
    let repeats = cx.whole("repeats", &signed(&repeats));
    let x = cx.x(0);
    cx.end("Tile", &[&x, &repeats], Vec::new());
    Ok(())
}

pub(super) fn upsample(cx: &mut Cx<'_, '_>) -> Printed {
    let (from, to) = (cx.dims(0), cx.result());
    let scales = from.iter().zip(&to).map(|(n, m)| (m / n) as f32);
    let scales: Vec<f32> = std::iter::once(1.0).chain(scales).collect();
    let scales = cx.floats("scales", &[scales.len()], &scales);
    let attributes = match (cx.word("mode"), cx.flag("align_corners")) {
        ("bilinear", true) => vec![
            word("mode", "linear"),
            word("coordinate_transformation_mode", "align_corners"),
        ],
        ("bilinear", false) => vec![
            word("mode", "linear"),
            word("coordinate_transformation_mode", "half_pixel"),
        ],
        _ => vec![
            word("mode", "nearest"),
            word("coordinate_transformation_mode", "asymmetric"),
            word("nearest_mode", "floor"),
        ],
    };
    let x = cx.x(0);
    cx.end("Resize", &[&x, "", &scales], attributes);
    Ok(())
}

pub(super) fn resize(cx: &mut Cx<'_, '_>) -> Printed {
    let coordinates = cx.word("coordinates");
    if coordinates == "half_pixel_symmetric" || cx.flag("antialias") {
        return Err(
            "antialiasing and symmetric coordinates are of later opsets than 17".to_owned(),
        );
    }
    let (mode, to) = (cx.word("mode"), cx.result());
    let mut attributes = vec![
        word("mode", mode),
        word("coordinate_transformation_mode", coordinates),
    ];
    match mode {
        "nearest" => attributes.push(word("nearest_mode", cx.word("rounding"))),
        "cubic" => {
            attributes.push(float("cubic_coeff_a", cx.float("a")));
            attributes.push(int("exclude_outside", cx.flag("exclude_outside").into()));
        }
        _ if cx.flag("exclude_outside") => {
            return Err("`exclude_outside` is of `cubic` only there".to_owned());
        }
        _ => {}
    }
    let x = cx.x(0);
    match cx.series("scales") {
        // Extents follow from these; where they do not, it is another layer.
        Some(scales) => {
            let from = cx.dims(0);
            let agree = scales.iter().enumerate().all(|(axis, &scale)| {
                (from[axis + 1] as f32 * scale).floor() as usize == to[axis + 1]
            });
            if !agree {
                return Err("its scales make other extents there".to_owned());
            }
            let scales = [&[1.0, 1.0], &scales[..]].concat();
            let scales = cx.floats("scales", &[scales.len()], &scales);
            cx.end("Resize", &[&x, "", &scales], attributes);
        }
        None => {
            // The batch is open, so its extent is the operand's own.
            let shape = cx.op("Shape", &[&x], vec![int("start", 0), int("end", 1)]);
            let own = cx.whole("extents", &signed(&to));
            let sizes = cx.op("Concat", &[&shape, &own], vec![int("axis", 0)]);
            cx.end("Resize", &[&x, "", "", &sizes], attributes);
        }
    }
    Ok(())
}

/// Channels in groups, dealt one of each in turn.
pub(super) fn shuffle(cx: &mut Cx<'_, '_>) -> Printed {
    let (groups, dims) = (cx.number("groups"), cx.dims(0));
    let grouped = [&[groups, dims[0] / groups], &dims[1..]].concat();
    let x = cx.x(0);
    let x = cx.reshape(&x, &grouped);
    let order: Vec<usize> = [2, 1].into_iter().chain(3..grouped.len() + 1).collect();
    let x = cx.transpose(&x, &order);
    cx.end_reshape(&x);
    Ok(())
}

pub(super) fn space_to_depth(cx: &mut Cx<'_, '_>) -> Printed {
    let (block, from, to) = (cx.number("size"), cx.dims(0), cx.result());
    let order = cx.word("order");
    let x = cx.x(0);
    if order == "darknet" {
        let (channels, area) = (from[0], block * block);
        let x = cx.reshape(&x, &[channels / area, from[1] * block, from[2] * block]);
        let x = cx.op("SpaceToDepth", &[&x], vec![int("blocksize", block)]);
        cx.end_reshape(&x);
        return Ok(());
    }
    if order == "dcr" && from.len() == 3 {
        cx.end("SpaceToDepth", &[&x], vec![int("blocksize", block)]);
        return Ok(());
    }
    let rank = from.len() - 1;
    // Channels, then place and offset of each axis.
    let split = to[1..].iter().flat_map(|&extent| [extent, block]);
    let split: Vec<usize> = std::iter::once(from[0]).chain(split).collect();
    let x = cx.reshape(&x, &split);
    let offsets = (0..rank).map(|axis| 2 * axis + 3);
    let places = (0..rank).map(|axis| 2 * axis + 2);
    let order: Vec<usize> = match order {
        "dcr" => offsets.chain([1]).chain(places).collect(),
        _ => std::iter::once(1).chain(offsets).chain(places).collect(),
    };
    let x = cx.transpose(&x, &order);
    cx.end_reshape(&x);
    Ok(())
}

pub(super) fn depth_to_space(cx: &mut Cx<'_, '_>) -> Printed {
    let (block, from, to) = (cx.number("size"), cx.dims(0), cx.result());
    let order = cx.word("order");
    let x = cx.x(0);
    let rank = from.len() - 1;
    if rank == 2 {
        let mode = if order == "dcr" { "DCR" } else { "CRD" };
        cx.end(
            "DepthToSpace",
            &[&x],
            vec![int("blocksize", block), word("mode", mode)],
        );
        return Ok(());
    }
    let blocks = vec![block; rank];
    // Where the channels and the offsets are among the axes, the batch counted.
    let (split, channels, offsets) = match order {
        "dcr" => ([&blocks[..], &to[..1], &from[1..]].concat(), rank + 1, 1),
        _ => ([&to[..1], &blocks, &from[1..]].concat(), 1, 2),
    };
    let x = cx.reshape(&x, &split);
    let interleaved = (0..rank).flat_map(|axis| [rank + 2 + axis, offsets + axis]);
    let order: Vec<usize> = std::iter::once(channels).chain(interleaved).collect();
    let x = cx.transpose(&x, &order);
    cx.end_reshape(&x);
    Ok(())
}

pub(super) fn argmax(cx: &mut Cx<'_, '_>, op: &'static str) -> Printed {
    let x = cx.x(0);
    let attributes = vec![
        int("axis", axis(cx)),
        int("keepdims", cx.flag("keep").into()),
        int("select_last_index", cx.flag("last").into()),
    ];
    let place = cx.op(op, &[&x], attributes);
    let place = cx.op("Cast", &[&place], vec![int("to", 1)]);
    cx.end_reshape(&place);
    Ok(())
}

pub(super) fn reduce(cx: &mut Cx<'_, '_>) -> Printed {
    let op = match cx.word("of") {
        "sum" => "ReduceSum",
        "max" => "ReduceMax",
        "min" => "ReduceMin",
        "prod" => "ReduceProd",
        "l1" => "ReduceL1",
        "l2" => "ReduceL2",
        "sumsq" => "ReduceSumSquare",
        "logsum" => "ReduceLogSum",
        "logsumexp" => "ReduceLogSumExp",
        _ => "ReduceMean",
    };
    let all: Vec<usize> = (0..cx.dims(0).len()).collect();
    let axes = if cx.has("axes") {
        cx.numbers("axes")
    } else {
        all
    };
    let axes: Vec<usize> = axes.iter().map(|axis| axis + 1).collect();
    let x = cx.x(0);
    let keep = int("keepdims", cx.flag("keep").into());
    let reduced = match op {
        "ReduceSum" => {
            let axes = cx.whole("axes", &signed(&axes));
            cx.op(op, &[&x, &axes], vec![keep])
        }
        _ => cx.op(op, &[&x], vec![ints("axes", &axes), keep]),
    };
    // What is left of all axes is a vector of one element.
    cx.end_reshape(&reduced);
    Ok(())
}
