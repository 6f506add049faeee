//! `f32_map`: a short program of [`Step`]s applied to each element.

mod step;

use super::declare::{Pixels, declare};
use super::support::{View, invalid, span};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, math, store_first};
pub use step::Step;

declare! {
    /// Steps that every element goes through: a call of `f32_map`.
    pub struct MapCall: Map {
        /// Rows.
        rows: usize,
        /// Runs in a row.
        runs: usize,
        /// Elements of a run.
        run: usize,
        /// The result; a `pixel` is a run.
        out: Pixels<P>,
        /// The operand.
        x: Pixels<P>,
        /// What becomes of an element, in order.
        steps: Vec<Step>,
    }
    kernel(_c) = super::F32_MAP;
    args(c) { out: Write = c.out.at, x: Same = c.x.at }
    consts(c) {
        n0: Count = c.rows, o0: Stride = c.out.row, i0: Stride = c.x.row,
        n1: Count = c.runs, o1: Stride = c.out.pixel, i1: Stride = c.x.pixel,
        run: Count = c.run, steps: Count = c.steps.len(),
    }
    each(step in steps) { op: Code = step, imm: Float = step.immediate() }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_map",
    signature: Map::SIGNATURE,
    exact: false,
    footprint,
    entry,
    twin,
};

entries! {
    fn entry = body
}

/// Vectors that go through the steps together: enough to hide both latency and the choice of step.
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
    // SAFETY: the caller keeps the contract of `KernelFn`.
    unsafe {
        let c = Map::read(consts);
        let steps = std::slice::from_raw_parts(
            consts.add(Map::CONSTS).cast::<[i64; 2]>(),
            c.steps as usize,
        );
        for i0 in 0..c.n0 {
            for i1 in 0..c.n1 {
                let mut out = out.offset(i0 * c.o0 + i1 * c.o1);
                let mut x = x.offset(i0 * c.i0 + i1 * c.i1);
                let mut left = c.run as usize;
                while left > 0 {
                    let taken = if left >= TOGETHER * S::LANES {
                        vectors::<S, TOGETHER>(out, x, TOGETHER * S::LANES, steps)
                    } else {
                        vectors::<S, 1>(out, x, left, steps)
                    };
                    out = out.add(taken);
                    x = x.add(taken);
                    left -= taken;
                }
            }
        }
    }
}

/// Takes at most `N` vectors through all steps; returns the number of elements.
#[inline(always)]
unsafe fn vectors<S: Simd, const N: usize>(
    out: *mut f32,
    x: *const f32,
    left: usize,
    steps: &[[i64; 2]],
) -> usize {
    // SAFETY: the caller has `left` elements, and if `N` is not 1, enough for N vectors.
    unsafe {
        let mut start = [S::splat(0.0); N];
        for i in 0..N {
            start[i] = load_first::<S>(x.add(i * S::LANES), left);
        }
        let mut v = start;
        for &[op, imm] in steps {
            step::<S, N>(op, float(imm), &mut v, &start);
        }
        for i in 0..N {
            store_first::<S>(out.add(i * S::LANES), left, v[i]);
        }
        left.min(N * S::LANES)
    }
}

