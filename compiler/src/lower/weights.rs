//! Packed weights: which recipe fills which region, each made once however often it is asked for.

use super::winograd::PRODUCTS;
use super::{ConvJob, Lower};
use crate::id::ParamId;
use crate::loops::{Access, Affine};
use cnnc_runtime::plan::{Data, Fusion, List, Norm, Recipe};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Packed weights start at multiples of this many floats (one cache line).
const ALIGN: usize = 16;

/// What [`Lower::panels`] packs; see [`Recipe::Panels`].
#[derive(Clone, Debug)]
pub struct Panels {
    /// Index of the weight among the node's parameters.
    pub param: usize,
    /// Element at the origin.
    pub base: i64,
    /// `(groups, stride)`.
    pub groups: (usize, i64),
    /// `(output channels of one group, stride)`.
    pub outs: (usize, i64),
    /// `(first, per group)`: which of the layer's channels these are, see [`Recipe::Panels`].
    pub channel: (usize, usize),
    /// `(count, stride)` of the reduction, outermost first.
    pub reduce: Vec<(usize, i64)>,
    /// Lanes of a panel.
    pub block: usize,
    /// Batch norm to fold.
    pub norm: Option<Norm>,
}

/// What [`Lower::bias`] packs; see [`Recipe::Bias`].
#[derive(Clone, Debug)]
pub struct Biases {
    /// Index of the bias among the node's parameters, if there is one.
    pub param: Option<usize>,
    /// `(first, per group, per output channel)`: its elements.
    pub at: (usize, usize, usize),
    /// Number of groups.
    pub groups: usize,
    /// Output channels of one group.
    pub outs: usize,
    /// `(first, per group)`: which of the layer's channels these are.
    pub channel: (usize, usize),
    /// Lanes that a group is padded to a multiple of.
    pub block: usize,
    /// Batch norm to fold.
    pub norm: Option<Norm>,
}

impl Biases {
    /// Those of panels whose bias has an element for each of the layer's channels.
    pub fn of_channels(param: Option<usize>, panels: &Panels) -> Biases {
        Biases {
            param,
            at: (panels.channel.0, panels.channel.1, 1),
            groups: panels.groups.0,
            outs: panels.outs.0,
            channel: panels.channel,
            block: panels.block,
            norm: panels.norm,
        }
    }
}

/// Literal weights, equal ones once.
#[derive(Default)]
pub(super) struct Literals {
    /// In the order in which they were asked for.
    pub values: Vec<List<f32>>,
    known: HashMap<Vec<u32>, u32>,
}

impl Literals {
    fn index(&mut self, values: &[f32]) -> u32 {
        let bits = values.iter().map(|value| value.to_bits()).collect();
        *self.known.entry(bits).or_insert_with(|| {
            self.values.push(values.to_vec().into());
            self.values.len() as u32 - 1
        })
    }
}

