//! `f32_contrastive`: what the length of a vector costs that should be short or long, and its gradient.
//!
//! With the length d of z, the margin m, and y = 1 where it should be short: `½ (y d² + (1 − y) max(m − d, 0)²)`; of no length the gradient is 0. All of it is computed in
//! f64 and rounded once, so that every entry has the twin's bits. R. Hadsell, S. Chopra and Y. LeCun, "Dimensionality reduction by learning an invariant mapping", 2006.

use super::declare::declare;
use super::support::{View, span, vector};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries};

declare! {
    /// The cost of a vector's length, or its gradient: a call of `f32_contrastive`.
    pub struct ContrastiveCall: Contrastive {
        /// Channels.
        channels: usize,
        /// The result: a number, or its gradient.
        out: P,
        /// The vector.
        z: P,
        /// Whether it should be short, a single number.
        y: P,
        /// The cotangent of the loss, a single number, if the gradient is wanted.
        dy: Option<P>,
        /// The length from which on it is long enough.
        margin: f64,
    }
    kernel(_c) = super::F32_CONTRASTIVE;
    args(c) { out: Write = c.out, z: Read = c.z, y: Read = c.y, dy: Read = c.dy }
    consts(c) { channels: Count = c.channels, gradient: Flag = c.dy.is_some(), margin: Double = c.margin }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_contrastive",
    signature: Contrastive::SIGNATURE,
    exact: true,
    footprint,
    entry,
    twin,
};

/// By how much a length falls short of the margin; NaN of a NaN.
#[inline(always)]
fn short(margin: f64, length: f64) -> f64 {
    if length >= margin {
        0.0
    } else {
        margin - length
    }
}

#[inline(always)]
fn cost(square: f64, y: f64, margin: f64) -> f64 {
    let short = short(margin, square.sqrt());
    0.5 * (y * square + (1.0 - y) * short * short)
}

/// What the vector is multiplied by in the gradient.
#[inline(always)]
fn factor(square: f64, y: f64, margin: f64) -> f64 {
    let length = square.sqrt();
    match length == 0.0 {
        true => 0.0,
        false => y - (1.0 - y) * short(margin, length) / length,
    }
}

entries! {
    fn entry = body
}

#[inline(always)]
unsafe fn body<S: Simd>(
    out: *mut f32,
    z: *const f32,
    y: *const f32,
    dy: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Contrastive::read(consts);
        let at = |k: isize| f64::from(*z.offset(k));
        let mut square = 0.0;
        for k in 0..c.channels {
            square += at(k) * at(k);
        }
        let y = f64::from(*y);
        if c.gradient == 0 {
            *out = cost(square, y, c.margin) as f32;
            return;
        }
        let scale = f64::from(*dy) * factor(square, y, c.margin);
        for k in 0..c.channels {
            *out.offset(k) = (scale * at(k)) as f32;
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Contrastive::new(consts);
    vec![
        vector(if c.gradient != 0 { c.channels } else { 1 }),
        vector(c.channels),
        span(&[(1, 0)]),
        span(&[(1, 0)]).filter(|_| c.gradient != 0),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Contrastive::new(consts);
    let mut view = View::new(memory, at);
    let z: Vec<f64> = (0..c.channels).map(|k| f64::from(view.get(1, k))).collect();
    let square = z.iter().fold(0.0, |sum, x| sum + x * x);
    let y = f64::from(view.get(2, 0));
    if c.gradient == 0 {
        view.set(0, cost(square, y, c.margin) as f32);
        return;
    }
    let scale = f64::from(view.get(3, 0)) * factor(square, y, c.margin);
    for (k, x) in z.into_iter().enumerate() {
        view.set(k as isize, (scale * x) as f32);
    }
}
