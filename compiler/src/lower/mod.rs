//! Lowering: from the Graph to Loops, with every activation's place in memory decided first.
//!
//! An activation is stored channels-last (`D, H, W, C`) with the zero halo that its consumers asked for
//! ([`crate::layer::Inferred::halo`]); a [`Storage`] is such a place. The operands of a concatenation are
//! windows of one buffer. [`Lower`] is what a layer's `lower` works with: where its operands and result are, and
//! how to emit loops, calls and packed weights.

mod arena;
mod batch;
mod blocks;
mod choice;
mod conv;
mod expand;
mod job;
mod load;
mod products;
mod region;
mod schedule;
mod step;
mod storage;
mod sweep;
mod tiling;
mod weights;
mod windows;
mod winograd;

use crate::target::{Arithmetic, Machine, Target};
pub use choice::Choice;
pub use job::ConvJob;
pub use load::packing;
pub use region::Norm;
pub use schedule::{Cost, Direct, Order, Schedule, Winograd};
pub use step::lower_step;
pub use storage::Storage;
pub use sweep::{Sweep, across};
pub use tiling::LONG;
pub use weights::{Biases, Panels};
pub(crate) use windows::each_operand;

use crate::graph::{Graph, Node};
use crate::id::{Map, NodeId, ValueId};
use crate::layer::Halo;
use crate::loops::{
    Access, Affine, Buffer, BufferId, Builder, Call, Place, Program, Section, Stmt, Unproven,
    prove, prove_load,
};
use crate::note::Note;
use crate::shape::Shape;
use cnnc_runtime::Isa;
use cnnc_runtime::kernel::KernelCall;
use cnnc_runtime::plan::{Plan, Port, Run, Source};
use load::Load;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Loops with the plan that goes with them.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The loops.
    pub program: Program,
    /// The calls that pack weights, from parameters to what the loops read.
    pub load: Program,
    /// Where each section's node puts its result; none at the network's edges.
    pub results: Vec<Option<Made>>,
    /// Everything else a backend needs.
    pub plan: Plan,
    /// Which convolutions are computed by another algorithm than their definition, and why the others are not.
    pub notes: Vec<Note>,
    /// By which schedule each convolution is computed, and which others it has.
    pub choices: Vec<Choice>,
}

/// What a section computes, and where it is when the section has run; later ones may overwrite it.
#[derive(Clone, Debug)]
pub struct Made {
    /// The value.
    pub value: ValueId,
    /// Where the buffer is that holds it.
    pub place: Place,
    /// Length of the buffer.
    pub len: usize,
    /// Where in the buffer it is.
    storage: Storage,
}

impl Made {
    /// Its elements, of the first image where it is of all, in what the buffer holds.
    pub fn elements<'m>(&'m self, held: &'m [f32]) -> impl Iterator<Item = f32> + 'm {
        let [depth, height, width] = self.storage.dhw.map(|extent| extent as i64);
        let rows = (0..depth).flat_map(move |d| (0..height).map(move |h| (d, h)));
        let pixels = rows.flat_map(move |(d, h)| (0..width).map(move |w| (d, h, w)));
        pixels.flat_map(move |(d, h, w)| {
            let first = self.storage.base + self.storage.at(d, h, w);
            held[first as usize..][..self.storage.channels]
                .iter()
                .copied()
        })
    }
}

impl Lowered {
    /// Proves the loops and the load program before they are run, or code is written that will.
    ///
    /// # Errors
    /// When they are too much for the proof.
    ///
    /// # Panics
    /// As [`prove`]: a bug of the compiler.
    pub fn prove(&self) -> Result<(), Unproven> {
        prove(&self.program, &self.plan)?;
        prove_load(&self.load, &self.plan)
    }
}

/// Lowers a verified graph.
pub fn lower(graph: &Graph, target: &Target) -> Lowered {
    let mut cx = Lower::new(graph, target);
    cx.choose_whole();
    cx.place_values();
    cx.place_batch();
    cx.enter(None, "input");
    (0..graph.inputs.len()).for_each(|index| cx.read_input(index));
    for (id, node) in graph.live() {
        cx.enter(Some(id), &node.label);
        cx.pad_operands();
        node.layer.lower(&mut cx);
    }
    cx.enter(None, "output");
    (0..graph.outputs.len()).for_each(|index| cx.write_output(index));
    cx.finish()
}

