//! `f32_pack_panels`: weights of some output channels side by side, for every index of the reduction.
//!
//! ```text
//! file:  o0: k0 k1 k2 …      panel:  k0: o0 o1 … o15
//!        o1: k0 k1 k2 …              k1: o0 o1 … o15
//!        …                           …
//! ```

use super::{FoldedNorm, eps, gamma, optional, scale_of, twin_scale, var};
use crate::isa::Isa;
use crate::kernel::declare::{Axis, declare};
use crate::kernel::support::{View, invalid, span, vector};
use crate::kernel::{Footprint, Kernel, MAX_ARGS};
use crate::simd::{Simd, entries};

declare! {
    /// One panel: a call of `f32_pack_panels`. Lane `o` of reduction index `k` is `data[o·stride + Σ kᵈ·reduceᵈ]`, scaled; lanes
    /// beyond the last output channel are zero.
    pub struct PackPanelsCall: Panels {
        /// The panel.
        out: P,
        /// The weights of its first output channel.
        data: P,
        /// Output channels.
        outs: Axis,
        /// Lanes.
        block: usize,
        /// The reduction, outermost first.
        reduce: [Axis; 4],
        /// What scales each output channel.
        norm: Option<FoldedNorm<P>>,
    }
    kernel(_c) = crate::kernel::F32_PACK_PANELS;
    args(c) { out: Write = c.out, data: Read = c.data, gamma: Read = gamma(&c.norm), var: Read = var(&c.norm) }
    consts(c) {
        outs: Count = c.outs.count, stride: Stride = c.outs.stride, block: Count = c.block,
        n0: Count = c.reduce[0].count, s0: Stride = c.reduce[0].stride,
        n1: Count = c.reduce[1].count, s1: Stride = c.reduce[1].stride,
        n2: Count = c.reduce[2].count, s2: Stride = c.reduce[2].stride,
        n3: Count = c.reduce[3].count, s3: Stride = c.reduce[3].stride,
        norm: Flag = c.norm.is_some(), gamma: Flag = gamma(&c.norm).is_some(), eps: Double = eps(&c.norm),
    }
}

pub(in crate::kernel) const PANELS: Kernel = Kernel {
    name: "f32_pack_panels",
    signature: Panels::SIGNATURE,
    exact: true,
    footprint,
    entry,
    twin,
};

entries! {
    fn entry = body
}

/// Reduction indices that are transposed at a time: their lanes stay in the first-level cache while each row of the
/// source is read a few cache lines at a time.
const TILE: usize = 128;

/// Lanes that are written at a time.
const SIDE: usize = 8;

impl Panels {
    fn reduce(&self) -> [(isize, isize); 4] {
        [
            (self.n0, self.s0),
            (self.n1, self.s1),
            (self.n2, self.s2),
            (self.n3, self.s3),
        ]
    }

    /// The same indices in the same order, with the innermost run as long as it can be.
    #[inline(always)]
    fn merged(&self) -> [(isize, isize); 4] {
        let mut axes = [(1, 0); 4];
        let mut last = 3;
        for (count, stride) in self.reduce().into_iter().rev() {
            let (inner, step) = axes[last];
            if count == 1 {
                continue;
            }
            if inner == 1 {
                axes[last] = (count, stride);
            } else if stride == inner * step {
                axes[last] = (inner * count, step);
            } else {
                last -= 1;
                axes[last] = (count, stride);
            }
        }
        axes
    }
}

#[inline(always)]
unsafe fn body<S: Simd>(
    out: *mut f32,
    data: *const f32,
    gamma: *const f32,
    var: *const f32,
    _: *const f32,
    consts: *const i64,
) {
    // SAFETY: every address is one of the footprint, by the contract of `KernelFn`.
    unsafe {
        let c = Panels::read(consts);
        let [(n0, s0), (n1, s1), (n2, s2), (n, step)] = c.merged();
        let scaled = c.norm != 0;
        let mut out = out;
        for i0 in 0..n0 {
            for i1 in 0..n1 {
                for i2 in 0..n2 {
                    let data = data.offset(i0 * s0 + i1 * s1 + i2 * s2);
                    if i2 + 1 < n2 {
                        fetch_stretch::<S>(data.wrapping_offset(s2), (n, step), &c);
                    }
                    let mut k = 0;
                    while k < n {
                        let len = (n - k).min(TILE as isize);
                        let data = data.offset(k * step);
                        if step == 1 {
                            tile::<S, true>(out, data, 1, len as usize, &c, scaled, gamma, var);
                        } else {
                            tile::<S, false>(out, data, step, len as usize, &c, scaled, gamma, var);
                        }
                        out = out.offset(len * c.block);
                        k += len;
                    }
                }
            }
        }
    }
}

/// Elements of a cache line.
const LINE: isize = 16;

/// Elements, at most, that are fetched before they are packed.
const STRETCH: isize = 1024;

