//! `f32_group_norm`: groups of channels brought to mean 0 and variance 1 over all pixels together, then scaled and shifted.
//!
//! The pixels that a mean is over are a grid; the call does the same at each of `rows × pixels` places, for norms of single pixels.
//! Mean and variance are sums in f64, one after the other and in one order for each number of lanes: the variance is that of distances from
//! the mean, so that nothing cancels where it is small beside the mean.
//!
//! As many groups as fit into a vector go together, each in lanes of its own; a larger group takes several vectors.

use super::declare::{Pixels, declare};
use super::support::{View, span, vector};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{MOST_LANES, Simd, entries, load_first, store_first};

/// An axis along which two tensors are walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Iterations.
    pub count: usize,
    /// From one to the next in the result.
    pub out: i64,
    /// From one to the next in the operand.
    pub x: i64,
}

impl Walk {
    /// One iteration.
    pub const ONCE: Walk = Walk {
        count: 1,
        out: 0,
        x: 0,
    };
}

declare! {
    /// Groups of channels normalised over a grid of pixels: a call of `f32_group_norm`.
    pub struct GroupNormCall: GroupNorm {
        /// Rows of places that are normalised by themselves.
        rows: usize,
        /// Places in a row.
        pixels: usize,
        /// Planes, lines and taps of the pixels that are normalised together.
        grid: [Walk; 3],
        /// Groups.
        groups: usize,
        /// Channels of a group.
        size: usize,
        /// The result; a `pixel` is a place.
        out: Pixels<P>,
        /// The operand.
        x: Pixels<P>,
        /// Factor and term of each channel, if there are any.
        affine: Option<[P; 2]>,
        /// Added to the variance.
        eps: f64,
    }
    kernel(_c) = super::F32_GROUP_NORM;
    args(c) {
        out: Write = c.out.at, x: Same = c.x.at,
        scale: Read = c.affine.as_ref().map(|[scale, _]| scale.clone()),
        shift: Read = c.affine.as_ref().map(|[_, shift]| shift.clone()),
    }
    consts(c) {
        rows: Count = c.rows, out_row: Stride = c.out.row, in_row: Stride = c.x.row,
        pixels: Count = c.pixels, out_px: Stride = c.out.pixel, in_px: Stride = c.x.pixel,
        planes: Count = c.grid[0].count, out_plane: Stride = c.grid[0].out, in_plane: Stride = c.grid[0].x,
        lines: Count = c.grid[1].count, out_line: Stride = c.grid[1].out, in_line: Stride = c.grid[1].x,
        taps: Count = c.grid[2].count, out_tap: Stride = c.grid[2].out, in_tap: Stride = c.grid[2].x,
        groups: Count = c.groups, size: Count = c.size, affine: Flag = c.affine.is_some(), eps: Float = c.eps,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_group_norm",
    signature: GroupNorm::SIGNATURE,
    exact: true,
    footprint,
    entry,
    twin,
};

entries! {
    fn entry = body
}

#[inline(always)]
unsafe fn body<S: Simd>(
    out: *mut f32,
    x: *const f32,
    scale: *const f32,
    shift: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = GroupNorm::read(consts);
        for r in 0..c.rows {
            for p in 0..c.pixels {
                let x = x.offset(r * c.in_row + p * c.in_px);
                let out = out.offset(r * c.out_row + p * c.out_px);
                let mut g = 0;
                while g < c.groups {
                    let together = together(S::LANES as isize, &c, g);
                    let at = g * c.size;
                    let block = Block {
                        x: x.offset(at),
                        channels: (together * c.size) as usize,
                        c,
                    };
                    let affine = if c.affine == 0 {
                        None
                    } else {
                        Some([scale.offset(at), shift.offset(at)])
                    };
                    block.normalise::<S>(out.offset(at), affine);
                    g += together;
                }
            }
        }
    }
}

/// How many groups from `g` on share a vector; 1 where a group is larger.
#[inline(always)]
fn together(lanes: isize, c: &GroupNorm, g: isize) -> isize {
    if c.size > lanes {
        return 1;
    }
    (lanes / c.size).min(c.groups - g)
}

/// Groups that share a vector, or one that takes several.
struct Block {
    x: *const f32,
    channels: usize,
    c: GroupNorm,
}

impl Block {
    #[inline(always)]
    unsafe fn normalise<S: Simd>(&self, out: *mut f32, affine: Option<[*const f32; 2]>) {
        let c = &self.c;
        let eps = f64::from(float(c.eps as i64));
        // SAFETY: the caller's promise.
        unsafe {
            let mut lanes = self.means::<S, false>(S::splat_wide(0.0));
            for lane in &mut lanes {
                *lane = -*lane;
            }
            let from = S::load_wide(lanes.as_ptr());
            lanes = self.means::<S, true>(from);
            for lane in &mut lanes {
                *lane = 1.0 / (*lane + eps).sqrt();
            }
            let inverse = S::load_wide(lanes.as_ptr());
            for d in 0..c.planes {
                for h in 0..c.lines {
                    for w in 0..c.taps {
                        let x = (self.x).offset(d * c.in_plane + h * c.in_line + w * c.in_tap);
                        let out = out.offset(d * c.out_plane + h * c.out_line + w * c.out_tap);
                        let mut l = 0;
                        while l < self.channels {
                            let left = self.channels - l;
                            let value = S::widen(load_first::<S>(x.add(l), left));
                            let mut value = S::mul_wide(S::add_wide(value, from), inverse);
                            if let Some([scale, shift]) = affine {
                                let scale = S::widen(load_first::<S>(scale.add(l), left));
                                let shift = S::widen(load_first::<S>(shift.add(l), left));
                                value = S::add_wide(S::mul_wide(value, scale), shift);
                            }
                            store_first::<S>(out.add(l), left, S::narrow(value));
                            l += S::LANES;
                        }
                    }
                }
            }
        }
    }

