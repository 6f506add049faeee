//! Loops: the last IR, on one screen.
//!
//! A [`Program`] is a list of statements over flat f32 buffers: `for` over constant ranges, `parallel for`
//! (at the top level only), and calls of runtime kernels whose pointers are a buffer plus an affine offset
//! and whose other arguments are constants.
//!
//! ```text
//! parallel for i0 in 0..7
//!   for i1 in 0..4
//!     f32_conv_6x2v(b3[1792*i0 + 16*i1], b1[7424*i0 + 0], w0[9216*i1], w0[36864 + 16*i1], -; 8, …)
//! ```
//!
//! A program is for a batch of images. A section is run once for each image, on that image's own tensors, or once for all of them, on
//! tensors that have a place for each; sections of one kind that follow one another are a [run](Program::runs). The arena belongs to one
//! run, of one image where there is one for each; what crosses from run to run is [between](Place::Between) them.
//!
//! A program that has not been [proven](prove) is never run.

mod build;
pub mod dump;
pub mod interpret;
pub mod verify;

pub use build::Builder;
pub use verify::{Unproven, prove, prove_load, verify, verify_load, verify_plan};

use crate::id::{Map, NodeId};
use cnnc_runtime::Isa;
use cnnc_runtime::kernel::{KernelCall, KernelId};
use std::ops::Range;

crate::id!(
    /// A flat array of f32.
    BufferId, "b"
);
crate::id!(
    /// A loop variable, unique in its program.
    VarId, "i"
);

/// Where a buffer lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In the arena, at that offset; buffers whose lifetimes do not meet share memory.
    Arena(usize),
    /// The packed weights, all of them; initialised, never written. The load program makes them: they are its output.
    Weights,
    /// A parameter as the weights file or the spec has it, by its number: the plan's sources, then its literals; initialised, never written.
    Param(usize),
    /// A tensor that stays from one run of the program to the next, by its number: read and written, initialised from the start.
    State(usize),
    /// An input port, in the spec's order; initialised, never written.
    Input(usize),
    /// An output port, in the spec's order; every element must be written.
    Output(usize),
    /// A tensor that crosses from one run of sections to another, one for each image.
    Between {
        /// Which, in the plan's order.
        index: usize,
        /// Whether the buffer is that of all images, one behind the other, or of one.
        whole: bool,
    },
}

impl Place {
    /// The index of its base among a driver's (`arena, weights, inputs…, outputs…, between…`) in a program of so many inputs and outputs, and the
    /// elements from there.
    ///
    /// # Panics
    /// For parameters: the load program packs them, and no driver sees them.
    pub fn base(self, inputs: usize, outputs: usize) -> (usize, usize) {
        match self {
            Place::Arena(start) => (0, start),
            Place::Weights => (1, 0),
            Place::Param(_) => unreachable!("parameters are packed by the load program"),
            Place::Input(index) => (2 + index, 0),
            Place::Output(index) => (2 + inputs + index, 0),
            // A training step has state and nothing between runs.
            Place::Between { index, .. } | Place::State(index) => (2 + inputs + outputs + index, 0),
        }
    }
}

/// A flat array of f32.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    /// Elements.
    pub len: usize,
    /// Where it lives.
    pub place: Place,
    /// For dumps: the label of what it holds.
    pub name: String,
}

/// `base + Σ coefficient · variable`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Affine {
    /// Constant part.
    pub base: i64,
    /// Variables with their coefficients.
    pub terms: Vec<(VarId, i64)>,
}

impl Affine {
    /// A constant.
    pub fn constant(base: i64) -> Affine {
        Affine {
            base,
            terms: Vec::new(),
        }
    }
    /// Adds `coefficient · var`.
    #[must_use]
    pub fn plus(mut self, var: VarId, coefficient: i64) -> Affine {
        if coefficient != 0 {
            self.terms.push((var, coefficient));
        }
        self
    }
    /// Adds a constant.
    #[must_use]
    pub fn offset(mut self, by: i64) -> Affine {
        self.base += by;
        self
    }
}

/// A pointer: an element of a buffer.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// The buffer.
    pub buffer: BufferId,
    /// Element offset.
    pub offset: Affine,
}

/// A kernel call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Which kernel.
    pub kernel: KernelId,
    /// Its pointers, output first; `None` is null.
    pub args: Vec<Option<Access>>,
    /// Its constants.
    pub consts: Vec<i64>,
}

impl Call {
    /// The call, written down.
    pub fn new(call: &impl KernelCall<Access>) -> Call {
        Call {
            kernel: call.kernel(),
            args: call.args(),
            consts: call.consts(),
        }
    }
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Stmt {
    /// A loop.
    For(For),
    /// A kernel call.
    Call(Call),
}

/// `for var in 0..trip`.
#[derive(Clone, Debug, PartialEq)]
pub struct For {
    /// The variable.
    pub var: VarId,
    /// Iterations, at least one.
    pub trip: u32,
    /// Whether iterations may run at once; only at the top level.
    pub parallel: bool,
    /// What is repeated.
    pub body: Vec<Stmt>,
}

/// The loops of one node: the unit of `bench --layers`, and of one generated function.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// The node; `None` for conversions at the network's edges.
    pub node: Option<NodeId>,
    /// Label, for dumps and tables.
    pub label: String,
    /// Whether it is for all images of a batch, or run once for each.
    pub whole: bool,
    /// Its statements.
    pub body: Vec<Stmt>,
}

/// A compiled network, ready for a backend.
#[derive(Clone, Debug)]
pub struct Program {
    /// Name of the model.
    pub name: String,
    /// ISA that was planned for.
    pub isa: Isa,
    /// Buffers.
    pub buffers: Map<BufferId, Buffer>,
    /// Number of variables.
    pub vars: usize,
    /// Length of the arena, in f32.
    pub arena: usize,
    /// Images that a run is for, at most.
    pub batch: usize,
    /// Sections, in order.
    pub sections: Vec<Section>,
}

impl Program {
    /// Sections that are run once for each image, or once for all, as long as one kind lasts.
    pub fn runs(&self) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for (index, section) in self.sections.iter().enumerate() {
            match runs.last_mut() {
                Some(run) if self.sections[run.start].whole == section.whole => run.end = index + 1,
                _ => runs.push(index..index + 1),
            }
        }
        runs
    }
}
