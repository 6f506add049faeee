//! `f32_roi_pool` and `f32_roi_align`: regions of a map, each brought to the same extents.
//!
//! The regions are data, so which elements are read is known only when the kernel runs: it confines every address to the
//! map, and its footprint is the whole map. Whatever the numbers are (NaN, infinities, corners in the wrong order), no
//! address is outside and no loop is longer than the map. A region with a corner that is NaN becomes NaN. A neighbour of weight zero takes no part in a sample, whatever it is.

use super::declare::{Pixels, declare};
use super::support::{View, invalid, maximum, span};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

/// Regions of a map, and what each becomes.
#[derive(Clone, Debug)]
pub struct RoiGrid<P> {
    /// Regions.
    pub rois: usize,
    /// Their numbers.
    pub regions: P,
    /// From one region to the next.
    pub roi: i64,
    /// From one number of a region to the next.
    pub coordinate: i64,
    /// Height and width of the map.
    pub map: [usize; 2],
    /// Height and width of each result.
    pub size: [usize; 2],
    /// Channels.
    pub channels: usize,
    /// The results' first pixel.
    pub out: Pixels<P>,
    /// From one result to the next.
    pub out_roi: i64,
    /// The map.
    pub x: Pixels<P>,
    /// Pixels of the map for each unit of the regions.
    pub scale: f64,
}

declare! {
    /// The largest element of each bin of each region: a call of `f32_roi_pool`.
    pub struct RoiPoolCall: RoiPool {
        /// The regions.
        grid: RoiGrid<P>,
    }
    kernel(_c) = super::F32_ROI_POOL;
    args(c) { out: Write = c.grid.out.at, x: Read = c.grid.x.at, rois: Read = c.grid.regions }
    consts(c) {
        rois: Count = c.grid.rois, roi: Stride = c.grid.roi, coordinate: Stride = c.grid.coordinate,
        in_h: Count = c.grid.map[0], in_w: Count = c.grid.map[1],
        in_row: Stride = c.grid.x.row, in_px: Stride = c.grid.x.pixel,
        out_h: Count = c.grid.size[0], out_w: Count = c.grid.size[1],
        out_roi: Stride = c.grid.out_roi, out_row: Stride = c.grid.out.row, out_px: Stride = c.grid.out.pixel,
        channels: Count = c.grid.channels, scale: Float = c.grid.scale,
    }
}

declare! {
    /// The mean of samples of each bin of each region, or the largest: a call of `f32_roi_align`.
    pub struct RoiAlignCall: RoiAlign {
        /// The regions.
        grid: RoiGrid<P>,
        /// Samples along each axis of a bin.
        samples: usize,
        /// Whether pixels are squares around their position.
        aligned: bool,
        /// Whether the largest of what neighbours of samples count for is taken instead of the mean.
        largest: bool,
    }
    kernel(_c) = super::F32_ROI_ALIGN;
    args(c) { out: Write = c.grid.out.at, x: Read = c.grid.x.at, rois: Read = c.grid.regions }
    consts(c) {
        rois: Count = c.grid.rois, roi: Stride = c.grid.roi, coordinate: Stride = c.grid.coordinate,
        in_h: Count = c.grid.map[0], in_w: Count = c.grid.map[1],
        in_row: Stride = c.grid.x.row, in_px: Stride = c.grid.x.pixel,
        out_h: Count = c.grid.size[0], out_w: Count = c.grid.size[1],
        out_roi: Stride = c.grid.out_roi, out_row: Stride = c.grid.out.row, out_px: Stride = c.grid.out.pixel,
        channels: Count = c.grid.channels, scale: Float = c.grid.scale,
        samples: Count = c.samples, aligned: Flag = c.aligned, largest: Flag = c.largest,
    }
}

pub(super) const POOL: Kernel = Kernel {
    name: "f32_roi_pool",
    signature: RoiPool::SIGNATURE,
    exact: true,
    footprint,
    entry: pool_entry,
    twin: twin_pool,
};

