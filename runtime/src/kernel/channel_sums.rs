//! `f32_group_sum` and `f32_near_sum`: sums over channels of each pixel, of groups of them and of those around each.
//!
//! All of it is computed in f64 and rounded once, in one order for each number of lanes.

use super::declare::{Pixelwise, declare};
use super::lrn::load_inside;
use super::support::{View, span};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first, total_wide};

declare! {
    /// Every channel becomes the sum of its group's: a call of `f32_group_sum`.
    pub struct GroupSumCall: GroupSum {
        /// The pixels.
        over: Pixelwise<P>,
        /// Groups of adjacent channels, into which they can be cut.
        groups: usize,
    }
    kernel(_c) = super::F32_GROUP_SUM;
    args(c) { out: Write = c.over.out.at, x: Same = c.over.x.at }
    consts(c) {
        rows: Count = c.over.rows, out_row: Stride = c.over.out.row, in_row: Stride = c.over.x.row,
        pixels: Count = c.over.pixels, out_px: Stride = c.over.out.pixel, in_px: Stride = c.over.x.pixel,
        groups: Count = c.groups, size: Count = c.over.channels / c.groups,
    }
}

declare! {
    /// Every channel becomes the sum of those around it, as many as there are: a call of `f32_near_sum`.
    pub struct NearSumCall: NearSum {
        /// The pixels.
        over: Pixelwise<P>,
        /// Channels before it.
        before: usize,
        /// Channels behind it.
        behind: usize,
    }
    kernel(_c) = super::F32_NEAR_SUM;
    args(c) { out: Write = c.over.out.at, x: Read = c.over.x.at }
    consts(c) {
        rows: Count = c.over.rows, out_row: Stride = c.over.out.row, in_row: Stride = c.over.x.row,
        pixels: Count = c.over.pixels, out_px: Stride = c.over.out.pixel, in_px: Stride = c.over.x.pixel,
        channels: Count = c.over.channels, before: Count = c.before, behind: Count = c.behind,
    }
}

pub(super) const GROUP: Kernel = Kernel {
    name: "f32_group_sum",
    signature: GroupSum::SIGNATURE,
    exact: true,
    footprint: footprint_group,
    entry: group_entry,
    twin: twin_group,
};

pub(super) const NEAR: Kernel = Kernel {
    name: "f32_near_sum",
    signature: NearSum::SIGNATURE,
    exact: true,
    footprint: footprint_near,
    entry: near_entry,
    twin: twin_near,
};

entries! {
    fn group_entry = group
}

entries! {
    fn near_entry = near
}

#[inline(always)]
unsafe fn group<S: Simd>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = GroupSum::read(consts);
        let size = c.size as usize;
        for r in 0..c.rows {
            for p in 0..c.pixels {
                for g in 0..c.groups {
                    let x = x.offset(r * c.in_row + p * c.in_px + g * c.size);
                    let out = out.offset(r * c.out_row + p * c.out_px + g * c.size);
                    let mut sums = S::splat_wide(0.0);
                    let mut l = 0;
                    while l < size {
                        let value = load_first::<S>(x.add(l), size - l);
                        sums = S::add_wide(sums, S::widen(value));
                        l += S::LANES;
                    }
                    let sum = S::splat(total_wide::<S>(sums) as f32);
                    let mut l = 0;
                    while l < size {
                        store_first::<S>(out.add(l), size - l, sum);
                        l += S::LANES;
                    }
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn near<S: Simd>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`: `load_inside` stays within the channels.
    unsafe {
        let c = NearSum::read(consts);
        for r in 0..c.rows {
            for p in 0..c.pixels {
                let x = x.offset(r * c.in_row + p * c.in_px);
                let out = out.offset(r * c.out_row + p * c.out_px);
                let mut l = 0;
                while l < c.channels {
                    let mut sum = S::splat_wide(0.0);
                    for j in l - c.before..=l + c.behind {
                        let value = load_inside::<S>(x, j, c.channels);
                        sum = S::add_wide(sum, S::widen(value));
                    }
                    let left = (c.channels - l) as usize;
                    store_first::<S>(out.offset(l), left, S::narrow(sum));
                    l += S::LANES as isize;
                }
            }
        }
    }
}

fn footprint_group(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = GroupSum::new(consts);
    let channels = (c.groups * c.size, 1);
    vec![
        span(&[(c.rows, c.out_row), (c.pixels, c.out_px), channels]),
        span(&[(c.rows, c.in_row), (c.pixels, c.in_px), channels]),
    ]
}

fn footprint_near(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = NearSum::new(consts);
    vec![
        span(&[(c.rows, c.out_row), (c.pixels, c.out_px), (c.channels, 1)]),
        span(&[(c.rows, c.in_row), (c.pixels, c.in_px), (c.channels, 1)]),
    ]
}

fn twin_group(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa) {
    let c = GroupSum::new(consts);
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.pixels {
            for g in 0..c.groups {
                let x = r * c.in_row + p * c.in_px + g * c.size;
                let out = r * c.out_row + p * c.out_px + g * c.size;
                let mut lanes = vec![0.0; isa.lanes()];
                for l in 0..c.size {
                    lanes[l as usize % isa.lanes()] += f64::from(view.get(1, x + l));
                }
                let sum = lanes.iter().sum::<f64>() as f32;
                for l in 0..c.size {
                    view.set(out + l, sum);
                }
            }
        }
    }
}

fn twin_near(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = NearSum::new(consts);
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.pixels {
            let x = r * c.in_row + p * c.in_px;
            for l in 0..c.channels {
                let mut sum = 0.0;
                for j in (l - c.before).max(0)..(l + c.behind + 1).min(c.channels) {
                    sum += f64::from(view.get(1, x + j));
                }
                view.set(r * c.out_row + p * c.out_px + l, sum as f32);
            }
        }
    }
}
