//! A step in two, so that gradients of several machines may be added: each computes those of its samples, and all apply the same mean.

use super::clip::Limit;
use super::compiled::Half;
use super::error::TrainError;
use super::pass::Done;
use super::trainer::Trainer;
use cnnc_compiler::loss::Targets;
use cnnc_compiler::step::Factors;

/// The gradients of trained tensors, of the mean loss of some samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// What the sum of the losses was divided by: samples, or the weights of what they count.
    pub divisor: f64,
    /// Each tensor's name and gradient, in an order that is the network's.
    pub tensors: Vec<(String, Vec<f32>)>,
}

impl Gradients {
    /// Makes them those of all samples of both: a mean in which each counts as much.
    ///
    /// # Errors
    /// Gradients of another network.
    pub fn merge(&mut self, other: &Gradients) -> Result<(), TrainError> {
        if !fits(self, other) {
            return Err(misfit());
        }
        let all = self.divisor + other.divisor;
        let (own, others) = (self.divisor / all, other.divisor / all);
        let (own, others) = (own as f32, others as f32);
        for ((_, to), (_, from)) in self.tensors.iter_mut().zip(&other.tensors) {
            for (to, from) in to.iter_mut().zip(from) {
                *to = own * *to + others * from;
            }
        }
        self.divisor = all;
        Ok(())
    }
}

fn fits(own: &Gradients, other: &Gradients) -> bool {
    let shapes = |of: &Gradients| -> Vec<(String, usize)> {
        let tensors = of.tensors.iter();
        tensors
            .map(|(name, values)| (name.clone(), values.len()))
            .collect()
    };
    shapes(own) == shapes(other)
}

fn misfit() -> TrainError {
    TrainError::Network("these are not gradients of this network's tensors".to_owned())
}

impl Trainer {
    /// The gradients of samples, as [`Trainer::step_targets`] would use them; nothing but running statistics of norms changes.
    ///
    /// # Errors
    /// As [`Trainer::step_targets`].
    pub fn gradients(
        &mut self,
        inputs: &[f32],
        known: Targets<'_>,
    ) -> Result<(Done, Gradients), TrainError> {
        let before = self.steps;
        let done = self.pass(Half::Gradients, inputs, known, 0.0);
        // It is taken once they are applied.
        self.steps = before;
        let done = match done {
            Err(error) if !matches!(error, TrainError::NotFinite { .. }) => return Err(error),
            done => done,
        };
        let samples = inputs.len() / self.elements();
        let number = self.session(Half::Gradients, samples)?;
        let session = &self.compiled[number].session;
        let (done, divisor) = done.map_err(|mut error| {
            if let TrainError::NotFinite { tensor, .. } = &mut error {
                let is_odd = |index| session.output(index).iter().any(|x: &f32| !x.is_finite());
                let mut all = self.step.gradients.iter().enumerate();
                let first = all.find(|(index, _)| is_odd(2 + index));
                let name =
                    |(_, (param, _)): (_, &(_, _))| self.step.graph.params[*param].name.clone();
                *tensor = tensor.take().or(first.map(name));
            }
            error
        })?;
        let named = self.step.gradients.iter().enumerate();
        let tensors = named.map(|(index, &(param, _))| {
            let name = self.step.graph.params[param].name.clone();
            (name, session.output(2 + index).to_vec())
        });
        let tensors = tensors.collect();
        Ok((done, Gradients { divisor, tensors }))
    }

    /// The rest of a step: what the optimiser makes of gradients, as long as the recipe lets them be, at a rate.
    ///
    /// # Errors
    /// Gradients of another network; where their length is limited, those that are not finite.
    pub fn apply(&mut self, gradients: &Gradients, rate: f64) -> Result<(), TrainError> {
        let params = &self.step.graph.params;
        let own = self.step.gradients.iter().map(|(param, _)| &params[*param]);
        let own = own.map(|param| (param.name.as_str(), param.elements()));
        let given = gradients.tensors.iter();
        let given = given.map(|(name, values)| (name.as_str(), values.len()));
        if !own.eq(given) {
            return Err(misfit());
        }
        let limit = Limit::of(self.recipe.clip, &gradients.tensors);
        let limit = limit.map_err(|tensor| TrainError::NotFinite {
            of: "gradient",
            epoch: 0,
            step: self.steps + 1,
            tensor: Some(tensor),
            places: Vec::new(),
            samples: Vec::new(),
        })?;
        let number = self.session(Half::Update, 1)?;
        let session = &mut self.compiled[number].session;
        self.steps += 1;
        // Behind the inputs, masks, targets, and the cotangent.
        let first = self.step.first_target() + self.step.targets + 1;
        let (optimizer, steps) = (&self.recipe.optimizer, self.steps - self.anew);
        for (index, &factors) in self.step.factors.iter().enumerate() {
            if !matches!(factors, Factors::Stage { .. }) {
                continue;
            }
            let values = self.step.factors_of(factors, optimizer, rate, steps, 1);
            for (to, value) in session.input_mut(first + index).iter_mut().zip(values) {
                *to = value as f32;
            }
        }
        let first = first + self.step.factors.len();
        for (index, (_, values)) in gradients.tensors.iter().enumerate() {
            limit.copy(values, session.input_mut(first + index));
        }
        session.run(&mut self.state, self.pool.as_ref());
        Ok(())
    }
}
