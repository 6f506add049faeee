//! Elementary functions on vectors, within 2e-7 of the exact value relative to it, or a few subnormal steps.
//!
//! NaN gives NaN; infinities and overflow give the limits. The tests measure every error against f64.

mod gates;
mod logarithm;
mod normal;
mod power;

use super::Simd;
pub(crate) use gates::{
    gelu_tanh, gelu_tanh_slope, mish, mish_slope, sigmoid, silu, silu_slope, softplus,
};
pub(crate) use logarithm::{ln, log, pow, pow_each};
pub(crate) use normal::{erf, gelu, gelu_slope};
pub(crate) use power::{exp, exp_minus_one};

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
