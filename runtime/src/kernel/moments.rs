//! `f32_moments` and `f32_moments_together`: mean and variance of batch norm, each element read once, so that it can be done while an image is in
//! the cache.
//!
//! With the `p` elements `xᵢ` that a channel has in an image, `K` the first of them, and all sums in f64:
//!
//! ```text
//! D = Σ (xᵢ − K)     Q = Σ (xᵢ − K)²     mean = K + D/p     variance = (Q − D²/p) / p = Σ (xᵢ − mean)² / p
//! ```
//!
//! `Q` exceeds `p · variance` by `p · (K − mean)²`, and each sum is off by at most `p · 2⁻⁵³` of its terms: the variance loses less than it does by
//! being rounded to f32 as long as `p · (1 + (K − mean)² / variance)` is below 2²⁸. The mean is kept as a float and what it was rounded by, 48 bits.
//! Images, of `p` elements each, are put together by (Chan, Golub and LeVeque)
//!
//! ```text
//! mean = Σ meanⱼ / n     variance = Σ (varianceⱼ + (meanⱼ − mean)²) / n
//! ```
//!
//! where nothing cancels but differences of means.

use super::declare::declare;
use super::outer::Pace;
use super::support::{View, invalid, span};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

/// What `f32_moments_together` gives: its constant `of`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(i64)]
pub enum Statistic {
    /// The mean.
    Mean = 0,
    /// The variance.
    Variance = 1,
}

impl Statistic {
    /// Each of them.
    pub const ALL: [Statistic; 2] = [Statistic::Mean, Statistic::Variance];
}

declare! {
    /// Of each channel the mean, what it was rounded by, and the variance: a call of `f32_moments`.
    pub struct MomentsCall: Moments {
        /// The axes of the pixels, outermost first; `b` is not read.
        pixels: [Pace; 3],
        /// Channels.
        channels: usize,
        /// Three numbers for each channel: first all means, then what they were rounded by, then all variances.
        out: P,
        /// The operand.
        x: P,
    }
    kernel(_c) = super::F32_MOMENTS;
    args(c) { out: Write = c.out, x: Read = c.x }
    consts(c) {
        n0: Count = c.pixels[0].count, x0: Stride = c.pixels[0].a,
        n1: Count = c.pixels[1].count, x1: Stride = c.pixels[1].a,
        n2: Count = c.pixels[2].count, x2: Stride = c.pixels[2].a,
        channels: Count = c.channels,
    }
}

declare! {
    /// The mean or the variance of all images, of what `f32_moments` made of each: a call of `f32_moments_together`.
    pub struct MomentsTogetherCall: Of {
        /// Images.
        images: usize,
        /// Channels.
        channels: usize,
        /// Which of both.
        of: Statistic,
        /// The result.
        out: P,
        /// Three numbers for each channel of each image.
        x: P,
    }
    kernel(_c) = super::F32_MOMENTS_TOGETHER;
    args(c) { out: Write = c.out, x: Read = c.x }
    consts(c) { images: Count = c.images, channels: Count = c.channels, of: Code of Statistic = c.of }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_moments",
    signature: Moments::SIGNATURE,
    exact: true,
    footprint,
    entry,
    twin,
};

pub(super) const TOGETHER: Kernel = Kernel {
    name: "f32_moments_together",
    signature: Of::SIGNATURE,
    exact: true,
    footprint: together_footprint,
    entry: together_entry,
    twin: together_twin,
};

entries! {
    fn entry = body
}

entries! {
    fn together_entry = together
}

#[inline(always)]
unsafe fn body<S: Simd>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Moments::read(consts);
        let channels = c.channels as usize;
        let mut k = 0;
        while k < channels {
            let left = channels - k;
            if left >= WIDE * S::LANES {
                moments::<S, WIDE>(out.add(k), x.add(k), left, &c);
                k += WIDE * S::LANES;
            } else {
                moments::<S, 1>(out.add(k), x.add(k), left, &c);
                k += S::LANES;
            }
        }
    }
}

/// Vectors of channels that are walked together, so that what is read lies together.
pub(super) const WIDE: usize = 4;

