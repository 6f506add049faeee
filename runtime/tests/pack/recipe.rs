//! What regions of packed weights hold, by definition, and the calls that make them so.

use cnnc_runtime::kernel::winograd::Form;
use cnnc_runtime::kernel::{
    Axis, FoldedNorm, Fusion, KernelCall, PackBiasCall, PackPanelsCall, PackScaleCall,
    PackSharesCall, PackWinogradCall,
};
use cnnc_runtime::plan::{Base, Pack, Pointer};

/// A batch norm: indices of sources.
#[derive(Clone, Copy, Debug)]
pub struct Norm {
    pub gamma: Option<u32>,
    pub beta: Option<u32>,
    pub mean: u32,
    pub var: u32,
    pub eps: f64,
}

/// How one region is filled from element `dest` on, in f64 and rounded once.
#[derive(Clone, Debug)]
pub enum Recipe {
    /// For each group `g`, each block of `block` output channels and each reduction index `k`, `block` lanes. The lane of output channel `o` is
    /// `data[base + g·groups.1 + o·outs.1 + Σ kᵈ·reduce[d].1] × scale(channel.0 + g·channel.1 + o)`, zero where `o ≥ outs.0`.
    Panels {
        dest: usize,
        data: Base,
        base: i64,
        groups: (usize, i64),
        outs: (usize, i64),
        channel: (usize, usize),
        reduce: Vec<(usize, i64)>,
        block: usize,
        norm: Option<Norm>,
    },
    /// For each block of output channels, each of the 36 products `ξ` and each input channel, `block` lanes of
    /// `(G g Gᵀ)[ξ] × scale(first + o)`, `g`, of as many taps as the form has, being `data[base + o·outs.1 + i·ins.1 + y·taps[0] + x·taps[1]]`.
    Winograd {
        form: Form,
        dest: usize,
        data: Base,
        base: i64,
        outs: (usize, i64),
        first: usize,
        ins: (usize, i64),
        taps: [i64; 2],
        block: usize,
        norm: Option<Norm>,
    },
    /// For each group, `ceil(outs / block) · block` lanes of `beta + (bias − mean) · scale`, or `bias`, or zero; the bias is
    /// `data[at.0 + g·at.1 + o·at.2]`.
    Bias {
        dest: usize,
        data: Option<Base>,
        at: (usize, usize, usize),
        groups: usize,
        outs: usize,
        channel: (usize, usize),
        block: usize,
        norm: Option<Norm>,
    },
    /// Scale, then shift, each padded.
    ScaleShift {
        dest: usize,
        channels: usize,
        padded: usize,
        norm: Norm,
    },
    /// Shares of the operands of a sum.
    Shares {
        dest: usize,
        data: Base,
        operands: usize,
        channels: usize,
        each: bool,
        padded: usize,
        fusion: Fusion,
    },
    /// A padded vector, whose elements are `stride` apart.
    Vector {
        dest: usize,
        data: Base,
        count: usize,
        stride: i64,
        padded: usize,
    },
}

/// A pointer and its steps in the loops over groups and over panels.
fn at(base: Base, offset: i64, steps: [i64; 2]) -> Pointer {
    Pointer {
        base,
        offset,
        steps: steps.to_vec().into(),
    }
}

fn folded(norm: Option<Norm>, first: usize, steps: [usize; 2]) -> Option<FoldedNorm<Pointer>> {
    let steps = steps.map(|step| step as i64);
    let vector = |source: u32| at(Base::Source(source), first as i64, steps);
    norm.map(|norm| FoldedNorm {
        gamma: norm.gamma.map(vector),
        beta: norm.beta.map(vector),
        mean: vector(norm.mean),
        var: vector(norm.var),
        eps: norm.eps,
    })
}

fn repeated(call: &impl KernelCall<Pointer>, groups: usize, panels: usize) -> Pack {
    Pack {
        kernel: call.kernel(),
        trips: vec![groups as u32, panels as u32].into(),
        args: call.args().into(),
        consts: call.consts().into(),
    }
}

