//! `f32_update`: a step of an optimiser on a stretch of numbers, in place. Its factors are read through a pointer, so that a schedule of rates
//! changes no program.

use super::declare::declare;
use super::support::{View, max, multiply_add, span};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

/// What becomes of an element: the constant `rule` of `f32_update`, with the factors `h`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(i64)]
pub enum Rule {
    /// `h₀·a + h₁·b`
    Blend = 0,
    /// `h₀·a + h₁·b + h₂·c`
    Blend3 = 1,
    /// `h₀·a + h₁·b²`
    Squares = 2,
    /// `h₀·a + h₁·b / (√(h₂·c) + h₃)`; the root of something negative is 0.
    Scaled = 3,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Rule; 4] = [Rule::Blend, Rule::Blend3, Rule::Squares, Rule::Scaled];

    /// Factors that it reads.
    pub fn factors(self) -> usize {
        [2, 3, 2, 4][self as usize]
    }

    /// Operands that it reads.
    pub fn operands(self) -> usize {
        [2, 3, 2, 3][self as usize]
    }

    /// The definition in f64, of as many operands and factors as it reads; where there are fewer operands the last is anything.
    pub fn apply(self, [a, b, c]: [f64; 3], h: &[f64]) -> f64 {
        match self {
            Rule::Blend => h[0] * a + h[1] * b,
            Rule::Blend3 => h[0] * a + h[1] * b + h[2] * c,
            Rule::Squares => h[0] * a + h[1] * b * b,
            Rule::Scaled => h[0] * a + h[1] * b / ((h[2] * c).max(0.0).sqrt() + h[3]),
        }
    }
}

declare! {
    /// A step of an optimiser: a call of `f32_update`.
    pub struct UpdateCall: Update {
        /// Elements.
        count: usize,
        /// What becomes of them.
        rule: Rule,
        /// The result.
        out: P,
        /// The first operand.
        a: P,
        /// The second.
        b: P,
        /// The third, if the rule has one.
        c: Option<P>,
        /// The factors.
        factors: P,
    }
    kernel(_c) = super::F32_UPDATE;
    args(c) { out: Write = c.out, a: Same = c.a, b: Read = c.b, c: Read = c.c, factors: Read = c.factors }
    consts(c) { count: Count = c.count, rule: Code of Rule = c.rule }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_update",
    signature: Update::SIGNATURE,
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
    c: *const f32,
    h: *const f32,
    consts: *const i64,
) {
    // SAFETY: the caller keeps the contract of `KernelFn`.
    unsafe {
        let u = Update::read(consts);
        let count = u.count as usize;
        match u.rule {
            0 => each::<S, 0>(out, a, b, c, h, count),
            1 => each::<S, 1>(out, a, b, c, h, count),
            2 => each::<S, 2>(out, a, b, c, h, count),
            _ => each::<S, 3>(out, a, b, c, h, count),
        }
    }
}

#[inline(always)]
unsafe fn each<S: Simd, const RULE: i64>(
    out: *mut f32,
    a: *const f32,
    b: *const f32,
    c: *const f32,
    h: *const f32,
    count: usize,
) {
    // SAFETY: every address is one of the footprint.
    unsafe {
        let (h0, h1) = (S::splat(*h), S::splat(*h.add(1)));
        let (mut h2, mut h3) = (h0, h0);
        if RULE == 1 || RULE == 3 {
            h2 = S::splat(*h.add(2));
        }
        if RULE == 3 {
            h3 = S::splat(*h.add(3));
        }
        let mut k = 0;
        while k < count {
            let left = count - k;
            let first = S::mul(h0, load_first::<S>(a.add(k), left));
            let b = load_first::<S>(b.add(k), left);
            let value = match RULE {
                0 => S::fma(h1, b, first),
                1 => S::fma(h2, load_first::<S>(c.add(k), left), S::fma(h1, b, first)),
                2 => S::fma(S::mul(h1, b), b, first),
                _ => {
                    let square = S::mul(h2, load_first::<S>(c.add(k), left));
                    let root = S::sqrt(S::max(S::splat(0.0), square));
                    S::add(first, S::div(S::mul(h1, b), S::add(root, h3)))
                }
            };
            store_first::<S>(out.add(k), left, value);
            k += S::LANES;
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let u = Update::new(consts);
    let Some(rule) = Rule::ALL.get(u.rule as usize) else {
        return super::support::invalid();
    };
    let all = span(&[(u.count, 1)]);
    vec![
        all.clone(),
        all.clone(),
        all.clone(),
        all.filter(|_| rule.operands() == 3),
        span(&[(rule.factors() as isize, 1)]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa) {
    let u = Update::new(consts);
    let rule = Rule::ALL[u.rule as usize];
    let mut view = View::new(memory, at);
    for k in 0..u.count {
        let h = |index: isize| view.get(4, index);
        let first = h(0) * view.get(1, k);
        let b = view.get(2, k);
        let value = match rule {
            Rule::Blend => multiply_add(isa, h(1), b, first),
            Rule::Blend3 => {
                let two = multiply_add(isa, h(1), b, first);
                multiply_add(isa, h(2), view.get(3, k), two)
            }
            Rule::Squares => multiply_add(isa, h(1) * b, b, first),
            Rule::Scaled => {
                let root = max(0.0, h(2) * view.get(3, k)).sqrt();
                first + h(1) * b / (root + h(3))
            }
        };
        view.set(k, value);
    }
}