impl Lower<'_> {
    /// Where a parameter's values come from.
    pub fn data(&mut self, param: usize) -> Data {
        let id = self.node().params[param];
        match &self.graph.params[id].literal {
            Some(values) => Data::Literal(self.literals.index(values)),
            None => Data::Source(self.source(id)),
        }
    }

    /// Index of a parameter among the tensors of the weights file.
    fn source(&mut self, id: ParamId) -> u32 {
        let known = self.source_of.get(&*self.graph.params[id].name);
        *known.expect("every parameter of a live node is a source")
    }

    /// The batch norm made of four of the node's parameters (`gamma`, `beta`, `mean`, `var`).
    ///
    /// Its parameters come from the weights file: a batch norm has no literals.
    pub fn norm(
        &mut self,
        gamma: Option<usize>,
        beta: Option<usize>,
        mean: usize,
        var: usize,
        eps: f64,
    ) -> Norm {
        let mut source = |index: usize| self.source(self.node().params[index]);
        Norm {
            gamma: gamma.map(&mut source),
            beta: beta.map(&mut source),
            mean: source(mean),
            var: source(var),
            eps,
        }
    }

    /// Packs panels and returns a pointer to the first; group `g`, block `b` starts
    /// `(g · blocks + b) · reduction · block` further on.
    pub fn panels(&mut self, panels: Panels) -> Access {
        let data = self.data(panels.param);
        let Panels {
            base,
            groups,
            outs,
            channel,
            reduce,
            block,
            norm,
            ..
        } = panels;
        let depth: usize = reduce.iter().map(|&(count, _)| count).product();
        let len = groups.0 * outs.0.div_ceil(block) * depth * block;
        self.pack(len, |dest| Recipe::Panels {
            dest,
            data,
            base,
            groups,
            outs,
            channel,
            reduce: reduce.clone().into(),
            block,
            norm,
        })
    }

    /// Packs panels of Winograd's convolution, `outs` output channels from `first` on; block `b` starts `b · 36 · input channels · block`
    /// further on.
    pub(super) fn winograd_panels(
        &mut self,
        job: &ConvJob,
        first: usize,
        outs: usize,
        block: usize,
    ) -> Access {
        let data = self.data(job.weight);
        let [o, c, _, h, w] = job.weight_strides;
        let cin = job.input.channels;
        let len = outs.div_ceil(block) * PRODUCTS * cin * block;
        self.pack(len, |dest| Recipe::Winograd {
            dest,
            data,
            base: job.weight_base + first as i64 * o,
            outs: (outs, o),
            first,
            ins: (cin, c),
            taps: [h, w],
            block,
            norm: job.norm,
        })
    }

    /// Packs the bias that goes with panels: `groups · ceil(outs / block) · block` lanes.
    pub fn bias(&mut self, biases: Biases) -> Access {
        let data = biases.param.map(|index| self.data(index));
        let Biases {
            at,
            groups,
            outs,
            channel,
            block,
            norm,
            ..
        } = biases;
        let len = groups * outs.next_multiple_of(block);
        self.pack(len, |dest| Recipe::Bias {
            dest,
            data,
            at,
            groups,
            outs,
            channel,
            block,
            norm,
        })
    }

    /// Packs scale and shift of a batch norm; the shift starts `padded` further on.
    pub fn scale_shift(&mut self, channels: usize, padded: usize, norm: Norm) -> Access {
        self.pack(2 * padded, |dest| Recipe::ScaleShift {
            dest,
            channels,
            padded,
            norm,
        })
    }

    /// Packs the shares of the operands of a sum, a vector of `padded` for each operand, and one of zeros behind them.
    pub fn shares(&mut self, param: usize, each: bool, padded: usize, fusion: Fusion) -> Access {
        let data = self.data(param);
        let (operands, channels) = (self.operands(), self.output_shape().channels());
        self.pack((operands + 1) * padded, |dest| Recipe::Shares {
            dest,
            data,
            operands,
            channels,
            each,
            padded,
            fusion,
        })
    }

    /// Packs a vector of `count` values as it is, zero padded; a single value is repeated.
    pub fn vector(&mut self, param: usize, count: usize, padded: usize) -> Access {
        let data = self.data(param);
        self.pack(padded, |dest| Recipe::Vector {
            dest,
            data,
            count,
            padded,
        })
    }

    /// Where the region of that length is that the recipe fills, given its destination; equal ones are packed once.
    fn pack(&mut self, len: usize, recipe: impl Fn(usize) -> Recipe) -> Access {
        // A `shared` sub-network asks again for what it has packed, and so do layers with the same literal weights.
        let dest = match self.packed_at.entry(recipe(0)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(entry) => {
                let dest = *entry.insert(self.packed);
                self.packed += len.next_multiple_of(ALIGN);
                self.recipes.push(recipe(dest));
                dest
            }
        };
        Access {
            buffer: self.weights,
            offset: Affine::constant(dest as i64),
        }
    }
}