/// Moments of `NR` vectors of channels; of one, `left` may be fewer.
#[inline(always)]
unsafe fn moments<S: Simd, const NR: usize>(
    out: *mut f32,
    x: *const f32,
    left: usize,
    c: &Moments,
) {
    // SAFETY: the caller's promise; `left` keeps a single vector within the channels.
    unsafe {
        let left = if NR > 1 { S::LANES } else { left };
        let channels = c.channels as usize;
        let share = S::splat_wide(1.0 / (c.n0 * c.n1 * c.n2) as f64);
        let minus = S::splat_wide(-1.0);
        let mut less = [S::splat_wide(0.0); NR];
        for j in 0..NR {
            let first = S::widen(load_first::<S>(x.add(j * S::LANES), left));
            less[j] = S::mul_wide(minus, first);
        }
        let (mut sums, mut squares) = ([S::splat_wide(0.0); NR], [S::splat_wide(0.0); NR]);
        for i0 in 0..c.n0 {
            for i1 in 0..c.n1 {
                let row = x.offset(i0 * c.x0 + i1 * c.x1);
                for i2 in 0..c.n2 {
                    let pixel = row.offset(i2 * c.x2);
                    for j in 0..NR {
                        let value = S::widen(load_first::<S>(pixel.add(j * S::LANES), left));
                        let from = S::add_wide(value, less[j]);
                        sums[j] = S::add_wide(sums[j], from);
                        squares[j] = S::add_wide(squares[j], S::mul_wide(from, from));
                    }
                }
            }
        }
        for j in 0..NR {
            let out = out.add(j * S::LANES);
            let away = S::mul_wide(sums[j], share);
            let mean = S::add_wide(S::mul_wide(minus, less[j]), away);
            let high = S::narrow(mean);
            let low = S::add_wide(mean, S::mul_wide(minus, S::widen(high)));
            let over = S::mul_wide(minus, S::mul_wide(sums[j], away));
            // What is not a number stays so.
            let rest = S::mul_wide(S::add_wide(squares[j], over), share);
            let rest = S::max(S::splat(0.0), S::narrow(rest));
            store_first::<S>(out, left, high);
            store_first::<S>(out.add(channels), left, S::narrow(low));
            store_first::<S>(out.add(2 * channels), left, rest);
        }
    }
}

#[inline(always)]
unsafe fn together<S: Simd>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Of::read(consts);
        let channels = c.channels as usize;
        let each = S::splat_wide(1.0 / c.images as f64);
        let mut k = 0;
        while k < channels {
            let left = channels - k;
            let mut sum = S::splat_wide(0.0);
            for image in 0..c.images {
                let x = x.offset(image * 3 * c.channels).add(k);
                sum = S::add_wide(sum, mean_of::<S>(x, channels, left));
            }
            let mut result = S::mul_wide(sum, each);
            if c.of != 0 {
                let less = S::mul_wide(S::splat_wide(-1.0), result);
                let mut sum = S::splat_wide(0.0);
                for image in 0..c.images {
                    let x = x.offset(image * 3 * c.channels).add(k);
                    let away = S::add_wide(mean_of::<S>(x, channels, left), less);
                    let within = S::widen(load_first::<S>(x.add(2 * channels), left));
                    let all = S::add_wide(within, S::mul_wide(away, away));
                    sum = S::add_wide(sum, all);
                }
                result = S::mul_wide(sum, each);
            }
            store_first::<S>(out.add(k), left, S::narrow(result));
            k += S::LANES;
        }
    }
}

/// The means of an image's channels, with what they were rounded by.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
unsafe fn mean_of<S: Simd>(x: *const f32, channels: usize, left: usize) -> S::W {
    // SAFETY: the caller's promise.
    unsafe {
        let low = S::widen(load_first::<S>(x.add(channels), left));
        S::add_wide(S::widen(load_first::<S>(x, left)), low)
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Moments::new(consts);
    // The first pixel is read, and its share is one over their number.
    if c.n0 < 1 || c.n1 < 1 || c.n2 < 1 {
        return invalid();
    }
    vec![
        span(&[(c.channels.saturating_mul(3), 1)]),
        span(&[(c.n0, c.x0), (c.n1, c.x1), (c.n2, c.x2), (c.channels, 1)]),
    ]
}

fn together_footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Of::new(consts);
    if !(0..=1).contains(&c.of) || c.images < 1 {
        return invalid();
    }
    let all = c.channels.saturating_mul(3);
    vec![span(&[(c.channels, 1)]), span(&[(c.images, all), (all, 1)])]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Moments::new(consts);
    let mut view = View::new(memory, at);
    let share = 1.0 / (c.n0 * c.n1 * c.n2) as f64;
    for k in 0..c.channels {
        let first = f64::from(view.get(1, k));
        let (mut sum, mut squares) = (0.0, 0.0);
        for i0 in 0..c.n0 {
            for i1 in 0..c.n1 {
                for i2 in 0..c.n2 {
                    let from =
                        f64::from(view.get(1, i0 * c.x0 + i1 * c.x1 + i2 * c.x2 + k)) - first;
                    sum += from;
                    squares += from * from;
                }
            }
        }
        let mean = first + sum * share;
        let high = mean as f32;
        let variance = ((squares - sum * (sum * share)) * share) as f32;
        view.set(k, high);
        view.set(c.channels + k, (mean - f64::from(high)) as f32);
        view.set(
            2 * c.channels + k,
            if 0.0 > variance { 0.0 } else { variance },
        );
    }
}

