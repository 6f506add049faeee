//! `f32_lrn`: local response normalisation across channels (Krizhevsky 2012, section 3.3).
//!
//! `y[c] = x[c] / (k + alpha_over · Σ x[j]²)^beta` over the `size` channels `j` from `c − size/2`, clipped.

use super::support::{View, consts, span};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;

consts! { Lrn {
    rows, out_row, in_row, pixels, out_px, in_px, channels, size, alpha_over, beta, k,
} }

pub(super) const ROW: Kernel = Kernel {
    name: "f32_lrn",
    args: &["out", "x"],
    consts: Lrn::NAMES,
    in_place: false,
    exact: false,
    footprint,
    entry: |_| None,
    twin,
};

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Lrn::new(consts);
    vec![
        span(&[(c.rows, c.out_row), (c.pixels, c.out_px), (c.channels, 1)]),
        span(&[(c.rows, c.in_row), (c.pixels, c.in_px), (c.channels, 1)]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Lrn::new(consts);
    let [alpha_over, beta, k] = [c.alpha_over, c.beta, c.k].map(|constant| float(constant as i64));
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.pixels {
            let x = r * c.in_row + p * c.in_px;
            for l in 0..c.channels {
                let first = l - c.size / 2;
                let mut sum = 0.0;
                for j in first.max(0)..(first + c.size).min(c.channels) {
                    sum += view.get(1, x + j) * view.get(1, x + j);
                }
                let base = f64::from(k + alpha_over * sum);
                let value = f64::from(view.get(1, x + l)) / base.powf(f64::from(beta));
                view.set(r * c.out_row + p * c.out_px + l, value as f32);
            }
        }
    }
}
