//! `f32_map`: a short program of [`Step`]s applied to each element.

use super::support::{View, consts, max, min, span};
use super::{Footprint, Kernel, MAX_ARGS, bits, float};
use crate::isa::Isa;

consts! { Map { n0, o0, i0, n1, o1, i1, run, steps } }

pub(super) const ROW: Kernel = Kernel {
    name: "f32_map",
    args: &["out", "x"],
    consts: &[
        "n0", "o0", "i0", "n1", "o1", "i1", "run", "steps", "op", "imm", "...",
    ],
    in_place: true,
    exact: false,
    footprint,
    entry: |_| None,
    twin,
};

/// One step of `f32_map`: what happens to the value `v` that began as the element `x`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Step {
    /// `v + c`
    Add(f32),
    /// `v · c`
    Mul(f32),
    /// `max(v, c)`; NaN stays NaN.
    Max(f32),
    /// `min(v, c)`; NaN stays NaN.
    Min(f32),
    /// `v · x`
    MulX,
    /// `v + x`
    AddX,
    /// `v < 0 ? c·v : v`
    Leaky(f32),
    /// `eᵛ`
    Exp,
    /// `tanh v`
    Tanh,
    /// `1 / (1 + e⁻ᵛ)`
    Sigmoid,
    /// `|v|`
    Abs,
    /// `√v`
    Sqrt,
    /// `1 / v`
    Recip,
    /// `ln v`
    Log,
}

impl Step {
    /// The step as two constants: operation, immediate.
    pub fn encode(&self) -> (i64, i64) {
        match *self {
            Step::Add(c) => (0, bits(c)),
            Step::Mul(c) => (1, bits(c)),
            Step::Max(c) => (2, bits(c)),
            Step::Min(c) => (3, bits(c)),
            Step::MulX => (4, 0),
            Step::AddX => (5, 0),
            Step::Leaky(c) => (6, bits(c)),
            Step::Exp => (7, 0),
            Step::Tanh => (8, 0),
            Step::Sigmoid => (9, 0),
            Step::Abs => (10, 0),
            Step::Sqrt => (11, 0),
            Step::Recip => (12, 0),
            Step::Log => (13, 0),
        }
    }

    /// The step that two constants encode.
    pub fn decode(op: i64, imm: i64) -> Option<Step> {
        let c = float(imm);
        Some(match op {
            0 => Step::Add(c),
            1 => Step::Mul(c),
            2 => Step::Max(c),
            3 => Step::Min(c),
            4 => Step::MulX,
            5 => Step::AddX,
            6 => Step::Leaky(c),
            7 => Step::Exp,
            8 => Step::Tanh,
            9 => Step::Sigmoid,
            10 => Step::Abs,
            11 => Step::Sqrt,
            12 => Step::Recip,
            13 => Step::Log,
            _ => return None,
        })
    }

    /// Whether entries may differ from the twin in the last bits.
    pub fn approximate(&self) -> bool {
        matches!(self, Step::Exp | Step::Tanh | Step::Sigmoid | Step::Log)
    }

    /// The step on one value, transcendental functions rounded from f64.
    pub fn apply(&self, v: f32, x: f32) -> f32 {
        let wide = f64::from(v);
        match *self {
            Step::Add(c) => v + c,
            Step::Mul(c) => v * c,
            Step::Max(c) => max(c, v),
            Step::Min(c) => min(c, v),
            Step::MulX => v * x,
            Step::AddX => v + x,
            Step::Leaky(c) => {
                if v < 0.0 {
                    v * c
                } else {
                    v
                }
            }
            Step::Exp => wide.exp() as f32,
            Step::Tanh => wide.tanh() as f32,
            Step::Sigmoid => (1.0 / (1.0 + (-wide).exp())) as f32,
            Step::Abs => v.abs(),
            Step::Sqrt => v.sqrt(),
            Step::Recip => 1.0 / v,
            Step::Log => wide.ln() as f32,
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Map::new(consts);
    vec![
        span(&[(c.n0, c.o0), (c.n1, c.o1), (c.run, 1)]),
        span(&[(c.n0, c.i0), (c.n1, c.i1), (c.run, 1)]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Map::new(consts);
    let steps: Vec<Step> = consts[Map::NAMES.len()..]
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
