//! `f32_depthwise`: each channel convolved with its own filter, then perhaps a residual added; vectors run over channels.

use super::declare::{Axis, Pixels, declare, pointer, strides};
use super::support::{Activation, View, activate, invalid, multiply_add, padded, span, vector};
use super::window::{Fold, Place, walk, windows};
use super::{Footprint, Kernel, MAX_ARGS, float};
use crate::isa::Isa;
use crate::simd::{Simd, entries, load_first};

declare! {
    /// Each channel's own filter, bias and activation: a call of `f32_depthwise`.
    pub struct DepthwiseCall: Depthwise {
        /// Rows.
        rows: usize,
        /// Pixels in a row.
        pixels: usize,
        /// Channels.
        channels: usize,
        /// The window: elements of `x` from its first one on.
        window: [Axis; 3],
        /// One pixel for each window.
        out: Pixels<P>,
        /// The first elements of neighbouring windows are a row or a pixel apart.
        x: Pixels<P>,
        /// A weight of each channel, padded to whole vectors, for each element of the window.
        w: P,
        /// From one element's weights to the next one's.
        w_step: i64,
        /// One for each channel, padded to whole vectors.
        bias: P,
        /// What is added to the sums.
        residual: Option<Pixels<P>>,
        /// Factor below zero of the activation.
        slope: f64,
        /// Upper limit of the activation.
        hi: f64,
    }
    kernel(_c) = super::F32_DEPTHWISE;
    args(c) { out: Write = c.out.at, x: Read = c.x.at, w: Read = c.w, bias: Read = c.bias, residual: Read = pointer(&c.residual) }
    consts(c) {
        rows: Count = c.rows, out_row: Stride = c.out.row, in_row: Stride = c.x.row,
        pixels: Count = c.pixels, out_px: Stride = c.out.pixel, in_px: Stride = c.x.pixel,
        n0: Count = c.window[0].count, s0: Stride = c.window[0].stride,
        n1: Count = c.window[1].count, s1: Stride = c.window[1].stride,
        n2: Count = c.window[2].count, s2: Stride = c.window[2].stride,
        channels: Count = c.channels, wstep: Stride = c.w_step,
        slope: Float = c.slope, hi: Float = c.hi,
        residual: Flag = c.residual.is_some(), res_row: Stride = strides(&c.residual).0, res_px: Stride = strides(&c.residual).1,
    }
}

pub(super) const ROW: Kernel = Kernel {
    name: "f32_depthwise",
    signature: Depthwise::SIGNATURE,
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
    w: *const f32,
    bias: *const f32,
    residual: *const f32,
    consts: *const i64,
) {
    // SAFETY: the caller keeps the contract of `KernelFn`.
    unsafe {
        let c = Depthwise::read(consts);
        match c.residual {
            0 => walk::<S, _>(
                out,
                x,
                windows!(c),
                &Filter::<S, false>::new(w, bias, residual, &c),
            ),
            _ => walk::<S, _>(
                out,
                x,
                windows!(c),
                &Filter::<S, true>::new(w, bias, residual, &c),
            ),
        }
    }
}

/// Multiply and add, weights and bias being padded to whole vectors; then add the residual, if there is one.
struct Filter<S: Simd, const RESIDUAL: bool> {
    w: *const f32,
    wstep: isize,
    bias: *const f32,
    residual: *const f32,
    res_row: isize,
    res_px: isize,
    activation: Activation<S>,
}

impl<S: Simd, const RESIDUAL: bool> Filter<S, RESIDUAL> {
    /// # Safety
    /// As of [`Simd`].
    #[inline(always)]
    unsafe fn new(w: *const f32, bias: *const f32, residual: *const f32, c: &Depthwise) -> Self {
        Filter {
            w,
            wstep: c.wstep,
            bias,
            residual,
            res_row: c.res_row,
            res_px: c.res_px,
            // SAFETY: the caller's promise.
            activation: unsafe { Activation::new(c.slope, c.hi) },
        }
    }
}

// SAFETY of each block: weights and bias are padded, so that a vector that begins inside the footprint ends there.
impl<S: Simd, const RESIDUAL: bool> Fold<S> for Filter<S, RESIDUAL> {
    type State = S::V;
    type Tap = S::V;

    #[inline(always)]
    unsafe fn start(&self, channel: usize) -> S::V {
        // SAFETY: as above.
        unsafe { S::load(self.bias.add(channel)) }
    }

    #[inline(always)]
    unsafe fn tap(&self, index: isize, channel: usize) -> S::V {
        // SAFETY: as above.
        unsafe { S::load(self.w.offset(index * self.wstep).add(channel)) }
    }

    #[inline(always)]
    unsafe fn fold(&self, state: S::V, x: S::V, weight: S::V) -> S::V {
        // SAFETY: as of `Simd`.
        unsafe { S::fma(x, weight, state) }
    }

    #[inline(always)]
    unsafe fn finish(&self, mut state: S::V, at: Place) -> S::V {
        // SAFETY: as of `Simd`; the residual's footprint has the same windows and channels.
        unsafe {
            if RESIDUAL {
                let moved = at.row * self.res_row + at.pixel * self.res_px;
                let residual = self.residual.offset(moved).add(at.channel);
                state = S::add(state, load_first::<S>(residual, at.count));
            }
            self.activation.apply(state)
        }
    }
}

fn footprint(isa: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Depthwise::new(consts);
    if !(0..=1).contains(&c.residual) {
        return invalid();
    }
    let lanes = padded(c.channels, isa);
    vec![
        span(&[(c.rows, c.out_row), (c.pixels, c.out_px), (c.channels, 1)]),
        span(&[
            (c.rows, c.in_row),
            (c.pixels, c.in_px),
            (c.n0, c.s0),
            (c.n1, c.s1),
            (c.n2, c.s2),
            (c.channels, 1),
        ]),
        span(&[(c.n0 * c.n1 * c.n2, c.wstep), (lanes, 1)]),
        vector(lanes),
        match c.residual {
            0 => None,
            _ => span(&[(c.rows, c.res_row), (c.pixels, c.res_px), (c.channels, 1)]),
        },
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], isa: Isa) {
    let c = Depthwise::new(consts);
    let (slope, hi) = (float(c.slope as i64), float(c.hi as i64));
    let mut view = View::new(memory, at);
    for r in 0..c.rows {
        for p in 0..c.pixels {
            for l in 0..c.channels {
                let mut sum = view.get(3, l);
                for i0 in 0..c.n0 {
                    for i1 in 0..c.n1 {
                        for i2 in 0..c.n2 {
                            let x =
                                r * c.in_row + p * c.in_px + i0 * c.s0 + i1 * c.s1 + i2 * c.s2 + l;
                            let w = ((i0 * c.n1 + i1) * c.n2 + i2) * c.wstep + l;
                            sum = multiply_add(isa, view.get(1, x), view.get(2, w), sum);
                        }
                    }
                }
                if c.residual != 0 {
                    sum += view.get(4, r * c.res_row + p * c.res_px + l);
                }
                view.set(r * c.out_row + p * c.out_px + l, activate(sum, slope, hi));
            }
        }
    }
}
