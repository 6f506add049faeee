//! `f32_winograd_filtergrad`: the gradient of 3×3 weights by Winograd's algorithm.
//!
//! What [F(4×4, 3×3)](super::winograd) is linear in is transposed: with tiles d of 6×6 inputs and e of 4×4 cotangents of the outputs,
//!
//! ```text
//! gradient = Gᵀ [ Σ over tiles (Bᵀ d B) ⊙ (A e Aᵀ) ] G
//! ```
//! so that a tile takes 36 products of inputs and cotangents instead of 144. Tiles are transformed by `winograd_tiles`, and `f32_outer` adds products up.

use super::declare::declare;
use super::support::{View, invalid, multiply_add, span};
use super::winograd::{SPAN, WEIGHTS};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first};

/// Taps along an axis.
const TAPS: usize = 3;

declare! {
    /// Sums of products as gradients of weights: a call of `f32_winograd_filtergrad`.
    pub struct WinogradFiltergradCall: Filtergrad {
        /// Pairs of an output's and an input's channel.
        pairs: usize,
        /// Parts that are added up first.
        parts: usize,
        /// The gradients: nine for each pair.
        out: P,
        /// The sums, a number for each pair in each of the 36 matrices.
        x: P,
        /// From one matrix to the next.
        matrix: i64,
        /// From one part to the next.
        part: i64,
    }
    kernel(_c) = super::F32_WINOGRAD_FILTERGRAD;
    args(c) { out: Write = c.out, x: Read = c.x }
    consts(c) { pairs: Count = c.pairs, parts: Count = c.parts, in_xi: Stride = c.matrix, in_part: Stride = c.part }
}

pub(super) const FILTERGRAD: Kernel = Kernel {
    name: "f32_winograd_filtergrad",
    signature: Filtergrad::SIGNATURE,
    exact: true,
    footprint: filtergrad_footprint,
    entry: filtergrad_entry,
    twin: filtergrad_twin,
};

entries! {
    fn filtergrad_entry = filtergrad
}

/// `Gᵀ m`
#[inline(always)]
unsafe fn gather<S: Simd>(m: [S::V; SPAN]) -> [S::V; TAPS] {
    // SAFETY: as of `Simd`.
    unsafe {
        let g = |row: usize, tap: usize| S::splat(WEIGHTS[row][tap] as f32);
        let (sum_a, difference_a) = (S::add(m[1], m[2]), S::sub(m[1], m[2]));
        let (sum_b, difference_b) = (S::add(m[3], m[4]), S::sub(m[3], m[4]));
        let sums = |tap: usize| S::fma(g(3, tap), sum_b, S::mul(g(1, tap), sum_a));
        [
            S::fma(g(0, 0), m[0], sums(0)),
            S::fma(g(3, 1), difference_b, S::mul(g(1, 1), difference_a)),
            S::add(sums(2), m[5]),
        ]
    }
}

#[inline(always)]
unsafe fn filtergrad<S: Simd>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: the caller keeps the contract of `KernelFn`; every address is one of the footprint.
    unsafe {
        let c = Filtergrad::read(consts);
        let mut first = 0;
        while first < c.pairs {
            let count = ((c.pairs - first) as usize).min(S::LANES);
            let mut half = [[S::splat(0.0); TAPS]; SPAN];
            for i in 0..SPAN {
                let mut m = [S::splat(0.0); SPAN];
                for j in 0..SPAN {
                    let x = x.offset(first + (i * SPAN + j) as isize * c.in_xi);
                    m[j] = load_first::<S>(x, count);
                    for part in 1..c.parts {
                        let value = load_first::<S>(x.offset(part * c.in_part), count);
                        m[j] = S::add(m[j], value);
                    }
                }
                half[i] = gather::<S>(m);
            }
            let mut taps = [[0.0f32; MOST_LANES]; TAPS * TAPS];
            for j in 0..TAPS {
                let mut m = [S::splat(0.0); SPAN];
                for i in 0..SPAN {
                    m[i] = half[i][j];
                }
                let g = gather::<S>(m);
                for i in 0..TAPS {
                    S::store(taps[i * TAPS + j].as_mut_ptr(), g[i]);
                }
            }
            let out = out.offset(first * (TAPS * TAPS) as isize);
            for lane in 0..count {
                // One lane after the other: as vectors that are scattered, they take twice as long.
                let from = S::opaque(taps.as_ptr().cast::<f32>().add(lane));
                for tap in 0..TAPS * TAPS {
                    *out.add(lane * TAPS * TAPS + tap) = *from.add(tap * MOST_LANES);
                }
            }
            first += S::LANES as isize;
        }
    }
}

/// Lanes of the widest vector.
const MOST_LANES: usize = 16;

fn filtergrad_footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Filtergrad::new(consts);
    // The first part is where sums begin.
    if c.parts < 1 {
        return invalid();
    }
    vec![
        span(&[(c.pairs * (TAPS * TAPS) as isize, 1)]),
        span(&[
            (c.parts, c.in_part),
            ((SPAN * SPAN) as isize, c.in_xi),
            (c.pairs, 1),
        ]),
    ]
}

/// `Gᵀ m`, in the order of [`gather`].
fn gather_of(m: [f32; SPAN], isa: Isa) -> [f32; TAPS] {
    let g = |row: usize, tap: usize| WEIGHTS[row][tap] as f32;
    let sums = |tap: usize| {
        let near = g(1, tap) * (m[1] + m[2]);
        multiply_add(isa, g(3, tap), m[3] + m[4], near)
    };
    [
        multiply_add(isa, g(0, 0), m[0], sums(0)),
        multiply_add(isa, g(3, 1), m[3] - m[4], g(1, 1) * (m[1] - m[2])),
        sums(2) + m[5],
    ]
}

fn filtergrad_twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa) {
    let c = Filtergrad::new(consts);
    let mut view = View::new(memory, at);
    for pair in 0..c.pairs {
        let sum = |i: usize, j: usize| {
            let at = pair + (i * SPAN + j) as isize * c.in_xi;
            let parts = (1..c.parts).map(|part| view.get(1, at + part * c.in_part));
            parts.fold(view.get(1, at), |sum, value| sum + value)
        };
        let rows: [_; SPAN] =
            std::array::from_fn(|i| gather_of(std::array::from_fn(|j| sum(i, j)), isa));
        for j in 0..TAPS {
            let column = gather_of(std::array::from_fn(|i| rows[i][j]), isa);
            for (i, value) in column.into_iter().enumerate() {
                let tap = (i * TAPS + j) as isize;
                view.set(pair * (TAPS * TAPS) as isize + tap, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::winograd::TILE;
    use crate::kernel::winograd_tiles::both;

    /// The definition: the gradient of three weights that met six inputs, in one dimension.
    #[test]
    fn the_matrices_correlate() {
        let d = [3.0f32, -1.0, 4.0, 1.0, -5.0, 9.0];
        let e = [2.0f32, 7.0, -1.0, 8.0];
        let (inputs, cotangents) = both(d, e);
        let products = std::array::from_fn(|i| inputs[i] * cotangents[i]);
        for (k, found) in gather_of(products, Isa::Avx512).into_iter().enumerate() {
            let exact: f32 = (0..TILE).map(|i| e[i] * d[i + k]).sum();
            assert!((found - exact).abs() < 1e-4, "{k}: {found} is not {exact}");
        }
    }
}
