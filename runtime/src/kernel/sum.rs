//! `f32_sum`: each channel summed over pixels: by itself, or with another tensor's as factors.
//!
//! All of it is computed in f64 and rounded once.

use super::declare::declare;
use super::outer::Pace;
use super::support::{View, invalid, span};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

/// The terms of `f32_sum`: its constant `term`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(i64)]
pub enum Term {
    /// `a`
    Plain = 0,
    /// `a · b`
    Product = 1,
}

impl Term {
    /// Every term.
    pub const ALL: [Term; 2] = [Term::Plain, Term::Product];
}

declare! {
    /// `out[c] = scale · Σ term`: a call of `f32_sum`.
    pub struct SumCall: Sum {
        /// The axes of the pixels, outermost first.
        pixels: [Pace; 3],
        /// Channels.
        channels: usize,
        /// The result.
        out: P,
        /// The operand.
        a: P,
        /// Its factors, if the term has some.
        b: Option<P>,
        /// The term.
        term: Term,
        /// Factor of the sum.
        scale: f64,
    }
    kernel(_c) = super::F32_SUM;
    args(c) { out: Write = c.out, a: Read = c.a, b: Read = c.b }
    consts(c) {
        n0: Count = c.pixels[0].count, a0: Stride = c.pixels[0].a, b0: Stride = c.pixels[0].b,
        n1: Count = c.pixels[1].count, a1: Stride = c.pixels[1].a, b1: Stride = c.pixels[1].b,
        n2: Count = c.pixels[2].count, a2: Stride = c.pixels[2].a, b2: Stride = c.pixels[2].b,
        channels: Count = c.channels, term: Code of Term = c.term, scale: Double = c.scale,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_sum",
    signature: Sum::SIGNATURE,
    exact: true,
    footprint,
    entry,
    twin,
};

entries! {
    fn entry = body
}

#[inline(always)]
unsafe fn body<S: Simd>(
    out: *mut f32,
    a: *const f32,
    b: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: the caller keeps the contract of `KernelFn`.
    unsafe {
        let c = Sum::read(consts);
        match c.term {
            0 => sums::<S, 0>(out, a, b, &c),
            _ => sums::<S, 1>(out, a, b, &c),
        }
    }
}

#[inline(always)]
unsafe fn sums<S: Simd, const TERM: i64>(out: *mut f32, a: *const f32, b: *const f32, c: &Sum) {
    // SAFETY: every address is one of the footprint.
    unsafe {
        let channels = c.channels as usize;
        let mut k = 0;
        while k < channels {
            let left = channels - k;
            let mut total = S::splat_wide(0.0);
            for i0 in 0..c.n0 {
                for i1 in 0..c.n1 {
                    for i2 in 0..c.n2 {
                        let a = a.offset(i0 * c.a0 + i1 * c.a1 + i2 * c.a2).add(k);
                        let mut term = S::widen(load_first::<S>(a, left));
                        if TERM == 1 {
                            let b = b.offset(i0 * c.b0 + i1 * c.b1 + i2 * c.b2).add(k);
                            term = S::mul_wide(term, S::widen(load_first::<S>(b, left)));
                        }
                        total = S::add_wide(total, term);
                    }
                }
            }
            let scaled = S::mul_wide(S::splat_wide(c.scale), total);
            store_first::<S>(out.add(k), left, S::narrow(scaled));
            k += S::LANES;
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Sum::new(consts);
    if !(0..=1).contains(&c.term) {
        return invalid();
    }
    let b = span(&[(c.n0, c.b0), (c.n1, c.b1), (c.n2, c.b2), (c.channels, 1)]);
    vec![
        span(&[(c.channels, 1)]),
        span(&[(c.n0, c.a0), (c.n1, c.a1), (c.n2, c.a2), (c.channels, 1)]),
        b.filter(|_| c.term == Term::Product as isize),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Sum::new(consts);
    let mut view = View::new(memory, at);
    for k in 0..c.channels {
        let mut total = 0.0;
        for i0 in 0..c.n0 {
            for i1 in 0..c.n1 {
                for i2 in 0..c.n2 {
                    let a = f64::from(view.get(1, i0 * c.a0 + i1 * c.a1 + i2 * c.a2 + k));
                    let b = |view: &View<'_>| {
                        f64::from(view.get(2, i0 * c.b0 + i1 * c.b1 + i2 * c.b2 + k))
                    };
                    total += match c.term {
                        0 => a,
                        _ => a * b(&view),
                    };
                }
            }
        }
        view.set(k, (c.scale * total) as f32);
    }
}
