//! `f32_deviation`: how far the numbers of each pixel are from their targets, by one of several measures, and its gradient.
//!
//! All of it is computed in f64, in the order of the channels, and rounded once, so that every entry has the twin's bits.

use super::declare::{Pixels, declare};
use super::support::{View, span};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries};

/// What a number z that should be t costs: the constant `of` of `f32_deviation`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(i64)]
pub enum Deviation {
    /// `(z − t)²`
    Squared = 0,
    /// With d = |z − t|: `½ d² / bend` where d is smaller than the bend, and `d − ½ bend` beyond it.
    SmoothL1 = 1,
    /// `max(z, 0) − z·t + ln(1 + e^−|z|)`, which is the binary cross-entropy of the probability σ(z).
    Logistic = 2,
    /// `z − t`, of either sign.
    Linear = 3,
}

impl Deviation {
    /// Every measure.
    pub const ALL: [Deviation; 4] = [
        Deviation::Squared,
        Deviation::SmoothL1,
        Deviation::Logistic,
        Deviation::Linear,
    ];

    #[inline(always)]
    fn value(self, z: f64, t: f64, bend: f64) -> f64 {
        let d = z - t;
        match self {
            Deviation::Squared => d * d,
            Deviation::SmoothL1 if d.abs() < bend => 0.5 * d * d / bend,
            Deviation::SmoothL1 => d.abs() - 0.5 * bend,
            Deviation::Logistic => {
                let positive = if z > 0.0 || z.is_nan() { z } else { 0.0 };
                positive - z * t + (-z.abs()).exp().ln_1p()
            }
            Deviation::Linear => d,
        }
    }

    /// The derivative in z.
    #[inline(always)]
    fn slope(self, z: f64, t: f64, bend: f64) -> f64 {
        let d = z - t;
        match self {
            Deviation::Squared => 2.0 * d,
            Deviation::SmoothL1 if d.abs() < bend => d / bend,
            Deviation::SmoothL1 if d == 0.0 => 0.0,
            Deviation::SmoothL1 => d / d.abs(),
            Deviation::Logistic => {
                let power = (-z.abs()).exp();
                let share = if z < 0.0 { power } else { 1.0 };
                share / (1.0 + power) - t
            }
            Deviation::Linear => 1.0,
        }
    }
}

declare! {
    /// The weighted deviations of each pixel, added up, or their gradient: a call of `f32_deviation`.
    pub struct DeviationCall: Deviate {
        /// Rows.
        rows: usize,
        /// Pixels in a row.
        pixels: usize,
        /// Channels.
        channels: usize,
        /// The result: a number for each pixel, or its gradient.
        out: Pixels<P>,
        /// The numbers.
        z: Pixels<P>,
        /// Their targets.
        t: Pixels<P>,
        /// What each counts.
        w: Pixels<P>,
        /// The cotangent of the loss, a single number, if the gradient is wanted.
        dy: Option<P>,
        /// The measure.
        of: Deviation,
        /// Where it changes, if it does.
        bend: f64,
        /// Factor of the gradient.
        factor: f64,
    }
    kernel(_c) = super::F32_DEVIATION;
    args(c) { out: Write = c.out.at, z: Read = c.z.at, t: Read = c.t.at, w: Read = c.w.at, dy: Read = c.dy }
    consts(c) {
        rows: Count = c.rows, out_row: Stride = c.out.row, z_row: Stride = c.z.row, t_row: Stride = c.t.row, w_row: Stride = c.w.row,
        pixels: Count = c.pixels, out_px: Stride = c.out.pixel, z_px: Stride = c.z.pixel, t_px: Stride = c.t.pixel, w_px: Stride = c.w.pixel,
        channels: Count = c.channels, gradient: Flag = c.dy.is_some(), of: Code of Deviation = c.of, bend: Double = c.bend, factor: Double = c.factor,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_deviation",
    signature: Deviate::SIGNATURE,
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
    z: *const f32,
    t: *const f32,
    w: *const f32,
    dy: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Deviate::read(consts);
        // One loop for each measure, without a choice inside.
        match c.of {
            0 => each(out, z, t, w, dy, &c, Deviation::Squared),
            1 => each(out, z, t, w, dy, &c, Deviation::SmoothL1),
            2 => each(out, z, t, w, dy, &c, Deviation::Logistic),
            _ => each(out, z, t, w, dy, &c, Deviation::Linear),
        }
    }
}

#[inline(always)]
unsafe fn each(
    out: *mut f32,
    z: *const f32,
    t: *const f32,
    w: *const f32,
    dy: *const f32,
    c: &Deviate,
    of: Deviation,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let scale = if c.gradient != 0 {
            f64::from(*dy) * c.factor
        } else {
            0.0
        };
        for r in 0..c.rows {
            for p in 0..c.pixels {
                let out = out.offset(r * c.out_row + p * c.out_px);
                let z = z.offset(r * c.z_row + p * c.z_px);
                let t = t.offset(r * c.t_row + p * c.t_px);
                let w = w.offset(r * c.w_row + p * c.w_px);
                let at = |x: *const f32, k: isize| f64::from(*x.offset(k));
                if c.gradient == 0 {
                    let mut sum = 0.0;
                    for k in 0..c.channels {
                        sum += weighted(at(w, k), of.value(at(z, k), at(t, k), c.bend));
                    }
                    *out = sum as f32;
                    continue;
                }
                for k in 0..c.channels {
                    let slope = weighted(at(w, k), of.slope(at(z, k), at(t, k), c.bend));
                    *out.offset(k) = (scale * slope) as f32;
                }
            }
        }
    }
}

/// What does not count is nothing, whatever it deviates by.
#[inline(always)]
fn weighted(weight: f64, deviation: f64) -> f64 {
    if weight == 0.0 {
        0.0
    } else {
        weight * deviation
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Deviate::new(consts);
    if Deviation::ALL.get(c.of as usize).is_none() {
        return super::support::invalid();
    }
    let all = |row, pixel, channels| span(&[(c.rows, row), (c.pixels, pixel), (channels, 1)]);
    let results = if c.gradient != 0 { c.channels } else { 1 };
    vec![
        all(c.out_row, c.out_px, results),
        all(c.z_row, c.z_px, c.channels),
        all(c.t_row, c.t_px, c.channels),
        all(c.w_row, c.w_px, c.channels),
        span(&[(1, 0)]).filter(|_| c.gradient != 0),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Deviate::new(consts);
    let of = Deviation::ALL[c.of as usize];
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.pixels {
            let (z, t) = (r * c.z_row + p * c.z_px, r * c.t_row + p * c.t_px);
            let (w, out) = (r * c.w_row + p * c.w_px, r * c.out_row + p * c.out_px);
            let mut sum = 0.0;
            for k in 0..c.channels {
                let [x, target, weight] =
                    [(1, z), (2, t), (3, w)].map(|(arg, at)| f64::from(view.get(arg, at + k)));
                if c.gradient == 0 {
                    sum += weighted(weight, of.value(x, target, c.bend));
                } else {
                    let scale = f64::from(view.get(4, 0)) * c.factor;
                    let slope = weighted(weight, of.slope(x, target, c.bend));
                    view.set(out + k, (scale * slope) as f32);
                }
            }
            if c.gradient == 0 {
                view.set(out, sum as f32);
            }
        }
    }
}
