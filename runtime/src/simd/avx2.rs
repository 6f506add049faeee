//! AVX2 and FMA: 8 lanes, 16 registers.

use super::Simd;
use core::arch::asm;
use core::arch::x86_64::*;

/// Vectors of AVX2 with FMA.
pub(crate) struct Avx2;

/// Methods that are one intrinsic or a few, none of which touches memory.
macro_rules! pure {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),*) -> $out:ty { $($body:tt)* })*) => {
        $(
            $(#[$doc])*
            #[inline(always)]
            unsafe fn $name($($arg: $ty),*) -> $out {
                // SAFETY: the machine has AVX2 and FMA, by the trait's contract.
                unsafe { $($body)* }
            }
        )*
    };
}

/// `2ⁿ` for `n` in `-126..=127`.
#[inline(always)]
unsafe fn pow2(n: __m256i) -> __m256 {
    // SAFETY: the machine has AVX2, by the trait's contract.
    unsafe {
        _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_add_epi32(
            n,
            _mm256_set1_epi32(127),
        )))
    }
}

/// Zeros of their sign in place of denormals.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
unsafe fn flushed(v: __m256) -> __m256 {
    // SAFETY: the machine has AVX2, by the trait's contract.
    unsafe {
        let exponent = _mm256_castsi256_ps(_mm256_set1_epi32(f32::INFINITY.to_bits() as i32));
        let exponents = _mm256_castps_si256(_mm256_and_ps(v, exponent));
        let tiny = _mm256_cmpeq_epi32(exponents, _mm256_setzero_si256());
        let zero = _mm256_and_ps(v, _mm256_set1_ps(-0.0));
        _mm256_blendv_ps(v, zero, _mm256_castsi256_ps(tiny))
    }
}

/// Four elements at `lower` and four at `upper`.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
unsafe fn halves(lower: *const f32, upper: *const f32) -> __m256 {
    // SAFETY: the caller vouches for four elements at each; the machine has AVX2.
    unsafe {
        let lower = _mm256_castps128_ps256(_mm_loadu_ps(lower));
        _mm256_insertf128_ps::<1>(lower, _mm_loadu_ps(upper))
    }
}

impl Simd for Avx2 {
    const LANES: usize = 8;
    const REGISTERS: usize = 16;
    const UNROLL: usize = 4;
    type V = __m256;
    type W = [__m256d; 2];
    type Narrow = Avx2;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m256 {
        // SAFETY: the caller vouches for 8 elements.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_range(from: *const f32, first: isize, end: isize) -> __m256 {
        // SAFETY: a masked load touches only the lanes in the mask, which the caller vouches for.
        unsafe {
            let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let before_end = _mm256_cmpgt_epi32(_mm256_set1_epi32(end as i32), lane);
            let before_first = _mm256_cmpgt_epi32(_mm256_set1_epi32(first as i32), lane);
            _mm256_maskload_ps(from, _mm256_andnot_si256(before_first, before_end))
        }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, v: __m256) {
        // SAFETY: the caller vouches for 8 elements.
        unsafe { _mm256_storeu_ps(to, v) }
    }

    /// In halves: a masked store takes 42 micro-operations on Zen.
    #[inline(always)]
    unsafe fn store_part(to: *mut f32, count: usize, v: __m256) {
        // SAFETY: 4, 2 and 1 elements as the bits of `count` say, one after the other.
        unsafe {
            let mut to = to;
            let mut rest = _mm256_castps256_ps128(v);
            if count & 4 != 0 {
                _mm_storeu_ps(to, rest);
                to = to.add(4);
                rest = _mm256_extractf128_ps::<1>(v);
            }
            if count & 2 != 0 {
                _mm_storel_epi64(to.cast(), _mm_castps_si128(rest));
                to = to.add(2);
                rest = _mm_movehl_ps(rest, rest);
            }
            if count & 1 != 0 {
                _mm_store_ss(to, rest);
            }
        }
    }

    /// Four columns at a time: halves of the rows `i` and `i + 4` in one register, so that two shuffles of pairs are left.
    #[inline(always)]
    unsafe fn transpose<const FLUSH: bool>(
        to: *mut f32,
        beside: isize,
        from: *const f32,
        below: isize,
    ) {
        // SAFETY: the caller vouches for 8 elements of 8 rows and of 8 columns.
        unsafe {
            for half in 0..2 {
                let from = from.offset(4 * half);
                let to = to.offset(4 * half * beside);
                let mut rows = [_mm256_setzero_ps(); 4];
                for i in 0..4 {
                    let lower = from.offset(i as isize * below);
                    rows[i] = halves(lower, lower.offset(4 * below));
                    if FLUSH {
                        rows[i] = flushed(rows[i]);
                    }
                }
                let [a, b, c, d] = rows;
                let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
                _mm256_storeu_ps(to, _mm256_shuffle_ps::<0x44>(ab, cd));
                _mm256_storeu_ps(to.offset(beside), _mm256_shuffle_ps::<0xee>(ab, cd));
                let (ab, cd) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
                _mm256_storeu_ps(to.offset(2 * beside), _mm256_shuffle_ps::<0x44>(ab, cd));
                _mm256_storeu_ps(to.offset(3 * beside), _mm256_shuffle_ps::<0xee>(ab, cd));
            }
        }
    }

