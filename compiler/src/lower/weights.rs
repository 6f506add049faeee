//! What layers ask for of their parameters: regions of the packed weights.

use super::region::{Norm, Param, Region};
use super::{ConvJob, Lower};
use crate::id::ParamId;
use crate::loops::{Access, Affine};
use cnnc_runtime::kernel::Fusion;
use cnnc_runtime::kernel::winograd::Form;

/// What [`Lower::panels`] packs: for each group, block of output channels and index of the reduction, `block` lanes.
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
    /// `(first, per group)`: which of the layer's channels these are: output channel `o` of group `g` is channel `first + g·per group + o`.
    pub channel: (usize, usize),
    /// `(count, stride)` of the reduction, outermost first.
    pub reduce: Vec<(usize, i64)>,
    /// Lanes of a panel.
    pub block: usize,
    /// Batch norm to fold.
    pub norm: Option<Norm>,
}

/// What [`Lower::bias`] packs; the lanes of each group, padded.
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

impl Lower<'_> {
    /// Which parameter that is of the load program.
    fn param(&mut self, param: usize) -> Param {
        let params = &self.node().params;
        if let Some(images) = &self.images {
            return match params.get(param) {
                Some(&id) => images.number(id),
                None => images.reordered(param - params.len()),
            };
        }
        let id = params[param];
        let param = &self.graph.params[id];
        match &param.literal {
            Some(values) => self.load.literal(values, param.shape.iter().product()),
            None => self.source(id),
        }
    }

    /// Index of a parameter among the tensors of the weights file.
    fn source(&self, id: ParamId) -> Param {
        if let Some(images) = &self.images {
            return images.number(id);
        }
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
        let source = |index: usize| self.source(self.node().params[index]);
        Norm {
            gamma: gamma.map(source),
            beta: beta.map(source),
            mean: source(mean),
            var: source(var),
            eps,
        }
    }

    /// Packs panels and returns a pointer to the first; group `g`, block `b` starts
    /// `(g · blocks + b) · reduction · block` further on.
    pub fn panels(&mut self, panels: Panels) -> Access {
        let data = self.param(panels.param);
        self.region(Region::Panels {
            data,
            base: panels.base,
            groups: panels.groups,
            outs: panels.outs,
            channel: panels.channel,
            reduce: panels.reduce,
            block: panels.block,
            norm: panels.norm,
        })
    }

    /// Packs panels of Winograd's convolution, `outs` output channels from `first` on; block `b` starts `b · 36 · input channels · block`
    /// further on.
    pub(super) fn winograd_panels(
        &mut self,
        job: &ConvJob,
        form: Form,
        first: usize,
        outs: usize,
        block: usize,
    ) -> Access {
        let data = self.param(job.weight);
        let [o, c, _, h, w] = job.weight_strides;
        self.region(Region::Winograd {
            form,
            data,
            base: job.weight_base + first as i64 * o,
            outs: (outs, o),
            first,
            ins: (job.input.channels, c),
            taps: [h, w],
            block,
            norm: job.norm,
        })
    }

    /// Packs the bias that goes with panels: `groups · ceil(outs / block) · block` lanes.
    pub fn bias(&mut self, biases: Biases) -> Access {
        let data = biases.param.map(|index| self.param(index));
        self.region(Region::Bias {
            data,
            at: biases.at,
            groups: biases.groups,
            outs: biases.outs,
            channel: biases.channel,
            block: biases.block,
            norm: biases.norm,
        })
    }

    /// Packs scale and shift of a batch norm; the shift starts `padded` further on.
    pub fn scale_shift(&mut self, channels: usize, padded: usize, norm: Norm) -> Access {
        self.region(Region::ScaleShift {
            channels,
            padded,
            norm,
        })
    }

    /// Packs the node's first tensor as the shares of the operands of a sum, `operands × channels`: a vector of `padded` for each operand, and one of zeros behind them.
    pub fn shares(
        &mut self,
        [operands, channels]: [usize; 2],
        each: bool,
        padded: usize,
        fusion: Fusion,
    ) -> Access {
        let data = self.param(0);
        self.region(Region::Shares {
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
        let data = self.param(param);
        let shape = &self.graph.params[self.node().params[param]].shape;
        let single = shape.iter().product::<usize>() == 1;
        self.region(Region::Vector {
            data,
            count,
            stride: (!single).into(),
            padded,
        })
    }

    /// A pointer to the region that holds this.
    fn region(&mut self, region: Region) -> Access {
        if self.images.is_some() {
            return self.pack_in_step(region);
        }
        let label = &self.node().label;
        let start = self.load.region(region, self.node, label);
        Access {
            buffer: self.weights,
            offset: Affine::constant(start as i64),
        }
    }
}