/// Hints what is packed next, where lanes stand close together and the indices between them are few: a short stretch, as the taps of adjacent
/// channels are, which ends before the machine has seen where it leads.
#[inline(always)]
unsafe fn fetch_stretch<S: Simd>(data: *const f32, (n, step): (isize, isize), c: &Panels) {
    let (len, span) = (c.outs * c.stride, n * step);
    if c.stride <= 0 || len > STRETCH || span.abs() > LINE {
        return;
    }
    let mut at = span.min(0);
    while at < len {
        // SAFETY: a hint is valid for any address.
        unsafe { S::prefetch_near(data.wrapping_offset(at)) };
        at += LINE;
    }
}

/// All lanes of `len` reduction indices, `step` apart.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn tile<S: Simd, const ADJACENT: bool>(
    out: *mut f32,
    data: *const f32,
    step: isize,
    len: usize,
    c: &Panels,
    scaled: bool,
    gamma: *const f32,
    var: *const f32,
) {
    let (outs, block) = (c.outs as usize, c.block as usize);
    let step = if ADJACENT { 1 } else { step };
    // SAFETY: the caller's rows and lanes.
    unsafe {
        let mut lane = 0;
        while lane + SIDE <= outs {
            let from = data.offset(lane as isize * c.stride);
            let out = out.add(lane);
            if ADJACENT {
                // The same lanes' next indices, which are as many lines as these in rows of their own.
                for i in 0..SIDE as isize {
                    let row = from.wrapping_offset(i * c.stride + TILE as isize);
                    let mut at = 0;
                    while at < len as isize {
                        S::prefetch_near(row.wrapping_offset(at));
                        at += LINE;
                    }
                }
            }
            if scaled {
                let mut scales = [0.0; SIDE];
                for i in 0..SIDE {
                    scales[i] = scale_of(gamma, var, lane + i, c.eps);
                }
                for k in 0..len {
                    let from = from.offset(k as isize * step);
                    let mut lanes = [0.0; SIDE];
                    for i in 0..SIDE {
                        lanes[i] = *from.offset(i as isize * c.stride);
                    }
                    for i in 0..SIDE {
                        lanes[i] = (f64::from(lanes[i]) * scales[i]) as f32;
                    }
                    out.add(k * block)
                        .cast::<[f32; SIDE]>()
                        .write_unaligned(lanes);
                }
            } else {
                for k in 0..len {
                    let from = from.offset(k as isize * step);
                    let mut lanes = [0.0; SIDE];
                    for i in 0..SIDE {
                        lanes[i] = *from.offset(i as isize * c.stride);
                    }
                    out.add(k * block)
                        .cast::<[f32; SIDE]>()
                        .write_unaligned(lanes);
                }
            }
            lane += SIDE;
        }
        while lane < outs {
            let from = data.offset(lane as isize * c.stride);
            let factor = if scaled {
                scale_of(gamma, var, lane, c.eps)
            } else {
                1.0
            };
            for k in 0..len {
                let value = f64::from(*from.offset(k as isize * step));
                *out.add(k * block + lane) = (value * factor) as f32;
            }
            lane += 1;
        }
        if outs < block {
            for k in 0..len {
                for lane in outs..block {
                    *out.add(k * block + lane) = 0.0;
                }
            }
        }
    }
}

fn footprint(_: Isa, consts: &[i64]) -> Vec<Option<Footprint>> {
    let c = Panels::new(consts);
    if c.outs > c.block {
        return invalid();
    }
    let [a0, a1, a2, a3] = c.reduce();
    let depth = [a0, a1, a2, a3].map(|axis| axis.0);
    // Products are those of counts that the verifier has bounded, and may still be beyond all bounds.
    let len = depth.iter().fold(c.block, |all, &n| all.saturating_mul(n));
    vec![
        vector(len),
        span(&[(c.outs, c.stride), a0, a1, a2, a3]),
        optional(c.norm != 0 && c.gamma != 0, c.outs),
        optional(c.norm != 0, c.outs),
    ]
}

fn twin(memory: &mut [f32], at: &[usize; MAX_ARGS], consts: &[i64], _: Isa) {
    let c = Panels::new(consts);
    let mut view = View::new(memory, at);
    let depth: isize = c.reduce().iter().map(|axis| axis.0).product();
    for k in 0..depth {
        let (mut rest, mut index) = (k, 0);
        for (count, stride) in c.reduce().into_iter().rev() {
            index += rest % count * stride;
            rest /= count;
        }
        for lane in 0..c.block {
            let mut value = 0.0;
            if lane < c.outs {
                value = view.get(1, lane * c.stride + index);
                if c.norm != 0 {
                    let gamma = (c.gamma != 0).then_some(2);
                    let scale = twin_scale(&view, gamma, 3, lane, c.eps);
                    value = (f64::from(value) * scale) as f32;
                }
            }
            view.set(k * c.block + lane, value);
        }
    }
}
