//! Steps: compiled once for each number of samples, given samples and what is known of them, and taken.

use super::compiled::{Compiled, Half};
use super::error::TrainError;
use super::mask::{Drawn, drop, which};
use super::trainer::Trainer;
use crate::Error;
use cnnc_compiler::graph::Param;
use cnnc_compiler::jit;
use cnnc_compiler::loss::{Batch, Targets};
use cnnc_compiler::lower::lower_step;
use cnnc_compiler::step::Step;
use cnnc_compiler::target::{Arithmetic, Target};
use cnnc_runtime::session::StepSession;
use std::time::{Duration, Instant};

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Done {
    /// Mean loss of the samples, before the step.
    pub loss: f64,
    /// How many classes or labels the network had right, before the step; 0 of numbers.
    pub right: usize,
}

impl Trainer {
    /// Compiles the step for so many samples, if it is not compiled yet.
    ///
    /// # Errors
    /// When it cannot be compiled, or there is not enough memory.
    pub fn prepare(&mut self, samples: usize) -> Result<(), TrainError> {
        if self.recipe.clip.is_none() {
            return self.session(Half::Whole, samples).map(|_| ());
        }
        // The length of gradients is known between the halves.
        self.session(Half::Gradients, samples)?;
        self.session(Half::Update, 1).map(|_| ())
    }

    pub(super) fn session(&mut self, half: Half, samples: usize) -> Result<usize, TrainError> {
        let mut compiled = self.compiled.iter();
        let is_it = |of: &Compiled| (of.half, of.samples) == (half, samples);
        if let Some(known) = compiled.position(is_it) {
            return Ok(known);
        }
        if let Some(norm) = self.step.pixel
            && half != Half::Update
            && samples < self.step.least_images()
        {
            let Param { name, span, .. } = &self.step.graph.params[norm];
            let label = name
                .rsplit_once('.')
                .map_or(name.as_str(), |(label, _)| label);
            return Err(TrainError::Layer {
                label: label.to_owned(),
                why: "its maps have one pixel, and a single sample has no variance there: choose another batch".to_owned(),
                span: *span,
            });
        }
        let target = Target::new(self.isa, Arithmetic::Fast).batch(samples);
        let part = match half {
            Half::Outputs => Some(self.step.up_to_outputs()),
            Half::Whole => None,
            Half::Gradients => Some(self.step.up_to_gradients()),
            Half::Update => Some(self.step.from_gradients()),
        };
        let Step {
            graph,
            single,
            state,
            ..
        } = part.as_ref().unwrap_or(&self.step);
        let lowered = lower_step(graph, single, state, &target);
        let code = jit::compile(&lowered).map_err(Error::from)?;
        let driver = code.drivers()[0];
        // SAFETY: the program is proven for its plan, and its code is kept beside the session.
        let session = unsafe { StepSession::new(lowered.plan, driver) }?;
        self.compiled.push(Compiled {
            half,
            samples,
            session,
            code,
        });
        Ok(self.compiled.len() - 1)
    }

    /// Room for the targets of so many samples.
    pub(super) fn room(&self, samples: usize) -> Vec<Vec<f64>> {
        let inputs = &self.step.graph.inputs[self.step.first_target()..][..self.step.targets];
        let elements = inputs.iter().map(|input| {
            let shape = &self.step.graph.values[input.value].shape;
            samples * shape.elements()
        });
        elements.map(|elements| vec![0.0; elements]).collect()
    }

    /// One step on samples, one behind the other, and their classes, at a rate. A sample has its inputs one behind the other.
    ///
    /// # Errors
    /// As [`Trainer::step_targets`].
    pub fn step(&mut self, inputs: &[f32], labels: &[u32], rate: f64) -> Result<Done, TrainError> {
        self.step_targets(inputs, Targets::Classes(labels), rate)
    }

    /// One step on samples, one behind the other, and what is known of them, at a rate.
    ///
    /// # Errors
    /// Samples or targets that do not fit, a loss that is not a number, or a step that cannot be compiled.
    pub fn step_targets(
        &mut self,
        inputs: &[f32],
        known: Targets<'_>,
        rate: f64,
    ) -> Result<Done, TrainError> {
        if self.recipe.clip.is_none() {
            return Ok(self.pass(Half::Whole, inputs, known, rate)?.0);
        }
        let (done, gradients) = self.gradients(inputs, known)?;
        self.apply(&gradients, rate)?;
        Ok(done)
    }

