//! `f32_fill`: one value written everywhere, as a halo is zeroed.

use super::declare::{Axis, declare};
use super::support::{View, span};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;

declare! {
    /// Runs of one value: a call of `f32_fill`.
    pub struct FillCall: Fill {
        /// The first element.
        out: P,
        /// Around the run, the outermost first.
        axes: [Axis; 3],
        /// Adjacent elements.
        run: usize,
        /// What they become.
        value: f64,
    }
    kernel(_c) = super::F32_FILL;
    args(c) { out: Write = c.out }
    consts(c) {
        n0: Count = c.axes[0].count, o0: Stride = c.axes[0].stride,
        n1: Count = c.axes[1].count, o1: Stride = c.axes[1].stride,
        n2: Count = c.axes[2].count, o2: Stride = c.axes[2].stride,
        run: Count = c.run, value: Float = c.value,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_fill",
    signature: Fill::SIGNATURE,
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
