//! From syntax trees to a [`Graph`]: words get their meaning, loops and blocks are expanded, shapes inferred.
//!
//! | file | what |
//! |---|---|
//! | `program` | imports; which blocks and presets there are |
//! | `model`, `input`, `head`, `expect`, `training` | what stands directly in a model; `clauses` is what may stand in `train` |
//! | `project` | what a head adds to the network |
//! | `settings`, `defaults` | lists of keys; values of parameters that layers leave open |
//! | `statement` | loops, conditions, groups, scopes |
//! | `chain` | the words of a chain, one layer after the other |
//! | `element` | chains as values, passed to blocks |
//! | `args` | which words belong to a layer |
//! | `join` | branches and residuals |
//! | `call` | blocks, shared networks, tensors as operands |
//! | `constant` | names for values, by `let` |
//! | `blind` | what is written and never expanded |
//! | `apply` | one layer on its operands: shapes and parameters |
//! | `misread` | shapes of inputs as other frameworks have them |
//! | `unknown` | words that are nothing: what was meant |
//! | `value`, `operation`, `variables` | constant expressions and the names in them |
//! | `kinds` | which values parameters take |
//! | `uses` | which values are used, and which are dropped |
//! | `label`, `weights`, `pattern` | names of nodes and of their tensors in files |
//!
//! One mistake is one diagnostic: what fails yields `Tensor::Unknown`, and whatever is applied to it is
//! unknown in silence. Work is bounded: every step of expansion is counted.

mod apply;
mod args;
mod blind;
mod call;
mod chain;
mod clauses;
mod constant;
mod defaults;
mod element;
mod expect;
mod expression;
mod habit;
mod head;
mod input;
mod join;
mod kinds;
mod label;
mod misread;
mod model;
mod operation;
mod pattern;
mod pictures;
mod program;
mod project;
mod section;
mod settings;
mod statement;
mod training;
mod tuning;
mod unknown;
mod uses;
mod value;
mod variables;
mod weights;

pub use clauses::{CLAUSES, ClauseDecl, LATER_LOSSES, OPTIMIZERS};
pub use expect::EXPECTED;
pub use input::INPUT_SETTINGS;
pub use kinds::describe;
pub use tuning::{PHRASES, PhraseDecl};

use crate::ast::{Body, Name};
use crate::diagnostic::{Diagnostic, Diagnostics, Files, Problems, codes};
use crate::foreign;
use crate::graph::Graph;
use crate::id::{Id, NodeId, ParamId, ValueId};
use crate::limits;
use crate::outline::{self, Kind, Outline};
use crate::recipe::{Goal, Recipe};
use crate::span::Span;
use crate::words;
use cnnc_runtime::weights::Weights;
use defaults::Defaults;
use label::{Component, Naming};
use program::Program;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use value::{Mark, Value};
use variables::Variables;

/// Longest path of a label.
const MAX_LABEL: usize = 512;
/// What a mistake counts as.
const ERROR_STEPS: usize = 10_000;

/// A network that has been read and checked.
#[derive(Clone, Debug)]
pub struct Model {
    /// The network.
    pub graph: Graph,
    /// Which block, loop or branch made which of its layers.
    pub outline: Outline,
    /// What may not be meant.
    pub warnings: Diagnostics,
    /// Every file that was read beside the spec: imports and label lists.
    pub files: Vec<PathBuf>,
    /// Names of tensors in weights files that a pair of `weights map` has made, and the pair as it is written.
    pub pairs: HashMap<String, String>,
    /// Names that `weights torchvision` would give, where the spec has no rule for names and they are others.
    pub torchvision: Vec<(ParamId, String)>,
    /// What the `train` section says, if there is one.
    pub recipe: Option<Recipe>,
    /// What it must be right in, once it has been trained.
    pub goals: Vec<Goal>,
}

impl Model {
    /// Whether tensors that are missing in a file would be there under the names of `weights torchvision`.
    pub fn is_torchvisions(&self, weights: &Weights) -> bool {
        if self.torchvision.is_empty() {
            return false;
        }
        let theirs = self.torchvision.iter();
        let theirs: HashMap<ParamId, &str> = theirs.map(|(id, name)| (*id, &**name)).collect();
        let sources = self.graph.sources_named(|id| {
            let own = &self.graph.params[id].name;
            theirs.get(&id).copied().unwrap_or(own)
        });
        weights.bind(&sources).is_ok()
    }
}