/// One step on `N` vectors. An unknown operation does nothing: a kernel cannot fail.
#[inline(always)]
unsafe fn step<S: Simd, const N: usize>(op: i64, imm: f32, v: &mut [S::V; N], x: &[S::V; N]) {
    macro_rules! each {
        (|$value:ident| $result:expr) => {
            for i in 0..N {
                let $value = v[i];
                v[i] = $result;
            }
        };
        (|$value:ident, $start:ident| $result:expr) => {
            for i in 0..N {
                let ($value, $start) = (v[i], x[i]);
                v[i] = $result;
            }
        };
    }
    // SAFETY: as of `Simd`.
    unsafe {
        let c = S::splat(imm);
        match op {
            0 => each!(|v| S::add(v, c)),
            1 => each!(|v| S::mul(v, c)),
            2 => each!(|v| S::max(c, v)),
            3 => each!(|v| S::min(c, v)),
            4 => each!(|v, x| S::mul(v, x)),
            5 => each!(|v, x| S::add(v, x)),
            6 => each!(|v| S::select_lt(v, S::splat(0.0), S::mul(v, c), v)),
            7 => each!(|v| math::exp::<S>(v)),
            8 => each!(|v| math::tanh::<S>(v)),
            9 => each!(|v| math::sigmoid::<S>(v)),
            10 => each!(|v| S::abs(v)),
            11 => each!(|v| S::sqrt(v)),
            12 => each!(|v| S::div(S::splat(1.0), v)),
            13 => each!(|v, x| S::select_lt(x, S::splat(0.0), v, x)),
            14 => each!(|v| math::exp_minus_one::<S>(v)),
            16 => each!(|v| math::silu::<S>(v)),
            20 => each!(|v, x| S::div(x, v)),
            22 => each!(|v| S::mul(v, v)),
            23 => each!(|v| S::select_lt(c, v, S::splat(1.0), S::splat(0.0))),
            24 => each!(|v, x| S::select_lt(S::splat(0.0), x, S::splat(1.0), v)),
            29 => each!(|v| {
                let line = S::add(S::add(v, v), S::splat(3.0));
                let line = S::mul(line, S::splat(1.0 / 6.0));
                let above = S::select_lt(v, S::splat(3.0), line, S::splat(1.0));
                S::select_lt(v, S::splat(-3.0), S::splat(0.0), above)
            }),
            31 => each!(|v| {
                let near = math::whole::<S>(v);
                S::select_lt(v, near, S::sub(near, S::splat(1.0)), near)
            }),
            32 => each!(|v| math::whole::<S>(v)),
            33 => each!(|v| {
                let below = S::select_lt(v, S::splat(0.0), S::splat(-1.0), v);
                S::select_lt(S::splat(0.0), v, S::splat(1.0), below)
            }),
            34 => each!(|v| S::select_lt(c, v, v, S::splat(0.0))),
            35 => each!(|v| S::select_lt(c, S::abs(v), v, S::splat(0.0))),
            36 => each!(|v| {
                let below = S::select_lt(v, S::splat(0.0), S::add(v, c), v);
                S::select_lt(S::splat(0.0), v, S::sub(v, c), below)
            }),
            _ => {
                // In memory of their own, or what these functions need of registers would be taken from the steps above, too.
                let mut memory = *v;
                let at = S::opaque(memory.as_mut_ptr().cast()).cast_mut().cast();
                smooth::<S, N>(op, imm, at);
                *v = at.cast::<[S::V; N]>().read();
            }
        }
    }
}

/// A step that takes more than a few instructions, on the `N` vectors at `v`.
#[inline(always)]
unsafe fn smooth<S: Simd, const N: usize>(op: i64, imm: f32, v: *mut S::V) {
    macro_rules! each {
        ($function:ident $(, $constant:expr)?) => {
            for i in 0..N {
                *v.add(i) = math::$function::<S>(*v.add(i) $(, $constant)?);
            }
        };
    }
    // SAFETY: the caller has `N` vectors there.
    unsafe {
        match op {
            15 => each!(softplus),
            17 => each!(mish),
            18 => each!(gelu),
            19 => each!(gelu_tanh),
            21 => each!(pow, imm),
            25 => each!(silu_slope),
            26 => each!(mish_slope),
            27 => each!(gelu_slope),
            28 => each!(gelu_tanh_slope),
            30 => each!(ln),
            37 => each!(sin),
            38 => each!(cos),
            39 => each!(erf),
            _ => {}
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Map::new(consts);
    let mut steps = consts[Map::CONSTS..].chunks_exact(2);
    if steps.any(|step| Step::decode(step[0], step[1]).is_none()) {
        return invalid();
    }
    vec![
        span(&[(c.n0, c.o0), (c.n1, c.o1), (c.run, 1)]),
        span(&[(c.n0, c.i0), (c.n1, c.i1), (c.run, 1)]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Map::new(consts);
    let steps: Vec<Step> = consts[Map::CONSTS..]
        .chunks_exact(2)
        .take(c.steps as usize)
        .map(|pair| Step::decode(pair[0], pair[1]).expect("f32_map: no such step"))
        .collect();
    let mut view = View::new(memory, at);
    for i0 in 0..c.n0 {
        for i1 in 0..c.n1 {
            for k in 0..c.run {
                let x = view.get(1, i0 * c.i0 + i1 * c.i1 + k);
                let value = steps.iter().fold(x, |v, step| step.apply(v, x));
                view.set(i0 * c.o0 + i1 * c.o1 + k, value);
            }
        }
    }
}