fn together_twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Of::new(consts);
    let mut view = View::new(memory, at);
    let each = 1.0 / c.images as f64;
    for k in 0..c.channels {
        let number = |image: isize, which: isize| {
            f64::from(view.get(1, (3 * image + which) * c.channels + k))
        };
        let mean_of = |image: isize| number(image, 0) + number(image, 1);
        let mut sum = 0.0;
        for image in 0..c.images {
            sum += mean_of(image);
        }
        let mut result = sum * each;
        if c.of != 0 {
            let mut sum = 0.0;
            for image in 0..c.images {
                let away = mean_of(image) - result;
                sum += number(image, 2) + away * away;
            }
            result = sum * each;
        }
        view.set(k, result as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and variance of images of one channel, by the twins.
    fn statistics(images: &[Vec<f32>]) -> [f32; 2] {
        let (count, pixels) = (images.len(), images[0].len());
        let start = 1 + 3 * count;
        let mut memory = vec![0.0; start + pixels];
        for (index, image) in images.iter().enumerate() {
            memory[start..].copy_from_slice(image);
            let at = [1 + 3 * index, start, 0, 0, 0, 0];
            let consts = [1, 0, 1, 0, pixels as i64, 1, 1];
            twin(&mut memory, &at, &consts, Isa::Portable);
        }
        [0, 1].map(|of| {
            let consts = [count as i64, 1, of];
            together_twin(&mut memory, &[0, 1, 0, 0, 0, 0], &consts, Isa::Portable);
            memory[0]
        })
    }

    /// Images about a level, which differs by one from each to the next.
    fn about(level: f32) -> Vec<Vec<f32>> {
        let noise = |n: usize| (n * 7919 % 1000) as f32 / 500.0 - 1.0;
        let image = |i: usize| (0..1024).map(move |p| level + i as f32 + noise(1024 * i + p));
        (0..5).map(|i| image(i).collect()).collect()
    }

    #[test]
    fn one_pass_is_as_exact_as_two() {
        for level in [0.0, -3.0, 4096.0, 1e6] {
            for outlier in [None, Some(100.0)] {
                let mut images = about(level);
                for image in &mut images {
                    // Where each image's sums begin.
                    image[0] = outlier.map_or(image[0], |far| level + far);
                }
                let all: Vec<f64> = images.iter().flatten().map(|x| f64::from(*x)).collect();
                let mean = all.iter().sum::<f64>() / all.len() as f64;
                let squares = all.iter().map(|x| (x - mean) * (x - mean));
                let variance = squares.sum::<f64>() / all.len() as f64;
                for (found, exact) in statistics(&images).into_iter().zip([mean, variance]) {
                    let apart = (f64::from(found) - exact).abs();
                    assert!(
                        apart <= 1.2e-7 * exact.abs() + 1e-12,
                        "{level}: {found} is not {exact}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_constant_has_no_variance() {
        for value in [0.0, 0.1, -1e9] {
            assert_eq!(statistics(&vec![vec![value; 33]; 4]), [value, 0.0]);
        }
        assert_eq!(statistics(&[vec![0.1]]), [0.1, 0.0]);
    }

    #[test]
    fn what_is_no_number_stays_so() {
        for odd in [f32::NAN, f32::INFINITY] {
            let mut images = about(0.0);
            images[1][7] = odd;
            assert!(statistics(&images).iter().all(|x| !x.is_finite()));
        }
    }
}