pub(super) const ALIGN: Kernel = Kernel {
    name: "f32_roi_align",
    signature: RoiAlign::SIGNATURE,
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
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`: `bin` stays within the map.
    unsafe {
        let c = RoiPool::read(consts);
        let channels = c.channels as usize;
        for r in 0..c.rois {
            let region = corners(rois.offset(r * c.roi), c.coordinate);
            let [left, top, right, bottom] = region;
            let (top, height) = extent(top, bottom, c.scale);
            let (left, width) = extent(left, right, c.scale);
            for i in 0..c.out_h {
                let (from_row, to_row) = bin(i, c.out_h, top, height, c.in_h);
                for j in 0..c.out_w {
                    let (from_px, to_px) = bin(j, c.out_w, left, width, c.in_w);
                    let start = start(&region, from_row >= to_row || from_px >= to_px);
                    let out = out.offset(r * c.out_roi + i * c.out_row + j * c.out_px);
                    let mut l = 0;
                    while l < channels {
                        let count = channels - l;
                        let mut most = S::splat(start);
                        for h in from_row..to_row {
                            for w in from_px..to_px {
                                let x = x.offset(h * c.in_row + w * c.in_px).add(l);
                                most = S::maximum(load_first::<S>(x, count), most);
                            }
                        }
                        store_first::<S>(out.add(l), count, most);
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
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`: `between` stays within the map.
    unsafe {
        let c = RoiAlign::read(consts);
        let channels = c.channels as usize;
        let count = S::splat((c.samples * c.samples) as f32);
        for r in 0..c.rois {
            let region = corners(rois.offset(r * c.roi), c.coordinate);
            let [left, top, right, bottom] = region;
            let rows = Steps::new(top, bottom, c.out_h, &sampling(&c));
            let columns = Steps::new(left, right, c.out_w, &sampling(&c));
            for i in 0..c.out_h {
                for j in 0..c.out_w {
                    let out = out.offset(r * c.out_roi + i * c.out_row + j * c.out_px);
                    if c.largest != 0 {
                        let start = start(&region, false);
                        largest::<S>(out, x, &c, start, [&rows, &columns], [i, j]);
                        continue;
                    }
                    let mut l = 0;
                    while l < channels {
                        store_first::<S>(out.add(l), channels - l, S::splat(start(&region, true)));
                        l += S::LANES;
                    }
                    for k in 0..c.samples {
                        let Some((upper, lower, down)) = between(rows.at(i, k), c.in_h) else {
                            continue;
                        };
                        for m in 0..c.samples {
                            let Some((left, right, along)) = between(columns.at(j, m), c.in_w)
                            else {
                                continue;
                            };
                            let corners = [
                                x.offset(upper * c.in_row + left * c.in_px),
                                x.offset(upper * c.in_row + right * c.in_px),
                                x.offset(lower * c.in_row + left * c.in_px),
                                x.offset(lower * c.in_row + right * c.in_px),
                            ];
                            let weights = weights(down, along);
                            let mut l = 0;
                            while l < channels {
                                let left = channels - l;
                                let mut sum = S::splat(0.0);
                                for n in 0..4 {
                                    if weights[n] == 0.0 {
                                        continue;
                                    }
                                    let corner = load_first::<S>(corners[n].add(l), left);
                                    sum = S::add(sum, S::mul(S::splat(weights[n]), corner));
                                }
                                let total = S::add(load_first::<S>(out.add(l), left), sum);
                                store_first::<S>(out.add(l), left, total);
                                l += S::LANES;
                            }
                        }
                    }
                    let mut l = 0;
                    while l < channels {
                        let left = channels - l;
                        let mean = S::div(load_first::<S>(out.add(l), left), count);
                        store_first::<S>(out.add(l), left, mean);
                        l += S::LANES;
                    }
                }
            }
        }
    }
}

/// The largest of what the neighbours of a bin's samples count for; a sample outside and a neighbour of weight zero are 0.
#[inline(always)]
unsafe fn largest<S: Simd>(
    out: *mut f32,
    x: *const f32,
    c: &RoiAlign,
    start: f32,
    [rows, columns]: [&Steps; 2],
    [i, j]: [isize; 2],
) {
    // SAFETY: the caller's promise; `between` stays within the map.
    unsafe {
        let channels = c.channels as usize;
        let mut l = 0;
        while l < channels {
            let count = channels - l;
            let mut most = S::splat(start);
            for k in 0..c.samples {
                let row = between(rows.at(i, k), c.in_h);
                for m in 0..c.samples {
                    let column = between(columns.at(j, m), c.in_w);
                    let (Some((upper, lower, down)), Some((left, right, along))) = (row, column)
                    else {
                        most = S::maximum(S::splat(0.0), most);
                        continue;
                    };
                    let places = [(upper, left), (upper, right), (lower, left), (lower, right)];
                    let weights = weights(down, along);
                    for n in 0..4 {
                        let mut part = S::splat(0.0);
                        if weights[n] != 0.0 {
                            let (h, w) = places[n];
                            let x = x.offset(h * c.in_row + w * c.in_px).add(l);
                            part = S::mul(S::splat(weights[n]), load_first::<S>(x, count));
                        }
                        most = S::maximum(part, most);
                    }
                }
            }
            store_first::<S>(out.add(l), count, most);
            l += S::LANES;
        }
    }
}

