//! A spec that has been read and checked, and the ways on from there.

use crate::bound::{Read, bind};
use crate::network::{Engine, Inner, Network, SectionInfo};
use crate::picture::{Picture, TooLarge, View};
use crate::reference::Reference;
use crate::summary::Summary;
use crate::{Backend, Error, Options};
use cnnc_compiler::diagnostic::{Diagnostics, Files};
use cnnc_compiler::graph::{Graph, Node, Output};
use cnnc_compiler::hash;
use cnnc_compiler::id::ValueId;
use cnnc_compiler::layer::written;
use cnnc_compiler::lower::{self, Choice, Lowered, Schedule};
use cnnc_compiler::note::Note;
use cnnc_compiler::outline::Outline;
use cnnc_compiler::recipe::{Goal, Recipe as Section};
use cnnc_compiler::{jit, pass, words};
use cnnc_runtime::Isa;
use cnnc_runtime::answer::Head;
use cnnc_runtime::pack::pack;
use cnnc_runtime::plan::Run;
use cnnc_runtime::session as rt;
use cnnc_runtime::weights::{Problem, Weights, WeightsError};
use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Compiles a spec from a file. With the feature `zoo`, `zoo:/NAME.cnn` is a network that comes with the compiler.
///
/// # Errors
/// [`Error::Spec`] when the file cannot be read or has mistakes.
pub fn compile_file(path: impl AsRef<Path>) -> Result<Model, Error> {
    let start = Instant::now();
    let model = cnnc_compiler::compile_from(&mut files(), path.as_ref())?;
    Ok(Model::new(model, start))
}

/// Compiles a spec from its text. `name` is what diagnostics call it; imports and lists of labels are looked for
/// beside the file of that name.
///
/// ```
/// let model = cnnc::compile_str("tiny", "cnn 1; model Tiny { input x: 1x4x4; conv 3x3 2 relu; globalavgpool }")?;
/// assert_eq!(model.graph().name, "Tiny");
///
/// let error = cnnc::compile_str("tiny", "cnn 1; model Tiny { input x: 1x4x4; convolve 3x3 2 }").unwrap_err();
/// assert!(error.to_string().contains("conv"));
/// # Ok::<(), cnnc::Error>(())
/// ```
///
/// # Errors
/// [`Error::Spec`] when it has mistakes: all of them.
pub fn compile_str(name: impl AsRef<Path>, text: &str) -> Result<Model, Error> {
    let start = Instant::now();
    let model = cnnc_compiler::compile_source(&mut files(), name, text)?;
    Ok(Model::new(model, start))
}

/// Where specs, and what they read, come from: the zoo, if it is built in, and the file system.
fn files() -> Files {
    #[cfg(feature = "zoo")]
    return Files::new(crate::zoo::Shelf);
    #[cfg(not(feature = "zoo"))]
    Files::default()
}

/// A mistake in the spec of a file, which is read once more; none if that is not what it was.
#[cfg(feature = "train")]
pub(crate) fn complain(
    path: &Path,
    span: cnnc_compiler::span::Span,
    message: String,
) -> Option<Diagnostics> {
    use cnnc_compiler::diagnostic::{Diagnostic, codes};
    let mut files = files();
    cnnc_compiler::compile_from(&mut files, path).ok()?;
    let problem = Diagnostic::new(codes::ARGUMENT, span, message);
    Some(Diagnostics::new(vec![problem], &files))
}

/// Bytes of a spec, or of what one reads.
#[cfg(feature = "train")]
pub(crate) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    #[cfg(feature = "zoo")]
    return crate::zoo::read(path);
    #[cfg(not(feature = "zoo"))]
    std::fs::read(path)
}

/// A network that has been read and checked.
#[derive(Clone, Debug)]
pub struct Model {
    inner: cnnc_compiler::Model,
    front: Duration,
}

impl Model {
    fn new(inner: cnnc_compiler::Model, start: Instant) -> Model {
        Model {
            inner,
            front: start.elapsed(),
        }
    }

    /// The network as it is written.
    pub fn graph(&self) -> &Graph {
        &self.inner.graph
    }

