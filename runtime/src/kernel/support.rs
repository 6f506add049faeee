//! What every kernel's row is made of: footprints, and the twins' view of memory.

use super::{Footprint, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{Simd, store_first};

/// The footprint that starts at the pointer and spans these `(count, stride)`.
pub(super) fn span(dims: &[(isize, isize)]) -> Option<Footprint> {
    let dims: Vec<_> = dims
        .iter()
        .map(|&(count, stride)| (count as i64, stride as i64))
        .collect();
    Some(Footprint::new(dims))
}

/// The footprints of constants that a kernel cannot work with: a negative count, which the verifier of Loops rejects.
pub(super) fn invalid() -> Vec<Option<Footprint>> {
    vec![span(&[(-1, 0)])]
}

/// `count` elements in a row.
pub(super) fn vector(count: isize) -> Option<Footprint> {
    span(&[(count, 1)])
}

/// Rounds up to whole vectors.
pub(super) fn padded(count: isize, isa: Isa) -> isize {
    let lanes = isa.lanes() as isize;
    (count + lanes - 1) / lanes * lanes
}

/// Fills `counts` pixels of `channels` adjacent elements with zeros.
///
/// # Safety
/// As of [`Simd`]; all of these elements may be written.
#[inline(always)]
pub(super) unsafe fn clear<S: Simd>(
    out: *mut f32,
    counts: [isize; 3],
    strides: [isize; 3],
    channels: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        for i in 0..counts[0] {
            for j in 0..counts[1] {
                for l in 0..counts[2] {
                    let out = out.offset(i * strides[0] + j * strides[1] + l * strides[2]);
                    let mut k = 0;
                    while k < channels {
                        store_first::<S>(out.add(k), channels - k, S::splat(0.0));
                        k += S::LANES;
                    }
                }
            }
        }
    }
}

/// A twin's memory, indexed by argument and offset.
pub(super) struct View<'a> {
    memory: &'a mut [f32],
    at: &'a [usize; MAX_ARGS],
}

impl<'a> View<'a> {
    pub fn new(memory: &'a mut [f32], at: &'a [usize; MAX_ARGS]) -> View<'a> {
        View { memory, at }
    }

    /// Element `offset` of argument `arg`.
    pub fn get(&self, arg: usize, offset: isize) -> f32 {
        self.memory[self.at[arg].wrapping_add_signed(offset)]
    }

    /// Fills `counts` pixels of `channels` adjacent elements of the output with zeros.
    pub fn clear(&mut self, counts: [isize; 3], strides: [isize; 3], channels: isize) {
        for i in 0..counts[0] {
            for j in 0..counts[1] {
                for l in 0..counts[2] {
                    for k in 0..channels {
                        self.set(i * strides[0] + j * strides[1] + l * strides[2] + k, 0.0);
                    }
                }
            }
        }
    }

    /// Adds to element `offset` of the output, which has been set.
    pub fn add(&mut self, offset: isize, value: f32) {
        let sum = self.get(0, offset) + value;
        self.set(offset, sum);
    }

    /// Sets element `offset` of the output.
    pub fn set(&mut self, offset: isize, value: f32) {
        self.memory[self.at[0].wrapping_add_signed(offset)] = value;
    }
}

/// `a * b + c`, rounded as the ISA rounds it.
pub(super) fn multiply_add(isa: Isa, a: f32, b: f32, c: f32) -> f32 {
    if isa.fused() {
        a.mul_add(b, c)
    } else {
        a * b + c
    }
}

/// The larger, as every ISA computes it: `b` when they are equal or either is NaN.
pub(super) fn max(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// The smaller, as every ISA computes it: `b` when they are equal or either is NaN.
pub(super) fn min(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// The larger: NaN when either is; of equal ones the second.
pub(super) fn maximum(a: f32, b: f32) -> f32 {
    if a.is_nan() { a } else { max(a, b) }
}

/// The smaller: NaN when either is; of equal ones the second.
pub(super) fn minimum(a: f32, b: f32) -> f32 {
    if a.is_nan() { a } else { min(a, b) }
}

/// Terms that a long sum adds in f32 before it adds their sum to one in f64. Each of so few terms takes part in at most 14 roundings, and two
/// more follow at the end: 16 · 2⁻²⁴ of the terms' magnitudes is less than the 1e-6 that are promised.
pub(super) const BLOCK: isize = 14;

/// The fused activation `min(max(x, slope·x), hi)`; NaN and −0 stay what they are. A slope of 0 or 1 costs no product: what is below zero
/// becomes +0 at a slope of 0.
pub(super) fn activate(x: f32, slope: f32, hi: f32) -> f32 {
    let x = if is_leaky(slope) {
        max(slope * x, x)
    } else {
        x
    };
    min(hi, max(lowest(slope), x))
}

/// Whether the part below zero is scaled, not just kept or cut off.
#[inline(always)]
fn is_leaky(slope: f32) -> bool {
    slope != 0.0 && slope != 1.0
}

/// What the activation never goes below.
#[inline(always)]
fn lowest(slope: f32) -> f32 {
    if slope == 0.0 { 0.0 } else { f32::NEG_INFINITY }
}

/// The fused activation, in vectors.
pub(super) struct Activation<S: Simd> {
    /// Whether [`Activation::leak`] does anything.
    pub leaky: bool,
    slope: S::V,
    lo: S::V,
    hi: S::V,
}

impl<S: Simd> Activation<S> {
    /// From the constants `slope` and `hi`.
    ///
    /// # Safety
    /// As of [`Simd`].
    #[inline(always)]
    pub unsafe fn new(slope: isize, hi: isize) -> Self {
        let (slope, hi) = (float(slope as i64), float(hi as i64));
        // SAFETY: the caller's promise.
        unsafe {
            Activation {
                leaky: is_leaky(slope),
                slope: S::splat(slope),
                lo: S::splat(lowest(slope)),
                hi: S::splat(hi),
            }
        }
    }

    /// See [`activate`].
    ///
    /// # Safety
    /// As of [`Simd`].
    #[inline(always)]
    pub unsafe fn apply(&self, x: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { self.clamp(if self.leaky { self.leak(x) } else { x }) }
    }

    /// The first half of [`Activation::apply`], needed if `leaky`.
    ///
    /// # Safety
    /// As of [`Simd`].
    #[inline(always)]
    pub unsafe fn leak(&self, x: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::max(S::mul(self.slope, x), x) }
    }

    /// The second half of [`Activation::apply`].
    ///
    /// # Safety
    /// As of [`Simd`].
    #[inline(always)]
    pub unsafe fn clamp(&self, x: S::V) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { S::min(self.hi, S::max(self.lo, x)) }
    }
}