/// The four numbers of a region.
#[inline(always)]
pub(super) unsafe fn corners(roi: *const f32, coordinate: isize) -> [f32; 4] {
    // SAFETY: the caller has a region there.
    unsafe {
        [
            *roi,
            *roi.offset(coordinate),
            *roi.offset(2 * coordinate),
            *roi.offset(3 * coordinate),
        ]
    }
}

/// What a result is before any element is seen, which is what it stays if it sees none.
#[inline(always)]
fn start(region: &[f32; 4], empty: bool) -> f32 {
    if is_broken(region) {
        f32::NAN
    } else if empty {
        0.0
    } else {
        f32::NEG_INFINITY
    }
}

/// Whether a corner is NaN.
#[inline(always)]
pub(super) fn is_broken(region: &[f32; 4]) -> bool {
    let [a, b, c, d] = *region;
    a.is_nan() || b.is_nan() || c.is_nan() || d.is_nan()
}

/// Further out than any map reaches, and near enough that no sum overflows.
const FAR: isize = 1 << 24;

/// First element and number of elements (at least one) between two corners along an axis; both are inside the region.
#[inline(always)]
pub(super) fn extent(first: f32, last: f32, scale: isize) -> (isize, isize) {
    let scale = float(scale as i64);
    // Casts are saturating, and NaN becomes zero.
    let start = ((first * scale).round() as isize).clamp(-FAR, FAR);
    let end = ((last * scale).round() as isize).clamp(-FAR, FAR);
    (start, (end - start + 1).max(1))
}

/// The elements of bin `i` of `bins`, clipped to the map: `from..to`, empty where `from ≥ to`.
#[inline(always)]
pub(super) fn bin(
    i: isize,
    bins: isize,
    start: isize,
    size: isize,
    limit: isize,
) -> (isize, isize) {
    let from = start + i * size / bins;
    let to = start + ((i + 1) * size + bins - 1) / bins;
    (from.clamp(0, limit), to.clamp(0, limit))
}

/// How samples are taken: the constants of a call.
pub(super) struct Sampling {
    pub scale: isize,
    pub samples: isize,
    pub aligned: isize,
}

fn sampling(c: &RoiAlign) -> Sampling {
    Sampling {
        scale: c.scale,
        samples: c.samples,
        aligned: c.aligned,
    }
}

/// Where the samples of a region lie along an axis.
pub(super) struct Steps {
    start: f32,
    bin: f32,
    samples: f32,
}

impl Steps {
    #[inline(always)]
    pub fn new(first: f32, last: f32, bins: isize, c: &Sampling) -> Steps {
        let scale = float(c.scale as i64);
        let offset = if c.aligned != 0 { 0.5 } else { 0.0 };
        let (start, end) = (first * scale - offset, last * scale - offset);
        let mut size = end - start;
        if c.aligned == 0 && size < 1.0 {
            size = 1.0;
        }
        Steps {
            start,
            bin: size / bins as f32,
            samples: c.samples as f32,
        }
    }

    /// Sample `k` of bin `i`.
    #[inline(always)]
    pub fn at(&self, i: isize, k: isize) -> f32 {
        self.start + i as f32 * self.bin + (k as f32 + 0.5) * self.bin / self.samples
    }
}

/// Between which two elements a sample lies, and how far it is towards the second; nothing for one that
/// is more than an element outside, or no number.
#[inline(always)]
pub(super) fn between(position: f32, limit: isize) -> Option<(isize, isize, f32)> {
    if !(-1.0..=limit as f32).contains(&position) {
        return None;
    }
    let position = if position > 0.0 { position } else { 0.0 };
    let first = position as isize;
    if first >= limit - 1 {
        return Some((limit - 1, limit - 1, 0.0));
    }
    Some((first, first + 1, position - first as f32))
}

