//! What a region of the packed weights holds, and the kernel calls that pack it.
//!
//! The calls say where parameters are and where the region is; which program they stand in does not matter to them.

use super::blocks::PRODUCTS;
use crate::loops::{Access, Affine, Builder, Call};
use cnnc_runtime::kernel::winograd::Form;
use cnnc_runtime::kernel::{
    Axis, FoldedNorm, Fusion, PackBiasCall, PackPanelsCall, PackScaleCall, PackSharesCall,
    PackWinogradCall,
};
use std::hash::{Hash, Hasher};

/// Number of a parameter, as in [`Place::Param`](crate::loops::Place::Param).
pub(super) type Param = u32;

/// Batch norm constants to be folded into what precedes.
#[derive(Clone, Copy, Debug)]
pub struct Norm {
    /// Scale (`weight`), if affine.
    pub(super) gamma: Option<Param>,
    /// Shift (`bias`), if affine.
    pub(super) beta: Option<Param>,
    /// Running mean.
    pub(super) mean: Param,
    /// Running variance.
    pub(super) var: Param,
    /// Added to the variance.
    pub(super) eps: f64,
}

impl Norm {
    /// Everything, for comparing: constants that differ in a bit are not the same.
    fn key(&self) -> (Option<Param>, Option<Param>, Param, Param, u64) {
        let eps = self.eps.to_bits();
        (self.gamma, self.beta, self.mean, self.var, eps)
    }
}

impl PartialEq for Norm {
    fn eq(&self, other: &Norm) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Norm {}

impl Hash for Norm {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// What a region holds, computed in f64 and rounded once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Region {
    /// Panels of a convolution (or dense layer, or matrix): for each group `g`, each block of `block`
    /// output channels and each reduction index `k` (in row-major order over `reduce`), `block` lanes.
    /// The lane of output channel `o` is `data[base + g·group_stride + o·out_stride + Σ kᵈ·reduce[d].1] × scale(channel.0 + g·channel.1 + o)`,
    /// zero where `o ≥ outs`.
    Panels {
        /// The weights.
        data: Param,
        /// Index of the element at the origin (non-zero when a stride is negative).
        base: i64,
        /// `(count, stride in data)` of groups.
        groups: (usize, i64),
        /// `(output channels of one group, stride in data)`.
        outs: (usize, i64),
        /// `(first, per group)`: output channel `o` of group `g` is the layer's channel `first + g·per group + o`.
        channel: (usize, usize),
        /// `(count, stride in data)` of the reduction, outermost first.
        reduce: Vec<(usize, i64)>,
        /// Lanes of a panel.
        block: usize,
        /// Scale of each output channel.
        norm: Option<Norm>,
    },
    /// Panels of a convolution for Winograd's algorithm: see [`PackWinogradCall`].
    Winograd {
        /// Which one.
        form: Form,
        /// The weights.
        data: Param,
        /// Index of the element at the origin.
        base: i64,
        /// `(output channels, stride in data)`.
        outs: (usize, i64),
        /// The layer's channel that output channel 0 is.
        first: usize,
        /// `(input channels, stride in data)`.
        ins: (usize, i64),
        /// Strides of rows and columns in data.
        taps: [i64; 2],
        /// Lanes of a panel.
        block: usize,
        /// Scale of each output channel.
        norm: Option<Norm>,
    },
    /// The bias that goes with panels: for each group `g`, `ceil(outs / block) · block` lanes. The lane of output channel `o` is of the layer's
    /// channel `channel.0 + g·channel.1 + o`, and its bias is `data[at.0 + g·at.1 + o·at.2]`.
    Bias {
        /// The bias, if the layer has one.
        data: Option<Param>,
        /// `(first, per group, per output channel)`.
        at: (usize, usize, usize),
        /// Number of groups.
        groups: usize,
        /// Output channels of one group.
        outs: usize,
        /// `(first, per group)`, as of panels.
        channel: (usize, usize),
        /// Lanes that a group is padded to a multiple of.
        block: usize,
        /// Batch norm to fold.
        norm: Option<Norm>,
    },
    /// `scale` then `shift` of a batch norm that stands alone, each padded with zeros to `padded`.
    ScaleShift {
        /// Channels.
        channels: usize,
        /// Channels including padding.
        padded: usize,
        /// The batch norm.
        norm: Norm,
    },
    /// The shares of each operand of a sum in it: see [`PackSharesCall`].
    Shares {
        /// The factors that shares are made of.
        data: Param,
        /// Operands.
        operands: usize,
        /// Channels.
        channels: usize,
        /// Whether each channel has factors of its own.
        each: bool,
        /// Channels including padding.
        padded: usize,
        /// What the factors become.
        fusion: Fusion,
    },
    /// A vector as it is, padded with zeros; its elements are so far apart.
    Vector {
        /// The values.
        data: Param,
        /// Elements.
        count: usize,
        /// From one to the next: 0 where a single value is repeated.
        stride: i64,
        /// Elements including padding.
        padded: usize,
    },
}

impl Region {
    /// Its elements.
    pub fn len(&self) -> usize {
        match self {
            Region::Panels {
                groups,
                outs,
                reduce,
                block,
                ..
            } => groups.0 * outs.0.div_ceil(*block) * depth(reduce) * block,
            Region::Winograd {
                outs, ins, block, ..
            } => outs.0.div_ceil(*block) * PRODUCTS * ins.0 * block,
            Region::Bias {
                groups,
                outs,
                block,
                ..
            } => groups * outs.next_multiple_of(*block),
            Region::ScaleShift { padded, .. } => 2 * padded,
            Region::Shares {
                operands, padded, ..
            } => (operands + 1) * padded,
            Region::Vector { padded, .. } => *padded,
        }
    }

