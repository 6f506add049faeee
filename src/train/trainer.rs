//! Steps on a network's tensors.

use super::error::TrainError;
use super::initial::initial;
use super::random::{Purpose, Random};
use super::recipe::Recipe;
use crate::{Error, Model, Weights};
use cnnc_compiler::graph::{Graph, Param};
use cnnc_compiler::jit::{self, Code};
use cnnc_compiler::lower::lower_step;
use cnnc_compiler::step::{self, Step};
use cnnc_compiler::target::{Arithmetic, Target};
use cnnc_runtime::Isa;
use cnnc_runtime::session::{State, StepSession};
use cnnc_runtime::threads::Pool;
use std::fmt;
use std::time::{Duration, Instant};

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Done {
    /// Mean loss of the samples, before the step.
    pub loss: f64,
    /// How many of them the network had right, before the step.
    pub right: usize,
}

/// A classifier in training: its tensors, what the optimiser keeps, and the compiled steps that change both.
pub struct Trainer {
    step: Step,
    recipe: Recipe,
    isa: Isa,
    state: State,
    compiled: Vec<Compiled>,
    pool: Option<Pool>,
    steps: u64,
    elements: usize,
    classes: usize,
    /// Pixels of the result, each of which has a class.
    pixels: usize,
}

/// The step for so many samples.
struct Compiled {
    samples: usize,
    session: StepSession,
    code: Code,
}

impl Trainer {
    /// A network whose tensors have their first values.
    ///
    /// # Errors
    /// A network that cannot be trained, or a recipe that cannot be followed.
    pub fn new(model: &Model, recipe: &Recipe) -> Result<Trainer, TrainError> {
        let seed = recipe.seed;
        Trainer::begin(model.graph(), recipe, &|param| Ok(initial(param, seed)))
    }

    /// A network that goes on from weights.
    ///
    /// # Errors
    /// As [`Trainer::new`], and weights that do not fit.
    pub fn from_weights(
        model: &Model,
        recipe: &Recipe,
        weights: &Weights,
    ) -> Result<Trainer, TrainError> {
        let sources = model.graph().sources();
        let bound = weights
            .bind(&sources)
            .map_err(|error| model.unfit(error, weights))?;
        Trainer::begin(model.graph(), recipe, &|param| {
            let source = sources.iter().position(|source| source.name == *param.name);
            match source {
                Some(index) => Ok(bound.values(index).map_err(Error::from)?.into_owned()),
                None => Ok(initial(param, recipe.seed)),
            }
        })
    }

    fn begin(
        graph: &Graph,
        recipe: &Recipe,
        values: &dyn Fn(&Param) -> Result<Vec<f32>, TrainError>,
    ) -> Result<Trainer, TrainError> {
        recipe.check()?;
        let [input] = &graph.inputs[..] else {
            let message = format!(
                "`{}` has {} inputs; networks with one can be trained",
                graph.name,
                graph.inputs.len()
            );
            return Err(TrainError::Network(message));
        };
        let shape = &graph.values[input.value].shape;
        // Scales and shifts, of norms and layers, do not decay.
        let of_step = step::Recipe {
            optimizer: &recipe.optimizer,
            trained: &|_| true,
            decayed: &|param| param.shape.len() > 1,
        };
        let step = Step::classifier(graph, &of_step)?;
        let lens = step
            .state
            .iter()
            .map(|&id| step.graph.params[id].elements());
        let mut state = State::new(&lens.collect::<Vec<_>>())?;
        for (index, &id) in step.state[..step.tensors].iter().enumerate() {
            let values = values(&step.graph.params[id])?;
            state.tensor_mut(index).copy_from_slice(&values);
        }
        let raw = &step.graph.values[step.graph.outputs[0].value].shape;
        Ok(Trainer {
            isa: Isa::detect().map_err(Error::from)?,
            elements: shape.elements(),
            classes: raw.channels(),
            pixels: raw.elements() / raw.channels(),
            recipe: recipe.clone(),
            state,
            compiled: Vec::new(),
            pool: (recipe.threads > 1).then(|| Pool::new(recipe.threads)),
            steps: 0,
            step,
        })
    }

    /// Labels that a sample has: one, or one for each pixel of the result.
    pub fn labels(&self) -> usize {
        self.pixels
    }

    /// Steps so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Bytes of tensors and of what the optimiser keeps, and of activations and gradients of the largest step so far.
    pub fn bytes(&self) -> (usize, usize) {
        let steps = self.compiled.iter();
        let bytes = steps.map(|compiled| compiled.session.bytes());
        (self.state.bytes(), bytes.max().unwrap_or(0))
    }