/// What the four neighbours of a sample count for, row by row.
#[inline(always)]
pub(super) fn weights(down: f32, along: f32) -> [f32; 4] {
    let (up, back) = (1.0 - down, 1.0 - along);
    [up * back, up * along, down * back, down * along]
}

/// Whether a map or a result of these extents has no element.
pub(super) fn is_empty_grid(extents: &[isize]) -> bool {
    extents.iter().any(|&n| n < 1)
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = RoiPool::new(consts);
    if is_empty_grid(&[c.in_h, c.in_w, c.out_h, c.out_w]) {
        return invalid();
    }
    vec![
        span(&[
            (c.rois, c.out_roi),
            (c.out_h, c.out_row),
            (c.out_w, c.out_px),
            (c.channels, 1),
        ]),
        span(&[(c.in_h, c.in_row), (c.in_w, c.in_px), (c.channels, 1)]),
        span(&[(c.rois, c.roi), (4, c.coordinate)]),
    ]
}

fn footprint_align(isa: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    if RoiAlign::new(consts).samples < 1 {
        return invalid();
    }
    footprint(isa, consts)
}

fn twin_pool(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = RoiPool::new(consts);
    let mut view = View::new(memory, at);
    for r in 0..c.rois {
        let region = [0, 1, 2, 3].map(|k| view.get(2, r * c.roi + k * c.coordinate));
        let (left, width) = extent(region[0], region[2], c.scale);
        let (top, height) = extent(region[1], region[3], c.scale);
        for i in 0..c.out_h {
            for j in 0..c.out_w {
                let rows = bin(i, c.out_h, top, height, c.in_h);
                let columns = bin(j, c.out_w, left, width, c.in_w);
                for l in 0..c.channels {
                    let empty = rows.0 >= rows.1 || columns.0 >= columns.1;
                    let mut most = start(&region, empty);
                    for h in rows.0..rows.1 {
                        for w in columns.0..columns.1 {
                            most = maximum(view.get(1, h * c.in_row + w * c.in_px + l), most);
                        }
                    }
                    view.set(r * c.out_roi + i * c.out_row + j * c.out_px + l, most);
                }
            }
        }
    }
}

fn twin_align(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = RoiAlign::new(consts);
    let mut view = View::new(memory, at);
    for r in 0..c.rois {
        let region = [0, 1, 2, 3].map(|k| view.get(2, r * c.roi + k * c.coordinate));
        let columns = Steps::new(region[0], region[2], c.out_w, &sampling(&c));
        let rows = Steps::new(region[1], region[3], c.out_h, &sampling(&c));
        for i in 0..c.out_h {
            for j in 0..c.out_w {
                for l in 0..c.channels {
                    let mut total = start(&region, true);
                    let mut parts = Vec::new();
                    for k in 0..c.samples {
                        for m in 0..c.samples {
                            let row = between(rows.at(i, k), c.in_h);
                            let column = between(columns.at(j, m), c.in_w);
                            let (Some(row), Some(column)) = (row, column) else {
                                parts.push(0.0);
                                continue;
                            };
                            let x =
                                |h: isize, w: isize| view.get(1, h * c.in_row + w * c.in_px + l);
                            let corners = [
                                x(row.0, column.0),
                                x(row.0, column.1),
                                x(row.1, column.0),
                                x(row.1, column.1),
                            ];
                            let mut sum = 0.0;
                            for (weight, corner) in
                                weights(row.2, column.2).into_iter().zip(corners)
                            {
                                if weight != 0.0 {
                                    sum += weight * corner;
                                    parts.push(weight * corner);
                                } else {
                                    parts.push(0.0);
                                }
                            }
                            total += sum;
                        }
                    }
                    let result = match c.largest {
                        0 => total / (c.samples * c.samples) as f32,
                        _ => {
                            let start = start(&region, false);
                            parts
                                .into_iter()
                                .fold(start, |most, part| maximum(part, most))
                        }
                    };
                    view.set(r * c.out_roi + i * c.out_row + j * c.out_px + l, result);
                }
            }
        }
    }
}
