//! A network bound to weights, and sessions that run it.

use crate::Error;
use crate::options::Backend;
use crate::reference::Reference;
use cnnc_compiler::graph::Graph;
use cnnc_compiler::jit::Code;
use cnnc_compiler::loops::interpret::interpret;
use cnnc_compiler::lower::{Choice, Lowered, Made};
use cnnc_runtime::Isa;
use cnnc_runtime::answer::{Answer, AnswerError, Head, Placement};
use cnnc_runtime::input::Input;
use cnnc_runtime::memory::Aligned;
use cnnc_runtime::plan::{Port, Run};
use cnnc_runtime::session as rt;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// A network with its weights, ready to run. Clones share everything; it may be used from any thread.
#[derive(Clone)]
pub struct Network(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub name: String,
    /// What is run: passes, if they were asked for, have run on it.
    pub graph: Arc<Graph>,
    pub isa: Isa,
    pub threads: usize,
    pub batch: usize,
    /// The runs of sections, as many times as there are images or once.
    pub runs: Vec<(Run, Range<usize>)>,
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    pub engine: Engine,
    pub sections: Vec<SectionInfo>,
    /// How convolutions are computed.
    pub choices: Vec<Choice>,
    pub unused: Vec<String>,
    pub notes: Vec<String>,
    pub macs: u64,
    pub compile: Duration,
    pub load: Duration,
}

pub(crate) enum Engine {
    Jit {
        network: Arc<rt::Network>,
        code: Code,
        /// Where the sections' results are.
        results: Vec<Option<Made>>,
    },
    Interp {
        lowered: Box<Lowered>,
        packed: Aligned,
    },
    Reference(Reference),
}

/// What a section of the compiled network computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionInfo {
    /// Its label.
    pub label: String,
    /// The layer, with what is fused into it.
    pub layer: String,
    /// Multiply-adds of convolutions and dense layers.
    pub macs: u64,
    /// Bytes of its operands, its result and its parameters, each once, of one image.
    pub bytes: u64,
    /// By which schedule a convolution is computed.
    pub schedule: Option<String>,
    /// Whether that is Winograd's algorithm, which has fewer multiplications than `macs`.
    pub winograd: bool,
    /// Its number among [`Network::choices`].
    pub(crate) choice: Option<usize>,
}

impl Network {
    /// Name of the model.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The ISA it was planned for.
    pub fn isa(&self) -> Isa {
        self.0.isa
    }

    /// Images that a session runs at once, at most.
    pub fn batch(&self) -> usize {
        self.0.batch
    }

    /// Bytes that a session works in: arena, inputs and outputs, of all images. None, for the backend that has no loops.
    pub fn session_bytes(&self) -> Option<usize> {
        match &self.0.engine {
            Engine::Jit { network, .. } => {
                Some(rt::session_bytes_on(network.plan(), self.0.threads))
            }
            Engine::Interp { lowered, .. } => Some(rt::session_bytes(&lowered.plan)),
            Engine::Reference(_) => None,
        }
    }

    /// What runs it.
    pub fn backend(&self) -> Backend {
        match self.0.engine {
            Engine::Jit { .. } => Backend::Jit,
            Engine::Interp { .. } => Backend::Interp,
            Engine::Reference(_) => Backend::Reference,
        }
    }

    /// Names and shapes of the inputs, in the spec's order.
    pub fn inputs(&self) -> &[Port] {
        &self.0.inputs
    }

    /// Names and shapes of the outputs, `raw` first, taps last.
    pub fn outputs(&self) -> &[Port] {
        &self.0.outputs
    }

    /// Tensors of the weights that the network does not read: those of another network, where they are many. [`Options::strict`](crate::Options::strict)
    /// refuses them.
    pub fn unused(&self) -> &[String] {
        &self.0.unused
    }

    /// How the weights were read, where that is not as they are written: behind which prefix names stand, what else is in the file. A
    /// line each.
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }

    /// Multiply-adds of convolutions and dense layers.
    pub fn macs(&self) -> u64 {
        self.0.macs
    }

    /// The network as it is run, after all passes.
    pub fn graph(&self) -> &Graph {
        &self.0.graph
    }

    /// By which schedule each convolution is computed, and which others it has.
    pub fn choices(&self) -> &[Choice] {
        &self.0.choices
    }

    /// The sections that machine code is made of, in the order in which they run; none for other backends that are not made of them.
    pub fn sections(&self) -> &[SectionInfo] {
        &self.0.sections
    }

    /// What profilers need to name the machine code: a line for each function, as perf reads it from `/tmp/perf-PID.map`. Empty for other backends.
    pub fn perf_map(&self) -> String {
        let Engine::Jit { code, .. } = &self.0.engine else {
            return String::new();
        };
        let mut map = String::new();
        for symbol in code.symbols() {
            let (address, bytes) = (symbol.address, symbol.bytes);
            map += &format!("{address:x} {bytes:x} {}\n", symbol.name);
        }
        map
    }

    /// From text to machine code.
    pub fn compile_time(&self) -> Duration {
        self.0.compile
    }

    /// Binding, checking and packing the weights.
    pub fn load_time(&self) -> Duration {
        self.0.load
    }

    /// Memory to run in, and threads. Sessions of one network run independently of each other.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub fn session(&self) -> Result<Session, Error> {
        let state = match &self.0.engine {
            Engine::Jit { network, .. } => {
                State::Jit(rt::Session::new(network.clone(), self.0.threads)?)
            }
            _ => State::Oracle(Vec::new()),
        };
        Ok(Session {
            network: self.clone(),
            state,
        })
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Network({} for {} by {})",
            self.name(),
            self.isa(),
            self.backend()
        )
    }
}

