//! A network in training: its tensors, what the optimiser keeps, and what it is judged by.

use super::compiled::Compiled;
use super::data::{Known, Samples};
use super::draw::pairs_can_be_drawn;
use super::error::TrainError;
use super::initial::{first_values, initial};
use super::mask::Drawn;
use super::measure::Score;
use super::recipe::Recipe;
use crate::{Error, Model, Weights};
use cnnc_compiler::graph::{Graph, Param};
use cnnc_compiler::loss::{self, Batch, Loss, Measure};
use cnnc_compiler::recipe;
use cnnc_compiler::shape::Shape;
use cnnc_compiler::step::{self, Step};
use cnnc_compiler::tuning;
use cnnc_runtime::Isa;
use cnnc_runtime::session::State;
use cnnc_runtime::threads::Pool;
use std::collections::BTreeSet;
use std::fmt;

/// A network in training: its tensors, what the optimiser keeps, and the compiled steps that change both.
pub struct Trainer {
    pub(super) step: Step,
    pub(super) recipe: Recipe,
    pub(super) isa: Isa,
    pub(super) state: State,
    pub(super) compiled: Vec<Compiled>,
    pub(super) pool: Option<Pool>,
    pub(super) steps: u64,
    /// The samples of the next step, if they are known.
    pub(super) drawn: Option<Drawn>,
    /// Steps before the optimiser began.
    pub(super) anew: u64,
    /// Numbers of each input.
    pub(super) inputs: Vec<usize>,
    /// What is made small, as it is written and as it works.
    pub(super) loss: (recipe::Loss, Box<dyn Loss>),
    /// Shape of the raw output.
    pub(super) output: Shape,
    /// The targets of the last step.
    pub(super) targets: Vec<Vec<f64>>,
    /// What the network made of its samples.
    pub(super) score: Score,
}

/// Bytes that a network in training takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Tensors of the network.
    pub parameters: usize,
    /// What the optimiser keeps of them.
    pub optimizer: usize,
    /// Activations and gradients, and what is made of tensors for a step, of the largest step so far.
    pub step: usize,
}

impl Trainer {
    /// A network whose tensors have their first values.
    ///
    /// # Errors
    /// A network that cannot be trained, or a recipe that cannot be followed.
    pub fn new(model: &Model, recipe: &Recipe) -> Result<Trainer, TrainError> {
        let values = first_values(model, recipe)?;
        let frozen = recipe.tuning.frozen(model.graph(), 0);
        Trainer::begin(model.graph(), recipe, &frozen, &values)
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
        let frozen = recipe.tuning.frozen(model.graph(), 0);
        Trainer::begin(model.graph(), recipe, &frozen, &|param| {
            let source = sources.iter().position(|source| source.name == *param.name);
            match source {
                Some(index) => Ok(bound.values(index).map_err(Error::from)?.into_owned()),
                None => Ok(initial(param, recipe.seed)),
            }
        })
    }

    /// A network some of whose tensors stay as they are, with values of all of them.
    pub(super) fn begin(
        graph: &Graph,
        recipe: &Recipe,
        frozen: &BTreeSet<String>,
        values: &dyn Fn(&Param) -> Result<Vec<f32>, TrainError>,
    ) -> Result<Trainer, TrainError> {
        recipe.check()?;
        let inputs = graph.inputs.iter();
        let inputs = inputs.map(|input| graph.values[input.value].shape.elements());
        let spared = tuning::named(graph, &recipe.tuning.spared);
        // Scales and shifts, of norms and layers, do not decay.
        let of_step = step::Recipe {
            optimizer: &recipe.optimizer,
            trained: &|param| !frozen.contains(&param.name),
            decayed: &|param| param.shape.len() > 1 && !spared.contains(&param.name),
        };
        let written = match &recipe.loss {
            Some(loss) => loss.clone(),
            None => recipe::Loss::new(loss::usual(graph).map_err(TrainError::Network)?.name),
        };
        let loss = loss::build(graph, &written).map_err(TrainError::Recipe)?;
        let step = Step::new(graph, &*loss, &of_step)?;
        let lens = step
            .state
            .iter()
            .map(|&id| step.graph.params[id].elements());
        let mut state = State::new(&lens.collect::<Vec<_>>())?;
        for (index, &id) in step.state[..step.tensors].iter().enumerate() {
            let values = values(&step.graph.params[id])?;
            state.tensor_mut(index).copy_from_slice(&values);
        }
        let output = step.graph.values[step.graph.outputs[0].value].shape.clone();
        let score = Score::of(loss.measure(graph), graph);
        Ok(Trainer {
            isa: Isa::detect().map_err(Error::from)?,
            inputs: inputs.collect(),
            targets: vec![Vec::new(); step.targets],
            loss: (written, loss),
            score,
            output,
            recipe: recipe.clone(),
            state,
            compiled: Vec::new(),
            pool: (recipe.threads > 1).then(|| Pool::new(recipe.threads)),
            steps: 0,
            drawn: None,
            anew: 0,
            step,
        })
    }

