//! `f32_copy`: elements moved between any two layouts of up to five dimensions.

use super::support::{View, consts, span};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;

consts! { Copy5 { n0, o0, i0, n1, o1, i1, n2, o2, i2, n3, o3, i3, n4, o4, i4 } }

pub(super) const ROW: Kernel = Kernel {
    name: "f32_copy",
    args: &["out", "x"],
    consts: Copy5::NAMES,
    in_place: false,
    exact: true,
    footprint,
    entry: |_| Some(entry),
    twin,
};

/// Any ISA's: copying is bound by memory.
unsafe extern "C" fn entry(
    out: *mut f32,
    x: *const f32,
    _: *const f32,
    _: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Copy5::read(consts);
        for j0 in 0..c.n0 {
            for j1 in 0..c.n1 {
                for j2 in 0..c.n2 {
                    for j3 in 0..c.n3 {
                        let x = x.offset(j0 * c.i0 + j1 * c.i1 + j2 * c.i2 + j3 * c.i3);
                        let out = out.offset(j0 * c.o0 + j1 * c.o1 + j2 * c.o2 + j3 * c.o3);
                        for j4 in 0..c.n4 {
                            *out.offset(j4 * c.o4) = *x.offset(j4 * c.i4);
                        }
                    }
                }
            }
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Copy5::new(consts);
    vec![
        span(&[
            (c.n0, c.o0),
            (c.n1, c.o1),
            (c.n2, c.o2),
            (c.n3, c.o3),
            (c.n4, c.o4),
        ]),
        span(&[
            (c.n0, c.i0),
            (c.n1, c.i1),
            (c.n2, c.i2),
            (c.n3, c.i3),
            (c.n4, c.i4),
        ]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Copy5::new(consts);
    let mut view = View::new(memory, at);
    for j0 in 0..c.n0 {
        for j1 in 0..c.n1 {
            for j2 in 0..c.n2 {
                for j3 in 0..c.n3 {
                    for j4 in 0..c.n4 {
                        let x = j0 * c.i0 + j1 * c.i1 + j2 * c.i2 + j3 * c.i3 + j4 * c.i4;
                        let out = j0 * c.o0 + j1 * c.o1 + j2 * c.o2 + j3 * c.o3 + j4 * c.o4;
                        view.set(out, view.get(1, x));
                    }
                }
            }
        }
    }
}
