//! The reduction of the long kernel.

use super::{Conv, Inputs, Sums, step};
use crate::kernel::support::BLOCK;
use crate::simd::{Simd, settle};

/// The sums of one tile, by blocks.
///
/// # Safety
/// As of the kernel: every address is one of the footprint.
#[inline(always)]
pub(super) unsafe fn reduce_long<S: Simd, const MR: usize, const NR: usize>(
    x: *const f32,
    w: *const f32,
    bias: *const f32,
    c: &Conv,
) -> Sums<S, MR, NR> {
    let panel = NR * S::LANES;
    // SAFETY: every address is one of the footprint; `w` advances once per step of the reduction.
    unsafe {
        let mut sums = [[S::splat(0.0); NR]; MR];
        let mut totals = [[S::splat_wide(0.0); NR]; MR];
        for j in 0..NR {
            let start = match c.biased {
                0 => S::splat_wide(0.0),
                _ => S::widen(S::load(bias.add(j * S::LANES))),
            };
            for p in 0..MR {
                totals[p][j] = start;
            }
        }
        let mut w = w;
        let mut room = BLOCK;
        for i0 in 0..c.n0 {
            for i1 in 0..c.n1 {
                for i2 in 0..c.n2 {
                    let mut inputs = Inputs::<MR>::new::<S>(
                        x.offset(i0 * c.s0 + i1 * c.s1 + i2 * c.s2),
                        c.in_px,
                    );
                    let mut left = c.run;
                    while left > 0 {
                        let steps = left.min(room);
                        for _ in 0..steps {
                            step::<S, MR, NR>(&mut sums, &inputs, 0, w);
                            inputs.advance(1);
                            w = w.add(panel);
                        }
                        left -= steps;
                        room -= steps;
                        if room == 0 {
                            settle::<S, MR, NR>(&mut totals, &mut sums);
                            room = BLOCK;
                        }
                    }
                }
            }
        }
        settle::<S, MR, NR>(&mut totals, &mut sums);
        for p in 0..MR {
            for j in 0..NR {
                sums[p][j] = S::narrow(totals[p][j]);
            }
        }
        sums
    }
}
