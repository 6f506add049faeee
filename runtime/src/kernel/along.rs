//! `f32_along`: a sparse matrix along one axis. Every place of the result is a sum of multiples of places of the operand, which a table says: resampling,
//! its adjoint, and those of pools.

use super::declare::declare;
use super::outer::Pace;
use super::support::{View, invalid, multiply_add, span};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

/// A term of a sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlongTerm {
    /// The place of the result.
    pub place: usize,
    /// The place of the operand; as many as that has, and the sum is zero.
    pub source: usize,
    /// Its factor.
    pub factor: f64,
}

declare! {
    /// Sums of multiples along an axis: a call of `f32_along`.
    pub struct AlongCall: Along {
        /// Axes around it, outermost first: `a` is the step in the result, `b` that in the operand.
        around: [Pace; 2],
        /// Places of the operand.
        sources: usize,
        /// Places of the result.
        places: usize,
        /// From one place to the next in the result.
        out_place: i64,
        /// The same in the operand.
        x_place: i64,
        /// Adjacent elements of a place.
        run: usize,
        /// The result.
        out: P,
        /// The operand.
        x: P,
        /// The terms, place by place: every one has some.
        terms: Vec<AlongTerm>,
    }
    kernel(_c) = super::F32_ALONG;
    args(c) { out: Write = c.out, x: Read = c.x }
    consts(c) {
        n0: Count = c.around[0].count, o0: Stride = c.around[0].a, i0: Stride = c.around[0].b,
        n1: Count = c.around[1].count, o1: Stride = c.around[1].a, i1: Stride = c.around[1].b,
        sources: Count = c.sources, places: Count = c.places,
        out_place: Stride = c.out_place, x_place: Stride = c.x_place,
        run: Count = c.run, terms: Count = c.terms.len(),
    }
    each(term in terms) { place: Index = term.place, source: Index = term.source, factor: Float = term.factor }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_along",
    signature: Along::SIGNATURE,
    exact: true,
    footprint,
    entry,
    twin,
};

entries! {
    fn entry = body
}

/// Vectors of a place that are summed together.
const TOGETHER: usize = 4;

#[inline(always)]
unsafe fn body<S: Simd>(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Along::read(consts);
        let terms = std::slice::from_raw_parts(
            consts.add(Along::CONSTS).cast::<[i64; 3]>(),
            c.terms as usize,
        );
        for i in 0..c.n0 {
            for j in 0..c.n1 {
                let out = out.offset(i * c.o0 + j * c.o1);
                let x = x.offset(i * c.i0 + j * c.i1);
                let mut first = 0;
                while first < terms.len() {
                    let place = terms[first][0];
                    let mut end = first + 1;
                    while end < terms.len() && terms[end][0] == place {
                        end += 1;
                    }
                    let out = out.offset(place as isize * c.out_place);
                    sums::<S>(out, x, &terms[first..end], &c);
                    first = end;
                }
            }
        }
    }
}

/// One place of the result.
#[inline(always)]
unsafe fn sums<S: Simd>(out: *mut f32, x: *const f32, terms: &[[i64; 3]], c: &Along) {
    // SAFETY: the caller's promise.
    unsafe {
        let run = c.run as usize;
        let mut k = 0;
        while run - k >= TOGETHER * S::LANES {
            vectors::<S, TOGETHER>(out.add(k), x.add(k), TOGETHER * S::LANES, terms, c);
            k += TOGETHER * S::LANES;
        }
        while k < run {
            vectors::<S, 1>(out.add(k), x.add(k), run - k, terms, c);
            k += S::LANES;
        }
    }
}

#[inline(always)]
unsafe fn vectors<S: Simd, const N: usize>(
    out: *mut f32,
    x: *const f32,
    left: usize,
    terms: &[[i64; 3]],
    c: &Along,
) {
    // SAFETY: the caller's promise; with `N` of more than one, `left` is that many vectors.
    unsafe {
        let mut sums = [S::splat(0.0); N];
        for (index, &[_, source, factor]) in terms.iter().enumerate() {
            if source as isize >= c.sources {
                continue;
            }
            let factor = S::splat(float(factor));
            let x = x.offset(source as isize * c.x_place);
            for i in 0..N {
                let x = load_first::<S>(x.add(i * S::LANES), left);
                sums[i] = if index == 0 {
                    S::mul(factor, x)
                } else {
                    S::fma(factor, x, sums[i])
                };
            }
        }
        for i in 0..N {
            store_first::<S>(out.add(i * S::LANES), left, sums[i]);
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Along::new(consts);
    let terms = consts[Along::CONSTS..].chunks_exact(3);
    // All places, one after the other.
    let mut next = 0;
    for term in terms {
        let (place, source) = (term[0] as isize, term[1] as isize);
        if !(place == next || place + 1 == next) || !(0..=c.sources).contains(&source) {
            return invalid();
        }
        next = place + 1;
    }
    if next != c.places {
        return invalid();
    }
    vec![
        span(&[
            (c.n0, c.o0),
            (c.n1, c.o1),
            (c.places, c.out_place),
            (c.run, 1),
        ]),
        span(&[
            (c.n0, c.i0),
            (c.n1, c.i1),
            (c.sources, c.x_place),
            (c.run, 1),
        ]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa) {
    let c = Along::new(consts);
    let mut view = View::new(memory, at);
    let terms: Vec<&[i64]> = consts[Along::CONSTS..]
        .chunks_exact(3)
        .take(c.terms as usize)
        .collect();
    for i in 0..c.n0 {
        for j in 0..c.n1 {
            for place in 0..c.places {
                for k in 0..c.run {
                    let mut sum = None;
                    for term in terms.iter().filter(|term| term[0] as isize == place) {
                        let source = term[1] as isize;
                        if source == c.sources {
                            continue;
                        }
                        let from = i * c.i0 + j * c.i1 + source * c.x_place + k;
                        let (x, factor) = (view.get(1, from), float(term[2]));
                        sum = Some(match sum {
                            None => factor * x,
                            Some(sum) => multiply_add(isa, factor, x, sum),
                        });
                    }
                    let to = i * c.o0 + j * c.o1 + place * c.out_place + k;
                    view.set(to, sum.unwrap_or(0.0));
                }
            }
        }
    }
}
