//! Plain Rust: any number of lanes, on any machine. The compiler's vectoriser does what it can.

use super::{Simd, without_denormal};
use core::array::from_fn;

/// Vectors of `N` lanes as arrays. Closures are harmless here: there are no features to inherit.
pub(crate) struct Portable<const N: usize>;

/// `2ⁿ` for `n` in `-126..=127`.
#[inline(always)]
fn pow2(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) << 23) as u32)
}

/// Methods that treat each lane alike.
macro_rules! lanes {
    ($(fn $name:ident($($arg:ident),*) { $value:expr })*) => {
        $(
            #[inline(always)]
            unsafe fn $name($($arg: [f32; N]),*) -> [f32; N] {
                from_fn(|lane| {
                    $(let $arg = $arg[lane];)*
                    $value
                })
            }
        )*
    };
}

impl<const N: usize> Simd for Portable<N> {
    const LANES: usize = N;
    const REGISTERS: usize = 2 * N;
    const UNROLL: usize = 1;
    type V = [f32; N];
    type W = [f64; N];
    type Narrow = Portable<8>;

    #[inline(always)]
    unsafe fn splat(value: f32) -> [f32; N] {
        [value; N]
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; N] {
        // SAFETY: the caller vouches for N elements.
        unsafe { from.cast::<[f32; N]>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn load_range(from: *const f32, first: isize, end: isize) -> [f32; N] {
        let mut v = [0.0; N];
        for lane in first..end {
            // SAFETY: the caller vouches for the lanes `first..end`.
            v[lane as usize] = unsafe { *from.wrapping_offset(lane) };
        }
        v
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, v: [f32; N]) {
        // SAFETY: the caller vouches for N elements.
        unsafe { to.cast::<[f32; N]>().write_unaligned(v) }
    }

    #[inline(always)]
    unsafe fn store_part(to: *mut f32, count: usize, v: [f32; N]) {
        for (lane, &value) in v.iter().enumerate() {
            if lane < count {
                // SAFETY: the caller vouches for the first `count` elements.
                unsafe { *to.add(lane) = value }
            }
        }
    }

    #[inline(always)]
    unsafe fn transpose<const FLUSH: bool>(
        to: *mut f32,
        beside: isize,
        from: *const f32,
        below: isize,
    ) {
        // Squares of four by four, which stay in registers where there are vectors of four.
        for square in 0..(N / 4) * (N / 4) {
            let i = (square % (N / 4) * 4) as isize;
            let j = (square / (N / 4) * 4) as isize;
            let mut rows = [[0.0; 4]; 4];
            for r in 0..4 {
                // SAFETY: the caller vouches for N elements of N rows.
                let row = unsafe { from.offset((i + r as isize) * below + j) };
                // SAFETY: the same.
                rows[r] = unsafe { row.cast::<[f32; 4]>().read_unaligned() };
            }
            for c in 0..4 {
                let mut column = [rows[0][c], rows[1][c], rows[2][c], rows[3][c]];
                if FLUSH {
                    column = column.map(without_denormal);
                }
                // SAFETY: the caller vouches for N elements of N columns.
                let at = unsafe { to.offset(i + (j + c as isize) * beside) };
                // SAFETY: the same.
                unsafe { at.cast::<[f32; 4]>().write_unaligned(column) };
            }
        }
    }

    #[inline(always)]
    unsafe fn opaque(pointer: *const f32) -> *const f32 {
        pointer
    }

    #[inline(always)]
    unsafe fn prefetch_near(_from: *const f32) {}

    #[inline(always)]
    unsafe fn prefetch(_from: *const f32) {}

    lanes! {
        fn add(a, b) { a + b }
        fn sub(a, b) { a - b }
        fn mul(a, b) { a * b }
        fn div(a, b) { a / b }
        fn fma(a, b, c) { a * b + c }
        fn max(a, b) { if a > b { a } else { b } }
        fn min(a, b) { if a < b { a } else { b } }
        fn maximum(a, b) { if a.is_nan() || a > b { a } else { b } }
        fn minimum(a, b) { if a.is_nan() || a < b { a } else { b } }
        fn abs(v) { v.abs() }
        fn sqrt(v) { v.sqrt() }
        fn select_lt(a, b, yes, no) { if a < b { yes } else { no } }
        // Adding 1.5·2²³ leaves no bits for a fraction.
        fn round(v) { (v + 12_582_912.0) - 12_582_912.0 }
        // In two factors, so that neither leaves the range of normal numbers.
        fn scale(v, n) { v * pow2(n as i32 >> 1) * pow2((n as i32).wrapping_sub(n as i32 >> 1)) }
    }

    #[inline(always)]
    unsafe fn splat_wide(value: f64) -> [f64; N] {
        [value; N]
    }

    #[inline(always)]
    unsafe fn widen(v: [f32; N]) -> [f64; N] {
        v.map(f64::from)
    }

    #[inline(always)]
    unsafe fn narrow(w: [f64; N]) -> [f32; N] {
        w.map(|value| value as f32)
    }

    #[inline(always)]
    unsafe fn add_wide(a: [f64; N], b: [f64; N]) -> [f64; N] {
        from_fn(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    unsafe fn mul_wide(a: [f64; N], b: [f64; N]) -> [f64; N] {
        from_fn(|lane| a[lane] * b[lane])
    }

    #[inline(always)]
    unsafe fn load_wide(from: *const f64) -> [f64; N] {
        // SAFETY: the caller vouches for N elements.
        unsafe { from.cast::<[f64; N]>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store_wide(to: *mut f64, w: [f64; N]) {
        // SAFETY: the caller vouches for N elements.
        unsafe { to.cast::<[f64; N]>().write_unaligned(w) }
    }

    #[inline(always)]
    unsafe fn split(v: [f32; N]) -> ([f32; N], [f32; N]) {
        (
            from_fn(|lane| ((v[lane].to_bits() >> 23) as i32 - 127) as f32),
            from_fn(|lane| f32::from_bits(v[lane].to_bits() & 0x007f_ffff | 0x3f80_0000)),
        )
    }
}
