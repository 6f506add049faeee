//! `f32_reduce`: elements along some axes become one: their sum, product, largest or smallest, or where that is.
//!
//! Sums and products are made in f64 and rounded once. Where channels stay, as many as a vector has lanes are reduced side by side; where they go, the
//! lanes are reduced in the end, in order, and what is less than a vector behind them.

use super::declare::{Axis, declare};
use super::outer::Pace;
use super::support::{View, invalid, maximum, minimum, span};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{MOST_LANES, Simd, entries, load_first, store_first};

/// What `f32_reduce` makes of elements: its constant `op`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(i64)]
pub enum Reduction {
    /// `scale · Σ x`
    Sum = 0,
    /// `Π x`
    Product = 1,
    /// The largest; NaN where one is.
    Largest = 2,
    /// The smallest; NaN where one is.
    Smallest = 3,
    /// The number of the first of the largest, in the order of the axes. NaN counts as −infinity.
    FirstLargest = 4,
    /// The number of the last of the largest.
    LastLargest = 5,
    /// The number of the first of the smallest. NaN counts as infinity.
    FirstSmallest = 6,
    /// The number of the last of the smallest.
    LastSmallest = 7,
}

impl Reduction {
    /// Every operation.
    pub const ALL: [Reduction; 8] = [
        Reduction::Sum,
        Reduction::Product,
        Reduction::Largest,
        Reduction::Smallest,
        Reduction::FirstLargest,
        Reduction::LastLargest,
        Reduction::FirstSmallest,
        Reduction::LastSmallest,
    ];
}

