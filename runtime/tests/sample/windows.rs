//! Kernels that see pixels through windows, tiles and regions.

use super::{Draw, activation};
use cnnc_runtime::Isa;
use cnnc_runtime::kernel::bits;
use cnnc_testing::Random;

pub fn conv(mr: i64, nr: i64, isa: Isa, random: &mut Random) -> Vec<i64> {
    let (rows, tiles, lanes) = (random.within(1, 3), random.within(1, 3), isa.lanes() as i64);
    let partial = random.within((nr - 1) * lanes + 1, nr * lanes);
    let channels = *random.pick(&[nr * lanes, partial]);
    // The residual is as the output, or not.
    let pixels = [0, 1].map(|_| {
        let pixel = channels + random.within(0, 3);
        (tiles * mr * pixel + random.within(0, 5), pixel)
    });
    let (out_row, out_px) = pixels[0];
    let (res_row, res_px) = *random.pick(&pixels);
    let mut consts = vec![rows, out_row, random.within(1, 60), res_row];
    consts.extend([tiles, out_px, random.within(1, 12), res_px]);
    for most in [2, 3, 2] {
        consts.extend([random.within(1, most), random.within(1, 30)]);
    }
    consts.extend([
        *random.pick(&[1, 2, 3, 4, 5, 6, 7, 8, 13, 21]),
        channels,
        random.within(0, 1),
    ]);
    consts.extend(activation(random));
    consts.push(random.within(0, 1) * random.within(0, 100));
    consts.extend(*random.pick(&[[1, 0], [0, 0], [0, 64], [0, 5000]]));
    consts
}

/// `rows … channels` of windows, and the number of taps.
pub fn window(random: &mut Random) -> (Vec<i64>, i64) {
    let (rows, pixels, channels) = (
        random.within(1, 2),
        random.within(1, 24),
        random.within(1, 70),
    );
    let out_px = channels + random.within(0, 3);
    let in_px = channels + random.within(0, 3);
    let mut consts = vec![
        rows,
        pixels * out_px + random.within(0, 5),
        random.within(1, 300),
    ];
    consts.extend([pixels, out_px, in_px * random.within(1, 2)]);
    let counts = *random.pick(&[
        [1, 3, 3],
        [3, 3, 1],
        [1, 2, 2],
        [2, 3, 2],
        [1, 1, 1],
        [1, 1, 7],
        [1, 5, 3],
        [2, 5, 7],
        [1, 1, 41],
    ]);
    for (dim, count) in counts.into_iter().enumerate() {
        let stride = if dim == 2 || counts[2] == 1 {
            in_px
        } else {
            random.within(1, 300)
        };
        consts.extend([count, stride]);
    }
    consts.push(channels);
    (consts, counts.iter().product())
}

pub fn depthwise(isa: Isa, random: &mut Random) -> Vec<i64> {
    let mut consts = window(random).0;
    let lanes = isa.lanes() as i64;
    let channels = consts[consts.len() - 1];
    consts.push((channels + lanes - 1) / lanes * lanes);
    consts.extend(activation(random));
    let (row, pixel) = (random.within(0, 300), channels + random.within(0, 3));
    consts.extend(*random.pick(&[[0, 0, 0], [1, row, pixel], [1, row, 0]]));
    consts
}

/// `tile_rows, tile_cols, h, w`; the last tiles lack some pixels of those they make and `beyond` that they read.
pub fn tiles(side: i64, beyond: i64, random: &mut Random) -> Vec<i64> {
    let tiles = [random.within(1, 3), random.within(1, 3)];
    let extents = tiles.map(|tiles| match random.within(0, 2) {
        0 => random.within(side * (tiles - 1) + 1, side * tiles + beyond),
        _ => side * tiles + beyond,
    });
    [tiles, extents].concat()
}

