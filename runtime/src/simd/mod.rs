//! Vectors of f32 as one trait, so that each kernel is written once for every ISA.
//!
//! A kernel's body is generic over [`Simd`] and `#[inline(always)]`; [`entries`] instantiates it under thin
//! `extern "C"` functions that enable the ISA's features, and only there do the intrinsics inline. Bodies must not
//! use closures, which would not inherit those features.

// A square of registers is indexed by row and by column.
#![allow(clippy::needless_range_loop)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub(crate) mod math;
mod portable;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
pub(crate) use portable::Portable;

/// The vectors of one ISA.
///
/// Comparisons follow x86, on every ISA: `max(a, b)` is `a > b ? a : b`, so that `b` comes back when
/// either is NaN, and likewise `min`. `maximum` and `minimum` are NaN when either is; of equal ones
/// they are the second.
///
/// # Safety
/// Of all functions: this machine has the ISA, and the function inlines into one that enables its features. Of
/// loads and stores: the elements they touch are valid; no alignment is asked for.
pub(crate) trait Simd {
    /// f32 in one vector.
    const LANES: usize;
    /// Vector registers.
    const REGISTERS: usize;
    /// Steps of a reduction in one turn of its loop. What is not one instruction per operation is long enough.
    const UNROLL: usize;
    /// A vector.
    type V: Copy;
    /// As many f64 as a vector has f32.
    type W: Copy;
    /// The same machine's vectors of eight lanes.
    type Narrow: Simd;

    /// `value` in every lane.
    unsafe fn splat(value: f32) -> Self::V;
    /// `LANES` elements.
    unsafe fn load(from: *const f32) -> Self::V;
    /// The elements `first..end` of the `LANES` at `from` and zero elsewhere; nothing else is touched.
    unsafe fn load_range(from: *const f32, first: isize, end: isize) -> Self::V;
    /// `LANES` elements.
    unsafe fn store(to: *mut f32, v: Self::V);
    /// The first `count` elements, `count < LANES`; nothing else is touched.
    unsafe fn store_part(to: *mut f32, count: usize, v: Self::V);
    /// `to[i + j·beside] = from[i·below + j]` for all `i, j < LANES`, bit by bit; with `FLUSH` denormals become zeros of their sign.
    unsafe fn transpose<const FLUSH: bool>(
        to: *mut f32,
        beside: isize,
        from: *const f32,
        below: isize,
    );
    /// `pointer`, of which the optimiser is to know nothing else.
    unsafe fn opaque(pointer: *const f32) -> *const f32;
    /// Hints that `from` will be read.
    unsafe fn prefetch(from: *const f32);

    /// Hints that `from` will be read, but not at once: it is brought into level 2.
    unsafe fn prefetch_near(from: *const f32);