    /// Writes the calls that fill it from `dest` on; `param` says where the elements of a parameter are.
    pub fn pack(&self, to: &mut Builder, dest: &Access, param: &impl Fn(Param) -> Access) {
        let into = Packing { dest, param };
        match *self {
            Region::Panels {
                data,
                base,
                groups,
                outs,
                channel,
                ref reduce,
                block,
                norm,
            } => {
                let panel = depth(reduce) * block;
                let mut axes = [Axis::ONCE; 4];
                for (axis, &(count, stride)) in axes.iter_mut().rev().zip(reduce.iter().rev()) {
                    *axis = Axis { count, stride };
                }
                assert!(reduce.len() <= axes.len(), "a reduction of so many axes");
                each_panel(to, groups.0, outs.0, block, |to, index| {
                    let PanelAt {
                        group,
                        first,
                        lanes,
                        ..
                    } = &index;
                    to.call(Call::new(&PackPanelsCall {
                        out: into.at(index.number(panel)),
                        data: moved((param)(data), base, &[(group, groups.1), (first, outs.1)]),
                        outs: Axis {
                            count: *lanes,
                            stride: outs.1,
                        },
                        block,
                        reduce: axes,
                        norm: into.norm(norm, index.channel(channel)),
                    }));
                });
            }
            Region::Winograd {
                form,
                data,
                base,
                outs,
                first: channel,
                ins,
                taps,
                block,
                norm,
            } => {
                let panel = PRODUCTS * ins.0 * block;
                each_panel(to, 1, outs.0, block, |to, index| {
                    to.call(Call::new(&PackWinogradCall {
                        form,
                        out: into.at(index.number(panel)),
                        data: moved((param)(data), base, &[(&index.first, outs.1)]),
                        outs: Axis {
                            count: index.lanes,
                            stride: outs.1,
                        },
                        ins: Axis {
                            count: ins.0,
                            stride: ins.1,
                        },
                        taps,
                        block,
                        norm: into.norm(norm, index.channel((channel, 0))),
                    }));
                });
            }
            Region::Bias {
                data,
                at,
                groups,
                outs,
                channel,
                block,
                norm,
            } => to.parallel(groups, |to, group| {
                let padded = outs.next_multiple_of(block);
                let channel = scaled(&group, channel.1 as i64).offset(channel.0 as i64);
                to.call(Call::new(&PackBiasCall {
                    out: into.at(scaled(&group, padded as i64)),
                    bias: data
                        .map(|data| moved((param)(data), at.0 as i64, &[(&group, at.1 as i64)])),
                    elements: Axis {
                        count: outs,
                        stride: at.2 as i64,
                    },
                    padded,
                    norm: into.norm(norm, channel),
                }));
            }),
            Region::ScaleShift {
                channels,
                padded,
                norm,
            } => {
                let norm = || {
                    into.norm(Some(norm), Affine::default())
                        .expect("there is one")
                };
                to.call(Call::new(&PackScaleCall {
                    out: into.at(Affine::default()),
                    channels,
                    padded,
                    norm: norm(),
                }));
                to.call(Call::new(&PackBiasCall {
                    out: into.at(Affine::constant(padded as i64)),
                    bias: None,
                    elements: Axis {
                        count: channels,
                        stride: 0,
                    },
                    padded,
                    norm: Some(norm()),
                }));
            }
            Region::Shares {
                data,
                operands,
                channels,
                each,
                padded,
                fusion,
            } => to.call(Call::new(&PackSharesCall {
                out: into.at(Affine::default()),
                factors: (param)(data),
                operands,
                channels,
                each,
                padded,
                fusion,
            })),
            Region::Vector {
                data,
                count,
                stride,
                padded,
            } => to.call(Call::new(&PackBiasCall {
                out: into.at(Affine::default()),
                bias: Some((param)(data)),
                elements: Axis { count, stride },
                padded,
                norm: None,
            })),
        }
    }
}

fn depth(reduce: &[(usize, i64)]) -> usize {
    reduce.iter().map(|&(count, _)| count).product()
}

/// Where the calls of a region find things.
struct Packing<'a, F> {
    dest: &'a Access,
    param: &'a F,
}

