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

/// `eˣ`: `x = n·ln 2 + r`, then a polynomial for `eʳ` (coefficients from Cephes' `expf`) and a scale by `2ⁿ`.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn exp<S: Simd>(x: S::V) -> S::V {
    const POWERS: [f32; 6] = [
        0.5,
        1.666_666_5e-1,
        4.166_579_6e-2,
        8.333_452e-3,
        1.398_2e-3,
        1.987_569_1e-4,
    ];
    // SAFETY: the caller's promise.
    unsafe {
        // Beyond these the result is zero or infinite.
        let x = clamp::<S>(x, -104.0, 89.0);
        let n = S::round(S::mul(x, S::splat(core::f32::consts::LOG2_E)));
        let r = S::fma(n, S::splat(-LN2[0]), x);
        let r = S::fma(n, S::splat(-LN2[1]), r);
        let tail = S::fma(polynomial::<S, 6>(r, POWERS), S::mul(r, r), r);
        S::scale(S::add(S::splat(1.0), tail), n)
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

/// The error function: its power series below 1, and above it the formula 7.1.26 of Abramowitz and Stegun.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn erf<S: Simd>(x: S::V) -> S::V {
    // (−1)ⁿ · 2/√π / (n! · (2n + 1))
    const SERIES: [f32; 10] = [
        std::f32::consts::FRAC_2_SQRT_PI,
        -3.761_264e-1,
        1.128_379_2e-1,
        -2.686_617e-2,
        5.223_977_6e-3,
        -8.548_327e-4,
        1.205_533_3e-4,
        -1.492_565e-5,
        1.646_211_4e-6,
        -1.636_584_5e-7,
    ];
    const TAIL: [f32; 5] = [
        0.254_829_6,
        -0.284_496_74,
        1.421_413_7,
        -1.453_152,
        1.061_405_4,
    ];
    // SAFETY: the caller's promise.
    unsafe {
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        let (size, square) = (S::abs(x), S::mul(x, x));
        let near = S::mul(x, polynomial::<S, 10>(square, SERIES));
        let t = S::div(one, S::fma(size, S::splat(0.327_591_1), one));
        let power = exp::<S>(S::sub(zero, square));
        let tail = S::mul(S::mul(t, polynomial::<S, 5>(t, TAIL)), power);
        let far = S::sub(one, tail);
        let far = S::select_lt(x, zero, S::sub(zero, far), far);
        S::select_lt(size, one, near, far)
    }
}

/// `ln x`: `x = m·2ᵉ` with `m` around 1, then a polynomial for `ln m` (coefficients from Cephes' `logf`).
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn log<S: Simd>(x: S::V) -> S::V {
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
    const SUBNORMAL_SCALE: f32 = (1u32 << 25) as f32;
    // SAFETY: the caller's promise.
    unsafe {
        let (zero, one, tiny) = (S::splat(0.0), S::splat(1.0), S::splat(f32::MIN_POSITIVE));
        let normal = S::select_lt(x, tiny, S::mul(x, S::splat(SUBNORMAL_SCALE)), x);
        let (e, m) = S::split(normal);
        let e = S::sub(e, S::select_lt(x, tiny, S::splat(25.0), zero));
        // From 1..2 to around 1.
        let sqrt2 = S::splat(core::f32::consts::SQRT_2);
        let e = S::add(e, S::select_lt(m, sqrt2, zero, one));
        let m = S::select_lt(m, sqrt2, m, S::mul(m, S::splat(0.5)));

        let f = S::sub(m, one);
        let square = S::mul(f, f);
        let tail = S::mul(S::mul(polynomial::<S, 9>(f, SERIES), f), square);
        let tail = S::fma(e, S::splat(LN2[1]), tail);
        let tail = S::fma(square, S::splat(-0.5), tail);
        let value = S::fma(e, S::splat(LN2[0]), S::add(f, tail));

        // x - x is NaN for infinities and NaN; then the special cases.
        let value = S::add(value, S::sub(x, x));
        let value = S::select_lt(S::splat(f32::MAX), x, x, value);
        let value = S::select_lt(x, zero, S::splat(f32::NAN), value);
        S::select_lt(
            S::abs(x),
            S::splat(f32::from_bits(1)),
            S::splat(f32::NEG_INFINITY),
            value,
        )
    }
}