    /// Compiles the step for so many samples, if it is not compiled yet.
    ///
    /// # Errors
    /// When it cannot be compiled, or there is not enough memory.
    pub fn prepare(&mut self, samples: usize) -> Result<(), TrainError> {
        self.session(samples).map(|_| ())
    }

    fn session(&mut self, samples: usize) -> Result<usize, TrainError> {
        let mut compiled = self.compiled.iter();
        if let Some(known) = compiled.position(|compiled| compiled.samples == samples) {
            return Ok(known);
        }
        if samples < self.step.least_images() {
            let message = "a norm whose maps have one pixel cannot learn from a single sample: choose another batch".to_owned();
            return Err(TrainError::Recipe(message));
        }
        let target = Target::new(self.isa, Arithmetic::Fast).batch(samples);
        let Step {
            graph,
            single,
            state,
            ..
        } = &self.step;
        let lowered = lower_step(graph, single, state, &target);
        let code = jit::compile(&lowered).map_err(Error::from)?;
        let driver = code.drivers()[0];
        // SAFETY: the program is proven for its plan, and its code is kept beside the session.
        let session = unsafe { StepSession::new(lowered.plan, driver) }?;
        self.compiled.push(Compiled {
            samples,
            session,
            code,
        });
        Ok(self.compiled.len() - 1)
    }

    /// One step on samples, one behind the other, and their labels, at a rate.
    ///
    /// # Errors
    /// Samples or labels that do not fit, a loss that is not a number, or a step that cannot be compiled.
    pub fn step(&mut self, inputs: &[f32], labels: &[u32], rate: f64) -> Result<Done, TrainError> {
        let samples = labels.len() / self.pixels;
        if samples == 0
            || inputs.len() != samples * self.elements
            || labels.len() != samples * self.pixels
        {
            let message = format!(
                "{} labels and {} numbers are not samples of {} numbers with {} labels each",
                labels.len(),
                inputs.len(),
                self.elements,
                self.pixels
            );
            return Err(TrainError::Recipe(message));
        }
        if let Some(label) = labels.iter().find(|label| **label as usize >= self.classes) {
            let message = format!(
                "the class {label} is none of the network's {}",
                self.classes
            );
            return Err(TrainError::Recipe(message));
        }
        let number = self.session(samples)?;
        let session = &mut self.compiled[number].session;
        session.input_mut(0).copy_from_slice(inputs);
        let smooth = self.recipe.smoothing;
        let spread = (smooth / self.classes as f64) as f32;
        for (index, &rate) in self.step.masks.iter().enumerate() {
            let which = [self.steps, index as u64].map(u64::to_le_bytes).concat();
            let mut random = Random::new(self.recipe.seed, Purpose::Mask, &which);
            let stays = (1.0 / (1.0 - rate)) as f32;
            for element in session.input_mut(1 + index) {
                *element = if random.unit() < rate { 0.0 } else { stays };
            }
        }
        let first = 1 + self.step.masks.len();
        let (target, pixels) = (session.input_mut(first), self.pixels);
        target.fill(spread);
        for (index, &label) in labels.iter().enumerate() {
            let (sample, pixel) = (index / pixels, index % pixels);
            let at = (sample * self.classes + label as usize) * pixels + pixel;
            target[at] = (1.0 - smooth) as f32 + spread;
        }
        session.input_mut(first + 1)[0] = 1.0 / samples as f32;
        self.steps += 1;
        for (index, &factors) in self.step.factors.iter().enumerate() {
            let optimizer = &self.recipe.optimizer;
            let values = self
                .step
                .factors_of(factors, optimizer, rate, self.steps, samples);
            for (to, value) in session.input_mut(first + 2 + index).iter_mut().zip(values) {
                *to = value as f32;
            }
        }
        session.run(&mut self.state, self.pool.as_ref());
        let losses = session.output(1).iter().map(|&loss| f64::from(loss));
        let loss = losses.sum::<f64>() / samples as f64;
        let right = count_right(session.output(0), labels, self.classes, pixels);
        match loss.is_finite() {
            true => Ok(Done { loss, right }),
            false => Err(TrainError::NotFinite {
                epoch: 0,
                step: self.steps,
                tensor: self.not_finite(),
            }),
        }
    }

