//! A training step as a graph: the network, its loss, the gradients, and what an optimiser makes of the tensors.
//!
//! ```text
//! inputs ──▶ network ──▶ raw ──▶ loss ◀── targets         of each image
//!               ▲          d(loss) ──┐
//!           [weights] ◀── update ◀── gradients             one for all images
//!                           ▲
//!                        factors                           rates, momenta: read in each step, so that they may change
//! ```
//!
//! [`lower_step`](crate::lower::lower_step) makes one program of it, and [`Step::evaluate`] is its definition in f64.

mod cut;
mod evaluate;
mod form;
mod gradients;
mod optimizer;
mod picture;
mod split;

pub use crate::recipe::{Method, Optimizer};
pub use cut::Cut;
pub use evaluate::Evaluated;
pub use optimizer::Factors;
pub use picture::{Cost, NoPicture, on_picture};

use crate::gradient::{NoGradient, Wanted, differentiate};
use crate::graph::{self, Def, Graph, Output, Param};
use crate::id::{ParamId, ValueId};
use crate::loss::{Loss, Terms, cross_entropy};
use crate::op::batch_sum::BatchSum;
use crate::op::update::Update;
use crate::span::Span;
use cnnc_runtime::kernel::Rule;
use form::Form;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

/// Share of the batch in running statistics, as PyTorch has it.
const MOMENTUM: f64 = 0.1;

/// What a step does with the tensors of a network.
#[derive(Clone, Copy)]
pub struct Recipe<'r> {
    /// How they are changed.
    pub optimizer: &'r Optimizer,
    /// Which of them are.
    pub trained: &'r dyn Fn(&Param) -> bool,
    /// Which of these decay.
    pub decayed: &'r dyn Fn(&Param) -> bool,
}

/// A training step of a network.
#[derive(Clone, Debug)]
pub struct Step {
    /// The graph. Its inputs are those of the network, masks, the targets, the cotangent of the loss, and then the factors of the optimiser; its outputs are
    /// the network's raw output and the loss of each image.
    pub graph: Graph,
    /// The values that are one for all images.
    pub single: HashSet<ValueId>,
    /// What stays from step to step, in order: the network's tensors, and behind them those of the optimiser.
    pub state: Vec<ParamId>,
    /// How many of them are the network's.
    pub tensors: usize,
    /// The tensors that an optimiser changes, and their gradients, as vectors and of the whole batch.
    pub gradients: Vec<(ParamId, ValueId)>,
    /// The factors that the inputs behind the cotangent are.
    pub factors: Vec<Factors>,
    /// How likely the elements of each mask are to be dropped; masks are the inputs behind the network's. An element that stays is one over the
    /// probability that it does, all others are 0.
    pub masks: Vec<f64>,
    /// How many targets the loss has.
    pub targets: usize,
    /// How many cotangents there are behind them: one for each cost of a picture, else that of the loss.
    pub cotangents: usize,
    /// The network's outputs that the loss reads.
    pub made: Vec<ValueId>,
    /// The running variance of the first norm whose maps have one pixel.
    pub pixel: Option<ParamId>,
}

/// Why a network cannot be trained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untrainable {
    /// A layer has no gradient.
    Gradient(NoGradient),
    /// A layer whose gradient no loops compute.
    Loops {
        /// Its label.
        label: String,
        /// Its keyword.
        keyword: &'static str,
        /// Where it is written.
        span: Span,
    },
    /// Nothing is left to train.
    Nothing,
}

impl fmt::Display for Untrainable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Untrainable::Gradient(error) => error.fmt(f),
            Untrainable::Loops { label, keyword, .. } => {
                write!(
                    f,
                    "`{label}` cannot be trained: `{keyword}` has no compiled gradient yet"
                )
            }
            Untrainable::Nothing => f.write_str("no tensor is left to train"),
        }
    }
}

impl std::error::Error for Untrainable {}

