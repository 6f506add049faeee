//! Regions of interest: rows of corners, for each image of the batch.

use super::node::{Cx, float, int, ints, permutation, word};

type Printed = Result<(), String>;

/// The regions of all images as one list of corners, and the number of the image that each is of: as numbers, and as whole numbers.
fn regions(cx: &mut Cx<'_, '_>) -> Result<(String, String, usize), String> {
    let dims = cx.dims(1);
    let [count, columns] = dims[..] else {
        return Err("its regions are no rows".to_owned());
    };
    let mut corners = cx.x(1);
    if columns == 5 {
        // Behind an index that is not looked at.
        let [starts, ends, axes] =
            [("starts", 1), ("ends", 5), ("axes", 2)].map(|(what, value)| cx.whole(what, &[value]));
        corners = cx.op("Slice", &[&corners, &starts, &ends, &axes], Vec::new());
    }
    // Ones, counted up: the image of each region.
    let x = cx.x(0);
    let batch = cx.op("Shape", &[&x], vec![int("start", 0), int("end", 1)]);
    let [zero, one] = [("zero", 0), ("one", 1)].map(|(what, value)| cx.whole(what, &[value]));
    let scalar = |cx: &mut Cx<'_, '_>, value: &str| cx.op("Squeeze", &[value], Vec::new());
    let (zero, one, end) = (scalar(cx, &zero), scalar(cx, &one), scalar(cx, &batch));
    let images = cx.op("Range", &[&zero, &end, &one], Vec::new());
    let column = cx.whole("column", &[-1, 1]);
    let images = cx.op("Reshape", &[&images, &column], Vec::new());
    let times = cx.whole("times", &[1, count as i64]);
    let images = cx.op("Tile", &[&images, &times], Vec::new());
    let flat = cx.whole("flat", &[-1]);
    let images = cx.op("Reshape", &[&images, &flat], Vec::new());
    let rows = cx.whole("rows", &[-1, 4]);
    let corners = cx.op("Reshape", &[&corners, &rows], Vec::new());
    Ok((corners, images, count))
}

/// From a list of all regions to `C×N×h×w` of each image.
fn end(cx: &mut Cx<'_, '_>, pooled: &str, count: usize) {
    let result = cx.result();
    let shape = [
        -1,
        count as i64,
        result[0] as i64,
        result[2] as i64,
        result[3] as i64,
    ];
    let shape = cx.whole("extents", &shape);
    let pooled = cx.op("Reshape", &[pooled, &shape], Vec::new());
    cx.end("Transpose", &[&pooled], vec![permutation(&[2, 1, 3, 4])]);
}

pub(super) fn roialign(cx: &mut Cx<'_, '_>) -> Printed {
    let (corners, images, count) = regions(cx)?;
    let size = cx.numbers("size");
    let mode = match cx.flag("aligned") {
        true => "half_pixel",
        false => "output_half_pixel",
    };
    let attributes = vec![
        word("mode", if cx.flag("largest") { "max" } else { "avg" }),
        word("coordinate_transformation_mode", mode),
        int("output_height", size[0]),
        int("output_width", size[1]),
        int("sampling_ratio", cx.number("samples")),
        float("spatial_scale", cx.float("spatial_scale")),
    ];
    let x = cx.x(0);
    let pooled = cx.op("RoiAlign", &[&x, &corners, &images], attributes);
    end(cx, &pooled, count);
    Ok(())
}

pub(super) fn roipool(cx: &mut Cx<'_, '_>) -> Printed {
    let (corners, images, count) = regions(cx)?;
    let size = cx.numbers("size");
    let images = cx.op("Cast", &[&images], vec![int("to", 1)]);
    let column = cx.whole("column", &[-1, 1]);
    let images = cx.op("Reshape", &[&images, &column], Vec::new());
    let rows = cx.op("Concat", &[&images, &corners], vec![int("axis", 1)]);
    let attributes = vec![
        ints("pooled_shape", &size),
        float("spatial_scale", cx.float("spatial_scale")),
    ];
    let x = cx.x(0);
    let pooled = cx.op("MaxRoiPool", &[&x, &rows], attributes);
    end(cx, &pooled, count);
    Ok(())
}