    /// `a + b`
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    /// `a - b`
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    /// `a * b`
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    /// `a / b`
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`, rounded once where the ISA can.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `a > b ? a : b`
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// `a < b ? a : b`
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V;
    /// NaN where `a` is, else `max(a, b)`
    unsafe fn maximum(a: Self::V, b: Self::V) -> Self::V;
    /// NaN where `a` is, else `min(a, b)`
    unsafe fn minimum(a: Self::V, b: Self::V) -> Self::V;
    /// `|v|`
    unsafe fn abs(v: Self::V) -> Self::V;
    /// `√v`
    unsafe fn sqrt(v: Self::V) -> Self::V;
    /// `a < b ? yes : no`
    unsafe fn select_lt(a: Self::V, b: Self::V, yes: Self::V, no: Self::V) -> Self::V;
    /// The nearest integer, for `|v| < 2²²`; NaN gives anything.
    unsafe fn round(v: Self::V) -> Self::V;
    /// `v · 2ⁿ` for an integral `n` in `-252..=252`; anything for others.
    unsafe fn scale(v: Self::V, n: Self::V) -> Self::V;
    /// `(e, m)` with `v = m · 2ᵉ` and `1 ≤ m < 2`, for a positive normal `v`; anything for others.
    unsafe fn split(v: Self::V) -> (Self::V, Self::V);

    /// `value` in every lane.
    unsafe fn splat_wide(value: f64) -> Self::W;
    /// The same values in f64.
    unsafe fn widen(v: Self::V) -> Self::W;
    /// Rounded to f32.
    unsafe fn narrow(w: Self::W) -> Self::V;
    /// `a + b`
    unsafe fn add_wide(a: Self::W, b: Self::W) -> Self::W;
    /// `a * b`
    unsafe fn mul_wide(a: Self::W, b: Self::W) -> Self::W;
    /// `LANES` elements.
    unsafe fn load_wide(from: *const f64) -> Self::W;
    /// `LANES` elements.
    unsafe fn store_wide(to: *mut f64, w: Self::W);
}

/// Adds sums in f32 to totals in f64, and begins them anew.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn settle<S: Simd, const MR: usize, const NR: usize>(
    totals: &mut [[S::W; NR]; MR],
    sums: &mut [[S::V; NR]; MR],
) {
    for (totals, sums) in totals.iter_mut().zip(sums) {
        for (total, sum) in totals.iter_mut().zip(sums) {
            // SAFETY: the caller's promise.
            unsafe {
                *total = S::add_wide(*total, S::widen(*sum));
                *sum = S::splat(0.0);
            }
        }
    }
}

/// The widest vector of any ISA.
pub(crate) const MOST_LANES: usize = 16;

/// The sum of all lanes, in order.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn total_wide<S: Simd>(w: S::W) -> f64 {
    let mut lanes = [0.0; MOST_LANES];
    // SAFETY: the array holds a vector of any ISA.
    unsafe { S::store_wide(lanes.as_mut_ptr(), w) };
    let mut sum = 0.0;
    for lane in lanes {
        sum += lane;
    }
    sum
}

/// The first `count` elements, `0 < count ≤ LANES`, and zeros.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn load_first<S: Simd>(from: *const f32, count: usize) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        if count >= S::LANES {
            S::load(from)
        } else {
            S::load_range(from, 0, count as isize)
        }
    }
}

/// Stores the first `count` elements, `0 < count ≤ LANES`.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn store_first<S: Simd>(to: *mut f32, count: usize, v: S::V) {
    // SAFETY: the caller's promise.
    unsafe {
        if count >= S::LANES {
            S::store(to, v)
        } else {
            S::store_part(to, count, v)
        }
    }
}

/// The number, or zero of its sign if it is denormal.
pub(crate) const fn without_denormal(x: f32) -> f32 {
    const EXPONENT: u32 = f32::INFINITY.to_bits();
    let bits = x.to_bits();
    f32::from_bits(if bits & EXPONENT == 0 {
        bits & (1 << 31)
    } else {
        bits
    })
}

/// A kernel's machine code. Unused inputs may be null.
///
/// # Safety
/// Every element of the footprint, for these constants, must be inside the allocation
/// that the pointer points into; reads must be initialised; the output must not overlap an input,
/// except where [`Use::Same`](crate::kernel::Use::Same) allows it. A kernel never panics and cannot fail.
pub type KernelFn = unsafe extern "C" fn(
    out: *mut f32,
    a: *const f32,
    b: *const f32,
    c: *const f32,
    d: *const f32,
    e: *const f32,
    consts: *const i64,
);

/// Declares `fn name(isa) -> Option<KernelFn>` from a generic body: its instance for each listed ISA.
///
/// The body takes a [`Simd`] type, then the constant parameters, and a [`KernelFn`]'s arguments.
macro_rules! entries {
    ($(#[$doc:meta])* $vis:vis fn $name:ident $(<$($c:ident),*>)? = $body:ident) => {
        $crate::simd::entries! {
            $(#[$doc])* $vis fn $name $(<$($c),*>)? = $body for Avx512 Avx2 Portable Portable16
        }
    };
    ($(#[$doc:meta])* $vis:vis fn $name:ident $(<$($c:ident),*>)? = $body:ident for $($isa:ident)*) => {
        $crate::simd::entries! { @function [$(#[$doc])* $vis] $name $body [$($($c)*)?] [$($isa)*] }
    };
    (@function [$($head:tt)*] $name:ident $body:ident $generics:tt [$($isa:ident)*]) => {
        $crate::simd::entries! { @signature [$($head)*] $name $generics
            [$($isa => { $crate::simd::entries!(@ $isa $body $generics) })*]
        }
    };
    (@signature [$($head:tt)*] $name:ident [$($c:ident)*] [$($isa:ident => $value:block)*]) => {
        $($head)* fn $name<$(const $c: usize),*>(isa: $crate::isa::Isa) -> Option<$crate::simd::KernelFn> {
            match isa {
                $($crate::isa::Isa::$isa => $value)*
                #[allow(unreachable_patterns)]
                _ => None,
            }
        }
    };
    (@ Avx512 $body:ident $generics:tt) => {{
        #[cfg(target_arch = "x86_64")]
        {
            $crate::simd::entries!(@ [#[target_feature(enable = "avx512f,avx2,fma")]] $crate::simd::Avx512, $body $generics)
        }
        #[cfg(not(target_arch = "x86_64"))]
        None
    }};
    (@ Avx2 $body:ident $generics:tt) => {{
        #[cfg(target_arch = "x86_64")]
        {
            $crate::simd::entries!(@ [#[target_feature(enable = "avx2,fma")]] $crate::simd::Avx2, $body $generics)
        }
        #[cfg(not(target_arch = "x86_64"))]
        None
    }};
    (@ Portable $body:ident $generics:tt) => {
        $crate::simd::entries!(@ [] $crate::simd::Portable<8>, $body $generics)
    };
    (@ Portable16 $body:ident $generics:tt) => {
        $crate::simd::entries!(@ [] $crate::simd::Portable<16>, $body $generics)
    };
    (@ [$($feature:tt)*] $simd:ty, $body:ident [$($c:ident)*]) => {{
        $($feature)*
        unsafe extern "C" fn entry<$(const $c: usize),*>(
            out: *mut f32,
            a: *const f32,
            b: *const f32,
            c: *const f32,
            d: *const f32,
            _: *const f32,
            consts: *const i64,
        ) {
            // SAFETY: the caller keeps `KernelFn`'s contract and has the ISA; its features are enabled here.
            unsafe { $body::<$simd $(, $c)*>(out, a, b, c, d, consts) }
        }
        Some(entry::<$($c),*>)
    }};
}
pub(crate) use entries;
