//! `f32_scatter`: products of each output with all taps, added to the elements that the taps meet. A tensor is written anew.

use super::declare::declare;
use super::support::{View, clear, span};
use super::{Footprint, Kernel, MAX_ARGS};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first, store_first};

/// An axis of outputs and taps; that of the innermost taps is part of the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScatterAxis {
    /// Elements of the result.
    pub elements: usize,
    /// Their stride.
    pub stride: i64,
    /// Outputs.
    pub outputs: usize,
    /// Elements of the result from one output to the next.
    pub step: usize,
    /// Stride of the products' outputs.
    pub x: i64,
    /// Taps.
    pub taps: usize,
    /// Elements of the result from one tap to the next.
    pub dilation: usize,
}

declare! {
    /// Products added where their taps are: a call of `f32_scatter`.
    pub struct ScatterCall: Scatter {
        /// Depth, height and width; taps along the width are one, and part of a run.
        axes: [ScatterAxis; 3],
        /// Adjacent elements of the result.
        channels: usize,
        /// Adjacent products of an output: those of the innermost taps.
        run: usize,
        /// The result, every element of which is written.
        out: P,
        /// The products: for each output runs, in the order of its taps.
        x: P,
    }
    kernel(_c) = super::F32_SCATTER;
    args(c) { out: Write = c.out, x: Read = c.x }
    consts(c) {
        n0: Count = c.axes[0].elements, o0: Stride = c.axes[0].stride, m0: Count = c.axes[0].outputs, s0: Count = c.axes[0].step,
        x0: Stride = c.axes[0].x, k0: Count = c.axes[0].taps, d0: Count = c.axes[0].dilation,
        n1: Count = c.axes[1].elements, o1: Stride = c.axes[1].stride, m1: Count = c.axes[1].outputs, s1: Count = c.axes[1].step,
        x1: Stride = c.axes[1].x, k1: Count = c.axes[1].taps, d1: Count = c.axes[1].dilation,
        n2: Count = c.axes[2].elements, o2: Stride = c.axes[2].stride, m2: Count = c.axes[2].outputs, s2: Count = c.axes[2].step,
        x2: Stride = c.axes[2].x, channels: Count = c.channels, run: Count = c.run,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_scatter",
    signature: Scatter::SIGNATURE,
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
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Scatter::read(consts);
        let (channels, run) = (c.channels as usize, c.run as usize);
        clear::<S>(out, [c.n0, c.n1, c.n2], [c.o0, c.o1, c.o2], channels);
        for i in 0..c.m0 {
            for j in 0..c.m1 {
                for l in 0..c.m2 {
                    let out = out.offset(i * c.s0 * c.o0 + j * c.s1 * c.o1 + l * c.s2 * c.o2);
                    let mut x = x.offset(i * c.x0 + j * c.x1 + l * c.x2);
                    for p in 0..c.k0 {
                        for q in 0..c.k1 {
                            let out = out.offset(p * c.d0 * c.o0 + q * c.d1 * c.o1);
                            let mut k = 0;
                            while k < run {
                                let (to, left) = (out.add(k), run - k);
                                let sum = S::add(
                                    load_first::<S>(to, left),
                                    load_first::<S>(x.add(k), left),
                                );
                                store_first::<S>(to, left, sum);
                                k += S::LANES;
                            }
                            x = x.add(run);
                        }
                    }
                }
            }
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Scatter::new(consts);
    let inside = |n: isize, m: isize, s: isize, k: isize, d: isize| {
        m > 0 && k > 0 && (m - 1) * s + (k - 1) * d < n
    };
    // A run stands beside the last output, too, and pixels are adjacent.
    let fits = inside(c.n0, c.m0, c.s0, c.k0, c.d0)
        && inside(c.n1, c.m1, c.s1, c.k1, c.d1)
        && c.m2 > 0
        && c.o2 == c.channels
        && (c.m2 - 1) * c.s2 * c.channels + c.run <= c.n2 * c.channels;
    if !fits {
        return super::support::invalid();
    }
    vec![
        span(&[(c.n0, c.o0), (c.n1, c.o1), (c.n2, c.o2), (c.channels, 1)]),
        span(&[
            (c.m0, c.x0),
            (c.m1, c.x1),
            (c.m2, c.x2),
            (c.k0 * c.k1 * c.run, 1),
        ]),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Scatter::new(consts);
    let mut view = View::new(memory, at);
    view.clear([c.n0, c.n1, c.n2], [c.o0, c.o1, c.o2], c.channels);
    for i in 0..c.m0 {
        for j in 0..c.m1 {
            for l in 0..c.m2 {
                for p in 0..c.k0 {
                    for q in 0..c.k1 {
                        for k in 0..c.run {
                            let to = (i * c.s0 + p * c.d0) * c.o0
                                + (j * c.s1 + q * c.d1) * c.o1
                                + l * c.s2 * c.o2
                                + k;
                            let from = i * c.x0 + j * c.x1 + l * c.x2 + (p * c.k1 + q) * c.run + k;
                            let product = view.get(1, from);
                            view.add(to, product);
                        }
                    }
                }
            }
        }
    }
}