    #[inline(always)]
    unsafe fn load_wide(from: *const f64) -> [__m256d; 2] {
        // SAFETY: the caller vouches for 8 elements.
        unsafe { [_mm256_loadu_pd(from), _mm256_loadu_pd(from.add(4))] }
    }

    #[inline(always)]
    unsafe fn store_wide(to: *mut f64, w: [__m256d; 2]) {
        // SAFETY: the caller vouches for 8 elements.
        unsafe {
            _mm256_storeu_pd(to, w[0]);
            _mm256_storeu_pd(to.add(4), w[1]);
        }
    }

    #[inline(always)]
    #[allow(clippy::pointers_in_nomem_asm_block)] // The pointer is all that passes.
    unsafe fn opaque(pointer: *const f32) -> *const f32 {
        let mut pointer = pointer;
        // SAFETY: no instruction at all.
        unsafe {
            asm!("/* {0} */", inout(reg) pointer, options(pure, nomem, nostack, preserves_flags))
        };
        pointer
    }

    #[inline(always)]
    unsafe fn prefetch_near(from: *const f32) {
        // SAFETY: a hint is valid for any address.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.cast()) }
    }

    #[inline(always)]
    unsafe fn prefetch(from: *const f32) {
        // SAFETY: a hint is valid for any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
    }

    pure! {
        fn splat(value: f32) -> __m256 { _mm256_set1_ps(value) }
        fn add(a: __m256, b: __m256) -> __m256 { _mm256_add_ps(a, b) }
        fn sub(a: __m256, b: __m256) -> __m256 { _mm256_sub_ps(a, b) }
        fn mul(a: __m256, b: __m256) -> __m256 { _mm256_mul_ps(a, b) }
        fn div(a: __m256, b: __m256) -> __m256 { _mm256_div_ps(a, b) }
        fn fma(a: __m256, b: __m256, c: __m256) -> __m256 { _mm256_fmadd_ps(a, b, c) }
        fn max(a: __m256, b: __m256) -> __m256 { _mm256_max_ps(a, b) }
        fn min(a: __m256, b: __m256) -> __m256 { _mm256_min_ps(a, b) }
        // All bits set are NaN too.
        fn maximum(a: __m256, b: __m256) -> __m256 {
            _mm256_or_ps(_mm256_max_ps(a, b), _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a))
        }
        fn minimum(a: __m256, b: __m256) -> __m256 {
            _mm256_or_ps(_mm256_min_ps(a, b), _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a))
        }
        fn abs(v: __m256) -> __m256 { _mm256_andnot_ps(_mm256_set1_ps(-0.0), v) }
        fn sqrt(v: __m256) -> __m256 { _mm256_sqrt_ps(v) }
        fn select_lt(a: __m256, b: __m256, yes: __m256, no: __m256) -> __m256 {
            _mm256_blendv_ps(no, yes, _mm256_cmp_ps::<_CMP_LT_OQ>(a, b))
        }
        fn round(v: __m256) -> __m256 {
            _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(v)
        }
        // In two factors, so that neither leaves the range of normal numbers.
        fn scale(v: __m256, n: __m256) -> __m256 {
            let n = _mm256_cvtps_epi32(n);
            let half = _mm256_srai_epi32::<1>(n);
            let rest = _mm256_sub_epi32(n, half);
            _mm256_mul_ps(_mm256_mul_ps(v, pow2(half)), pow2(rest))
        }
        fn split(v: __m256) -> (__m256, __m256) {
            let bits = _mm256_castps_si256(v);
            let exponent = _mm256_sub_epi32(_mm256_srli_epi32::<23>(bits), _mm256_set1_epi32(127));
            let fraction = _mm256_and_si256(bits, _mm256_set1_epi32(0x007f_ffff));
            let mantissa = _mm256_or_si256(fraction, _mm256_set1_epi32(0x3f80_0000));
            (_mm256_cvtepi32_ps(exponent), _mm256_castsi256_ps(mantissa))
        }
        fn splat_wide(value: f64) -> [__m256d; 2] { [_mm256_set1_pd(value); 2] }
        fn widen(v: __m256) -> [__m256d; 2] {
            let (lower, upper) = (_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
            [_mm256_cvtps_pd(lower), _mm256_cvtps_pd(upper)]
        }
        fn narrow(w: [__m256d; 2]) -> __m256 {
            _mm256_set_m128(_mm256_cvtpd_ps(w[1]), _mm256_cvtpd_ps(w[0]))
        }
        fn add_wide(a: [__m256d; 2], b: [__m256d; 2]) -> [__m256d; 2] {
            [_mm256_add_pd(a[0], b[0]), _mm256_add_pd(a[1], b[1])]
        }
        fn mul_wide(a: [__m256d; 2], b: [__m256d; 2]) -> [__m256d; 2] {
            [_mm256_mul_pd(a[0], b[0]), _mm256_mul_pd(a[1], b[1])]
        }
    }
}