impl Recipe {
    /// The calls that fill the region.
    pub fn calls(&self) -> Vec<Pack> {
        match *self {
            Recipe::Panels {
                dest,
                data,
                base,
                groups,
                outs,
                channel,
                ref reduce,
                block,
                norm,
            } => {
                let mut axes = [Axis::ONCE; 4];
                for (axis, &(count, stride)) in axes.iter_mut().rev().zip(reduce.iter().rev()) {
                    *axis = Axis { count, stride };
                }
                let depth: usize = reduce.iter().map(|&(count, _)| count).product();
                let panel = depth * block;
                let group = outs.0.div_ceil(block) * panel;
                parts(outs.0, block, |first, panels, lanes| {
                    let call = PackPanelsCall {
                        out: at(
                            Base::Packed,
                            (dest + first * depth) as i64,
                            [group as i64, panel as i64],
                        ),
                        data: at(
                            data,
                            base + first as i64 * outs.1,
                            [groups.1, block as i64 * outs.1],
                        ),
                        outs: Axis {
                            count: lanes,
                            stride: outs.1,
                        },
                        block,
                        reduce: axes,
                        norm: folded(norm, channel.0 + first, [channel.1, block]),
                    };
                    repeated(&call, groups.0, panels)
                })
            }
            Recipe::Winograd {
                form,
                dest,
                data,
                base,
                outs,
                first: channel,
                ins,
                taps,
                block,
                norm,
            } => parts(outs.0, block, |first, panels, lanes| {
                let panel = 36 * ins.0 * block;
                let call = PackWinogradCall {
                    form,
                    out: at(
                        Base::Packed,
                        (dest + first / block * panel) as i64,
                        [0, panel as i64],
                    ),
                    data: at(
                        data,
                        base + first as i64 * outs.1,
                        [0, block as i64 * outs.1],
                    ),
                    outs: Axis {
                        count: lanes,
                        stride: outs.1,
                    },
                    ins: Axis {
                        count: ins.0,
                        stride: ins.1,
                    },
                    taps,
                    block,
                    norm: folded(norm, channel + first, [0, block]),
                };
                repeated(&call, 1, panels)
            }),
            Recipe::Bias {
                dest,
                data,
                at: (first, group, out),
                groups,
                outs,
                channel,
                block,
                norm,
            } => {
                let padded = outs.next_multiple_of(block);
                let call = PackBiasCall {
                    out: at(Base::Packed, dest as i64, [padded as i64, 0]),
                    bias: data.map(|data| at(data, first as i64, [group as i64, 0])),
                    elements: Axis {
                        count: outs,
                        stride: out as i64,
                    },
                    padded,
                    norm: folded(norm, channel.0, [channel.1, 0]),
                };
                vec![repeated(&call, groups, 1)]
            }
            Recipe::ScaleShift {
                dest,
                channels,
                padded,
                norm,
            } => {
                let norm = || folded(Some(norm), 0, [0, 0]).expect("there is one");
                let scale = PackScaleCall {
                    out: at(Base::Packed, dest as i64, [0, 0]),
                    channels,
                    padded,
                    norm: norm(),
                };
                let shift = PackBiasCall {
                    out: at(Base::Packed, (dest + padded) as i64, [0, 0]),
                    bias: None,
                    elements: Axis {
                        count: channels,
                        stride: 0,
                    },
                    padded,
                    norm: Some(norm()),
                };
                vec![repeated(&scale, 1, 1), repeated(&shift, 1, 1)]
            }
            Recipe::Shares {
                dest,
                data,
                operands,
                channels,
                each,
                padded,
                fusion,
            } => {
                let call = PackSharesCall {
                    out: at(Base::Packed, dest as i64, [0, 0]),
                    factors: at(data, 0, [0, 0]),
                    operands,
                    channels,
                    each,
                    padded,
                    fusion,
                };
                vec![repeated(&call, 1, 1)]
            }
            Recipe::Vector {
                dest,
                data,
                count,
                stride,
                padded,
            } => {
                let call = PackBiasCall {
                    out: at(Base::Packed, dest as i64, [0, 0]),
                    bias: Some(at(data, 0, [0, 0])),
                    elements: Axis { count, stride },
                    padded,
                    norm: None,
                };
                vec![repeated(&call, 1, 1)]
            }
        }
    }
}

/// Whole blocks, and what is left over: `(first output channel, panels, lanes)`.
fn parts(outs: usize, block: usize, call: impl Fn(usize, usize, usize) -> Pack) -> Vec<Pack> {
    let (whole, rest) = (outs / block, outs % block);
    let mut calls = Vec::new();
    if whole > 0 {
        calls.push(call(0, whole, block));
    }
    if rest > 0 {
        calls.push(call(whole * block, 1, rest));
    }
    calls
}
