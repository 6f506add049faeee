//! `f32_conv_MRxNRv`: a tile of convolution, dense layer or matrix product, the kernel that matters most.
//!
//! One call computes `rows × tiles·MR` pixels of one panel of `NR` vectors of output channels. The
//! reduction runs over `n0 × n1 × n2` taps of `run` contiguous inputs each, in this order, as one
//! chain of multiply-adds per output that starts from the bias. Packed weights hold `NR·lanes`
//! values for each step of the reduction; lanes beyond `channels` are computed and not stored.

use super::support::{View, activate, consts, multiply_add, span, vector};
use super::{Footprint, Kernel, KernelFn, MAX_ARGS, float};
use crate::isa::Isa;

consts! { Conv {
    rows, out_row, in_row, res_row, tiles, out_px, in_px, res_px,
    n0, s0, n1, s1, n2, s2, run, channels, residual, slope, hi,
} }

/// The row of one tile, without its name and entries.
pub(super) const fn row<const MR: usize, const NR: usize>(
    name: &'static str,
    entry: fn(Isa) -> Option<KernelFn>,
) -> Kernel {
    Kernel {
        name,
        args: &["out", "x", "w", "bias", "residual"],
        consts: Conv::NAMES,
        in_place: false,
        exact: true,
        footprint: footprint::<MR, NR>,
        entry,
        twin: twin::<MR, NR>,
    }
}

fn footprint<const MR: usize, const NR: usize>(isa: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Conv::new(consts);
    let pixels = c.tiles * MR as isize;
    let panel = (NR * isa.lanes()) as isize;
    vec![
        span(&[(c.rows, c.out_row), (pixels, c.out_px), (c.channels, 1)]),
        span(&[
            (c.rows, c.in_row),
            (pixels, c.in_px),
            (c.n0, c.s0),
            (c.n1, c.s1),
            (c.n2, c.s2),
            (c.run, 1),
        ]),
        vector(c.n0 * c.n1 * c.n2 * c.run * panel),
        vector(panel),
        if c.residual == 0 {
            None
        } else {
            span(&[(c.rows, c.res_row), (pixels, c.res_px), (c.channels, 1)])
        },
    ]
}

fn twin<const MR: usize, const NR: usize>(
    memory: &mut [f32],
    at: &[usize; MAX_ARGS],
    consts: &[i64],
    isa: Isa,
) {
    let c = Conv::new(consts);
    let (slope, hi) = (float(c.slope as i64), float(c.hi as i64));
    let panel = (NR * isa.lanes()) as isize;
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.tiles * MR as isize {
            for l in 0..c.channels {
                let mut sum = view.get(3, l);
                let mut weight = l;
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
                            }
                        }
                    }
                }
                if c.residual != 0 {
                    sum += view.get(4, r * c.res_row + p * c.res_px + l);
                }
                view.set(r * c.out_row + p * c.out_px + l, activate(sum, slope, hi));
            }
        }
    }
}