    /// What turns outputs into an answer: labels, boxes, points, with the spec's thresholds, which may be changed.
    ///
    /// ```
    /// use cnnc::rt::answer::{Answer, Placement};
    /// use cnnc::{Options, Weights};
    /// let model = cnnc::compile_str(
    ///     "tiny",
    ///     "cnn 1; model Tiny { input x: 3x32x32; conv 3x3 7 /4; head yolo2 { anchors cells (1, 2)  keep 0.01 } }",
    /// )?;
    /// let network = model.jit(&Weights::synthetic(), &Options::new())?;
    /// let mut session = network.session()?;
    /// let outputs = session.run(&[&vec![0.5; 3 * 32 * 32]])?;
    /// // The picture was 640x480, and resized to the input.
    /// let place = Placement::new(640, 480).resized(32, 32);
    /// let answer = outputs.answer(&model.head(), &place)?;
    /// let Answer::Boxes(boxes) = answer else { unreachable!("the head's answer is boxes") };
    /// assert!(boxes.iter().all(|found| found.bbox.right <= 640.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn head(&self) -> Head {
        self.graph().answer_head()
    }

    /// Which block, loop or branch made which layers.
    pub fn outline(&self) -> &Outline {
        &self.inner.outline
    }

    /// What the `train` section says, if there is one.
    pub fn recipe(&self) -> Option<&Section> {
        self.inner.recipe.as_ref()
    }

    /// What `expect { accuracy … }` asks of it, once it has been trained.
    pub fn goals(&self) -> &[Goal] {
        &self.inner.goals
    }

    /// The hash of the network's normal form: the same however the network is written, in a spec or in another format. Dropout is left out, batch
    /// norms are folded, paddings are numbers.
    pub fn normal_hash(&self) -> String {
        hash::normal(&pass::folded(self.graph()))
    }

    /// The hash of its normal form, as if no layers shared their weights.
    pub(crate) fn unshared_hash(&self) -> String {
        hash::unshared(&pass::folded(self.graph()))
    }

    /// What may not be meant.
    pub fn warnings(&self) -> &Diagnostics {
        &self.inner.warnings
    }

    /// The same with a part of its graph.
    pub(crate) fn with_graph(&self, graph: Graph) -> Model {
        let inner = cnnc_compiler::Model {
            graph,
            ..self.inner.clone()
        };
        Model {
            inner,
            front: self.front,
        }
    }

    /// Hash of the architecture, independent of names and formatting.
    pub fn hash(&self) -> String {
        hash::architecture(self.graph())
    }

    /// Every file that was read beside the spec.
    pub fn files(&self) -> &[PathBuf] {
        &self.inner.files
    }

    /// Layers, shapes, parameters and costs.
    ///
    /// # Errors
    /// When no ISA can be chosen.
    pub fn summary(&self, options: &Options) -> Result<Summary, Error> {
        let lowered = self.lower(options)?;
        Ok(Summary::new(self.graph(), self.outline(), &lowered))
    }

    /// The network as boxes and arrows.
    ///
    /// # Errors
    /// When there would be too many of them to draw.
    pub fn picture(&self, view: View) -> Result<Picture, TooLarge> {
        Picture::new(self.graph(), &self.inner.outline, view)
    }

    /// What every pass, and lowering, did to each candidate, or why it left it alone.
    ///
    /// # Errors
    /// When no ISA can be chosen.
    pub fn explain(&self, options: &Options) -> Result<Vec<Note>, Error> {
        let (graph, notes) = pass::optimize(self.graph());
        let lowered = lower::lower(&graph, &options.target()?);
        Ok(notes.list.into_iter().chain(lowered.notes).collect())
    }

    /// The loops of the optimised network.
    ///
    /// # Errors
    /// When no ISA can be chosen.
    pub fn lower(&self, options: &Options) -> Result<Lowered, Error> {
        let graph = pass::optimize(self.graph()).0;
        Ok(lower::lower(&graph, &options.target()?))
    }

    /// The tensor of a name, as every command calls it: a label, an input, a layer (`conv1_bn`), or the last tensor of a block or of
    /// a turn of a loop (`layer1.0`).
    ///
    /// # Errors
    /// [`Error::NoTap`] when there is none.
    pub fn find(&self, name: &str) -> Result<ValueId, Error> {
        let graph = self.graph();
        graph.find(name).ok_or_else(|| {
            let names: Vec<&str> = graph.directory().into_keys().collect();
            let mut labels: Vec<&str> = graph.names.iter().map(|(name, _)| name.as_str()).collect();
            labels.sort_unstable();
            Error::NoTap {
                label: name.to_owned(),
                nearest: words::nearest(name, &names).map(str::to_owned),
                known: words::list(&labels),
            }
        })
    }

    /// The graph with these tensors as outputs too.
    pub(crate) fn tapped(&self, taps: &[String]) -> Result<Graph, Error> {
        let mut graph = self.graph().clone();
        for label in taps {
            if graph.outputs.iter().any(|output| output.name == *label) {
                continue;
            }
            let value = self.find(label)?;
            let name = label.clone();
            graph.outputs.push(Output { name, value });
        }
        Ok(graph)
    }

    /// The error for weights that do not fit: whether only their names are others is part of it.
    pub fn unfit(&self, mut error: WeightsError, weights: &Weights) -> Error {
        let WeightsError::Unfit { problems, .. } = &mut error else {
            return Error::Weights(error);
        };
        for problem in problems {
            if let Problem::Missing { name, pair, .. } = problem {
                *pair = self.inner.pairs.get(name).cloned();
            }
        }
        match self.inner.is_torchvisions(weights) {
            true => Error::Names(error),
            false => Error::Weights(error),
        }
    }

    /// The network on a larger picture of those extents (height and width), which answers for every window of the
    /// picture in one pass, as it answers to the window alone (but for rounding). Weights are the same.
    ///
    /// ```
    /// use cnnc::{Options, Weights};
    /// let model = cnnc::compile_str("tiny", "cnn 1; model Tiny { input x: 1x8x8; conv 3x3 4 /2 relu; flatten; dense 2 }")?;
    /// let slid = model.slide(&[8, 20])?;
    /// assert_eq!((&slid.stride[..], &slid.positions[..]), (&[2, 2][..], &[1, 7][..]));
    /// let network = slid.model.jit(&Weights::synthetic(), &Options::new())?;
    /// let mut session = network.session()?;
    /// let outputs = session.run(&[&vec![0.5; 8 * 20]])?;
    /// assert_eq!(outputs.get("raw").map(|raw| raw.shape), Some(&[2, 1, 7][..]));
    /// # Ok::<(), cnnc::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Slide`] names the layer that has no such answer: one that pads, for a window's border would be zeros
    /// in the window alone and other pixels in the picture.
    pub fn slide(&self, extents: &[usize]) -> Result<Slid, Error> {
        let start = Instant::now();
        let slid = cnnc_compiler::slide::slide(self.graph(), extents)?;
        let inner = cnnc_compiler::Model {
            graph: slid.graph,
            ..self.inner.clone()
        };
        let model = Model {
            inner,
            front: self.front + start.elapsed(),
        };
        Ok(Slid {
            model,
            window: slid.window,
            stride: slid.stride,
            positions: slid.positions,
        })
    }

    /// Compiles the network for this machine and binds it to weights.
    ///
    /// ```
    /// use cnnc::{Options, Weights};
    /// let model = cnnc::compile_str("tiny", "cnn 1; model Tiny { input x: 1x4x4; c: conv 3x3 2; globalavgpool }")?;
    /// let network = model.jit(&Weights::synthetic(), &Options::new().tap("c"))?;
    /// let mut session = network.session()?;
    /// let image = [0.5; 16];
    /// let outputs = session.run(&[&image])?;
    /// assert_eq!(outputs.raw().len(), 2);
    /// assert_eq!(outputs.get("c").map(|tap| tap.shape), Some(&[2, 2, 2][..]));
    /// # Ok::<(), cnnc::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the weights do not fit, a tap does not exist, or this machine lacks the ISA.
    pub fn jit(&self, weights: &Weights, options: &Options) -> Result<Network, Error> {
        let start = Instant::now();
        let isa = options.chosen_isa()?;
        let graph = self.tapped(&options.taps)?;
        let graph = match options.backend {
            Backend::Reference => graph,
            Backend::Interp | Backend::Jit => pass::optimized(graph).0,
        };
        self.bound(graph, isa, weights, options, start)
    }

    /// A graph of this network as it is, bound to weights: no pass runs on it any more.
    pub(crate) fn bound(
        &self,
        graph: Graph,
        isa: Isa,
        weights: &Weights,
        options: &Options,
        start: Instant,
    ) -> Result<Network, Error> {
        let (inputs, outputs) = lower::ports(&graph);
        let graph = Arc::new(graph);
        let built = match options.backend {
            Backend::Reference => Built::reference(Arc::clone(&graph), weights, options),
            Backend::Interp | Backend::Jit => Built::loops(&graph, weights, options, start),
        };
        let built = built.map_err(|error| match error {
            Error::Weights(error) => self.unfit(error, weights),
            error => error,
        })?;
        Ok(Network(Arc::new(Inner {
            name: self.graph().name.clone(),
            graph,
            isa,
            threads: options.threads,
            batch: options.images(),
            runs: built.runs,
            inputs,
            outputs,
            engine: built.engine,
            sections: built.sections,
            choices: built.choices,
            unused: built.read.unused,
            notes: built.read.notes,
            macs: self.graph().macs(),
            compile: self.front + built.compile,
            load: built.load,
        })))
    }
}