impl From<NoGradient> for Untrainable {
    fn from(error: NoGradient) -> Untrainable {
        Untrainable::Gradient(error)
    }
}

impl Step {
    /// A step on the cross-entropy of the network's raw output with dense targets of its shape.
    ///
    /// # Errors
    /// As [`Step::new`].
    pub fn classifier(network: &Graph, recipe: &Recipe<'_>) -> Result<Step, Untrainable> {
        let loss = crate::recipe::Loss::new(cross_entropy::DECL.name);
        Step::new(
            network,
            &*(cross_entropy::DECL.build)(&loss, network),
            recipe,
        )
    }

    /// A step on a loss of the network's raw output, which fits it.
    ///
    /// # Errors
    /// A layer that cannot be trained, or nothing to train.
    pub fn new(network: &Graph, loss: &dyn Loss, recipe: &Recipe<'_>) -> Result<Step, Untrainable> {
        let mut forward = network.clone();
        (forward.head, forward.names) = (None, Vec::new());
        forward.outputs.truncate(loss.outputs());
        crate::pass::run(
            &crate::pass::remove_dead(),
            &mut forward,
            &mut Default::default(),
        );
        let made: Vec<ValueId> = forward.outputs.iter().map(|output| output.value).collect();
        let raw = made[0];
        let Form {
            graph: mut forward,
            moving,
            masks,
        } = Form::of(&forward, recipe.trained)?;
        let mut terms = Terms::of(&mut forward, made.clone());
        let value = loss.push(&mut terms);
        let targets = terms.targets();
        forward.outputs.truncate(1);
        forward.outputs[0].value = value;
        let wanted = Wanted {
            inputs: 0,
            params: recipe.trained,
        };
        let (mut graph, gradients) = differentiate(&forward, &wanted)?.into_parts();
        let output = |name: &str, value| Output {
            name: name.to_owned(),
            value,
        };
        graph.outputs = vec![output("raw", raw), output("loss", value)];
        let cotangent = graph.inputs.len() - 1;
        graph.inputs[cotangent].name = "d(loss)".to_owned();
        if gradients.is_empty() {
            return Err(Untrainable::Nothing);
        }
        let shared: Vec<ValueId> = vec![graph.inputs[cotangent].value];
        let mut step = Step::of(graph, masks, &shared);
        (step.targets, step.made) = (targets, made);
        let running = moving.iter().map(|moving| moving.statistic);
        step.keep(running.collect());
        for (param, gradient) in gradients {
            let gradient = step.of_batch(gradient);
            step.gradients.push((param, gradient));
            let decayed = (recipe.decayed)(&step.graph.params[param]);
            recipe.optimizer.update(&mut step, param, gradient, decayed);
        }
        step.move_statistics(moving);
        let factors = step.graph.inputs[cotangent + 1..]
            .iter()
            .map(|input| input.value);
        let shared: Vec<ValueId> = shared.into_iter().chain(factors).collect();
        crate::pass::fuse(&mut step.graph);
        step.sort_values(&shared);
        step.verified()?;
        Ok(step)
    }

    /// Holds it against what a graph is, and checks that loops compute all of it.
    fn verified(&self) -> Result<(), Untrainable> {
        if let Err(problems) = graph::verify(&self.graph) {
            panic!(
                "the step of {} is broken: {}",
                self.graph.name,
                problems.join("; ")
            );
        }
        self.has_loops()
    }

    /// A step that changes nothing yet.
    fn of(graph: Graph, masks: Vec<f64>, shared: &[ValueId]) -> Step {
        let mut step = Step {
            single: HashSet::new(),
            state: Vec::new(),
            tensors: 0,
            gradients: Vec::new(),
            factors: Vec::new(),
            masks,
            targets: 0,
            cotangents: 1,
            made: Vec::new(),
            pixel: None,
            graph,
        };
        step.sort_values(shared);
        step
    }

