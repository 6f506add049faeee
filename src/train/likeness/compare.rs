//! How far a network finds two inputs from each other: by their vectors, or by a run on both.

use crate::train::data::{DataError, takes_two_alike};
use crate::train::error::TrainError;
use crate::train::readable::Readable;
use crate::{Model, Options, Session, Weights};
use cnnc_runtime::answer::{Embed, Metric, Task, Verify};
use cnnc_runtime::input::Input;

/// A network that compares.
pub(super) struct Comparer {
    session: Session,
    batch: usize,
    by: By,
    /// Numbers of an input.
    pub elements: usize,
    /// Up to which distance inputs count as alike.
    pub threshold: f32,
}

/// What it compares by.
#[derive(Clone, Copy, PartialEq)]
enum By {
    /// A vector of each input.
    Vectors(Metric),
    /// The length of what it makes of two inputs.
    Length,
    /// What it makes of two inputs, the larger the more alike.
    Score,
}

/// Inputs of a run.
pub(super) const BATCH: usize = 32;

impl Comparer {
    /// That of a model with `head embed`, or `head verify` on two inputs of one shape, made in one way.
    pub fn new(model: &Model, weights: &Weights, threads: usize) -> Result<Comparer, TrainError> {
        let graph = model.graph();
        let elements = |input: usize| graph.values[graph.inputs[input].value].shape.elements();
        let (by, threshold) = match model.head().task {
            Task::Embed(Embed { metric, threshold }) => (By::Vectors(metric), threshold),
            Task::Verify(Verify {
                distance,
                threshold,
            }) if takes_two_alike(graph) => match distance {
                true => (By::Length, threshold),
                false => (By::Score, -threshold),
            },
            _ => {
                let message = format!(
                    "`{}` compares no pictures: that takes `head embed`, or `head verify` with two inputs of one shape and one pre-processing",
                    graph.name
                );
                return Err(TrainError::Network(message));
            }
        };
        let options = Options::new().batch(BATCH).threads(threads);
        Ok(Comparer {
            session: model.jit(weights, &options)?.session()?,
            batch: BATCH,
            by,
            elements: elements(0),
            threshold,
        })
    }

    /// Whether two inputs are compared by a run on both.
    pub fn runs_on_pairs(&self) -> bool {
        !matches!(self.by, By::Vectors(_))
    }

    /// Whether it says scores, which are the negative of what is a distance here.
    pub fn scores(&self) -> bool {
        self.by == By::Score
    }

    /// What stands for each of so many inputs in comparisons: its vector, or itself; nothing for those that cannot be read.
    pub fn stand_ins(
        &mut self,
        count: usize,
        input: &(dyn Fn(usize) -> Result<Vec<f32>, DataError> + Sync),
        readable: &mut Readable<'_>,
    ) -> Result<Vec<Option<Vec<f32>>>, TrainError> {
        let mut all = vec![None; count];
        let (mut waiting, mut inputs) = (Vec::new(), Vec::new());
        let by_pairs = self.runs_on_pairs();
        readable.each(count, input, &mut |at, input| {
            if by_pairs {
                all[at] = Some(input);
                return Ok(());
            }
            waiting.push(at);
            inputs.extend(input);
            match waiting.len() == self.batch {
                true => self.vectors(&mut waiting, &mut inputs, &mut all),
                false => Ok(()),
            }
        })?;
        self.vectors(&mut waiting, &mut inputs, &mut all)?;
        Ok(all)
    }

    /// Makes the vectors of inputs that wait, whose numbers lie behind one another.
    fn vectors(
        &mut self,
        waiting: &mut Vec<usize>,
        inputs: &mut Vec<f32>,
        all: &mut [Option<Vec<f32>>],
    ) -> Result<(), TrainError> {
        if waiting.is_empty() {
            return Ok(());
        }
        let input: &dyn Input = &*inputs;
        let outputs = self.session.run(&[input])?;
        for (image, at) in waiting.drain(..).enumerate() {
            all[at] = Some(outputs.image(image).raw().to_vec());
        }
        inputs.clear();
        Ok(())
    }

    /// Distances of pairs, each of one of `some` and one of `others`; what is not a number is farther than everything.
    pub fn distances(
        &mut self,
        some: &[Vec<f32>],
        others: &[Vec<f32>],
        pairs: &[(usize, usize)],
    ) -> Result<Vec<f32>, TrainError> {
        if let By::Vectors(metric) = self.by {
            let distance = |&(one, other): &(usize, usize)| {
                let distance = metric.distance(&some[one], &others[other]);
                far_if_none(distance.expect("vectors of one network"))
            };
            return Ok(pairs.iter().map(distance).collect());
        }
        let mut distances = Vec::with_capacity(pairs.len());
        for part in pairs.chunks(self.batch) {
            let first: Vec<f32> = part
                .iter()
                .flat_map(|&(one, _)| &some[one])
                .copied()
                .collect();
            let second = part.iter().flat_map(|&(_, other)| &others[other]);
            let second: Vec<f32> = second.copied().collect();
            let inputs: [&dyn Input; 2] = [&first, &second];
            let outputs = self.session.run(&inputs)?;
            for image in 0..part.len() {
                let raw = outputs.image(image).raw();
                distances.push(far_if_none(match self.by {
                    By::Score => -raw[0],
                    _ => cnnc_runtime::answer::l2_norm(raw),
                }));
            }
        }
        Ok(distances)
    }
}

/// A distance; infinite where it is not a number, whose sign would put it before or behind all others.
pub(super) fn far_if_none(distance: f32) -> f32 {
    match distance.is_nan() {
        true => f32::INFINITY,
        false => distance,
    }
}