impl<F: Fn(Param) -> Access> Packing<'_, F> {
    fn at(&self, offset: Affine) -> Access {
        moved(self.dest.clone(), 0, &[(&offset, 1)])
    }

    /// A norm's vectors from that channel on.
    fn norm(&self, norm: Option<Norm>, channel: Affine) -> Option<FoldedNorm<Access>> {
        let vector = |param: Param| moved((self.param)(param), 0, &[(&channel, 1)]);
        norm.map(|norm| FoldedNorm {
            gamma: norm.gamma.map(vector),
            beta: norm.beta.map(vector),
            mean: vector(norm.mean),
            var: vector(norm.var),
            eps: norm.eps,
        })
    }
}

/// Which panel a call packs.
struct PanelAt {
    group: Affine,
    /// Panels of a group.
    panels: usize,
    /// Index in its group.
    index: Affine,
    /// Its first output channel.
    first: Affine,
    /// Output channels.
    lanes: usize,
}

impl PanelAt {
    /// Where it is, among all that are so long.
    fn number(&self, len: usize) -> Affine {
        let index = scaled(&self.index, len as i64);
        sum(index, &self.group, (self.panels * len) as i64)
    }

    /// Which of the layer's channels its first one is; see [`Region::Panels`].
    fn channel(&self, (first, per_group): (usize, usize)) -> Affine {
        let channel = self.first.clone().offset(first as i64);
        sum(channel, &self.group, per_group as i64)
    }
}

/// Calls for every panel; the last of a group may have fewer output channels than lanes.
fn each_panel(
    to: &mut Builder,
    groups: usize,
    outs: usize,
    block: usize,
    call: impl Fn(&mut Builder, PanelAt),
) {
    let (whole, rest) = (outs / block, outs % block);
    let panels = outs.div_ceil(block);
    to.parallel(groups, |to, group| {
        to.parallel(whole, |to, index| {
            let panel = PanelAt {
                group: group.clone(),
                panels,
                first: scaled(&index, block as i64),
                index,
                lanes: block,
            };
            call(to, panel);
        });
        if rest > 0 {
            let panel = PanelAt {
                group,
                panels,
                index: Affine::constant(whole as i64),
                first: Affine::constant((whole * block) as i64),
                lanes: rest,
            };
            call(to, panel);
        }
    });
}

/// `factor · affine`
fn scaled(affine: &Affine, factor: i64) -> Affine {
    affine.clone().times(factor)
}

/// `to + factor · affine`
fn sum(to: Affine, affine: &Affine, factor: i64) -> Affine {
    to.add(&scaled(affine, factor))
}

/// An access, further on by a constant and by what is so far apart.
fn moved(mut access: Access, by: i64, along: &[(&Affine, i64)]) -> Access {
    access.offset = access.offset.offset(by);
    for (affine, stride) in along {
        access.offset = sum(access.offset, affine, *stride);
    }
    access
}
