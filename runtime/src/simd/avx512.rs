//! AVX-512F: 16 lanes, 32 registers.

use super::Simd;
use core::arch::asm;
use core::arch::x86_64::*;

/// Vectors of AVX-512F.
pub(crate) struct Avx512;

/// Methods that are one intrinsic or a few, none of which touches memory.
macro_rules! pure {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),*) -> $out:ty { $($body:tt)* })*) => {
        $(
            $(#[$doc])*
            #[inline(always)]
            unsafe fn $name($($arg: $ty),*) -> $out {
                // SAFETY: the machine has AVX-512F, by the trait's contract.
                unsafe { $($body)* }
            }
        )*
    };
}

/// Zeros of their sign in place of denormals.
///
/// # Safety
/// As of [`Simd`].
#[inline(always)]
unsafe fn flushed(v: __m512) -> __m512 {
    // SAFETY: the machine has AVX-512F, by the trait's contract.
    unsafe {
        let bits = _mm512_castps_si512(v);
        let exponent = _mm512_set1_epi32(f32::INFINITY.to_bits() as i32);
        let tiny = _mm512_testn_epi32_mask(bits, exponent);
        let sign = _mm512_set1_epi32(i32::MIN);
        _mm512_castsi512_ps(_mm512_mask_and_epi32(bits, tiny, bits, sign))
    }
}

impl Simd for Avx512 {
    const LANES: usize = 16;
    const REGISTERS: usize = 32;
    const UNROLL: usize = 4;
    type V = __m512;
    type W = [__m512d; 2];
    type Narrow = super::Avx2;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m512 {
        // SAFETY: the caller vouches for 16 elements.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_range(from: *const f32, first: isize, end: isize) -> __m512 {
        let mask = (1u32 << end) - (1u32 << first);
        // SAFETY: a masked load touches only the lanes in the mask, which the caller vouches for.
        unsafe { _mm512_maskz_loadu_ps(mask as __mmask16, from) }
    }

    #[inline(always)]
    unsafe fn store(to: *mut f32, v: __m512) {
        // SAFETY: the caller vouches for 16 elements.
        unsafe { _mm512_storeu_ps(to, v) }
    }

    #[inline(always)]
    unsafe fn store_part(to: *mut f32, count: usize, v: __m512) {
        let mask = (1u32 << count) - 1;
        // SAFETY: a masked store touches only the lanes in the mask, which the caller vouches for.
        unsafe { _mm512_mask_storeu_ps(to, mask as __mmask16, v) }
    }