declare! {
    /// Elements that become one: a call of `f32_reduce`.
    pub struct ReduceCall: Reduce {
        /// Axes that stay, outermost first: `a` is the step in the result, `b` that in the operand.
        kept: [Pace; 2],
        /// Adjacent elements that stay beside one another; 1 where `within` is more.
        run: usize,
        /// Axes that go, outermost first.
        gone: [Axis; 3],
        /// Adjacent elements that go, innermost; 1 where `run` is more.
        within: usize,
        /// The result.
        out: P,
        /// The operand.
        x: P,
        /// What becomes of them.
        op: Reduction,
        /// Factor of a sum.
        scale: f64,
    }
    kernel(_c) = super::F32_REDUCE;
    args(c) { out: Write = c.out, x: Read = c.x }
    consts(c) {
        n0: Count = c.kept[0].count, o0: Stride = c.kept[0].a, i0: Stride = c.kept[0].b,
        n1: Count = c.kept[1].count, o1: Stride = c.kept[1].a, i1: Stride = c.kept[1].b,
        run: Count = c.run,
        m0: Count = c.gone[0].count, s0: Stride = c.gone[0].stride,
        m1: Count = c.gone[1].count, s1: Stride = c.gone[1].stride,
        m2: Count = c.gone[2].count, s2: Stride = c.gone[2].stride,
        within: Count = c.within, op: Code of Reduction = c.op, scale: Double = c.scale,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_reduce",
    signature: Reduce::SIGNATURE,
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
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: the caller keeps the contract of `KernelFn`.
    unsafe {
        let c = Reduce::read(consts);
        match c.op {
            0 => reduce::<S, 0>(out, x, &c),
            1 => reduce::<S, 1>(out, x, &c),
            2 => reduce::<S, 2>(out, x, &c),
            3 => reduce::<S, 3>(out, x, &c),
            4 => reduce::<S, 4>(out, x, &c),
            5 => reduce::<S, 5>(out, x, &c),
            6 => reduce::<S, 6>(out, x, &c),
            _ => reduce::<S, 7>(out, x, &c),
        }
    }
}

/// What a reduction has so far, for each lane: in f64, or in f32 with the number of that element.
struct Lanes<S: Simd> {
    wide: S::W,
    best: S::V,
    which: S::V,
}

#[inline(always)]
unsafe fn begin<S: Simd, const OP: i64>() -> Lanes<S> {
    // SAFETY: as of `Simd`.
    unsafe {
        let largest = matches!(OP, 2 | 4 | 5);
        let worst = if largest {
            f32::NEG_INFINITY
        } else {
            f32::INFINITY
        };
        Lanes {
            wide: S::splat_wide(if OP == 1 { 1.0 } else { 0.0 }),
            best: S::splat(worst),
            which: S::splat(0.0),
        }
    }
}

#[inline(always)]
unsafe fn take<S: Simd, const OP: i64>(lanes: &mut Lanes<S>, x: S::V, number: f32) {
    // SAFETY: as of `Simd`.
    unsafe {
        let x = match OP {
            4 | 5 => S::max(x, S::splat(f32::NEG_INFINITY)),
            6 | 7 => S::min(x, S::splat(f32::INFINITY)),
            _ => x,
        };
        match OP {
            0 => lanes.wide = S::add_wide(lanes.wide, S::widen(x)),
            1 => lanes.wide = S::mul_wide(lanes.wide, S::widen(x)),
            2 => lanes.best = S::maximum(lanes.best, x),
            3 => lanes.best = S::minimum(lanes.best, x),
            4 => {
                lanes.which = S::select_lt(lanes.best, x, S::splat(number), lanes.which);
                lanes.best = S::select_lt(lanes.best, x, x, lanes.best);
            }
            5 => {
                lanes.which = S::select_lt(x, lanes.best, lanes.which, S::splat(number));
                lanes.best = S::select_lt(x, lanes.best, lanes.best, x);
            }
            6 => {
                lanes.which = S::select_lt(x, lanes.best, S::splat(number), lanes.which);
                lanes.best = S::select_lt(x, lanes.best, x, lanes.best);
            }
            _ => {
                lanes.which = S::select_lt(lanes.best, x, lanes.which, S::splat(number));
                lanes.best = S::select_lt(lanes.best, x, lanes.best, x);
            }
        }
    }
}

#[inline(always)]
unsafe fn end<S: Simd, const OP: i64>(lanes: &Lanes<S>, scale: f64) -> S::V {
    // SAFETY: as of `Simd`.
    unsafe {
        match OP {
            0 => S::narrow(S::mul_wide(S::splat_wide(scale), lanes.wide)),
            1 => S::narrow(lanes.wide),
            2 | 3 => lanes.best,
            _ => lanes.which,
        }
    }
}

/// The same of single numbers, one after the other.
struct Single {
    wide: f64,
    best: f32,
    which: f32,
}

impl Single {
    #[inline(always)]
    fn begin(op: i64) -> Single {
        let largest = matches!(op, 2 | 4 | 5);
        Single {
            wide: if op == 1 { 1.0 } else { 0.0 },
            best: if largest {
                f32::NEG_INFINITY
            } else {
                f32::INFINITY
            },
            which: 0.0,
        }
    }

    #[inline(always)]
    fn take(&mut self, op: i64, x: f32, number: f32) {
        let x = match op {
            4 | 5 if x.is_nan() => f32::NEG_INFINITY,
            6 | 7 if x.is_nan() => f32::INFINITY,
            _ => x,
        };
        let better = match op {
            4 => x > self.best,
            5 => x >= self.best,
            6 => x < self.best,
            7 => x <= self.best,
            _ => false,
        };
        match op {
            0 => self.wide += f64::from(x),
            1 => self.wide *= f64::from(x),
            2 => self.best = maximum(self.best, x),
            3 => self.best = minimum(self.best, x),
            _ if better => (self.best, self.which) = (x, number),
            _ => {}
        }
    }

    #[inline(always)]
    fn end(&self, op: i64, scale: f64) -> f32 {
        match op {
            0 => (scale * self.wide) as f32,
            1 => self.wide as f32,
            2 | 3 => self.best,
            _ => self.which,
        }
    }
}

#[inline(always)]
unsafe fn reduce<S: Simd, const OP: i64>(out: *mut f32, x: *const f32, c: &Reduce) {
    // SAFETY: every address is one of the footprint.
    unsafe {
        for j0 in 0..c.n0 {
            for j1 in 0..c.n1 {
                let out = out.offset(j0 * c.o0 + j1 * c.o1);
                let x = x.offset(j0 * c.i0 + j1 * c.i1);
                if c.within > 1 || c.run == 1 {
                    *out = row::<S, OP>(x, c);
                } else {
                    beside::<S, OP>(out, x, c);
                }
            }
        }
    }
}

/// A run of elements that stay beside one another.
#[inline(always)]
unsafe fn beside<S: Simd, const OP: i64>(out: *mut f32, x: *const f32, c: &Reduce) {
    // SAFETY: the caller's promise.
    unsafe {
        let run = c.run as usize;
        let mut k = 0;
        while k < run {
            let left = run - k;
            let mut lanes = begin::<S, OP>();
            let mut number = 0.0;
            for l0 in 0..c.m0 {
                for l1 in 0..c.m1 {
                    for l2 in 0..c.m2 {
                        let x = x.offset(l0 * c.s0 + l1 * c.s1 + l2 * c.s2).add(k);
                        take::<S, OP>(&mut lanes, load_first::<S>(x, left), number);
                        number += 1.0;
                    }
                }
            }
            store_first::<S>(out.add(k), left, end::<S, OP>(&lanes, c.scale));
            k += S::LANES;
        }
    }
}

/// Elements of which a single one is made. The number of an element is looked for one by one.
#[inline(always)]
unsafe fn row<S: Simd, const OP: i64>(x: *const f32, c: &Reduce) -> f32 {
    // SAFETY: the caller's promise.
    unsafe {
        let mut single = Single::begin(OP);
        let mut lanes = begin::<S, OP>();
        let whole = if OP < 4 {
            c.within - c.within % S::LANES as isize
        } else {
            0
        };
        let mut number = 0.0;
        for l0 in 0..c.m0 {
            for l1 in 0..c.m1 {
                for l2 in 0..c.m2 {
                    let x = x.offset(l0 * c.s0 + l1 * c.s1 + l2 * c.s2);
                    let mut k = 0;
                    while k < whole {
                        take::<S, OP>(&mut lanes, S::load(x.offset(k)), 0.0);
                        k += S::LANES as isize;
                    }
                    while k < c.within {
                        single.take(OP, *x.offset(k), number);
                        number += 1.0;
                        k += 1;
                    }
                }
            }
        }
        if whole > 0 {
            let mut wide = [0.0; MOST_LANES];
            let mut best = [0.0; MOST_LANES];
            S::store_wide(wide.as_mut_ptr(), lanes.wide);
            S::store(best.as_mut_ptr(), lanes.best);
            for lane in 0..S::LANES {
                match OP {
                    0 => single.wide += wide[lane],
                    1 => single.wide *= wide[lane],
                    _ => single.take(OP, best[lane], 0.0),
                }
            }
        }
        single.end(OP, c.scale)
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Reduce::new(consts);
    let one = c.run == 1 || c.within == 1;
    if !one || !(0..Reduction::ALL.len() as isize).contains(&c.op) {
        return invalid();
    }
    vec![
        span(&[(c.n0, c.o0), (c.n1, c.o1), (c.run, 1)]),
        span(&[
            (c.n0, c.i0),
            (c.n1, c.i1),
            (c.m0, c.s0),
            (c.m1, c.s1),
            (c.m2, c.s2),
            (c.run * c.within, 1),
        ]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa) {
    let c = Reduce::new(consts);
    let op = Reduction::ALL[c.op as usize];
    let mut view = View::new(memory, at);
    for j0 in 0..c.n0 {
        for j1 in 0..c.n1 {
            for k in 0..c.run {
                let mut rows: Vec<Vec<f32>> = Vec::new();
                for l0 in 0..c.m0 {
                    for l1 in 0..c.m1 {
                        for l2 in 0..c.m2 {
                            let from = j0 * c.i0 + j1 * c.i1 + l0 * c.s0 + l1 * c.s1 + l2 * c.s2;
                            let row = (0..c.within).map(|l| view.get(1, from + k + l));
                            rows.push(row.collect());
                        }
                    }
                }
                let lanes = if c.run == 1 { isa.lanes() } else { 1 };
                let result = defined(op, &rows, lanes, c.scale);
                view.set(j0 * c.o0 + j1 * c.o1 + k, result);
            }
        }
    }
}

/// What becomes of rows of elements, by the operation's definition. What has an order of its own is taken in that in which so many lanes are reduced side by side.
fn defined(op: Reduction, rows: &[Vec<f32>], lanes: usize, scale: f64) -> f32 {
    let all: Vec<f32> = rows.concat();
    // What no vector has comes first, then one lane after the other.
    let mut parts: Vec<Vec<f32>> = vec![Vec::new(); 1 + lanes];
    for row in rows {
        let whole = row.len() - row.len() % lanes;
        for (i, &x) in row.iter().enumerate() {
            let part = if i < whole { 1 + i % lanes } else { 0 };
            parts[part].push(x);
        }
    }
    let folded = |neutral: f64, join: fn(f64, f64) -> f64| {
        let part = |part: &Vec<f32>| part.iter().copied().map(f64::from).fold(neutral, join);
        parts.iter().map(part).fold(neutral, join)
    };
    let found = |worst: f32, best: fn(f32, f32) -> f32, last: bool| {
        let number = |x: &f32| if x.is_nan() { worst } else { *x };
        let most = all.iter().map(number).fold(worst, best);
        let same = |x: &f32| number(x) == most;
        let place = match last {
            true => all.iter().rposition(same),
            false => all.iter().position(same),
        };
        place.unwrap_or(0) as f32
    };
    match op {
        Reduction::Sum => (scale * folded(0.0, |a, b| a + b)) as f32,
        Reduction::Product => folded(1.0, |a, b| a * b) as f32,
        Reduction::Largest => parts.concat().into_iter().fold(f32::NEG_INFINITY, maximum),
        Reduction::Smallest => parts.concat().into_iter().fold(f32::INFINITY, minimum),
        Reduction::FirstLargest => found(f32::NEG_INFINITY, f32::max, false),
        Reduction::LastLargest => found(f32::NEG_INFINITY, f32::max, true),
        Reduction::FirstSmallest => found(f32::INFINITY, f32::min, false),
        Reduction::LastSmallest => found(f32::INFINITY, f32::min, true),
    }
}
