//! The constants of one compiled network: what it reads, how its weights are packed, what it needs.
//!
//! A [`Plan`] is the same whether code comes from the JIT, the interpreter or `cnn_model!`; generated
//! Rust prints it as a `static`, hence the [`Cow`]s.

use crate::isa::Isa;
use crate::kernel::KernelId;
use std::borrow::Cow;

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

/// What an argument of a packing call points into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The packed weights: what the call writes.
    Packed,
    /// A tensor of the weights file: index into [`Plan::sources`].
    Source(u32),
    /// Values written in the spec: index into [`Plan::literals`]. They repeat: element `i` is number `i` modulo their number.
    Literal(u32),
}

/// Where an argument of a packing call points.
#[derive(Clone, Debug, PartialEq)]
pub struct Pointer {
    /// What into.
    pub base: Base,
    /// The element, in the first iteration of every loop.
    pub offset: i64,
    /// By how much it moves with each loop.
    pub steps: List<i64>,
}

/// A kernel call that packs weights, as often as the loops around it say, the outermost first.
#[derive(Clone, Debug, PartialEq)]
pub struct Pack {
    /// Which kernel.
    pub kernel: KernelId,
    /// Iterations of each loop.
    pub trips: List<u32>,
    /// The kernel's arguments, the output first.
    pub args: List<Option<Pointer>>,
    /// The kernel's constants.
    pub consts: List<i64>,
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

/// How often a run of sections is run for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Once for each image, one after another; threads share the work of one.
    Each,
    /// Once for each image, as many at the same time as there are threads; each of these has an arena of its own.
    Apart,
    /// Once for all images.
    Whole,
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
    /// The load program: calls that write all of the packed weights, each element once, in any order.
    pub packing: List<Pack>,
    /// Inputs, in order.
    pub inputs: List<Port>,
    /// Outputs, in order.
    pub outputs: List<Port>,
    /// Images that a run is for, at most; ports are of one.
    pub batch: usize,
    /// Floats of one image in each tensor that crosses from one run of sections to another.
    pub between: List<usize>,
    /// Floats of each tensor that stays from one run of the program to the next; a network that is not trained has none.
    pub state: List<usize>,
    /// The runs of sections, each with a driver of its own.
    pub runs: List<Run>,
}
