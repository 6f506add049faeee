//! `f32_softmax` and `f32_l2norm`: each pixel's channels divided by their sum, or by their length.
//!
//! Entries sum lane by lane, twins in order, so they agree to about 1e-6 and not bit for bit.

use super::support::{View, consts, max, span};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;

consts! { Softmax { rows, out_row, in_row, pixels, out_px, in_px, channels } }

consts! { L2Norm { rows, out_row, in_row, pixels, out_px, in_px, channels, eps } }

pub(super) const SOFTMAX: Kernel = Kernel {
    name: "f32_softmax",
    args: &["out", "x"],
    consts: Softmax::NAMES,
    in_place: true,
    exact: false,
    footprint,
    entry: |_| None,
    twin: twin_softmax,
};

pub(super) const L2NORM: Kernel = Kernel {
    name: "f32_l2norm",
    args: &["out", "x"],
    consts: L2Norm::NAMES,
    in_place: true,
    exact: false,
    footprint,
    entry: |_| None,
    twin: twin_l2norm,
};

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Softmax::new(consts);
    vec![
        span(&[(c.rows, c.out_row), (c.pixels, c.out_px), (c.channels, 1)]),
        span(&[(c.rows, c.in_row), (c.pixels, c.in_px), (c.channels, 1)]),
    ]
}

fn twin_softmax(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Softmax::new(consts);
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.pixels {
            let (x, out) = (r * c.in_row + p * c.in_px, r * c.out_row + p * c.out_px);
            let mut most = f32::NEG_INFINITY;
            for l in 0..c.channels {
                most = max(view.get(1, x + l), most);
            }
            let mut sum = 0.0;
            for l in 0..c.channels {
                let power = f64::from(view.get(1, x + l) - most).exp() as f32;
                sum += power;
                view.set(out + l, power);
            }
            for l in 0..c.channels {
                let power = view.get(0, out + l);
                view.set(out + l, power / sum);
            }
        }
    }
}

fn twin_l2norm(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = L2Norm::new(consts);
    let eps = float(c.eps as i64);
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.pixels {
            let (x, out) = (r * c.in_row + p * c.in_px, r * c.out_row + p * c.out_px);
            let mut sum = 0.0;
            for l in 0..c.channels {
                sum += view.get(1, x + l) * view.get(1, x + l);
            }
            let length = max(eps, sum.sqrt());
            for l in 0..c.channels {
                let value = view.get(1, x + l) / length;
                view.set(out + l, value);
            }
        }
    }
}
