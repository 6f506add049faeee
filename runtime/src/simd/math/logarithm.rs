//! Logarithms, and powers of any base, which are made by one.

use super::power::{LN2, tail};
use super::{clamp, polynomial};
use crate::simd::Simd;

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

/// `xᵖ` as IEEE 754 has it: NaN for a negative `x`, unless `p` is whole. `p` is not zero.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn pow<S: Simd>(x: S::V, p: f32) -> S::V {
    let half = p * 0.5;
    let (whole, even) = (p.trunc() == p, half.trunc() == half);
    // SAFETY: the caller's promise.
    unsafe {
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        let base = if whole { S::abs(x) } else { x };
        let exponent = S::mul_wide(log2_wide::<S>(base), S::splat_wide(f64::from(p)));
        let value = two_to::<S>(exponent);

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

/// `xᵖ` with an exponent in each lane, as IEEE 754 has it.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn pow_each<S: Simd>(x: S::V, p: S::V) -> S::V {
    /// From here on all numbers are whole and even,
    const EVEN: f32 = (1 << 24) as f32;
    /// and up to this one `Simd::round` rounds.
    const ROUNDED: f32 = (1 << 22) as f32;
    // SAFETY: the caller's promise.
    unsafe {
        let (zero, one, infinity) = (S::splat(0.0), S::splat(1.0), S::splat(f32::INFINITY));
        let (base, size) = (S::abs(x), S::abs(p));
        // An infinite exponent times the logarithm of 1 is to be 0.
        let finite = clamp::<S>(p, f32::MIN, f32::MAX);
        let value = two_to::<S>(S::mul_wide(log2_wide::<S>(base), S::widen(finite)));
        // x - x is NaN for infinity and NaN, and 0 for others.
        let value = S::add(value, S::sub(base, base));
        let of_zero = S::select_lt(p, zero, infinity, zero);
        let of_infinity = S::select_lt(p, zero, zero, infinity);
        let value = S::select_lt(S::splat(f32::MAX), base, of_infinity, value);
        let value = S::select_lt(base, S::splat(f32::MIN_POSITIVE), of_zero, value);
        // An exponent that is NaN is not below infinity and not above what is finite.
        let none = S::select_lt(S::splat(f32::MAX), size, zero, p);
        let value = S::add(value, S::select_lt(size, infinity, zero, none));

        // The exponent without even numbers, so far that it can be rounded.
        let rest = S::select_lt(size, S::splat(EVEN), size, zero);
        let less = S::sub(rest, S::splat(2.0 * ROUNDED));
        let rest = S::select_lt(rest, S::splat(2.0 * ROUNDED), rest, less);
        let less = S::sub(rest, S::splat(ROUNDED));
        let rest = S::select_lt(rest, S::splat(ROUNDED), rest, less);
        let broken = S::abs(S::sub(rest, S::round(rest)));
        let half = S::mul(rest, S::splat(0.5));
        let odd = S::abs(S::sub(half, S::round(half)));

        // What a negative number's power is: of one with a fraction none, but of 0 and infinity.
        let negative = S::select_lt(zero, odd, S::sub(S::splat(-0.0), value), value);
        let of_fraction = S::select_lt(S::splat(f32::MAX), base, value, S::splat(f32::NAN));
        let of_fraction = S::select_lt(base, S::splat(f32::MIN_POSITIVE), value, of_fraction);
        let negative = S::select_lt(zero, broken, of_fraction, negative);
        // The reciprocal of −0 is below zero, too.
        let value = S::select_lt(S::div(one, x), zero, negative, value);
        let value = S::select_lt(x, zero, negative, value);

        // 1 to any power, even to none, and anything to the power of 0.
        let value = S::select_lt(zero, S::abs(S::sub(x, one)), value, x);
        S::select_lt(size, S::splat(f32::MIN_POSITIVE), one, value)
    }
}

/// The logarithm of a normal positive number to the base of 2, in f64, for its error counts as often as an exponent says: with `m` around 1 and
/// `s = (m − 1) / (m + 1)`, `ln m = 2·(s + s³/3 + s⁵/5 + …)`.
#[inline(always)]
unsafe fn log2_wide<S: Simd>(base: S::V) -> S::W {
    const SERIES: usize = 8;
    // SAFETY: as of `Simd`.
    unsafe {
        let one = S::splat(1.0);
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
        S::add_wide(S::widen(e), log)
    }
}

/// `2ˣ`
#[inline(always)]
unsafe fn two_to<S: Simd>(exponent: S::W) -> S::V {
    /// Powers of two beyond this are zero or infinite.
    const FAR: f32 = 160.0;
    // SAFETY: as of `Simd`.
    unsafe {
        let n = S::round(clamp::<S>(S::narrow(exponent), -FAR, FAR));
        let rest = S::add_wide(exponent, S::mul_wide(S::widen(n), S::splat_wide(-1.0)));
        let rest = clamp::<S>(S::narrow(rest), -1.0, 1.0);
        let t = tail::<S>(S::mul(rest, S::splat(core::f32::consts::LN_2)));
        S::scale(S::add(S::splat(1.0), t), n)
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
pub(super) unsafe fn log_around_one<S: Simd>(e: S::V, f: S::V) -> S::V {
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