    /// Keeps these tensors and those that nodes have.
    fn keep(&mut self, mut tensors: BTreeSet<ParamId>) {
        let nodes = self.graph.live();
        tensors.extend(nodes.flat_map(|(_, node)| node.params.iter().copied()));
        self.tensors = tensors.len();
        self.state.extend(tensors);
    }

    /// The gradient of the whole batch.
    fn of_batch(&mut self, gradient: ValueId) -> ValueId {
        if self.single.contains(&gradient) {
            return gradient;
        }
        let label = format!("batch~{}", self.graph.nodes.len());
        self.graph.apply(BatchSum, &[gradient], &label)
    }

    /// Moves running statistics, each as often as its norm is called.
    fn move_statistics(&mut self, moving: Vec<form::Moving>) {
        let mut now: BTreeMap<ParamId, ValueId> = BTreeMap::new();
        for form::Moving {
            statistic,
            towards,
            factors,
        } in moving
        {
            if matches!(factors, Factors::Variance { pixels: 1 }) {
                self.pixel.get_or_insert(statistic);
            }
            let graph = &mut self.graph;
            let old = now.get(&statistic).copied();
            let old = old.unwrap_or_else(|| graph.push_param(statistic));
            let factors = self.factors_input(factors, Rule::Blend);
            let name = &self.graph.params[statistic].name;
            let label = format!("{name}~{}", self.graph.nodes.len());
            let operands = [old, towards, factors];
            let new = self.graph.apply(Update(Rule::Blend), &operands, &label);
            now.insert(statistic, new);
        }
        self.graph.stores.extend(now);
    }

    /// The numbers that an input of factors holds: in step number `step`, from 1, at a rate, for so many images.
    pub fn factors_of(
        &self,
        of: Factors,
        optimizer: &Optimizer,
        rate: f64,
        step: u64,
        images: usize,
    ) -> Vec<f64> {
        match of {
            Factors::Stage { decayed, stage } => optimizer.factors(decayed, stage, rate, step),
            Factors::Mean => vec![1.0 - MOMENTUM, MOMENTUM],
            Factors::Variance { pixels } => {
                let count = (images * pixels) as f64;
                vec![1.0 - MOMENTUM, MOMENTUM * count / (count - 1.0)]
            }
        }
    }

    /// Which input is the first target; the cotangents are behind the last one.
    pub fn first_target(&self) -> usize {
        self.graph.inputs.len() - self.factors.len() - self.cotangents - self.targets
    }

    /// The number of images below which a norm would have a single element to normalise.
    pub fn least_images(&self) -> usize {
        match self.pixel {
            Some(_) => 2,
            None => 1,
        }
    }

    /// Finds out which values are one for all images: tensors, what is named, what layers add up over images, and what is made of nothing else.
    fn sort_values(&mut self, shared: &[ValueId]) {
        let mut single: HashSet<ValueId> = shared.iter().copied().collect();
        let params = self.graph.values.iter();
        single.extend(
            params.filter_map(|(id, value)| matches!(value.def, Def::Param(_)).then_some(id)),
        );
        for (_, node) in self.graph.live() {
            if node.layer.reduces() || node.inputs.iter().all(|value| single.contains(value)) {
                single.insert(node.output);
            }
        }
        self.single = single;
    }

    /// Checks that loops compute all of it.
    fn has_loops(&self) -> Result<(), Untrainable> {
        let mut nodes = self.graph.live();
        match nodes.find(|(_, node)| node.layer.lowering().is_none()) {
            None => Ok(()),
            Some((_, node)) => {
                let of = node.label.split('~').next().unwrap_or(&node.label);
                let of_label = |other: &&graph::Node| other.label == of;
                let layer = self.graph.live().map(|(_, node)| node).find(of_label);
                Err(Untrainable::Loops {
                    label: of.to_owned(),
                    keyword: layer.unwrap_or(node).layer.keyword(),
                    span: node.span,
                })
            }
        }
    }
}