/// Names and shapes of the graph's inputs and outputs.
pub fn ports(graph: &Graph) -> (Vec<Port>, Vec<Port>) {
    let port = |name: &str, value: ValueId| Port {
        name: name.to_owned().into(),
        shape: graph.values[value].shape.dims().to_vec().into(),
    };
    let inputs = graph.inputs.iter();
    let outputs = graph.outputs.iter();
    (
        inputs.map(|input| port(&input.name, input.value)).collect(),
        outputs
            .map(|output| port(&output.name, output.value))
            .collect(),
    )
}

/// The context in which one node is lowered.
pub struct Lower<'a> {
    graph: &'a Graph,
    machine: Machine,
    arithmetic: Arithmetic,
    /// Images that are run at once, at most.
    batch: usize,
    /// Nodes that are computed for all of them at once.
    whole: HashSet<NodeId>,
    node: Option<NodeId>,
    storage: HashMap<ValueId, Storage>,
    /// The same of all images, where nodes are computed for all.
    batched: HashMap<ValueId, Storage>,
    /// Floats of one image in what crosses from run to run.
    between: Vec<usize>,
    /// Values that are stored without a halo, although readers want one.
    bare: HashSet<ValueId>,
    /// Operands of the node that have been copied, to have the halo that it wants.
    padded: HashMap<usize, Storage>,
    buffers: Map<BufferId, Buffer>,
    /// Halo boxes still to be zeroed before the first write, per buffer.
    unzeroed: HashMap<BufferId, Vec<Stmt>>,
    sections: Vec<Section>,
    builder: Builder,
    weights: BufferId,
    load: Load,
    sources: Vec<Source>,
    /// Indices of sources by name.
    source_of: HashMap<Cow<'static, str>, u32>,
    notes: Vec<Note>,
    choices: Vec<Choice>,
    /// The schedule of those that have so many to try.
    schedule: Option<usize>,
    /// For a training step: its images and its state.
    images: Option<step::Images>,
}

impl<'a> Lower<'a> {
    fn new(graph: &'a Graph, target: &Target) -> Lower<'a> {
        let mut buffers = Map::new();
        let weights = buffers.push(Buffer {
            len: 0,
            place: Place::Weights,
            name: "weights".into(),
        });
        let sources = graph.sources();
        Lower {
            graph,
            machine: target.machine.clone(),
            arithmetic: target.arithmetic,
            batch: target.batch,
            whole: HashSet::new(),
            node: None,
            storage: HashMap::new(),
            batched: HashMap::new(),
            between: Vec::new(),
            bare: HashSet::new(),
            padded: HashMap::new(),
            buffers,
            unzeroed: HashMap::new(),
            sections: Vec::new(),
            builder: Builder::default(),
            weights,
            load: Load::new(&sources),
            source_of: sources
                .iter()
                .zip(0..)
                .map(|(source, index)| (source.name.clone(), index))
                .collect(),
            sources,
            notes: Vec::new(),
            choices: Vec::new(),
            schedule: target.schedule,
            images: None,
        }
    }

    // ---- what the node is -------------------------------------------------------------------------------

    /// The ISA that is planned for.
    pub fn isa(&self) -> Isa {
        self.machine.isa
    }

    /// The machine that is planned for.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Whether sums are computed as they are defined.
    pub fn exact(&self) -> bool {
        self.arithmetic == Arithmetic::Exact
    }

    /// Floats in one vector.
    pub fn lanes(&self) -> usize {
        self.machine.lanes()
    }

    /// The node being lowered.
    pub fn node(&self) -> &'a Node {
        &self.graph.nodes[self.node.expect("lower: outside a node")]
    }

