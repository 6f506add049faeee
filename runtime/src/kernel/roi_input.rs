//! `f32_roi_pool_input` and `f32_roi_align_input`: the adjoints of the kernels on regions, in the map. Every element of the map's gradient is written.
//!
//! As regions are data, several may meet in one element: a call adds them up one after the other, and threads may share the channels only. A
//! region with a corner that is NaN gives nothing.

use super::declare::{Pixels, declare};
use super::max_input::to_first_largest;
use super::roi::{
    RoiGrid, Sampling, Steps, between, bin, corners, extent, is_broken, is_empty_grid, weights,
};
use super::support::{View, clear, invalid, span};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

declare! {
    /// What each bin got goes to the first of its largest elements, row by row: a call of `f32_roi_pool_input`.
    pub struct RoiPoolInputCall: RoiPoolInput {
        /// The regions; `x` is the map's gradient, `out` are the cotangents.
        grid: RoiGrid<P>,
        /// The map.
        map: Pixels<P>,
    }
    kernel(_c) = super::F32_ROI_POOL_INPUT;
    args(c) { out: Write = c.grid.x.at, x: Read = c.map.at, rois: Read = c.grid.regions, dy: Read = c.grid.out.at }
    consts(c) {
        rois: Count = c.grid.rois, roi: Stride = c.grid.roi, coordinate: Stride = c.grid.coordinate,
        in_h: Count = c.grid.map[0], in_w: Count = c.grid.map[1],
        in_row: Stride = c.grid.x.row, in_px: Stride = c.grid.x.pixel,
        out_h: Count = c.grid.size[0], out_w: Count = c.grid.size[1],
        out_roi: Stride = c.grid.out_roi, out_row: Stride = c.grid.out.row, out_px: Stride = c.grid.out.pixel,
        channels: Count = c.grid.channels, scale: Float = c.grid.scale,
        map_row: Stride = c.map.row, map_px: Stride = c.map.pixel,
    }
}

declare! {
    /// What each bin got goes to the elements that its samples lie between: a call of `f32_roi_align_input`.
    pub struct RoiAlignInputCall: RoiAlignInput {
        /// The regions; `x` is the map's gradient, `out` are the cotangents.
        grid: RoiGrid<P>,
        /// The map.
        map: Pixels<P>,
        /// Samples along each axis of a bin.
        samples: usize,
        /// Whether pixels are squares around their position.
        aligned: bool,
        /// Whether a result is the largest of what neighbours of samples count for: the first of these gets it all.
        largest: bool,
    }
    kernel(_c) = super::F32_ROI_ALIGN_INPUT;
    args(c) { out: Write = c.grid.x.at, x: Read = c.map.at, rois: Read = c.grid.regions, dy: Read = c.grid.out.at }
    consts(c) {
        rois: Count = c.grid.rois, roi: Stride = c.grid.roi, coordinate: Stride = c.grid.coordinate,
        in_h: Count = c.grid.map[0], in_w: Count = c.grid.map[1],
        in_row: Stride = c.grid.x.row, in_px: Stride = c.grid.x.pixel,
        out_h: Count = c.grid.size[0], out_w: Count = c.grid.size[1],
        out_roi: Stride = c.grid.out_roi, out_row: Stride = c.grid.out.row, out_px: Stride = c.grid.out.pixel,
        channels: Count = c.grid.channels, scale: Float = c.grid.scale,
        map_row: Stride = c.map.row, map_px: Stride = c.map.pixel,
        samples: Count = c.samples, aligned: Flag = c.aligned, largest: Flag = c.largest,
    }
}

pub(super) const POOL: Kernel = Kernel {
    name: "f32_roi_pool_input",
    signature: RoiPoolInput::SIGNATURE,
    exact: true,
    footprint: footprint_pool,
    entry: pool_entry,
    twin: twin_pool,
};

pub(super) const ALIGN: Kernel = Kernel {
    name: "f32_roi_align_input",
    signature: RoiAlignInput::SIGNATURE,
    exact: true,
    footprint: footprint_align,
    entry: align_entry,
    twin: twin_align,
};

entries! {
    fn pool_entry = pool
}

entries! {
    fn align_entry = align
}