    /// Classes that a sample has: one, or one for each pixel of the result.
    pub fn labels(&self) -> usize {
        self.output.elements() / self.output.channels()
    }

    /// What is made small.
    pub fn loss(&self) -> &recipe::Loss {
        &self.loss.0
    }

    /// What the network is judged by.
    pub fn measure(&self) -> Measure {
        self.score.measure()
    }

    /// Of no samples yet.
    pub(super) fn no_score(&self) -> Score {
        self.score.none()
    }

    /// Judges it as the whole network that it is a part of.
    pub(super) fn judge_as(&mut self, network: &Graph) {
        self.score = Score::of(self.score.measure(), network);
    }

    /// What the network made of the samples of the last step, before it.
    pub fn score(&self) -> &Score {
        &self.score
    }

    /// Numbers of a sample: its inputs, one behind another.
    pub(super) fn elements(&self) -> usize {
        self.inputs.iter().sum()
    }

    /// Holds samples, and what is known of them, against the network.
    ///
    /// # Errors
    /// The first of them that does not fit.
    pub fn check(&self, samples: &Samples) -> Result<(), TrainError> {
        let numbers = samples.together() * samples.elements();
        if numbers != self.elements() {
            let message = format!(
                "samples of {numbers} numbers are not those of a network whose inputs have {}",
                self.elements()
            );
            return Err(TrainError::Recipe(message));
        }
        let mut into = self.room(1);
        // Of pairs it is known later whether they are alike.
        let alike = Known {
            labels: vec![1],
            ..Known::default()
        };
        let alone = samples.together() == 1;
        if !alone {
            pairs_can_be_drawn(samples)?;
        }
        for index in 0..if alone { samples.len() } else { 1 } {
            let known = match alone {
                true => samples.known(index)?,
                false => alike.clone(),
            };
            let batch = Batch {
                images: 1,
                output: &self.output,
                targets: known.targets(),
                made: None,
            };
            self.loss.1.write(&batch, &mut into).map_err(|why| {
                let place = samples.name(index);
                let place = place.map_or_else(String::new, |name| format!(", {name}"));
                TrainError::Recipe(format!("sample {}{place}: {why}", index + 1))
            })?;
        }
        Ok(())
    }

    /// Says which samples of which epoch the next step is on, in their order: what dropout drops is then a function of the seed, the epoch and the sample, wherever in a batch and on whichever
    /// machine it is. Without it, it is one of the seed, the step and the place in the batch.
    pub fn draws(&mut self, epoch: usize, samples: impl IntoIterator<Item = u64>) {
        self.drawn = Some(Drawn {
            epoch: epoch as u64,
            samples: samples.into_iter().collect(),
        });
    }

    /// Steps so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// What it takes of memory, as far as steps are compiled.
    pub fn bytes(&self) -> Memory {
        let steps = self.compiled.iter();
        let bytes = steps.map(|compiled| compiled.session.bytes());
        let bytes_of = |(_, values): (&Param, &[f32])| size_of_val(values);
        let parameters = self.tensors().map(bytes_of).sum();
        Memory {
            parameters,
            optimizer: self.all().map(bytes_of).sum::<usize>() - parameters,
            step: bytes.max().unwrap_or(0),
        }
    }

    /// What a mean loss says of a network that does not learn, if it says so.
    pub fn trouble(&self, mean: f64) -> Option<String> {
        self.loss.1.trouble(mean)
    }

    /// The network's tensors as they are now.
    pub fn tensors(&self) -> impl Iterator<Item = (&Param, &[f32])> {
        self.all().take(self.step.tensors)
    }

    /// The same, and behind them what the optimiser keeps.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Param, &[f32])> {
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

    /// Counts steps from there, with an optimiser that begins with the next one.
    pub(super) fn begin_at(&mut self, steps: u64) {
        (self.steps, self.anew) = (steps, steps);
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
            let tensor = tensor.ok_or_else(|| Trainer::lacks(state, param))?;
            let values = tensor.to_f32().map_err(Error::from)?;
            self.state.tensor_mut(index).copy_from_slice(&values);
        }
        self.steps = steps;
        Ok(())
    }

    /// Why a state is none of this network.
    pub(super) fn lacks(state: &Weights, param: &Param) -> TrainError {
        TrainError::Network(format!(
            "{} has no `{}` of this network's shape: it is the state of another one",
            state.origin(),
            param.name
        ))
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
pub(super) fn weights<'t>(
    tensors: impl Iterator<Item = (&'t Param, &'t [f32])>,
) -> Result<Weights, TrainError> {
    let named = tensors.map(|(param, values)| (&*param.name, &*param.shape, values));
    Ok(Weights::from_tensors(named).map_err(Error::from)?)
}

impl fmt::Debug for Trainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trainer({}, {} steps)", self.step.graph.name, self.steps)
    }
}
