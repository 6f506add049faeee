//! Elementary functions on vectors, within 2e-7 of the exact value relative to it, or a few subnormal steps.
//!
//! NaN gives NaN; infinities and overflow give the limits. The tests measure every error against f64.

use super::Simd;

/// `c[0] + x·(c[1] + x·(c[2] + …))`
#[inline(always)]
unsafe fn polynomial<S: Simd, const N: usize>(x: S::V, c: [f32; N]) -> S::V {
    // SAFETY: as of `Simd`.
    unsafe {
        let mut value = S::splat(c[N - 1]);
        let mut i = N - 1;
        while i > 0 {
            i -= 1;
            value = S::fma(value, x, S::splat(c[i]));
        }
        value
    }
}

/// `v` limited to `lo..=hi`; NaN stays NaN.
#[inline(always)]
unsafe fn clamp<S: Simd>(v: S::V, lo: f32, hi: f32) -> S::V {
    // SAFETY: as of `Simd`.
    unsafe { S::min(S::splat(hi), S::max(S::splat(lo), v)) }
}

/// ln 2 in two parts; the first has so few bits that its product with an exponent is exact.
const LN2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// A power as `(n, t)`: `2ⁿ·(1 + t)`.
type Power<S> = (<S as Simd>::V, <S as Simd>::V);

/// `(n, t)` with `eˣ = 2ⁿ·(1 + t)` and `|t| < 0.42`, for `x` in −128..89: `x = n·ln 2 + r`, then a polynomial for `eʳ − 1` (coefficients from
/// Cephes' `expf`).
#[inline(always)]
unsafe fn power<S: Simd>(x: S::V) -> Power<S> {
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
unsafe fn power_wide<S: Simd>(x: S::W) -> Power<S> {
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
unsafe fn negative<S: Simd>(x: S::V) -> S::V {
    // SAFETY: as of `Simd`.
    unsafe { S::max(S::splat(LOWEST), S::sub(S::splat(0.0), S::abs(x))) }
}

/// `eʳ − 1` for `|r| ≤ ln 2 / 2`.
#[inline(always)]
unsafe fn tail<S: Simd>(r: S::V) -> S::V {
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

/// `tanh x`: a quotient of polynomials in `x²`, odd by construction.
///
/// The coefficients minimise the largest relative error on `0..9.02` (2.2e-8), with both constant
/// terms 1, so that tiny arguments are their own result. All are positive, so nothing cancels.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn tanh<S: Simd>(x: S::V) -> S::V {
    const ABOVE: [f32; 5] = [
        1.0,
        1.338_264_6e-1,
        3.497_407_8e-3,
        2.063_499_6e-5,
        1.338_315_3e-8,
    ];
    const BELOW: [f32; 5] = [
        1.0,
        4.671_596_7e-1,
        2.588_417_2e-2,
        3.288_435_4e-4,
        7.789_781e-7,
    ];
    // SAFETY: the caller's promise.
    unsafe {
        let x = clamp::<S>(x, -9.02, 9.02);
        let square = S::mul(x, x);
        let above = S::mul(x, polynomial::<S, 5>(square, ABOVE));
        let below = polynomial::<S, 5>(square, BELOW);
        clamp::<S>(S::div(above, below), -1.0, 1.0)
    }
}

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

/// `x / (1 + e⁻ᵘ)` with `u = 2·√(2/π)·(x + 0.044715·x³)`: the approximation of [`gelu`] by a hyperbolic tangent.
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

/// `ln x` of normal positive numbers: `x = m·2ᵉ` with `m` around 1. Infinity and NaN stay what they are; of anything else comes
/// what may.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn log<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let (e, m) = centred::<S>(x);
        let value = log_around_one::<S>(e, S::sub(m, S::splat(1.0)));

        // x - x is NaN for infinity and NaN, and 0 for others.
        let value = S::add(value, S::sub(x, x));
        S::select_lt(S::splat(f32::MAX), x, x, value)
    }
}

/// `ln x` as IEEE 754 has it: −infinity for 0, NaN for what is negative.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn ln<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let (least, none) = (S::splat(f32::MIN_POSITIVE), S::splat(f32::NEG_INFINITY));
        let value = S::select_lt(x, least, none, log::<S>(x));
        S::select_lt(x, S::splat(0.0), S::splat(f32::NAN), value)
    }
}

/// A function of f64 of each lane by itself.
#[inline(always)]
unsafe fn lanes<S: Simd>(x: S::V, function: fn(f64) -> f64) -> S::V {
    let mut lanes = [0.0; super::MOST_LANES];
    // SAFETY: the array holds a vector of any ISA.
    unsafe {
        S::store(lanes.as_mut_ptr(), x);
        for lane in &mut lanes[..S::LANES] {
            *lane = function(f64::from(*lane)) as f32;
        }
        S::load(lanes.as_ptr())
    }
}

/// `sin x`, one by one: an argument may be any multiple of the period.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn sin<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { lanes::<S>(x, f64::sin) }
}

/// `cos x`, as [`sin`].
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn cos<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { lanes::<S>(x, f64::cos) }
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
        1.128_379_2,
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