#[inline(always)]
unsafe fn pool<S: Simd>(
    out: *mut f32,
    x: *const f32,
    rois: *const f32,
    dy: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`: `bin` stays within the map.
    unsafe {
        let c = RoiPoolInput::read(consts);
        let channels = c.channels as usize;
        clear::<S>(out, [1, c.in_h, c.in_w], [0, c.in_row, c.in_px], channels);
        let strides = [[0, c.in_row, c.in_px], [0, c.map_row, c.map_px]];
        for r in 0..c.rois {
            let region = corners(rois.offset(r * c.roi), c.coordinate);
            if is_broken(&region) {
                continue;
            }
            let [left, top, right, bottom] = region;
            let (top, height) = extent(top, bottom, c.scale);
            let (left, width) = extent(left, right, c.scale);
            for i in 0..c.out_h {
                let rows = bin(i, c.out_h, top, height, c.in_h);
                for j in 0..c.out_w {
                    let columns = bin(j, c.out_w, left, width, c.in_w);
                    if rows.0 >= rows.1 || columns.0 >= columns.1 {
                        continue;
                    }
                    let dy = dy.offset(r * c.out_roi + i * c.out_row + j * c.out_px);
                    let seen = [(0, 1), rows, columns];
                    let mut l = 0;
                    while l < channels {
                        let (out, x, dy) = (out.add(l), x.add(l), dy.add(l));
                        to_first_largest::<S>(out, x, dy, channels - l, seen, strides);
                        l += S::LANES;
                    }
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn align<S: Simd>(
    out: *mut f32,
    x: *const f32,
    rois: *const f32,
    dy: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`: `between` stays within the map.
    unsafe {
        let c = RoiAlignInput::read(consts);
        let channels = c.channels as usize;
        let count = S::splat((c.samples * c.samples) as f32);
        clear::<S>(out, [1, c.in_h, c.in_w], [0, c.in_row, c.in_px], channels);
        for r in 0..c.rois {
            let region = corners(rois.offset(r * c.roi), c.coordinate);
            if is_broken(&region) {
                continue;
            }
            let [left, top, right, bottom] = region;
            let rows = Steps::new(top, bottom, c.out_h, &sampling(&c));
            let columns = Steps::new(left, right, c.out_w, &sampling(&c));
            for i in 0..c.out_h {
                for j in 0..c.out_w {
                    let dy = dy.offset(r * c.out_roi + i * c.out_row + j * c.out_px);
                    if c.largest != 0 {
                        to_largest(out, x, dy, &c, [&rows, &columns], [i, j]);
                        continue;
                    }
                    for k in 0..c.samples {
                        let Some(row) = between(rows.at(i, k), c.in_h) else {
                            continue;
                        };
                        for m in 0..c.samples {
                            let Some(column) = between(columns.at(j, m), c.in_w) else {
                                continue;
                            };
                            for (place, weight) in neighbours(row, column) {
                                if weight == 0.0 {
                                    continue;
                                }
                                let out = out.offset(place[0] * c.in_row + place[1] * c.in_px);
                                let weight = S::splat(weight);
                                let mut l = 0;
                                while l < channels {
                                    let left = channels - l;
                                    let part = S::div(load_first::<S>(dy.add(l), left), count);
                                    let sum = load_first::<S>(out.add(l), left);
                                    let sum = S::add(sum, S::mul(weight, part));
                                    store_first::<S>(out.add(l), left, sum);
                                    l += S::LANES;
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Gives what a bin got to the first neighbour of its samples that counts for most, channel by channel.
#[inline(always)]
unsafe fn to_largest(
    out: *mut f32,
    x: *const f32,
    dy: *const f32,
    c: &RoiAlignInput,
    [rows, columns]: [&Steps; 2],
    [i, j]: [isize; 2],
) {
    // SAFETY: the caller's promise; `between` stays within the map.
    unsafe {
        for l in 0..c.channels {
            let (mut most, mut weight, mut place) = (f32::NEG_INFINITY, 0.0, 0);
            for k in 0..c.samples {
                let row = between(rows.at(i, k), c.in_h);
                for m in 0..c.samples {
                    let column = between(columns.at(j, m), c.in_w);
                    let (Some(row), Some(column)) = (row, column) else {
                        // Nobody's.
                        if most < 0.0 {
                            (most, weight) = (0.0, 0.0);
                        }
                        continue;
                    };
                    for ([h, w], factor) in neighbours(row, column) {
                        let mut part = 0.0;
                        if factor != 0.0 {
                            part = factor * *x.offset(h * c.map_row + w * c.map_px + l);
                        }
                        if part > most {
                            (most, weight, place) = (part, factor, h * c.in_row + w * c.in_px);
                        }
                    }
                }
            }
            if weight != 0.0 {
                *out.offset(place + l) += weight * *dy.offset(l);
            }
        }
    }
}

fn sampling(c: &RoiAlignInput) -> Sampling {
    Sampling {
        scale: c.scale,
        samples: c.samples,
        aligned: c.aligned,
    }
}

/// The four elements that a sample lies between, row by row, and what each counts for.
#[inline(always)]
fn neighbours(
    (upper, lower, down): (isize, isize, f32),
    (left, right, along): (isize, isize, f32),
) -> [([isize; 2], f32); 4] {
    let [a, b, c, d] = weights(down, along);
    [
        ([upper, left], a),
        ([upper, right], b),
        ([lower, left], c),
        ([lower, right], d),
    ]
}

fn footprint_pool(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = RoiPoolInput::new(consts);
    if is_empty_grid(&[c.in_h, c.in_w, c.out_h, c.out_w]) {
        return invalid();
    }
    vec![
        span(&[(c.in_h, c.in_row), (c.in_w, c.in_px), (c.channels, 1)]),
        span(&[(c.in_h, c.map_row), (c.in_w, c.map_px), (c.channels, 1)]),
        span(&[(c.rois, c.roi), (4, c.coordinate)]),
        span(&[
            (c.rois, c.out_roi),
            (c.out_h, c.out_row),
            (c.out_w, c.out_px),
            (c.channels, 1),
        ]),
    ]
}

fn footprint_align(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = RoiAlignInput::new(consts);
    if c.samples < 1 || is_empty_grid(&[c.in_h, c.in_w, c.out_h, c.out_w]) {
        return invalid();
    }
    vec![
        span(&[(c.in_h, c.in_row), (c.in_w, c.in_px), (c.channels, 1)]),
        span(&[(c.in_h, c.map_row), (c.in_w, c.map_px), (c.channels, 1)]),
        span(&[(c.rois, c.roi), (4, c.coordinate)]),
        span(&[
            (c.rois, c.out_roi),
            (c.out_h, c.out_row),
            (c.out_w, c.out_px),
            (c.channels, 1),
        ]),
    ]
}

fn twin_pool(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = RoiPoolInput::new(consts);
    let mut view = View::new(memory, at);
    view.clear([1, c.in_h, c.in_w], [0, c.in_row, c.in_px], c.channels);
    for r in 0..c.rois {
        let region = [0, 1, 2, 3].map(|k| view.get(2, r * c.roi + k * c.coordinate));
        if is_broken(&region) {
            continue;
        }
        let (left, width) = extent(region[0], region[2], c.scale);
        let (top, height) = extent(region[1], region[3], c.scale);
        for i in 0..c.out_h {
            for j in 0..c.out_w {
                let rows = bin(i, c.out_h, top, height, c.in_h);
                let columns = bin(j, c.out_w, left, width, c.in_w);
                for l in 0..c.channels {
                    let mut best: Option<(f32, isize)> = None;
                    for h in rows.0..rows.1 {
                        for w in columns.0..columns.1 {
                            let x = view.get(1, h * c.map_row + w * c.map_px + l);
                            if best.is_none_or(|(most, _)| x > most) {
                                best = Some((x, h * c.in_row + w * c.in_px + l));
                            }
                        }
                    }
                    let dy = view.get(3, r * c.out_roi + i * c.out_row + j * c.out_px + l);
                    if let Some((_, to)) = best {
                        view.add(to, dy);
                    }
                }
            }
        }
    }
}

fn twin_align(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = RoiAlignInput::new(consts);
    let mut view = View::new(memory, at);
    view.clear([1, c.in_h, c.in_w], [0, c.in_row, c.in_px], c.channels);
    for r in 0..c.rois {
        let region = [0, 1, 2, 3].map(|k| view.get(2, r * c.roi + k * c.coordinate));
        if is_broken(&region) {
            continue;
        }
        let columns = Steps::new(region[0], region[2], c.out_w, &sampling(&c));
        let rows = Steps::new(region[1], region[3], c.out_h, &sampling(&c));
        for i in 0..c.out_h {
            for j in 0..c.out_w {
                for l in 0..c.channels {
                    let dy = view.get(3, r * c.out_roi + i * c.out_row + j * c.out_px + l);
                    // Of each neighbour: what it counts for, its weight and its place.
                    let mut counted: Vec<(f32, f32, isize)> = Vec::new();
                    let part = dy / (c.samples * c.samples) as f32;
                    for k in 0..c.samples {
                        for m in 0..c.samples {
                            let row = between(rows.at(i, k), c.in_h);
                            let column = between(columns.at(j, m), c.in_w);
                            let (Some((upper, lower, down)), Some((left, right, along))) =
                                (row, column)
                            else {
                                counted.push((0.0, 0.0, 0));
                                continue;
                            };
                            let places =
                                [(upper, left), (upper, right), (lower, left), (lower, right)];
                            for ((h, w), weight) in places.into_iter().zip(weights(down, along)) {
                                if weight == 0.0 {
                                    counted.push((0.0, 0.0, 0));
                                    continue;
                                }
                                let to = h * c.in_row + w * c.in_px + l;
                                match c.largest {
                                    0 => view.add(to, weight * part),
                                    _ => {
                                        let x = view.get(1, h * c.map_row + w * c.map_px + l);
                                        counted.push((weight * x, weight, to));
                                    }
                                }
                            }
                        }
                    }
                    let most = counted
                        .iter()
                        .map(|one| one.0)
                        .fold(f32::NEG_INFINITY, f32::max);
                    let first = counted
                        .iter()
                        .find(|one| one.0 == most && most > f32::NEG_INFINITY);
                    if let (Some(&(_, weight, to)), true) = (first, c.largest != 0)
                        && weight != 0.0
                    {
                        view.add(to, weight * dy);
                    }
                }
            }
        }
    }
}
