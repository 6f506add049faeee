//! The constants of one compiled network: what it reads, how its weights are packed, what it needs.
//!
//! A [`Plan`] is the same whether code comes from the JIT, the interpreter or `cnn_model!`; generated
//! Rust prints it as a `static`, hence the [`Cow`]s.

use crate::isa::Isa;
use std::borrow::Cow;
use std::hash::{Hash, Hasher};

/// A slice that is either owned (JIT) or part of the binary (generated code).
pub type List<T> = Cow<'static, [T]>;

/// A tensor that a weights file must contain.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Name in the file.
    pub name: Cow<'static, str>,
    /// Shape in the file, row-major.
    pub shape: List<usize>,
}

/// Batch norm constants to be folded into what precedes: indices into [`Plan::sources`].
#[derive(Clone, Copy, Debug)]
pub struct Norm {
    /// Scale (`weight`), if affine.
    pub gamma: Option<u32>,
    /// Shift (`bias`), if affine.
    pub beta: Option<u32>,
    /// Running mean.
    pub mean: u32,
    /// Running variance.
    pub var: u32,
    /// Added to the variance.
    pub eps: f64,
}

impl Norm {
    /// Everything, for comparing: constants that differ in a bit are not the same.
    fn key(&self) -> (Option<u32>, Option<u32>, u32, u32, u64) {
        (
            self.gamma,
            self.beta,
            self.mean,
            self.var,
            self.eps.to_bits(),
        )
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

/// Where the elements of a packed region come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Data {
    /// A tensor of the weights file: index into [`Plan::sources`].
    Source(u32),
    /// Values written in the spec: index into [`Plan::literals`]. They repeat: element `i` is number `i` modulo their number.
    Literal(u32),
}

pub use crate::kernel::Fusion;

/// How one region of the packed weights is filled, in f64 and rounded once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Recipe {
    /// Panels of a convolution (or dense layer, or matrix): for each group `g`, each block of `block`
    /// output channels and each reduction index `k` (in row-major order over `reduce`), `block` lanes.
    /// The lane of output channel `o` is `data[base + g·group_stride + o·out_stride + Σ kᵈ·reduce[d].1] × scale(channel.0 + g·channel.1 + o)`,
    /// zero where `o ≥ outs`.
    Panels {
        /// First element in the packed weights.
        dest: usize,
        /// The weights.
        data: Data,
        /// Index of the element at the origin (non-zero when a stride is negative).
        base: i64,
        /// `(count, stride in data)` of groups.
        groups: (usize, i64),
        /// `(output channels of one group, stride in data)`.
        outs: (usize, i64),
        /// `(first, per group)`: output channel `o` of group `g` is the layer's channel `first + g·per group + o`.
        channel: (usize, usize),
        /// `(count, stride in data)` of the reduction, outermost first.
        reduce: List<(usize, i64)>,
        /// Lanes of a panel.
        block: usize,
        /// Scale of each output channel, `gamma / sqrt(var + eps)`.
        norm: Option<Norm>,
    },
    /// Panels of a 3×3 convolution for Winograd's F(4×4, 3×3): for each block of `block` output channels, each of the 36 products `ξ` and each
    /// input channel, `block` lanes of `(G g Gᵀ)[ξ] × scale(first + o)`, `g` being
    /// `data[base + o·outs.1 + i·ins.1 + y·taps[0] + x·taps[1]]`; zero where `o ≥ outs.0`.
    Winograd {
        /// First element in the packed weights.
        dest: usize,
        /// The weights.
        data: Data,
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
        /// Scale of each output channel, `gamma / sqrt(var + eps)`.
        norm: Option<Norm>,
    },
    /// The bias that goes with [`Recipe::Panels`]: for each group `g`, `ceil(outs / block) · block` lanes of
    /// `beta + (bias − mean) · scale`, or `bias`, or zero. The lane of output channel `o` is of the layer's channel `channel.0 + g·channel.1 + o`,
    /// and its bias is `data[at.0 + g·at.1 + o·at.2]`.
    Bias {
        /// First element in the packed weights.
        dest: usize,
        /// The bias, if the layer has one.
        data: Option<Data>,
        /// `(first, per group, per output channel)`.
        at: (usize, usize, usize),
        /// Number of groups.
        groups: usize,
        /// Output channels of one group.
        outs: usize,
        /// `(first, per group)`, as in [`Recipe::Panels`].
        channel: (usize, usize),
        /// Lanes that a group is padded to a multiple of.
        block: usize,
        /// Batch norm to fold.
        norm: Option<Norm>,
    },
    /// `scale` then `shift` of a batch norm that stands alone, each padded with zeros to `padded`.
    ScaleShift {
        /// First element in the packed weights.
        dest: usize,
        /// Channels.
        channels: usize,
        /// Channels including padding.
        padded: usize,
        /// The batch norm.
        norm: Norm,
    },
    /// The shares of each operand of a sum in it: for each operand a vector of the channels, padded with zeros to `padded`; behind
    /// the last, a vector of zeros.
    Shares {
        /// First element in the packed weights.
        dest: usize,
        /// The factors that shares are made of: of (operands, channels), or of (operands) if all channels have the same.
        data: Data,
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
    /// A vector copied as it is and padded with zeros; a single value is repeated `count` times.
    Vector {
        /// First element in the packed weights.
        dest: usize,
        /// The values.
        data: Data,
        /// Elements copied.
        count: usize,
        /// Elements including padding.
        padded: usize,
    },
}

/// A tensor that enters or leaves, in the spec's order (channels first), f32.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Its shape.
    pub shape: List<usize>,
}

impl Port {
    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Everything about a compiled network but its code and its weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Name of the model.
    pub name: Cow<'static, str>,
    /// The ISA whose kernels and lanes were planned for.
    pub isa: Isa,
    /// Length of the arena, in f32.
    pub arena: usize,
    /// Length of the packed weights, in f32.
    pub packed: usize,
    /// Tensors of the weights file.
    pub sources: List<Source>,
    /// Values written in the spec, equal ones once.
    pub literals: List<List<f32>>,
    /// How to pack them.
    pub recipes: List<Recipe>,
    /// Inputs, in order.
    pub inputs: List<Port>,
    /// Outputs, in order.
    pub outputs: List<Port>,
}