    /// Squares of four by four within each quarter of the registers, then the quarters.
    #[inline(always)]
    unsafe fn transpose<const FLUSH: bool>(
        to: *mut f32,
        beside: isize,
        from: *const f32,
        below: isize,
    ) {
        // SAFETY: the caller vouches for 16 elements of 16 rows and of 16 columns.
        unsafe {
            // `squares[q][j]` has in its quarter `k` the rows `4q..4q + 4` of the column `4k + j`.
            let mut squares = [[_mm512_setzero_ps(); 4]; 4];
            for q in 0..4 {
                let mut rows = [_mm512_setzero_ps(); 4];
                for i in 0..4 {
                    rows[i] = _mm512_loadu_ps(from.offset((4 * q + i) as isize * below));
                    if FLUSH {
                        rows[i] = flushed(rows[i]);
                    }
                }
                let [a, b, c, d] = rows;
                let (ab, cd) = (_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d));
                squares[q][0] = _mm512_shuffle_ps::<0x44>(ab, cd);
                squares[q][1] = _mm512_shuffle_ps::<0xee>(ab, cd);
                let (ab, cd) = (_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d));
                squares[q][2] = _mm512_shuffle_ps::<0x44>(ab, cd);
                squares[q][3] = _mm512_shuffle_ps::<0xee>(ab, cd);
            }
            for j in 0..4 {
                let [a, b, c, d] = [squares[0][j], squares[1][j], squares[2][j], squares[3][j]];
                let to = to.offset(j as isize * beside);
                // Quarters 0 and 2, then 1 and 3, of each pair.
                let (ab, cd) = (
                    _mm512_shuffle_f32x4::<0x88>(a, b),
                    _mm512_shuffle_f32x4::<0x88>(c, d),
                );
                _mm512_storeu_ps(to, _mm512_shuffle_f32x4::<0x88>(ab, cd));
                _mm512_storeu_ps(to.offset(8 * beside), _mm512_shuffle_f32x4::<0xdd>(ab, cd));
                let (ab, cd) = (
                    _mm512_shuffle_f32x4::<0xdd>(a, b),
                    _mm512_shuffle_f32x4::<0xdd>(c, d),
                );
                _mm512_storeu_ps(to.offset(4 * beside), _mm512_shuffle_f32x4::<0x88>(ab, cd));
                _mm512_storeu_ps(to.offset(12 * beside), _mm512_shuffle_f32x4::<0xdd>(ab, cd));
            }
        }
    }

    #[inline(always)]
    unsafe fn load_wide(from: *const f64) -> [__m512d; 2] {
        // SAFETY: the caller vouches for 16 elements.
        unsafe { [_mm512_loadu_pd(from), _mm512_loadu_pd(from.add(8))] }
    }

    #[inline(always)]
    unsafe fn store_wide(to: *mut f64, w: [__m512d; 2]) {
        // SAFETY: the caller vouches for 16 elements.
        unsafe {
            _mm512_storeu_pd(to, w[0]);
            _mm512_storeu_pd(to.add(8), w[1]);
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
        fn splat(value: f32) -> __m512 { _mm512_set1_ps(value) }
        fn add(a: __m512, b: __m512) -> __m512 { _mm512_add_ps(a, b) }
        fn sub(a: __m512, b: __m512) -> __m512 { _mm512_sub_ps(a, b) }
        fn mul(a: __m512, b: __m512) -> __m512 { _mm512_mul_ps(a, b) }
        fn div(a: __m512, b: __m512) -> __m512 { _mm512_div_ps(a, b) }
        fn fma(a: __m512, b: __m512, c: __m512) -> __m512 { _mm512_fmadd_ps(a, b, c) }
        fn max(a: __m512, b: __m512) -> __m512 { _mm512_max_ps(a, b) }
        fn min(a: __m512, b: __m512) -> __m512 { _mm512_min_ps(a, b) }
        fn maximum(a: __m512, b: __m512) -> __m512 {
            _mm512_mask_max_ps(a, _mm512_cmp_ps_mask::<_CMP_ORD_Q>(a, a), a, b)
        }
        fn minimum(a: __m512, b: __m512) -> __m512 {
            _mm512_mask_min_ps(a, _mm512_cmp_ps_mask::<_CMP_ORD_Q>(a, a), a, b)
        }
        fn abs(v: __m512) -> __m512 { _mm512_abs_ps(v) }
        fn sqrt(v: __m512) -> __m512 { _mm512_sqrt_ps(v) }
        fn select_lt(a: __m512, b: __m512, yes: __m512, no: __m512) -> __m512 {
            _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), no, yes)
        }
        fn round(v: __m512) -> __m512 {
            _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(v)
        }
        fn scale(v: __m512, n: __m512) -> __m512 { _mm512_scalef_ps(v, n) }
        fn split(v: __m512) -> (__m512, __m512) {
            let mantissa = _mm512_getmant_ps::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(v);
            (_mm512_getexp_ps(v), mantissa)
        }
        fn splat_wide(value: f64) -> [__m512d; 2] { [_mm512_set1_pd(value); 2] }
        fn widen(v: __m512) -> [__m512d; 2] {
            let upper = _mm512_extractf64x4_pd::<1>(_mm512_castps_pd(v));
            let lower = _mm512_castps512_ps256(v);
            [_mm512_cvtps_pd(lower), _mm512_cvtps_pd(_mm256_castpd_ps(upper))]
        }
        fn narrow(w: [__m512d; 2]) -> __m512 {
            let lower = _mm256_castps_pd(_mm512_cvtpd_ps(w[0]));
            let upper = _mm256_castps_pd(_mm512_cvtpd_ps(w[1]));
            _mm512_castpd_ps(_mm512_insertf64x4::<1>(_mm512_castpd256_pd512(lower), upper))
        }
        fn add_wide(a: [__m512d; 2], b: [__m512d; 2]) -> [__m512d; 2] {
            [_mm512_add_pd(a[0], b[0]), _mm512_add_pd(a[1], b[1])]
        }
        fn mul_wide(a: [__m512d; 2], b: [__m512d; 2]) -> [__m512d; 2] {
            [_mm512_mul_pd(a[0], b[0]), _mm512_mul_pd(a[1], b[1])]
        }
    }
}