    /// For each lane the mean of its group's elements, or of the squares of what they and `from` add up to.
    #[inline(always)]
    unsafe fn means<S: Simd, const SQUARES: bool>(&self, from: S::W) -> [f64; MOST_LANES] {
        let c = &self.c;
        // SAFETY: the caller's promise.
        unsafe {
            // The last vector is apart, for lanes beyond the last channel do not count.
            let (mut whole, mut last) = (S::splat_wide(0.0), S::splat_wide(0.0));
            for d in 0..c.planes {
                for h in 0..c.lines {
                    for w in 0..c.taps {
                        let x = (self.x).offset(d * c.in_plane + h * c.in_line + w * c.in_tap);
                        let mut l = 0;
                        while l + S::LANES < self.channels {
                            whole = S::add_wide(whole, term::<S, SQUARES>(S::load(x.add(l)), from));
                            l += S::LANES;
                        }
                        let rest = load_first::<S>(x.add(l), self.channels - l);
                        last = S::add_wide(last, term::<S, SQUARES>(rest, from));
                    }
                }
            }
            let (mut whole_lanes, mut last_lanes) = ([0.0; MOST_LANES], [0.0; MOST_LANES]);
            S::store_wide(whole_lanes.as_mut_ptr(), whole);
            S::store_wide(last_lanes.as_mut_ptr(), last);
            spread(S::LANES, &whole_lanes, &last_lanes, self.channels, c)
        }
    }
}

#[inline(always)]
unsafe fn term<S: Simd, const SQUARES: bool>(x: S::V, from: S::W) -> S::W {
    // SAFETY: as of `Simd`.
    unsafe {
        let x = S::widen(x);
        if !SQUARES {
            return x;
        }
        let distance = S::add_wide(x, from);
        S::mul_wide(distance, distance)
    }
}

/// The mean of each lane's group, of sums by lanes.
#[inline(always)]
fn spread(
    lanes: usize,
    whole: &[f64; MOST_LANES],
    last: &[f64; MOST_LANES],
    channels: usize,
    c: &GroupNorm,
) -> [f64; MOST_LANES] {
    let size = c.size as usize;
    let terms = (c.planes * c.lines * c.taps * c.size) as f64;
    let mut means = [0.0; MOST_LANES];
    if size > lanes {
        let mut sum = 0.0;
        for lane in whole {
            sum += lane;
        }
        for lane in last.iter().take((channels - 1) % lanes + 1) {
            sum += lane;
        }
        return [sum / terms; MOST_LANES];
    }
    let groups = means.chunks_mut(size).zip(last.chunks(size));
    for (means, last) in groups.take(channels / size) {
        let mut sum = 0.0;
        for lane in last {
            sum += lane;
        }
        for mean in means {
            *mean = sum / terms;
        }
    }
    means
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = GroupNorm::new(consts);
    let channels = c.groups * c.size;
    let per_channel = || {
        if c.affine == 0 {
            None
        } else {
            vector(channels)
        }
    };
    vec![
        span(&[
            (c.rows, c.out_row),
            (c.pixels, c.out_px),
            (c.planes, c.out_plane),
            (c.lines, c.out_line),
            (c.taps, c.out_tap),
            (channels, 1),
        ]),
        span(&[
            (c.rows, c.in_row),
            (c.pixels, c.in_px),
            (c.planes, c.in_plane),
            (c.lines, c.in_line),
            (c.taps, c.in_tap),
            (channels, 1),
        ]),
        per_channel(),
        per_channel(),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa) {
    let c = GroupNorm::new(consts);
    let eps = f64::from(float(c.eps as i64));
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.pixels {
            for g in 0..c.groups {
                let x = r * c.in_row + p * c.in_px + g * c.size;
                let out = r * c.out_row + p * c.out_px + g * c.size;
                let mean = twin_mean(&c, isa, |offset| f64::from(view.get(1, x + offset)));
                let variance = twin_mean(&c, isa, |offset| {
                    (f64::from(view.get(1, x + offset)) - mean).powi(2)
                });
                for d in 0..c.planes {
                    for h in 0..c.lines {
                        for w in 0..c.taps {
                            let x = x + d * c.in_plane + h * c.in_line + w * c.in_tap;
                            let out = out + d * c.out_plane + h * c.out_line + w * c.out_tap;
                            for l in 0..c.size {
                                let value = f64::from(view.get(1, x + l)) - mean;
                                let mut value = value * (1.0 / (variance + eps).sqrt());
                                if c.affine != 0 {
                                    let channel = g * c.size + l;
                                    value *= f64::from(view.get(2, channel));
                                    value += f64::from(view.get(3, channel));
                                }
                                view.set(out + l, value as f32);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The mean of a term for each element of a group, which is given the element's offset: of a small group channel by channel, of a large one lane by
/// lane, those of its last vector apart.
fn twin_mean(c: &GroupNorm, isa: Isa, term: impl Fn(isize) -> f64) -> f64 {
    let lanes = isa.lanes() as isize;
    let apart = (c.size - 1) / lanes * lanes;
    let mut sums = vec![0.0; (2 * lanes) as usize];
    for d in 0..c.planes {
        for h in 0..c.lines {
            for w in 0..c.taps {
                let pixel = d * c.in_plane + h * c.in_line + w * c.in_tap;
                for l in 0..c.size {
                    let lane = l % lanes + if l < apart { 0 } else { lanes };
                    sums[lane as usize] += term(pixel + l);
                }
            }
        }
    }
    sums.iter().sum::<f64>() / (c.planes * c.lines * c.taps * c.size) as f64
}