/// A network that slides over a larger picture.
#[derive(Clone, Debug)]
pub struct Slid {
    /// The network on the larger picture.
    pub model: Model,
    /// Extents of a window: the picture that the network was written for.
    pub window: Vec<usize>,
    /// From one window to the next, in pixels.
    pub stride: Vec<usize>,
    /// Number of windows along each axis; outputs that were vectors have these extents.
    pub positions: Vec<usize>,
}

/// What [`Model::jit`] makes of a graph.
struct Built {
    engine: Engine,
    sections: Vec<SectionInfo>,
    choices: Vec<Choice>,
    runs: Vec<(Run, Range<usize>)>,
    read: Read,
    compile: Duration,
    load: Duration,
}

impl Built {
    fn reference(graph: Arc<Graph>, weights: &Weights, options: &Options) -> Result<Built, Error> {
        let start = Instant::now();
        let (reference, read) = Reference::new(graph, weights, options)?;
        Ok(Built {
            engine: Engine::Reference(reference),
            sections: Vec::new(),
            choices: Vec::new(),
            runs: Vec::new(),
            read,
            compile: Duration::ZERO,
            load: start.elapsed(),
        })
    }

    fn loops(
        graph: &Graph,
        weights: &Weights,
        options: &Options,
        start: Instant,
    ) -> Result<Built, Error> {
        let mut lowered = lower::lower(graph, &options.target()?);
        let code = match options.backend {
            Backend::Jit => Some(jit::compile(&lowered)?),
            _ => {
                lowered.prove()?;
                None
            }
        };
        let compile = start.elapsed();
        let start = Instant::now();
        let bound = bind(weights, &lowered.plan.sources, options)?;
        let (packed, read) = (
            pack(&lowered.plan, &bound, options.threads)?,
            Read::of(&bound),
        );
        let load = start.elapsed();
        let sections = sections(graph, &lowered);
        let choices = std::mem::take(&mut lowered.choices);
        let runs = lowered
            .plan
            .runs
            .iter()
            .copied()
            .zip(lowered.program.runs());
        let runs = runs.collect();
        let engine = match code {
            None => Engine::Interp {
                lowered: Box::new(lowered),
                packed,
            },
            Some(code) => {
                let keep = Box::new(code.clone());
                // SAFETY: `jit::compile` has proven the program for this plan, and the network keeps the code.
                let network =
                    unsafe { rt::Network::new(lowered.plan, packed, code.drivers(), Some(keep)) };
                let network = Arc::new(network);
                let results = lowered.results;
                Engine::Jit {
                    network,
                    code,
                    results,
                }
            }
        };
        Ok(Built {
            engine,
            sections,
            choices,
            runs,
            read,
            compile,
            load,
        })
    }
}

