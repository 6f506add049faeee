//! `f32_zip`: two tensors combined element by element, then activated. A stride of zero repeats an input.

use super::support::{View, activate, consts, max, min, span};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;

consts! { Zip { n0, o0, a0, b0, n1, o1, a1, b1, run, op, slope, hi } }

pub(super) const ROW: Kernel = Kernel {
    name: "f32_zip",
    args: &["out", "a", "b"],
    consts: Zip::NAMES,
    in_place: true,
    exact: true,
    footprint,
    entry: |_| None,
    twin,
};

/// The operation of `f32_zip`: its constant `op`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(i64)]
pub enum ZipOp {
    /// `a + b`
    Add = 0,
    /// `a − b`
    Sub = 1,
    /// `a · b`
    Mul = 2,
    /// `|a − b|`
    AbsDiff = 3,
    /// `max(a, b)`
    Max = 4,
    /// `min(a, b)`
    Min = 5,
    /// `a / b`
    Div = 6,
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Zip::new(consts);
    vec![
        span(&[(c.n0, c.o0), (c.n1, c.o1), (c.run, 1)]),
        span(&[(c.n0, c.a0), (c.n1, c.a1), (c.run, 1)]),
        span(&[(c.n0, c.b0), (c.n1, c.b1), (c.run, 1)]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Zip::new(consts);
    let (slope, hi) = (float(c.slope as i64), float(c.hi as i64));
    let mut view = View::new(memory, at);
    for i0 in 0..c.n0 {
        for i1 in 0..c.n1 {
            for k in 0..c.run {
                let a = view.get(1, i0 * c.a0 + i1 * c.a1 + k);
                let b = view.get(2, i0 * c.b0 + i1 * c.b1 + k);
                let value = match c.op {
                    0 => a + b,
                    1 => a - b,
                    2 => a * b,
                    3 => (a - b).abs(),
                    4 => max(a, b),
                    5 => min(a, b),
                    6 => a / b,
                    other => panic!("f32_zip: no operation {other}"),
                };
                view.set(i0 * c.o0 + i1 * c.o1 + k, activate(value, slope, hi));
            }
        }
    }
}