/// What is said of weights for which [`Model::is_torchvisions`].
pub const TORCHVISION: &str = "with `weights torchvision` in the model all names fit";

/// Compiles the text of a spec. `path` is what diagnostics call it, and what imports and label files are relative to.
///
/// # Errors
/// Every mistake that was found.
pub fn compile_source(
    files: &mut Files,
    path: impl AsRef<Path>,
    text: &str,
) -> std::result::Result<Model, Diagnostics> {
    let mut problems = Problems::default();
    let program = Program::load(files, path.as_ref(), text, &mut problems);
    let mut resolver = Resolver::new(&program, files, problems);
    let graph = resolver.model();
    let problems = std::mem::take(&mut resolver.problems);
    let outline = std::mem::take(&mut resolver.outline).finish();
    let pairs = resolver.named_pairs();
    let torchvision = std::mem::take(&mut resolver.torchvision);
    let recipe = resolver.recipe.take();
    let goals = std::mem::take(&mut resolver.goals);
    let failed = problems.failed();
    let problems = Diagnostics::new(problems.into_items(), files);
    match graph {
        Some(graph) if !failed => Ok(Model {
            graph,
            outline,
            warnings: problems,
            files: files.read().to_vec(),
            pairs,
            torchvision,
            recipe,
            goals,
        }),
        _ => Err(problems),
    }
}

/// Compiles a spec from the file system.
///
/// # Errors
/// The file cannot be read, or has mistakes.
pub fn compile_file(path: impl AsRef<Path>) -> std::result::Result<Model, Diagnostics> {
    compile_from(&mut Files::default(), path.as_ref())
}

/// Compiles a spec from where these files come from.
///
/// # Errors
/// The file cannot be read, or has mistakes.
pub fn compile_from(files: &mut Files, path: &Path) -> std::result::Result<Model, Diagnostics> {
    match files.load(path) {
        Ok(text) => compile_source(files, path, &text),
        Err(why) => {
            let message = format!("`{}` cannot be read: {why}", path.display());
            let unread = || Diagnostic::without_span(codes::READ, message);
            let problem = foreign::file::unreadable(path).unwrap_or_else(unread);
            Err(Diagnostics::new(vec![problem], files))
        }
    }
}

/// The mistake has been reported.
#[derive(Clone, Copy, Debug)]
struct Reported;

type Result<T> = std::result::Result<T, Reported>;

/// A tensor while the network is built.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Tensor {
    Known(ValueId),
    /// What should have made it has been complained about.
    Unknown,
}

impl Tensor {
    /// The value, if it is known.
    fn known(self) -> Option<ValueId> {
        match self {
            Tensor::Known(value) => Some(value),
            Tensor::Unknown => None,
        }
    }
}

/// The constant that is the number of channels.
const CHANNELS: &str = "channels";

/// A shared network.
struct SharedNet<'a> {
    name: &'a Name,
    params: &'a [Name],
    body: &'a Body,
    /// Variables where it is defined; they are there as long as it is.
    variables: Mark,
    /// Where its weights live.
    weights: Vec<Component>,
    /// The parameters that its first call has made, in order.
    record: Option<Vec<ParamId>>,
    calls: usize,
}

/// What is known of a node beside the graph: how it, and the parameters it made, will be called.
struct Note {
    label: Naming,
    weights: Naming,
    /// Where the label is written, or the layer.
    span: Span,
    /// Whether its path begins with the indices of two unlabelled loops.
    staged: bool,
}

/// A call of a shared network that is being expanded.
struct SharedCall {
    net: usize,
    /// Parameters made by this call, or the position in those of the first.
    made: Vec<ParamId>,
    replay: Option<usize>,
    span: Span,
}

/// A value that a chain did not go on from: a call of a layer on other tensors stands behind it.
struct Dropped {
    value: ValueId,
    /// The call.
    span: Span,
    /// Whether the layer takes one more operand.
    open: bool,
    /// The node behind those of the call.
    next: NodeId,
}

