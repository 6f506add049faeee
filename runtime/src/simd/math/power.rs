//! Powers of e, also as a power of two and a fraction, which other functions are made of.

use super::{clamp, polynomial};
use crate::simd::Simd;

/// ln 2 in two parts; the first has so few bits that its product with an exponent is exact.
pub(super) const LN2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// A power as `(n, t)`: `2ⁿ·(1 + t)`.
pub(super) type Power<S> = (<S as Simd>::V, <S as Simd>::V);

/// `(n, t)` with `eˣ = 2ⁿ·(1 + t)` and `|t| < 0.42`, for `x` in −128..89: `x = n·ln 2 + r`, then a polynomial for `eʳ − 1` (coefficients from
/// Cephes' `expf`).
#[inline(always)]
pub(super) unsafe fn power<S: Simd>(x: S::V) -> Power<S> {
    // SAFETY: as of `Simd`.
    unsafe {
        let n = S::round(S::mul(x, S::splat(core::f32::consts::LOG2_E)));
        let r = S::fma(n, S::splat(-LN2[0]), x);
        let r = S::fma(n, S::splat(-LN2[1]), r);
        (n, tail::<S>(r))
    }
}

/// The same of an exponent whose error counts: that of an f32 is up to 4e-6.
#[inline(always)]
pub(super) unsafe fn power_wide<S: Simd>(x: S::W) -> Power<S> {
    // SAFETY: as of `Simd`.
    unsafe {
        let n = S::round(S::mul(S::narrow(x), S::splat(core::f32::consts::LOG2_E)));
        let whole = S::mul_wide(S::widen(n), S::splat_wide(-core::f64::consts::LN_2));
        (n, tail::<S>(S::narrow(S::add_wide(x, whole))))
    }
}

/// Where exponents are confined to: beyond, powers are zero, even times the exponent, and infinite.
const LOWEST: f32 = -128.0;
const HIGHEST: f32 = 89.0;

/// `−|x|`, not below the lowest exponent.
#[inline(always)]
pub(super) unsafe fn negative<S: Simd>(x: S::V) -> S::V {
    // SAFETY: as of `Simd`.
    unsafe { S::max(S::splat(LOWEST), S::sub(S::splat(0.0), S::abs(x))) }
}

/// `eʳ − 1` for `|r| ≤ ln 2 / 2`.
#[inline(always)]
pub(super) unsafe fn tail<S: Simd>(r: S::V) -> S::V {
    const POWERS: [f32; 6] = [
        0.5,
        1.666_666_5e-1,
        4.166_579_6e-2,
        8.333_452e-3,
        1.398_2e-3,
        1.987_569_1e-4,
    ];
    // SAFETY: as of `Simd`.
    unsafe { S::fma(polynomial::<S, 6>(r, POWERS), S::mul(r, r), r) }
}

/// `eˣ`
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn exp<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let (n, t) = power::<S>(clamp::<S>(x, LOWEST, HIGHEST));
        S::scale(S::add(S::splat(1.0), t), n)
    }
}

/// `eˣ − 1`, as accurate for small `x` as for large.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn exp_minus_one<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let (n, t) = power::<S>(clamp::<S>(x, LOWEST, HIGHEST));
        let one = S::splat(1.0);
        S::add(S::scale(t, n), S::sub(S::scale(one, n), one))
    }
}
