//! `f32_centred` and `f32_centred_factors`: batch norm with the statistics of the batch, and its gradient.
//!
//! With the mean μ, the variance v, the scale γ and the shift β of a channel:
//!
//! ```text
//! forward    y  = γ/√(v + ε) · (x − μ) + β
//! gradient   dx = γ/√(v + ε) · (dy − mean(dy) − (x − μ) · mean(dy·(x − μ)) / (v + ε))
//! ```
//!
//! Both are `k₀ · (x − μ) + k₁ + k₂ · dy`, and the factors are computed in f64. On the way forward `dy` is a residual, if there is one, and what
//! follows is activated.

use super::declare::{Pixels, declare};
use super::support::{Activation, View, activate, multiply_add, span};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

declare! {
    /// `k₀ · (x − centre) + k₁`, and `k₂ · dy` more, activated: a call of `f32_centred`.
    pub struct CentredCall: Centred {
        /// Rows.
        rows: usize,
        /// Pixels in a row.
        pixels: usize,
        /// Channels.
        channels: usize,
        /// The result.
        out: Pixels<P>,
        /// The operand.
        x: Pixels<P>,
        /// What is added, if anything is.
        dy: Option<Pixels<P>>,
        /// A number for each channel.
        centre: P,
        /// Three numbers for each channel: first all of `k₀`, then all of `k₁`, then all of `k₂`.
        factors: P,
        /// Factor below zero of the activation.
        slope: f64,
        /// Upper limit of the activation.
        hi: f64,
    }
    kernel(_c) = super::F32_CENTRED;
    args(c) {
        out: Write = c.out.at, x: Same = c.x.at, dy: Read = super::declare::pointer(&c.dy), centre: Read = c.centre, factors: Read = c.factors,
    }
    consts(c) {
        rows: Count = c.rows, out_row: Stride = c.out.row, x_row: Stride = c.x.row, dy_row: Stride = super::declare::strides(&c.dy).0,
        pixels: Count = c.pixels, out_px: Stride = c.out.pixel, x_px: Stride = c.x.pixel, dy_px: Stride = super::declare::strides(&c.dy).1,
        channels: Count = c.channels, more: Flag = c.dy.is_some(), slope: Float = c.slope, hi: Float = c.hi,
    }
}

declare! {
    /// The factors of `f32_centred`: a call of `f32_centred_factors`.
    pub struct CentredFactorsCall: Factors {
        /// Channels.
        channels: usize,
        /// Added to the variance.
        eps: f64,
        /// The factors, three for each channel.
        out: P,
        /// The variance.
        variance: P,
        /// The scale; 1 where there is none.
        scale: Option<P>,
        /// The shift, or the mean of the cotangent; 0 where there is none.
        shift: Option<P>,
        /// The mean of the products of cotangent and centred operand; without it the factors are those of the way forward.
        products: Option<P>,
    }
    kernel(_c) = super::F32_CENTRED_FACTORS;
    args(c) { out: Write = c.out, variance: Read = c.variance, scale: Read = c.scale, shift: Read = c.shift, products: Read = c.products }
    consts(c) {
        channels: Count = c.channels, eps: Double = c.eps, scale: Flag = c.scale.is_some(), shift: Flag = c.shift.is_some(),
        back: Flag = c.products.is_some(),
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_centred",
    signature: Centred::SIGNATURE,
    exact: true,
    footprint,
    entry,
    twin,
};

pub(super) const FACTORS: Kernel = Kernel {
    name: "f32_centred_factors",
    signature: Factors::SIGNATURE,
    exact: true,
    footprint: factors_footprint,
    entry: factors_entry,
    twin: factors_twin,
};

entries! {
    fn entry = body
}

entries! {
    fn factors_entry = factors_body
}

#[inline(always)]
unsafe fn body<S: Simd>(
    out: *mut f32,
    x: *const f32,
    dy: *const f32,
    centre: *const f32,
    factors: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Centred::read(consts);
        let activation = Activation::<S>::new(c.slope, c.hi);
        let channels = c.channels as usize;
        let mut k = 0;
        while k < channels {
            let left = channels - k;
            let centre = load_first::<S>(centre.add(k), left);
            let k0 = load_first::<S>(factors.add(k), left);
            let k1 = load_first::<S>(factors.add(channels + k), left);
            let k2 = load_first::<S>(factors.add(2 * channels + k), left);
            for r in 0..c.rows {
                for p in 0..c.pixels {
                    let x = x.offset(r * c.x_row + p * c.x_px).add(k);
                    let out = out.offset(r * c.out_row + p * c.out_px).add(k);
                    let mut value = S::fma(k0, S::sub(load_first::<S>(x, left), centre), k1);
                    if c.more != 0 {
                        let dy = dy.offset(r * c.dy_row + p * c.dy_px).add(k);
                        value = S::fma(k2, load_first::<S>(dy, left), value);
                    }
                    store_first::<S>(out, left, activation.apply(value));
                }
            }
            k += S::LANES;
        }
    }
}