/// Strides of matrices, rows of tiles and tiles.
pub fn products(tiles: &[i64], channels: i64, random: &mut Random) -> [i64; 3] {
    let tile = channels + random.within(0, 3);
    let row = tiles[1] * tile + random.within(0, 3);
    [tiles[0] * row + random.within(0, 3), row, tile]
}

/// Tiles of inputs of either algorithm.
pub fn winograd_input(random: &mut Random) -> Vec<i64> {
    let side = *random.pick(&SIDES);
    winograd_tiles(side, 6 - side, random)
}

/// Tiles `side` apart that read `beyond` pixels more.
pub fn winograd_tiles(side: i64, beyond: i64, random: &mut Random) -> Vec<i64> {
    let mut consts = tiles(side, beyond, random);
    let channels = random.within(1, 40);
    let products = products(&consts, channels, random);
    let pixel = channels + random.within(0, 3);
    consts.extend([consts[3] * pixel + random.within(0, 3), pixel, channels]);
    consts.extend(products);
    consts.push(side);
    consts
}

/// Outputs along an axis of a tile of Winograd's algorithms.
const SIDES: [i64; 2] = [4, 2];

pub fn winograd_output(random: &mut Random) -> Vec<i64> {
    let side = *random.pick(&SIDES);
    let mut consts = tiles(side, 0, random);
    let channels = random.within(1, 40);
    let products = products(&consts, channels, random);
    let pixels = [0, 1].map(|_| channels + random.within(0, 3));
    let [out, residual] = pixels.map(|pixel| [consts[3] * pixel + random.within(0, 3), pixel]);
    consts.extend(out);
    consts.extend(products);
    consts.extend(residual);
    consts.extend([channels, random.within(0, 1)]);
    consts.extend(activation(random));
    consts.push(side);
    consts
}

pub fn winograd_weights(isa: Isa, random: &mut Random) -> Vec<i64> {
    let (channels, panel) = (
        random.within(1, 9),
        random.within(1, 3) * isa.lanes() as i64,
    );
    vec![channels, panel, channels * panel + random.within(0, 5)]
}

pub fn bilinear(random: &mut Random) -> Vec<i64> {
    let (in_h, in_w, out_h, out_w) = (
        random.within(1, 7),
        random.within(1, 7),
        random.within(1, 12),
        random.within(1, 12),
    );
    let channels = random.within(1, 40);
    let (in_px, out_px) = (
        channels + random.within(0, 2),
        channels + random.within(0, 2),
    );
    let row_from = random.within(0, out_h - 1);
    let row_to = random.within(row_from + 1, out_h);
    vec![
        in_h,
        in_w,
        in_w * in_px + random.within(0, 3),
        in_px,
        out_h,
        out_w,
        out_w * out_px + random.within(0, 3),
        out_px,
        channels,
        random.within(0, 1),
        row_from,
        row_to,
    ]
}

/// The regions' numbers are between -1 and 1, so scales take them beyond both ends of the map.
pub fn regions(random: &mut Random) -> Vec<i64> {
    let channels = random.within(1, 37);
    let rois = random.within(1, 5);
    // Regions one behind the other, or numbers.
    let (roi, coordinate) = *random.pick(&[(1, rois), (4, 1), (7, 1), (1, rois + 3)]);
    let (in_h, in_w) = (random.within(1, 9), random.within(1, 9));
    let in_px = channels + random.within(0, 3);
    let in_row = in_w * in_px + random.within(0, 3);
    let (out_h, out_w) = (random.within(1, 4), random.within(1, 4));
    let out_px = channels + random.within(0, 3);
    let out_row = out_w * out_px + random.within(0, 3);
    let out_roi = out_h * out_row + random.within(0, 3);
    let scale = bits(*random.pick(&[1.0, 5.0, 9.0, 12.0, 1e9, 3e38]));
    vec![
        rois, roi, coordinate, in_h, in_w, in_row, in_px, out_h, out_w, out_roi, out_row, out_px,
        channels, scale,
    ]
}