/// The memory of one run at a time.
pub struct Session {
    pub(crate) network: Network,
    pub(crate) state: State,
}

pub(crate) enum State {
    Jit(rt::Session<'static>),
    /// Outputs of the last run.
    Oracle(Vec<Vec<f32>>),
}

impl Session {
    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Threads that it runs on.
    pub fn threads(&self) -> usize {
        match &self.state {
            State::Jit(session) => session.threads(),
            State::Oracle(_) => 1,
        }
    }

    /// Runs the network once; inputs in the spec's order, each in the spec's own order of elements (channels first): slices, arrays,
    /// vectors or ndarray's views. Those of a network for batches may hold several images, one behind the other. Machine code allocates
    /// nothing here.
    ///
    /// # Errors
    /// When there are more or fewer inputs than the network has, one does not have the shape it should, or there are more images than the
    /// network was compiled for; for other backends than machine code when there is not enough memory.
    pub fn run(&mut self, inputs: &[&dyn Input]) -> Result<Outputs<'_>, Error> {
        let Inner {
            engine,
            inputs: ports,
            outputs,
            batch,
            ..
        } = &*self.network.0;
        let outputs = match &mut self.state {
            State::Jit(session) => session.run(inputs)?,
            State::Oracle(results) => {
                let inputs = rt::elements(ports, *batch, inputs)?;
                *results = match engine {
                    Engine::Reference(reference) => one_by_one(reference, ports, &inputs)?,
                    Engine::Interp { lowered, packed } => {
                        let inputs: Vec<&[f32]> = inputs.iter().map(|input| &**input).collect();
                        interpret(&lowered.program, packed, &inputs)?
                    }
                    Engine::Jit { .. } => unreachable!("has a session of its own"),
                };
                rt::Outputs::of(outputs, results)
            }
        };
        Ok(Outputs(outputs))
    }
}

/// Evaluates images one after another, and puts their outputs behind one another.
fn one_by_one(
    reference: &Reference,
    ports: &[Port],
    inputs: &[Cow<'_, [f32]>],
) -> Result<Vec<Vec<f32>>, Error> {
    let images = inputs
        .iter()
        .zip(ports)
        .map(|(input, port)| input.len() / port.elements());
    let mut all: Vec<Vec<f32>> = Vec::new();
    for image in 0..images.min().unwrap_or(1) {
        let inputs = inputs.iter().zip(ports);
        let inputs = inputs.map(|(input, port)| {
            let one = port.elements();
            Cow::Borrowed(&input[image * one..][..one])
        });
        let outputs = reference.run(&inputs.collect::<Vec<_>>())?;
        all.resize(outputs.len(), Vec::new());
        for (all, output) in all.iter_mut().zip(outputs) {
            all.extend(output);
        }
    }
    Ok(all)
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({:?}, {} threads)", self.network, self.threads())
    }
}

/// What a run gave: named tensors, channels first.
#[derive(Clone, Copy)]
pub struct Outputs<'s>(rt::Outputs<'s>);

/// One tensor of the outputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Output<'s> {
    /// `raw`, `probabilities`, … or the label of a tap.
    pub name: &'s str,
    /// Its shape, channels first.
    pub shape: &'s [usize],
    /// Its elements, of all images of the run, one behind the other.
    pub data: &'s [f32],
}

impl<'s> Outputs<'s> {
    /// Images that the run was of.
    pub fn images(&self) -> usize {
        self.0.images()
    }

    /// The outputs of one image of a batch.
    ///
    /// # Panics
    /// When there are not so many.
    #[must_use]
    pub fn image(&self, index: usize) -> Outputs<'s> {
        Outputs(self.0.image(index))
    }

    /// The output of that name, if there is one.
    pub fn get(&self, name: &str) -> Option<Output<'s>> {
        self.iter().find(|output| output.name == name)
    }

    /// What enters the head's decode, or the network's result where it has no head.
    pub fn raw(&self) -> &'s [f32] {
        self.at(0).data
    }

    /// The answer of a head to the first image ([`Model::head`](crate::Model::head)); boxes and points are in pixels of the picture that `place` is of
    /// ([`PreProcess::placement`](cnnc_runtime::image::PreProcess::placement)).
    ///
    /// # Errors
    /// When the outputs are not those of a network with this head.
    pub fn answer(&self, head: &Head, place: &Placement) -> Result<Answer, AnswerError> {
        self.0.answer(head, place)
    }

    /// Every output, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Output<'s>> + use<'s> {
        let all = *self;
        (0..all.0.len()).map(move |index| all.at(index))
    }

    fn at(&self, index: usize) -> Output<'s> {
        let (port, data) = self.0.at(index).expect("an output of the network");
        Output {
            name: &port.name,
            shape: &port.shape,
            data,
        }
    }
}

impl fmt::Debug for Outputs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