/// The three factors of a channel.
#[inline(always)]
fn factors(variance: f32, scale: f32, shift: f32, products: Option<f32>, eps: f64) -> [f32; 3] {
    let spread = f64::from(variance) + eps;
    let factor = f64::from(scale) / spread.sqrt();
    match products {
        None => [factor as f32, shift, 1.0],
        Some(products) => [
            (-factor * f64::from(products) / spread) as f32,
            (-factor * f64::from(shift)) as f32,
            factor as f32,
        ],
    }
}

#[inline(always)]
unsafe fn factors_body<S: Simd>(
    out: *mut f32,
    variance: *const f32,
    scale: *const f32,
    shift: *const f32,
    products: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Factors::read(consts);
        let channels = c.channels as usize;
        for k in 0..channels {
            let scale = if c.scale != 0 { *scale.add(k) } else { 1.0 };
            let shift = if c.shift != 0 { *shift.add(k) } else { 0.0 };
            let products = if c.back != 0 {
                Some(*products.add(k))
            } else {
                None
            };
            let values = factors(*variance.add(k), scale, shift, products, c.eps);
            *out.add(k) = values[0];
            *out.add(channels + k) = values[1];
            *out.add(2 * channels + k) = values[2];
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Centred::new(consts);
    let dy = span(&[(c.rows, c.dy_row), (c.pixels, c.dy_px), (c.channels, 1)]);
    vec![
        span(&[(c.rows, c.out_row), (c.pixels, c.out_px), (c.channels, 1)]),
        span(&[(c.rows, c.x_row), (c.pixels, c.x_px), (c.channels, 1)]),
        dy.filter(|_| c.more != 0),
        span(&[(c.channels, 1)]),
        span(&[(3 * c.channels, 1)]),
    ]
}

fn factors_footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Factors::new(consts);
    let all = span(&[(c.channels, 1)]);
    vec![
        span(&[(3 * c.channels, 1)]),
        all.clone(),
        all.clone().filter(|_| c.scale != 0),
        all.clone().filter(|_| c.shift != 0),
        all.filter(|_| c.back != 0),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa) {
    let c = Centred::new(consts);
    let (slope, hi) = (float(c.slope as i64), float(c.hi as i64));
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.pixels {
            for k in 0..c.channels {
                let x = view.get(1, r * c.x_row + p * c.x_px + k) - view.get(3, k);
                let mut value = multiply_add(isa, view.get(4, k), x, view.get(4, c.channels + k));
                if c.more != 0 {
                    let dy = view.get(2, r * c.dy_row + p * c.dy_px + k);
                    value = multiply_add(isa, view.get(4, 2 * c.channels + k), dy, value);
                }
                view.set(r * c.out_row + p * c.out_px + k, activate(value, slope, hi));
            }
        }
    }
}

fn factors_twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Factors::new(consts);
    let mut view = View::new(memory, at);
    for k in 0..c.channels {
        let scale = if c.scale != 0 { view.get(2, k) } else { 1.0 };
        let shift = if c.shift != 0 { view.get(3, k) } else { 0.0 };
        let products = (c.back != 0).then(|| view.get(4, k));
        let values = factors(view.get(1, k), scale, shift, products, c.eps);
        for (part, value) in values.into_iter().enumerate() {
            view.set(part as isize * c.channels + k, value);
        }
    }
}
