//! The twins of all tiles.

use super::Conv;
use crate::isa::Isa;
use crate::kernel::support::{BLOCK, View, activate, multiply_add};
use crate::kernel::{MAX_ARGS, float};

/// Of a tile, or of the long kernel's.
pub(in crate::kernel) fn twin<const MR: usize, const NR: usize, const LONG: bool>(
    memory: &mut [f32],
    at: &[usize; MAX_ARGS],
    consts: &[i64],
    isa: Isa,
) {
    naive(MR, NR * isa.lanes(), LONG, memory, at, consts, isa)
}

/// One function for all tiles of `mr` pixels by `panel` channels.
fn naive(
    mr: usize,
    panel: usize,
    long: bool,
    memory: &mut [f32],
    at: &[usize; MAX_ARGS],
    consts: &[i64],
    isa: Isa,
) {
    let c = Conv::new(consts);
    let (slope, hi) = (float(c.slope as i64), float(c.hi as i64));
    let panel = panel as isize;
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.tiles * mr as isize {
            for l in 0..c.channels {
                let start = if c.biased == 0 { 0.0 } else { view.get(3, l) };
                let (mut total, mut sum) = match long {
                    true => (f64::from(start), 0.0),
                    false => (0.0, start),
                };
                let (mut weight, mut terms) = (r * c.w_row + l, 0);
                for i0 in 0..c.n0 {
                    for i1 in 0..c.n1 {
                        for i2 in 0..c.n2 {
                            for k in 0..c.run {
                                let x = r * c.in_row
                                    + p * c.in_px
                                    + i0 * c.s0
                                    + i1 * c.s1
                                    + i2 * c.s2
                                    + k;
                                sum = multiply_add(isa, view.get(1, x), view.get(2, weight), sum);
                                weight += panel;
                                terms += 1;
                                if long && terms % BLOCK == 0 {
                                    total += f64::from(sum);
                                    sum = 0.0;
                                }
                            }
                        }
                    }
                }
                if long {
                    sum = (total + f64::from(sum)) as f32;
                }
                if c.residual != 0 {
                    sum += view.get(4, r * c.res_row + p * c.res_px + l);
                }
                view.set(r * c.out_row + p * c.out_px + l, activate(sum, slope, hi));
            }
        }
    }
}