struct Resolver<'a> {
    program: &'a Program,
    files: &'a mut Files,
    problems: Problems,
    graph: Graph,
    outline: outline::Writer,
    /// Where inputs are written.
    input_spans: HashMap<ValueId, Span>,
    /// An input whose shape may have been meant otherwise.
    odd: Option<misread::Odd>,
    /// What is known of each node beside the graph.
    notes: Vec<Note>,
    owned: Vec<(ParamId, NodeId)>,
    /// How the model's weights are called in files.
    rules: weights::Rules,
    /// Names that a pair of a map has made, and where the pair stands.
    by_pair: Vec<(String, Span)>,
    /// What `weights torchvision` would name otherwise.
    torchvision: Vec<(ParamId, String)>,
    /// Labelled tensors by path.
    tensors: HashMap<String, Tensor>,
    input_count: usize,
    /// Current value of the chain.
    current: Option<Tensor>,
    /// Values that a chain has gone on from.
    chained: HashSet<ValueId>,
    dropped: Vec<Dropped>,
    variables: Variables<'a>,
    /// Bodies that are being expanded within one another.
    bodies: Vec<&'a Body>,
    defaults: Defaults,
    shared: Vec<SharedNet<'a>>,
    recipe: Option<Recipe>,
    /// What it names of the network.
    patterns: Vec<tuning::Pattern>,
    goals: Vec<Goal>,
    /// Where in the list a shared network is, by its name.
    shared_names: HashMap<&'a str, usize>,
    calls: Vec<SharedCall>,
    /// Chains that are values of variables and are being expanded.
    steps_around: usize,
    /// Blocks that are being expanded.
    active: Vec<&'a str>,
    /// Where labels and weights are, as paths.
    labels: Vec<Component>,
    weights: Vec<Component>,
    /// Lengths of both paths where the current block begins.
    entry: (usize, usize),
    /// Work that has been done. Looking something up is work, too.
    steps: Cell<usize>,
    /// Bodies and choices that have been looked at, expanded or blindly.
    seen: HashSet<Span>,
    /// Set while statements are checked that nothing expands: what labels named before them.
    blind: Option<Vec<(String, Option<Tensor>)>>,
    elements: u64,
    parameters: u64,
    pieces: usize,
    /// Operands of all layers so far.
    operands: usize,
    /// The statement that is being expanded.
    here: Option<Span>,
    /// Where the blocks and shared networks around it are called.
    called_at: Vec<Span>,
    /// A limit was reached: nothing more is expanded.
    halted: bool,
    /// Something is unknown: totals mean nothing.
    incomplete: bool,
    /// The same label twice, by a block that is called twice, has been complained about.
    repeated: bool,
}

impl<'a> Resolver<'a> {
    fn new(program: &'a Program, files: &'a mut Files, problems: Problems) -> Self {
        let incomplete = problems.failed();
        Resolver {
            program,
            files,
            problems,
            graph: Graph::default(),
            outline: outline::Writer::default(),
            input_spans: HashMap::new(),
            odd: None,
            notes: Vec::new(),
            torchvision: Vec::new(),
            rules: weights::Rules::default(),
            by_pair: Vec::new(),
            owned: Vec::new(),
            tensors: HashMap::new(),
            input_count: 0,
            current: None,
            chained: HashSet::new(),
            dropped: Vec::new(),
            variables: Variables::default(),
            bodies: Vec::new(),
            defaults: Defaults::default(),
            shared: Vec::new(),
            recipe: None,
            patterns: Vec::new(),
            goals: Vec::new(),
            shared_names: HashMap::new(),
            calls: Vec::new(),
            steps_around: 0,
            active: Vec::new(),
            labels: Vec::new(),
            weights: Vec::new(),
            entry: (0, 0),
            steps: Cell::new(0),
            seen: HashSet::new(),
            blind: None,
            elements: 0,
            parameters: 0,
            pieces: 0,
            operands: 0,
            here: None,
            called_at: Vec::new(),
            halted: false,
            incomplete,
            repeated: false,
        }
    }

