//! `f32_winograd_weights`: 3×3 weights as the 6×6 numbers that [`winograd`](super::winograd)'s inputs are multiplied by.
//!
//! Where weights are many and tiles few, a layer takes the time in which its weights are read, and the transformed ones are four times as many. So some
//! schedules keep the plain ones and expand a part of them at a time into memory that stays in the level-2 cache.

use super::declare::declare;
use super::support::{View, multiply_add, span};
use super::winograd::{A, B, SPAN};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries};

declare! {
    /// `G g Gᵀ` for panels of weights: a call of `f32_winograd_weights`.
    pub struct WinogradWeightsCall: Weights {
        /// Input channels.
        channels: usize,
        /// Output channels of a panel: whole vectors.
        panel: usize,
        /// The transformed weights: for each product a matrix of input channels by the panel.
        out: P,
        /// From one product's matrix to the next.
        matrix: i64,
        /// The weights: nine panels, tap by tap, for each input channel.
        x: P,
    }
    kernel(_c) = super::F32_WINOGRAD_WEIGHTS;
    args(c) { out: Write = c.out, x: Read = c.x }
    consts(c) { channels: Count = c.channels, panel: Count = c.panel, matrix: Stride = c.matrix }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_winograd_weights",
    signature: Weights::SIGNATURE,
    exact: true,
    footprint,
    entry,
    twin,
};

entries! {
    fn entry = body
}

/// Taps of a filter.
const TAPS: usize = 3;

/// `G` has two pairs of rows, for ±[`A`] and ±[`B`]: `scale · (1, ±point, point²)`.
const NEAR: f32 = 1.0 / (2.0 * A * A * (A * A - B * B));
const FAR: f32 = 1.0 / (2.0 * B * B * (B * B - A * A));
const ZERO: f32 = 1.0 / (A * A * B * B);

/// How many input channels ahead weights are fetched.
const AHEAD: isize = 8;

/// `G g`
#[inline(always)]
unsafe fn six<S: Simd>(g: [S::V; TAPS]) -> [S::V; SPAN] {
    // SAFETY: as of `Simd`.
    unsafe {
        let near = S::fma(S::splat(A * A * NEAR), g[2], S::mul(S::splat(NEAR), g[0]));
        let far = S::fma(S::splat(B * B * FAR), g[2], S::mul(S::splat(FAR), g[0]));
        [
            S::mul(S::splat(ZERO), g[0]),
            S::fma(S::splat(A * NEAR), g[1], near),
            S::fma(S::splat(-A * NEAR), g[1], near),
            S::fma(S::splat(B * FAR), g[1], far),
            S::fma(S::splat(-B * FAR), g[1], far),
            g[2],
        ]
    }
}

#[inline(always)]
unsafe fn body<S: Simd>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: the caller keeps the contract of `KernelFn`; every address but those that are only fetched is one of the footprint.
    unsafe {
        let c = Weights::read(consts);
        let taps = (TAPS * TAPS) as isize;
        for k in 0..c.channels {
            let mut lane = 0;
            while lane < c.panel {
                let x = x.offset(k * taps * c.panel + lane);
                let out = out.offset(k * c.panel + lane);
                let mut half = [[S::splat(0.0); TAPS]; SPAN];
                for j in 0..TAPS {
                    let mut g = [S::splat(0.0); TAPS];
                    for i in 0..TAPS {
                        let at = x.offset((i * TAPS + j) as isize * c.panel);
                        g[i] = S::load(at);
                        S::prefetch_near(at.wrapping_offset(AHEAD * taps * c.panel));
                    }
                    let column = six::<S>(g);
                    for i in 0..SPAN {
                        half[i][j] = column[i];
                    }
                }
                for i in 0..SPAN {
                    let row = six::<S>(half[i]);
                    for j in 0..SPAN {
                        S::store(out.offset((i * SPAN + j) as isize * c.matrix), row[j]);
                    }
                }
                lane += S::LANES as isize;
            }
        }
    }
}

fn footprint(isa: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Weights::new(consts);
    if c.panel % isa.lanes() as isize != 0 {
        return super::support::invalid();
    }
    let panels = c.channels * c.panel;
    vec![
        span(&[((SPAN * SPAN) as isize, c.matrix), (panels, 1)]),
        span(&[((TAPS * TAPS) as isize * panels, 1)]),
    ]
}

/// One row or column, rounded as the ISA rounds.
fn six_of(isa: Isa, g: [f32; TAPS]) -> [f32; SPAN] {
    let pair = |scale: f32, point: f32| {
        let even = multiply_add(isa, point * point * scale, g[2], scale * g[0]);
        [point, -point].map(|point| multiply_add(isa, point * scale, g[1], even))
    };
    let ([a, b], [c, d]) = (pair(NEAR, A), pair(FAR, B));
    [ZERO * g[0], a, b, c, d, g[2]]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa) {
    let c = Weights::new(consts);
    let mut view = View::new(memory, at);
    for k in 0..c.channels {
        for lane in 0..c.panel {
            let tap = |i: usize, j: usize| {
                let tap = (i * TAPS + j) as isize;
                view.get(1, (k * (TAPS * TAPS) as isize + tap) * c.panel + lane)
            };
            let columns: [[f32; SPAN]; TAPS] =
                std::array::from_fn(|j| six_of(isa, std::array::from_fn(|i| tap(i, j))));
            for i in 0..SPAN {
                let row = six_of(isa, columns.map(|column| column[i]));
                for (j, value) in row.into_iter().enumerate() {
                    let product = (i * SPAN + j) as isize;
                    view.set(product * c.matrix + k * c.panel + lane, value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::winograd::WEIGHTS;

    #[test]
    fn rows_are_those_of_the_exact_matrix() {
        let g = [0.3, -1.7, 2.9f32];
        for (row, found) in WEIGHTS.iter().zip(six_of(Isa::Portable, g)) {
            let exact: f64 = row.iter().zip(g).map(|(w, g)| w * f64::from(g)).sum();
            assert!((f64::from(found) - exact).abs() < 4e-7 * exact.abs().max(1.0));
        }
    }
}
