//! The tails of the normal distribution, and what has them inside: the error function, and what is gated by the distribution.

use super::polynomial;
use super::power::{Power, power_wide};
use crate::simd::Simd;

/// `x · Φ(x)`, where `Φ` is the normal distribution: `½·erfc(−x/√2)`.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn gelu<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        let (size, q, (n, t)) = normal_tail::<S>(x);
        // t·q(t) is less than 1/√(2π), so this vanishes only where the result does.
        let part = S::mul(S::mul(size, q), S::add(one, t));
        let part = S::scale(part, n);
        // −Infinity times zero is NaN.
        let below = S::sub(S::mul(x, zero), part);
        // Near zero the part may vanish where the result does not: `Φ` is a half there.
        let near = S::mul(x, S::splat(0.5));
        let above = S::select_lt(x, S::splat(1e-30), near, S::sub(x, part));
        S::select_lt(x, zero, below, above)
    }
}

/// The derivative of [`gelu`], `Φ(x) + x·φ(x)`: below zero `e^(−t²/2) · (q(t) − t/√(2π))` of `t = −x`, above what this is less than 1.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn gelu_slope<S: Simd>(x: S::V) -> S::V {
    /// The density at zero.
    const DENSITY: f32 = 0.398_942_3;
    // SAFETY: the caller's promise.
    unsafe {
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        let (size, q, (n, t)) = normal_tail::<S>(x);
        let rest = S::fma(size, S::splat(-DENSITY), q);
        let below = S::scale(S::mul(rest, S::add(one, t)), n);
        S::select_lt(x, zero, below, S::sub(one, below))
    }
}

/// The error function: near zero an odd polynomial (coefficients from Cephes' `erff`), beyond 1 what the tails of the normal distribution leave.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn erf<S: Simd>(x: S::V) -> S::V {
    /// Beyond this it is 1.
    const FAR: f32 = 10.0;
    const NEAR: [f32; 7] = [
        core::f32::consts::FRAC_2_SQRT_PI,
        -3.761_262_6e-1,
        1.128_358_5e-1,
        -2.685_381_2e-2,
        5.188_327_6e-3,
        -8.010_193_6e-4,
        7.853_861_4e-5,
    ];
    // SAFETY: the caller's promise.
    unsafe {
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        let size = S::min(S::splat(FAR), S::abs(x));
        let near = S::mul(x, polynomial::<S, 7>(S::mul(size, size), NEAR));
        let (_, q, (n, t)) = normal_tail::<S>(S::mul(size, S::splat(core::f32::consts::SQRT_2)));
        let tails = S::scale(S::mul(S::add(q, q), S::add(one, t)), n);
        let far = S::sub(one, tails);
        let far = S::select_lt(x, zero, S::sub(zero, far), far);
        // NaN where the operand is, else nothing.
        let far = S::add(far, S::sub(size, size));
        S::select_lt(size, one, near, far)
    }
}

/// `t = |x|`, as far as it matters, `q(t)` and the power `e^(−t²/2)`: `Φ(−t) = q(t) · e^(−t²/2)`.
///
/// The polynomial is of `(1 + t) · q(t)` in `(t − 3.5) / (t + 3.5)`, its largest relative error on `0..16` is 1.6e-8.
#[inline(always)]
unsafe fn normal_tail<S: Simd>(x: S::V) -> (S::V, S::V, Power<S>) {
    /// Beyond this the power is zero, and not yet out of [`power_wide`]'s range.
    const FAR: f32 = 16.0;
    const MIDDLE: f32 = 3.5;
    const TAIL: [f32; 10] = [
        4.785_531_8e-1,
        -9.771_261e-2,
        7.873_79e-4,
        3.804_870_3e-2,
        -3.026_295_6e-2,
        1.037_050_6e-2,
        2.926_058e-4,
        -1.386_741e-3,
        9.849_825e-5,
        1.488_585_1e-4,
    ];
    // SAFETY: as of `Simd`.
    unsafe {
        let size = S::min(S::splat(FAR), S::abs(x));
        let wide = S::widen(size);
        let power = power_wide::<S>(S::mul_wide(S::mul_wide(wide, wide), S::splat_wide(-0.5)));
        let middle = S::splat(MIDDLE);
        let y = S::div(S::sub(size, middle), S::add(size, middle));
        let q = S::div(polynomial::<S, 10>(y, TAIL), S::add(S::splat(1.0), size));
        (size, q, power)
    }
}