fn sections(graph: &Graph, lowered: &Lowered) -> Vec<SectionInfo> {
    let mut choices = HashMap::new();
    for (at, choice) in lowered.choices.iter().enumerate() {
        choices.entry(choice.node).or_insert(at);
    }
    let sections = lowered.program.sections.iter();
    sections
        .map(|section| {
            let node = section.node.map(|id| &graph.nodes[id]);
            let at = section.node.and_then(|id| choices.get(&id).copied());
            let schedule = at.map(|at| {
                let choice = &lowered.choices[at];
                &choice.schedules[choice.taken]
            });
            SectionInfo {
                label: section.label.clone(),
                layer: node.map_or_else(|| "copy".to_owned(), |node| written(&*node.layer)),
                macs: node.map_or(0, |node| node.inferred.macs),
                bytes: node.map_or(0, |node| bytes(graph, node)),
                schedule: schedule.map(ToString::to_string),
                winograd: schedule.is_some_and(Schedule::is_winograd),
                choice: at,
            }
        })
        .collect()
}

/// Bytes of a node's operands, result and parameters, each once.
fn bytes(graph: &Graph, node: &Node) -> u64 {
    let values = node.inputs.iter().chain([&node.output]);
    let values = values.map(|&value| graph.values[value].shape.elements());
    let params = node.params.iter();
    let params = params.map(|&param| graph.params[param].shape.iter().product());
    let elements: usize = values.chain(params).sum();
    (elements * size_of::<f32>()) as u64
}