/// The nearest integer, the even one of two; of the sign that `x` has.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn whole<S: Simd>(x: S::V) -> S::V {
    /// From here on there are no fractions.
    const WHOLE: f32 = 8_388_608.0;
    // SAFETY: the caller's promise.
    unsafe {
        let (zero, far) = (S::splat(0.0), S::splat(WHOLE));
        let size = S::abs(x);
        let near = S::sub(S::add(size, far), far);
        let signed = S::select_lt(x, zero, S::mul(near, S::splat(-1.0)), near);
        let signed = S::select_lt(zero, near, signed, S::mul(x, zero));
        S::select_lt(size, far, signed, x)
    }
}

/// `xᵖ` as IEEE 754 has it: NaN for a negative `x`, unless `p` is whole. `p` is not zero.
///
/// The logarithm is a sum in f64, for its error counts as often as `p` says: with `m` around 1 and `s = (m − 1) / (m + 1)`,
/// `ln m = 2·(s + s³/3 + s⁵/5 + …)`.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn pow<S: Simd>(x: S::V, p: f32) -> S::V {
    /// Powers of two beyond this are zero or infinite.
    const FAR: f32 = 160.0;
    const SERIES: usize = 8;
    let half = p * 0.5;
    let (whole, even) = (p.trunc() == p, half.trunc() == half);
    // SAFETY: the caller's promise.
    unsafe {
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        let base = if whole { S::abs(x) } else { x };
        let (e, m) = centred::<S>(base);
        let wide = S::widen(m);
        let sum = S::add_wide(wide, S::splat_wide(1.0));
        // One step of Newton's for 1 / (m + 1).
        let near = S::widen(S::div(one, S::add(m, one)));
        let miss = S::mul_wide(S::mul_wide(sum, near), S::splat_wide(-1.0));
        let inverse = S::mul_wide(near, S::add_wide(S::splat_wide(2.0), miss));
        let s = S::mul_wide(S::add_wide(wide, S::splat_wide(-1.0)), inverse);
        let square = S::mul_wide(s, s);
        let mut series = S::splat_wide(0.0);
        let mut k = SERIES;
        while k > 0 {
            k -= 1;
            let term = S::splat_wide(1.0 / (2 * k + 1) as f64);
            series = S::add_wide(S::mul_wide(series, square), term);
        }
        let log = S::mul_wide(
            S::mul_wide(s, series),
            S::splat_wide(2.0 * core::f64::consts::LOG2_E),
        );
        let exponent = S::mul_wide(S::add_wide(S::widen(e), log), S::splat_wide(f64::from(p)));
        let n = S::round(clamp::<S>(S::narrow(exponent), -FAR, FAR));
        let rest = S::add_wide(exponent, S::mul_wide(S::widen(n), S::splat_wide(-1.0)));
        let rest = clamp::<S>(S::narrow(rest), -1.0, 1.0);
        let t = tail::<S>(S::mul(rest, S::splat(core::f32::consts::LN_2)));
        let value = S::scale(S::add(one, t), n);

        let infinity = S::splat(f32::INFINITY);
        let (of_zero, of_infinity) = if p < 0.0 {
            (infinity, zero)
        } else {
            (zero, infinity)
        };
        // x - x is NaN for infinity and NaN, and 0 for others.
        let value = S::add(value, S::sub(base, base));
        let value = S::select_lt(S::splat(f32::MAX), base, of_infinity, value);
        let value = S::select_lt(base, S::splat(f32::MIN_POSITIVE), of_zero, value);
        let value = S::select_lt(base, zero, S::splat(f32::NAN), value);
        let value = S::select_lt(base, S::splat(f32::MIN), of_infinity, value);
        if even || !whole {
            return value;
        }
        // The reciprocal of −0 is below zero, too.
        let negative = S::sub(S::splat(-0.0), value);
        let value = S::select_lt(S::div(one, x), zero, negative, value);
        S::select_lt(x, zero, negative, value)
    }
}

/// `(e, m)` with `x = m·2ᵉ` and `m` between √½ and √2, for a positive normal `x`; anything for others.
#[inline(always)]
unsafe fn centred<S: Simd>(x: S::V) -> (S::V, S::V) {
    // SAFETY: as of `Simd`.
    unsafe {
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        let (e, m) = S::split(x);
        let sqrt2 = S::splat(core::f32::consts::SQRT_2);
        let e = S::add(e, S::select_lt(m, sqrt2, zero, one));
        (e, S::select_lt(m, sqrt2, m, S::mul(m, S::splat(0.5))))
    }
}

/// `e·ln 2 + ln(1 + f)` for `1 + f` between √½ and √2, as accurate for small `f` as for large: a polynomial (coefficients from Cephes' `logf`).
#[inline(always)]
unsafe fn log_around_one<S: Simd>(e: S::V, f: S::V) -> S::V {
    const SERIES: [f32; 9] = [
        3.333_333e-1,
        -2.499_999_4e-1,
        2.000_071_5e-1,
        -1.666_805_7e-1,
        1.424_932_3e-1,
        -1.242_014_1e-1,
        1.167_699_9e-1,
        -1.151_461e-1,
        7.037_683_6e-2,
    ];
    // SAFETY: as of `Simd`.
    unsafe {
        let square = S::mul(f, f);
        let tail = S::mul(S::mul(polynomial::<S, 9>(f, SERIES), f), square);
        let tail = S::fma(e, S::splat(LN2[1]), tail);
        let tail = S::fma(square, S::splat(-0.5), tail);
        S::fma(e, S::splat(LN2[0]), S::add(f, tail))
    }
}