    /// A step on samples, or what comes before the optimiser; and what the sum of their losses was divided by.
    pub(super) fn pass(
        &mut self,
        half: Half,
        inputs: &[f32],
        known: Targets<'_>,
        rate: f64,
    ) -> Result<(Done, f64), TrainError> {
        let elements = self.elements();
        let samples = inputs.len() / elements;
        if samples == 0 || inputs.len() != samples * elements {
            let message = format!(
                "{} numbers are not samples of {elements} numbers each",
                inputs.len()
            );
            return Err(TrainError::Recipe(message));
        }
        let drawn = self.drawn.take();
        let looks = self.loss.1.looks();
        let made = match looks {
            true => Some(self.made(inputs, samples, drawn.as_ref())?),
            false => None,
        };
        self.targets = self.room(samples);
        let batch = Batch {
            images: samples,
            output: &self.output,
            targets: known,
            made: made.as_deref(),
        };
        let divisor = self.loss.1.write(&batch, &mut self.targets);
        let divisor = divisor.map_err(TrainError::Recipe)?;
        let number = self.session(half, samples)?;
        self.give(number, inputs, drawn.as_ref());
        let session = &mut self.compiled[number].session;
        let first = self.step.first_target();
        for (index, target) in self.targets.iter().enumerate() {
            let to = session.input_mut(first + index).iter_mut();
            to.zip(target).for_each(|(to, &x)| *to = x as f32);
        }
        let cotangent = first + self.targets.len();
        session.input_mut(cotangent)[0] = (1.0 / divisor) as f32;
        self.steps += 1;
        for (index, &factors) in self.step.factors.iter().enumerate() {
            let optimizer = &self.recipe.optimizer;
            let values =
                self.step
                    .factors_of(factors, optimizer, rate, self.steps - self.anew, samples);
            for (to, value) in session
                .input_mut(cotangent + 1 + index)
                .iter_mut()
                .zip(values)
            {
                *to = value as f32;
            }
        }
        session.run(&mut self.state, self.pool.as_ref());
        let losses = session.output(1);
        let loss = losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() / divisor;
        let odd = losses.iter().enumerate();
        let odd = odd.filter(|(_, loss)| !loss.is_finite());
        let odd: Vec<usize> = odd.map(|(place, _)| place).collect();
        self.score = self.score.none();
        self.score.add(session.output(0), &self.output, known);
        let right = self.score.right();
        match loss.is_finite() {
            true => Ok((Done { loss, right }, divisor)),
            false => Err(TrainError::NotFinite {
                of: "loss",
                epoch: 0,
                step: self.steps,
                tensor: self.not_finite(),
                places: odd,
                samples: Vec::new(),
            }),
        }
    }

    /// Gives samples to a part of the step, and the masks of this step.
    fn give(&mut self, number: usize, inputs: &[f32], drawn: Option<&Drawn>) {
        let samples = inputs.len() / self.elements();
        let session = &mut self.compiled[number].session;
        for index in 0..self.inputs.len() {
            copy_input(inputs, &self.inputs, index, session.input_mut(index));
        }
        for (index, &rate) in self.step.masks.iter().enumerate() {
            let mask = session.input_mut(self.inputs.len() + index);
            let each = mask.len() / samples;
            for (place, mask) in mask.chunks_exact_mut(each.max(1)).enumerate() {
                let which = which(drawn, self.steps, place, index);
                drop(self.recipe.seed, &which, rate, mask);
            }
        }
    }

    /// What the network makes of samples before the step: each output that the loss reads.
    fn made(
        &mut self,
        inputs: &[f32],
        samples: usize,
        drawn: Option<&Drawn>,
    ) -> Result<Vec<Vec<f64>>, TrainError> {
        let number = self.session(Half::Outputs, samples)?;
        self.give(number, inputs, drawn);
        let session = &mut self.compiled[number].session;
        session.run(&mut self.state, self.pool.as_ref());
        let outputs = 0..self.step.made.len();
        let values = |output| session.output(output).iter().map(|&x| f64::from(x));
        Ok(outputs.map(|output| values(output).collect()).collect())
    }

    /// Takes the last step of so many samples once more, part by part, and says how long each took. Parts that belong to a layer are called by it.
    ///
    /// # Errors
    /// A step that cannot be compiled.
    pub fn profile(&mut self, samples: usize) -> Result<Vec<(String, Duration)>, TrainError> {
        let halves = match self.recipe.clip {
            None => vec![(Half::Whole, samples)],
            Some(_) => vec![(Half::Gradients, samples), (Half::Update, 1)],
        };
        let mut parts = Vec::new();
        for (half, samples) in halves {
            let number = self.session(half, samples)?;
            self.profile_of(number, &mut parts);
        }
        Ok(parts)
    }

    fn profile_of(&mut self, number: usize, parts: &mut Vec<(String, Duration)>) {
        let Compiled { session, code, .. } = &mut self.compiled[number];
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
    }

    /// The first tensor with something that is not finite.
    pub(super) fn not_finite(&self) -> Option<String> {
        let mut tensors = self.tensors();
        let found = tensors.find(|(_, values)| values.iter().any(|value| !value.is_finite()));
        found.map(|(param, _)| param.name.clone())
    }
}

/// Copies one input of all samples: of samples that have so many numbers for each input.
pub(super) fn copy_input(samples: &[f32], inputs: &[usize], index: usize, to: &mut [f32]) {
    let each: usize = inputs.iter().sum();
    let (from, len) = (inputs[..index].iter().sum::<usize>(), inputs[index]);
    let samples = samples.chunks_exact(each);
    for (to, sample) in to.chunks_exact_mut(len).zip(samples) {
        to.copy_from_slice(&sample[from..][..len]);
    }
}

/// The layer that a label is of.
fn of_layer(label: &str) -> &str {
    label.split('~').next().unwrap_or(label)
}
