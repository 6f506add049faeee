//! The logistic function, what is gated by it or by its like, and the derivatives of these.

use super::logarithm::log_around_one;
use super::power::{Power, exp, negative, power, power_wide};
use crate::simd::Simd;

/// `1 / (1 + e⁻ˣ)`, as accurate for negative `x` as for positive.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn sigmoid<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        let power = exp::<S>(S::sub(zero, S::abs(x)));
        S::div(S::select_lt(x, zero, power, one), S::add(one, power))
    }
}

/// `ln(1 + eˣ)`
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn softplus<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        let power = exp::<S>(S::sub(zero, S::abs(x)));
        // 1 + power is around 1, or around 2.
        let border = S::splat(core::f32::consts::SQRT_2 - 1.0);
        let half = S::mul(S::sub(power, one), S::splat(0.5));
        let log = log_around_one::<S>(
            S::select_lt(power, border, zero, one),
            S::select_lt(power, border, power, half),
        );
        S::add(S::max(zero, x), log)
    }
}

/// `x / (1 + e⁻ˣ)`
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn silu<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let exponent = negative::<S>(x);
        gated::<S>(x, exponent, power::<S>(exponent))
    }
}

/// Of [`gelu_tanh`]'s `u`: the factor of `x`.
const GELU_LINEAR: f64 = 1.595_769_121_605_730_7;
/// The factor of `x³`.
const GELU_CUBIC: f64 = GELU_LINEAR * 0.044715;

/// `x / (1 + e⁻ᵘ)` with `u = 2·√(2/π)·(x + 0.044715·x³)`: the approximation of [`gelu`](super::gelu) by a hyperbolic tangent.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn gelu_tanh<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let (_, exponent) = gelu_exponent::<S>(x);
        gated::<S>(x, negative::<S>(x), power_wide::<S>(exponent))
    }
}

/// `|x|`, as far as it matters, and `−|u|`.
#[inline(always)]
unsafe fn gelu_exponent<S: Simd>(x: S::V) -> (S::W, S::W) {
    /// Beyond this the power is zero, and not yet out of [`power_wide`]'s range.
    const FAR: f32 = 11.0;
    // SAFETY: as of `Simd`.
    unsafe {
        let size = S::widen(S::min(S::splat(FAR), S::abs(x)));
        let slope = S::mul_wide(S::mul_wide(size, size), S::splat_wide(-GELU_CUBIC));
        let slope = S::add_wide(slope, S::splat_wide(-GELU_LINEAR));
        (size, S::mul_wide(size, slope))
    }
}

/// `x / (1 + e⁻ᵘ)`, where `(n, t)` is the power of `−|u|`, `u` has the sign of `x`, and `negative` is [`negative`] of `x`.
#[inline(always)]
unsafe fn gated<S: Simd>(x: S::V, negative: S::V, (n, t): Power<S>) -> S::V {
    // SAFETY: as of `Simd`.
    unsafe {
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        let fraction = S::add(one, t);
        let below = times_power::<S>(x, negative, fraction, n);
        let above = S::select_lt(x, zero, below, x);
        S::div(above, S::add(one, S::scale(fraction, n)))
    }
}

/// `x · fraction · 2ⁿ` for a negative `x`, of which `negative` is what is not below the lowest exponent; NaN for −infinity, which times zero
/// it is. The fraction comes first, for the power alone may vanish.
#[inline(always)]
unsafe fn times_power<S: Simd>(x: S::V, negative: S::V, fraction: S::V, n: S::V) -> S::V {
    // SAFETY: as of `Simd`.
    unsafe {
        let product = S::scale(S::mul(negative, fraction), n);
        S::fma(x, S::splat(0.0), product)
    }
}