    /// Records a mistake.
    fn error(&mut self, mut problem: Diagnostic) -> Reported {
        self.incomplete = true;
        // A mistake in a loop is found in every turn, and suggestions take time.
        self.charge(ERROR_STEPS);
        if let (Some(&call), Some(span)) = (self.called_at.last(), problem.span)
            && !(call.file == span.file && call.start <= span.start && span.end <= call.end)
        {
            problem = problem.also(call, "in this call");
        }
        self.problems.push(problem);
        Reported
    }

    fn warn(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    /// Runs what makes a part of the outline.
    fn part<T>(
        &mut self,
        kind: Kind,
        name: String,
        span: Span,
        run: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let first = self.next_node().index();
        self.outline.open(kind, name, span, first);
        let result = run(self);
        let end = self.next_node().index();
        self.outline.close(end);
        result
    }

    /// Counts work that is done in any case.
    fn charge(&self, steps: usize) {
        self.steps.set(self.steps.get().saturating_add(steps));
    }

    /// Whether more work has been done than may be.
    fn spent(&self) -> bool {
        self.steps.get() > limits::STEPS
    }

    /// Counts work, which is not to be done if it is too much.
    fn spend(&mut self, steps: usize) -> Result<()> {
        self.charge(steps);
        if self.spent() {
            let most = words::grouped(limits::STEPS);
            let message = format!("the spec expands to more than {most} steps");
            return Err(self.halt(message));
        }
        if self.halted { Err(Reported) } else { Ok(()) }
    }

    /// Stops expanding, with one error.
    fn halt(&mut self, message: String) -> Reported {
        // After a mistake it may be only because of that.
        if !std::mem::replace(&mut self.halted, true) && !self.incomplete {
            let problem = match self.here {
                Some(span) => Diagnostic::new(codes::LIMIT, span, message),
                None => Diagnostic::without_span(codes::LIMIT, message),
            };
            self.error(problem.label("while this is expanded"));
        }
        Reported
    }

    /// Offers the nearest of the known words, or lists them all; the more there are, the more work it is.
    fn suggest(
        &mut self,
        problem: Diagnostic,
        word: &str,
        span: Span,
        what: &str,
        known: &[String],
    ) -> Diagnostic {
        let known = known.iter().map(String::as_str);
        self.charge(words::effort(word, known.clone()));
        problem.suggest(word, span, what, known)
    }

    /// What a message quotes of the spec.
    fn quoted(&self, span: Span) -> String {
        words::excerpt(self.files.slice(span))
    }

    fn find_variable(&self, name: &str) -> Option<Value<'a>> {
        let found = self.variables.find(name)?;
        Some(match (&self.blind, found) {
            (Some(_), Value::Chain(_)) | (None, _) => found.clone(),
            (Some(_), _) => Value::Unknown,
        })
    }

    /// Whether the word is a variable whose value is a chain.
    fn is_chain(&self, word: &str) -> bool {
        matches!(self.variables.find(word), Some(Value::Chain(_)))
    }

    /// A variable, or `channels`: how many the value has that the chain has reached.
    fn find_constant(&self, name: &str) -> Option<Value<'a>> {
        let variable = self.find_variable(name);
        variable.or_else(|| (name == CHANNELS).then(|| self.channels())?)
    }

    fn channels(&self) -> Option<Value<'a>> {
        Some(match self.current? {
            Tensor::Known(value) => Value::Int(self.graph.values[value].shape.channels() as i64),
            Tensor::Unknown => Value::Unknown,
        })
    }

    /// Gives a variable of a loop its value.
    fn bind(&mut self, name: &Name, value: Value<'a>) -> Result<()> {
        let first = self.variables.place_of_fixed(&name.value);
        self.may_name(name, first)?;
        self.variables.push(name, value);
        Ok(())
    }

    /// Whether the word starts something in a chain.
    fn is_callable(&self, word: &str) -> bool {
        crate::layer::find(word).is_some()
            || self.program.block(word).is_some()
            || self.is_shared(word)
            || self.is_chain(word)
            || self.knows_tensor(word)
    }
}
