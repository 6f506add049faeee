//! `f32_sum_pair`: both sums that the gradient of batch norm needs of a cotangent, each element read once, so that they can be made while an image
//! is in the cache.

use super::declare::declare;
use super::moments::WIDE;
use super::outer::Pace;
use super::support::{View, span};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

declare! {
    /// `Σ a`, and behind them `Σ a · (b − centre)`: a call of `f32_sum_pair`.
    pub struct SumPairCall: SumPair {
        /// The axes of the pixels, outermost first.
        pixels: [Pace; 3],
        /// Channels.
        channels: usize,
        /// Two numbers for each channel: first all of one sum, then all of the other.
        out: P,
        /// The operand.
        a: P,
        /// Its factors.
        b: P,
        /// What is taken off the factors: a number for each channel.
        centre: P,
    }
    kernel(_c) = super::F32_SUM_PAIR;
    args(c) { out: Write = c.out, a: Read = c.a, b: Read = c.b, centre: Read = c.centre }
    consts(c) {
        n0: Count = c.pixels[0].count, a0: Stride = c.pixels[0].a, b0: Stride = c.pixels[0].b,
        n1: Count = c.pixels[1].count, a1: Stride = c.pixels[1].a, b1: Stride = c.pixels[1].b,
        n2: Count = c.pixels[2].count, a2: Stride = c.pixels[2].a, b2: Stride = c.pixels[2].b,
        channels: Count = c.channels,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_sum_pair",
    signature: SumPair::SIGNATURE,
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
    a: *const f32,
    b: *const f32,
    centre: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = SumPair::read(consts);
        let channels = c.channels as usize;
        let mut k = 0;
        while k < channels {
            let left = channels - k;
            let (out, a, b, centre) = (out.add(k), a.add(k), b.add(k), centre.add(k));
            if left >= WIDE * S::LANES {
                pairs::<S, WIDE>(out, a, b, centre, left, &c);
                k += WIDE * S::LANES;
            } else {
                pairs::<S, 1>(out, a, b, centre, left, &c);
                k += S::LANES;
            }
        }
    }
}

/// Sums of `NR` vectors of channels; of one, `left` may be fewer.
#[inline(always)]
unsafe fn pairs<S: Simd, const NR: usize>(
    out: *mut f32,
    a: *const f32,
    b: *const f32,
    centre: *const f32,
    left: usize,
    c: &SumPair,
) {
    // SAFETY: the caller's promise; `left` keeps a single vector within the channels.
    unsafe {
        let left = if NR > 1 { S::LANES } else { left };
        let channels = c.channels as usize;
        let mut less = [S::splat_wide(0.0); NR];
        for j in 0..NR {
            let centre = S::widen(load_first::<S>(centre.add(j * S::LANES), left));
            less[j] = S::mul_wide(S::splat_wide(-1.0), centre);
        }
        let (mut sums, mut products) = ([S::splat_wide(0.0); NR], [S::splat_wide(0.0); NR]);
        for i0 in 0..c.n0 {
            for i1 in 0..c.n1 {
                let (a, b) = (
                    a.offset(i0 * c.a0 + i1 * c.a1),
                    b.offset(i0 * c.b0 + i1 * c.b1),
                );
                for i2 in 0..c.n2 {
                    let (a, b) = (a.offset(i2 * c.a2), b.offset(i2 * c.b2));
                    for j in 0..NR {
                        let term = S::widen(load_first::<S>(a.add(j * S::LANES), left));
                        let factor = S::widen(load_first::<S>(b.add(j * S::LANES), left));
                        let factor = S::add_wide(factor, less[j]);
                        sums[j] = S::add_wide(sums[j], term);
                        products[j] = S::add_wide(products[j], S::mul_wide(term, factor));
                    }
                }
            }
        }
        for j in 0..NR {
            let out = out.add(j * S::LANES);
            store_first::<S>(out, left, S::narrow(sums[j]));
            store_first::<S>(out.add(channels), left, S::narrow(products[j]));
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = SumPair::new(consts);
    vec![
        span(&[(c.channels.saturating_mul(2), 1)]),
        span(&[(c.n0, c.a0), (c.n1, c.a1), (c.n2, c.a2), (c.channels, 1)]),
        span(&[(c.n0, c.b0), (c.n1, c.b1), (c.n2, c.b2), (c.channels, 1)]),
        span(&[(c.channels, 1)]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = SumPair::new(consts);
    let mut view = View::new(memory, at);
    for k in 0..c.channels {
        let centre = f64::from(view.get(3, k));
        let (mut sum, mut products) = (0.0, 0.0);
        for i0 in 0..c.n0 {
            for i1 in 0..c.n1 {
                for i2 in 0..c.n2 {
                    let a = f64::from(view.get(1, i0 * c.a0 + i1 * c.a1 + i2 * c.a2 + k));
                    let b = f64::from(view.get(2, i0 * c.b0 + i1 * c.b1 + i2 * c.b2 + k));
                    sum += a;
                    products += a * (b - centre);
                }
            }
        }
        view.set(k, sum as f32);
        view.set(c.channels + k, products as f32);
    }
}
