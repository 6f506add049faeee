//! `f32_fill`: one value written everywhere, as a halo is zeroed.

use super::support::{View, consts, span};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;

consts! { Fill { n0, o0, n1, o1, n2, o2, run, value } }

pub(super) const ROW: Kernel = Kernel {
    name: "f32_fill",
    args: &["out"],
    consts: Fill::NAMES,
    in_place: false,
    exact: true,
    footprint,
    entry: |_| Some(entry),
    twin,
};

/// Any ISA's: the compiler turns this into wide enough stores.
unsafe extern "C" fn entry(
    out: *mut f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Fill::read(consts);
        let value = float(c.value as i64);
        for i0 in 0..c.n0 {
            for i1 in 0..c.n1 {
                for i2 in 0..c.n2 {
                    let out = out.offset(i0 * c.o0 + i1 * c.o1 + i2 * c.o2);
                    for k in 0..c.run {
                        *out.offset(k) = value;
                    }
                }
            }
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Fill::new(consts);
    vec![span(&[
        (c.n0, c.o0),
        (c.n1, c.o1),
        (c.n2, c.o2),
        (c.run, 1),
    ])]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Fill::new(consts);
    let mut view = View::new(memory, at);
    for i0 in 0..c.n0 {
        for i1 in 0..c.n1 {
            for i2 in 0..c.n2 {
                for k in 0..c.run {
                    view.set(i0 * c.o0 + i1 * c.o1 + i2 * c.o2 + k, float(c.value as i64));
                }
            }
        }
    }
}