/// `x · tanh(ln(1 + eˣ))`, which is `x · p / (p + 2)` with `p = e²ˣ + 2·eˣ`.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn mish<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let (zero, one, two) = (S::splat(0.0), S::splat(1.0), S::splat(2.0));
        let negative = negative::<S>(x);
        let (n, t) = power::<S>(negative);
        let fraction = S::add(one, t);
        let power = S::scale(fraction, n);
        let more = S::add(power, two);
        let below = S::mul(times_power::<S>(x, negative, fraction, n), more);
        let under = S::fma(power, more, two);
        // Above zero both are divided by e²ˣ.
        let p = S::fma(two, power, one);
        let above = S::mul(x, p);
        let over = S::fma(S::mul(two, power), power, p);
        S::div(
            S::select_lt(x, zero, below, above),
            S::select_lt(x, zero, under, over),
        )
    }
}

/// The derivative of [`silu`], `s + x·s·(1 − s)` with the logistic function `s`. With `e` the power of `−|x|`, it is `(1 + e + |x|·e) / (1 + e)²` above
/// zero and `e·(1 + e − |x|) / (1 + e)²` below. Beyond the lowest exponent it is its limit.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn silu_slope<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let negative = negative::<S>(x);
        let rise = S::sub(S::splat(0.0), negative);
        gate_slope::<S>(x, rise, power::<S>(negative))
    }
}

/// The derivative of [`gelu_tanh`]: as that of [`silu`], of another exponent `u` and with `|x·u′|` for `|x|`.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn gelu_tanh_slope<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let (size, exponent) = gelu_exponent::<S>(x);
        let square = S::mul_wide(size, size);
        let slope = S::mul_wide(square, S::splat_wide(3.0 * GELU_CUBIC));
        let slope = S::add_wide(slope, S::splat_wide(GELU_LINEAR));
        let rise = S::narrow(S::mul_wide(size, slope));
        gate_slope::<S>(x, rise, power_wide::<S>(exponent))
    }
}

/// `(1 + e + rise·e) / (1 + e)²`, below zero `e·(1 + e − rise) / (1 + e)²`, where `(n, t)` is the power `e`. The fraction comes first, for the power alone may
/// vanish.
#[inline(always)]
unsafe fn gate_slope<S: Simd>(x: S::V, rise: S::V, (n, t): Power<S>) -> S::V {
    // SAFETY: as of `Simd`.
    unsafe {
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        let fraction = S::add(one, t);
        let power = S::scale(fraction, n);
        let more = S::add(one, power);
        let below = S::scale(S::mul(fraction, S::sub(more, rise)), n);
        let above = S::fma(power, S::add(one, rise), one);
        S::div(S::select_lt(x, zero, below, above), S::mul(more, more))
    }
}

/// The derivative of [`mish`]. With `e` the power of `−|x|`, it is `e·((e + 2)·q + 4·x·(e + 1)) / q²` below zero, where `q = e² + 2·e + 2`, and above
/// `((1 + 2·e)·q + 4·x·e²·(1 + e)) / q²`, where `q = 1 + 2·e + 2·e²`. Beyond the lowest exponent it is its limit.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn mish_slope<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let (zero, one, two) = (S::splat(0.0), S::splat(1.0), S::splat(2.0));
        let negative = negative::<S>(x);
        let (n, t) = power::<S>(negative);
        let fraction = S::add(one, t);
        let power = S::scale(fraction, n);
        let far = S::mul(S::splat(4.0), negative);
        let more = S::add(power, two);
        let under = S::fma(power, more, two);
        let below = S::fma(far, S::add(power, one), S::mul(more, under));
        let below = S::scale(S::mul(fraction, below), n);
        let p = S::fma(two, power, one);
        let over = S::fma(S::mul(two, power), power, p);
        let rise = S::mul(S::mul(power, power), S::add(one, power));
        let above = S::sub(S::mul(p, over), S::mul(far, rise));
        let divisor = S::select_lt(x, zero, under, over);
        S::div(
            S::select_lt(x, zero, below, above),
            S::mul(divisor, divisor),
        )
    }
}