    /// Takes the last step of so many samples once more, part by part, and says how long each took. Parts that belong to a layer are called by it.
    ///
    /// # Errors
    /// A step that cannot be compiled.
    pub fn profile(&mut self, samples: usize) -> Result<Vec<(String, Duration)>, TrainError> {
        let number = self.session(samples)?;
        let Compiled { session, code, .. } = &mut self.compiled[number];
        let mut parts = Vec::new();
        session.run_in_pieces(&mut self.state, self.pool.as_ref(), |bases, pool| {
            for section in code.sections() {
                let start = Instant::now();
                // SAFETY: the sections in their order are what the driver calls, on the same memory.
                unsafe { section.run(bases, pool) };
                let node = section.node.map(|node| &self.step.graph.nodes[node]);
                let name = match node {
                    Some(node) if section.label == node.label => {
                        format!("{} {}", of_layer(&node.label), node.layer.keyword())
                    }
                    // What is made ready for it.
                    Some(node) => format!("{} packing", of_layer(&node.label)),
                    None => section.label.clone(),
                };
                parts.push((name, start.elapsed()));
            }
        });
        Ok(parts)
    }

    /// The first tensor with something that is not finite.
    fn not_finite(&self) -> Option<String> {
        let mut tensors = self.tensors();
        let found = tensors.find(|(_, values)| values.iter().any(|value| !value.is_finite()));
        found.map(|(param, _)| param.name.clone())
    }

    /// The network's tensors as they are now.
    pub fn tensors(&self) -> impl Iterator<Item = (&Param, &[f32])> {
        self.all().take(self.step.tensors)
    }

    /// The same, and behind them what the optimiser keeps.
    fn all(&self) -> impl Iterator<Item = (&Param, &[f32])> {
        let ids = self.step.state.iter().enumerate();
        ids.map(|(index, &id)| (&self.step.graph.params[id], self.state.tensor(index)))
    }

    /// Everything that steps change, by name: the tensors, and what the optimiser keeps of each.
    ///
    /// # Errors
    /// As [`Trainer::weights`].
    pub fn state(&self) -> Result<Weights, TrainError> {
        weights(self.all())
    }

    /// Goes on from such a state, after so many steps.
    ///
    /// # Errors
    /// A state that lacks a tensor, or has one of another shape.
    pub fn restore(&mut self, state: &Weights, steps: u64) -> Result<(), TrainError> {
        for (index, &id) in self.step.state.iter().enumerate() {
            let param = &self.step.graph.params[id];
            let tensor = state.get(&param.name);
            let tensor = tensor.filter(|tensor| *tensor.shape == *param.shape);
            let tensor = tensor.ok_or_else(|| {
                let message = format!(
                    "{} has no `{}` of this network's shape: it is the state of another one",
                    state.origin(),
                    param.name
                );
                TrainError::Network(message)
            })?;
            let values = tensor.to_f32().map_err(Error::from)?;
            self.state.tensor_mut(index).copy_from_slice(&values);
        }
        self.steps = steps;
        Ok(())
    }

    /// The same as weights of the network.
    ///
    /// # Errors
    /// Never, but for a network with two tensors of one name.
    pub fn weights(&self) -> Result<Weights, TrainError> {
        weights(self.tensors().filter(|(param, _)| param.literal.is_none()))
    }
}

/// Tensors as weights.
fn weights<'t>(
    tensors: impl Iterator<Item = (&'t Param, &'t [f32])>,
) -> Result<Weights, TrainError> {
    let named = tensors.map(|(param, values)| (&*param.name, &*param.shape, values));
    Ok(Weights::from_tensors(named).map_err(Error::from)?)
}

/// The layer that a label is of.
fn of_layer(label: &str) -> &str {
    label.split('~').next().unwrap_or(label)
}

/// How many of the labels are the largest element of their pixel, the first of equal ones.
pub(super) fn count_right(raw: &[f32], labels: &[u32], classes: usize, pixels: usize) -> usize {
    let is_right = |(index, label): (usize, &u32)| {
        let (sample, pixel) = (index / pixels, index % pixels);
        let at = |class: usize| raw[(sample * classes + class) * pixels + pixel];
        let mut best = 0;
        for class in 1..classes {
            if at(class) > at(best) {
                best = class;
            }
        }
        best == *label as usize
    };
    labels.iter().enumerate().filter(|&of| is_right(of)).count()
}

impl fmt::Debug for Trainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trainer({}, {} steps)", self.step.graph.name, self.steps)
    }
}
