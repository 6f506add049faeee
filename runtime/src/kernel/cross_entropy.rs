//! `f32_cross_entropy`: the cross-entropy of each pixel's logits with its targets, and its gradient.
//!
//! Of logits z and targets t the loss is `(Σ t) · ln Σ eᶻ − Σ t·z`, and its gradient `(Σ t) · softmax(z) − t`. Sums over channels are in f64. The twin adds in
//! order and the entries lane by lane, and powers are rounded differently, so they agree to about 1e-6.

use super::declare::{Pixels, declare};
use super::norm::largest;
use super::support::{View, max, span};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{MOST_LANES, Simd, entries, load_first, math, store_first, total_wide};

declare! {
    /// The cross-entropy of each pixel, or its gradient: a call of `f32_cross_entropy`.
    pub struct CrossEntropyCall: CrossEntropy {
        /// Rows.
        rows: usize,
        /// Pixels in a row.
        pixels: usize,
        /// Channels, of the logits and the targets.
        channels: usize,
        /// The result: a number for each pixel, or its gradient.
        out: Pixels<P>,
        /// The logits.
        z: Pixels<P>,
        /// The targets.
        t: Pixels<P>,
        /// The cotangent of the loss, a single number, if the gradient is wanted.
        dy: Option<P>,
        /// Factor of the gradient.
        factor: f64,
    }
    kernel(_c) = super::F32_CROSS_ENTROPY;
    args(c) { out: Write = c.out.at, z: Same = c.z.at, t: Read = c.t.at, dy: Read = c.dy }
    consts(c) {
        rows: Count = c.rows, out_row: Stride = c.out.row, z_row: Stride = c.z.row, t_row: Stride = c.t.row,
        pixels: Count = c.pixels, out_px: Stride = c.out.pixel, z_px: Stride = c.z.pixel, t_px: Stride = c.t.pixel,
        channels: Count = c.channels, gradient: Flag = c.dy.is_some(), factor: Float = c.factor,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_cross_entropy",
    signature: CrossEntropy::SIGNATURE,
    exact: false,
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
    dy: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = CrossEntropy::read(consts);
        for r in 0..c.rows {
            for p in 0..c.pixels {
                let out = out.offset(r * c.out_row + p * c.out_px);
                let z = z.offset(r * c.z_row + p * c.z_px);
                let t = t.offset(r * c.t_row + p * c.t_px);
                pixel::<S>(out, z, t, dy, &c);
            }
        }
    }
}

#[inline(always)]
unsafe fn pixel<S: Simd>(
    out: *mut f32,
    z: *const f32,
    t: *const f32,
    dy: *const f32,
    c: &CrossEntropy,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let channels = c.channels as usize;
        let most = largest::<S>(z, channels);
        let (mut powers, mut targets, mut products) =
            (S::splat_wide(0.0), S::splat_wide(0.0), S::splat_wide(0.0));
        let mut k = 0;
        while k < channels {
            let left = channels - k;
            let shifted = S::sub(load_first::<S>(z.add(k), left), S::splat(most));
            let target = load_first::<S>(t.add(k), left);
            // Lanes beyond the last channel have no target; their powers must not count.
            let power = within::<S>(math::exp::<S>(shifted), left);
            powers = S::add_wide(powers, S::widen(power));
            targets = S::add_wide(targets, S::widen(target));
            products = S::add_wide(products, S::mul_wide(S::widen(target), S::widen(shifted)));
            k += S::LANES;
        }
        let (powers, targets) = (total_wide::<S>(powers), total_wide::<S>(targets));
        if c.gradient == 0 {
            *out = (targets * powers.ln() - total_wide::<S>(products)) as f32;
            return;
        }
        let scale = S::splat(*dy * float(c.factor as i64));
        let share = S::splat((targets / powers) as f32);
        let mut k = 0;
        while k < channels {
            let left = channels - k;
            let shifted = S::sub(load_first::<S>(z.add(k), left), S::splat(most));
            let target = load_first::<S>(t.add(k), left);
            let value = S::sub(S::mul(share, math::exp::<S>(shifted)), target);
            store_first::<S>(out.add(k), left, S::mul(scale, value));
            k += S::LANES;
        }
    }
}

/// The first `left` lanes, and zeros.
#[inline(always)]
unsafe fn within<S: Simd>(v: S::V, left: usize) -> S::V {
    if left >= S::LANES {
        return v;
    }
    let mut lanes = [0.0; MOST_LANES];
    // SAFETY: the array holds a vector of any ISA.
    unsafe {
        S::store(lanes.as_mut_ptr(), v);
        load_first::<S>(lanes.as_ptr(), left)
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = CrossEntropy::new(consts);
    let channels = if c.gradient != 0 { c.channels } else { 1 };
    vec![
        span(&[(c.rows, c.out_row), (c.pixels, c.out_px), (channels, 1)]),
        span(&[(c.rows, c.z_row), (c.pixels, c.z_px), (c.channels, 1)]),
        span(&[(c.rows, c.t_row), (c.pixels, c.t_px), (c.channels, 1)]),
        span(&[(1, 0)]).filter(|_| c.gradient != 0),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = CrossEntropy::new(consts);
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.pixels {
            let (z, t) = (r * c.z_row + p * c.z_px, r * c.t_row + p * c.t_px);
            let out = r * c.out_row + p * c.out_px;
            let logits: Vec<f32> = (0..c.channels).map(|k| view.get(1, z + k)).collect();
            let most = logits
                .iter()
                .fold(f32::NEG_INFINITY, |most, &x| max(x, most));
            let target = |k: isize| f64::from(view.get(2, t + k));
            let shifted = |k: isize| f64::from(logits[k as usize] - most);
            let powers: f64 = (0..c.channels).map(|k| shifted(k).exp()).sum();
            let targets: f64 = (0..c.channels).map(target).sum();
            if c.gradient == 0 {
                let products: f64 = (0..c.channels).map(|k| target(k) * shifted(k)).sum();
                view.set(out, (targets * powers.ln() - products) as f32);
                continue;
            }
            let scale = view.get(3, 0) * float(c.factor as i64);
            let values: Vec<f32> = (0..c.channels)
                .map(|k| scale * ((targets / powers * shifted(k).exp()) - target(k)) as f32)
                .collect();
            for (k, value) in values.into_iter().enumerate() {
                view.set(out + k as isize, value);
            }
        }
    }
}