    /// Shape of operand `index`.
    pub fn input_shape(&self, index: usize) -> &'a Shape {
        &self.graph.values[self.node().inputs[index]].shape
    }

    /// Shape of the result.
    pub fn output_shape(&self) -> &'a Shape {
        &self.graph.values[self.node().output].shape
    }

    /// Number of operands.
    pub fn operands(&self) -> usize {
        self.node().inputs.len()
    }

    /// Where operand `index` is. Its halo, if the layer asked for one, is zero.
    pub fn input(&self, index: usize) -> Storage {
        let stored = self.stored(self.node().inputs[index]);
        self.padded.get(&index).unwrap_or(stored).clone()
    }

    /// Where the result goes. The layer must write every element of it and nothing else.
    pub fn output(&self) -> Storage {
        self.stored(self.node().output).clone()
    }

    // ---- emitting ---------------------------------------------------------------------------------------

    /// Emits a call.
    pub fn call(&mut self, call: impl KernelCall<Access>) {
        let call = Call::new(&call);
        if let Some(Some(out)) = call.args.first() {
            let zeroing = self.unzeroed.remove(&out.buffer).unwrap_or_default();
            self.builder.before(zeroing);
        }
        self.builder.call(call);
    }

    /// Emits `for i in 0..trip`; the body gets `i` (zero, without a loop, when `trip` is 1).
    pub fn repeat(&mut self, trip: usize, body: impl FnOnce(&mut Self, Affine)) {
        self.nest(trip, false, body);
    }

    /// Emits a loop whose iterations may run at once; they must write disjoint elements. Inside another
    /// loop it is an ordinary one.
    pub fn parallel(&mut self, trip: usize, body: impl FnOnce(&mut Self, Affine)) {
        let outermost = self.builder.outermost();
        self.nest(trip, outermost, body);
    }

    fn nest(&mut self, trip: usize, parallel: bool, body: impl FnOnce(&mut Self, Affine)) {
        if trip == 1 {
            return body(self, Affine::default());
        }
        let var = self.builder.begin();
        body(self, Affine::default().plus(var, 1));
        self.builder.end(var, trip, parallel);
    }

    /// A scratch tensor of that shape, alive within this node only.
    pub fn scratch(&mut self, shape: &Shape, halo: Halo) -> Storage {
        let name = format!("{}.scratch", self.node().label);
        self.allocate(&name, shape.channels(), shape.dhw(), halo)
    }

    // ---- sections ---------------------------------------------------------------------------------------

    fn enter(&mut self, node: Option<NodeId>, label: &str) {
        self.close();
        self.node = node;
        self.sections.push(Section {
            node,
            label: label.to_owned(),
            whole: self.images.is_none() && self.at_once(),
            body: Vec::new(),
        });
    }

    fn close(&mut self) {
        let body = self.builder.take();
        if let Some(section) = self.sections.last_mut() {
            section.body = body;
        }
    }

    /// Where the sections' results are, once buffers are placed.
    fn results(&self) -> Vec<Option<Made>> {
        let sections = self.sections.iter();
        let made = sections.map(|section| {
            let value = self.graph.nodes[section.node?].output;
            let storage = match section.whole {
                true => &self.batched[&value],
                false => &self.storage[&value],
            };
            let buffer = &self.buffers[storage.buffer];
            Some(Made {
                value,
                place: buffer.place,
                len: buffer.len,
                storage: storage.clone(),
            })
        });
        made.collect()
    }

    fn finish(mut self) -> Lowered {
        self.close();
        self.sections.retain(|section| !section.body.is_empty());
        let weights = self.weights;
        self.buffers[weights].len = self.load.len();
        let arena = arena::place(&mut self.buffers, &self.sections);
        let results = self.results();
        // Before what takes most memory.
        drop((self.storage, self.source_of));
        let (mut inputs, mut outputs) = ports(self.graph);
        if let Some(images) = &self.images {
            images.widen(self.graph, &mut inputs, &mut outputs);
        }
        let program = Program {
            name: self.graph.name.clone(),
            isa: self.machine.isa,
            buffers: self.buffers,
            vars: self.builder.vars(),
            arena,
            batch: self.batch,
            sections: self.sections,
        };
        let each = match arena <= self.machine.apart {
            true => Run::Apart,
            false => Run::Each,
        };
        let runs = program.runs().into_iter();
        let runs = runs.map(|run| match program.sections[run.start].whole {
            true => Run::Whole,
            false => each,
        });
        let packed = self.load.len();
        let (load, literals) = self.load.finish(&self.graph.name, self.machine.isa);
        let plan = Plan {
            name: self.graph.name.clone().into(),
            isa: self.machine.isa,
            arena,
            packed,
            packing: packing(&load, self.sources.len()).into(),
            sources: self.sources.into(),
            literals: literals.into(),
            inputs: inputs.into(),
            outputs: outputs.into(),
            batch: self.batch,
            between: self.between.into(),
            state: self
                .images
                .map_or_else(Vec::new, |images| images.state)
                .into(),
            runs: runs.collect::<Vec<_>>().into(),
        };
        Lowered {
            program,
            load,
            results,
            plan,
            notes: self.notes,
            choices: self.choices,
        }
    }
}
