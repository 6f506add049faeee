//! Batches are made ready on a thread of their own while a step runs.
//!
//! ```text
//! samples ──in their order──▶ a slot ──▶ full ──▶ step
//!                               ▲                   │
//!                               └────── empty ◀─────┘
//! ```
//!
//! There are a few slots, which are used again and again. What is in a batch depends on the order, the epoch and the seed alone, so that it is the same without the thread.

use super::augment::Augmenter;
use super::data::Samples;
use super::error::TrainError;
use cnnc_compiler::loss::Targets;
use cnnc_runtime::memory::zeros;
use std::sync::mpsc::{channel, sync_channel};
use std::thread;

/// Batches that are ready at most, and the one that is learned.
const SLOTS: usize = 3;

/// Samples of a step.
#[derive(Debug)]
pub struct Batch {
    /// Their numbers, one behind the other.
    pub inputs: Vec<f32>,
    /// Their classes,
    pub labels: Vec<u32>,
    /// or what the network should make of them.
    pub numbers: Vec<f32>,
    samples: usize,
}

impl Batch {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.samples
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.samples == 0
    }

    /// What is known of them.
    pub fn targets(&self) -> Targets<'_> {
        match self.numbers.is_empty() {
            true => Targets::Classes(&self.labels),
            false => Targets::Numbers(&self.numbers),
        }
    }
}

/// What batches are made of.
pub struct Loader<'d> {
    /// All samples.
    pub samples: &'d Samples,
    /// How they are changed, if they are.
    pub augmenter: Option<&'d Augmenter>,
    /// The epoch, from 1.
    pub epoch: usize,
    /// Samples of a batch.
    pub batch: usize,
}

impl<'d> Loader<'d> {
    /// Batches of samples as they are.
    pub fn of(samples: &'d Samples, batch: usize) -> Loader<'d> {
        Loader {
            samples,
            augmenter: None,
            epoch: 1,
            batch,
        }
    }

    fn slot(&self) -> Result<Batch, TrainError> {
        let numbers = self.batch.saturating_mul(self.samples.elements());
        let inputs = zeros(numbers).map_err(cnnc_runtime::session::RunError::from)?;
        Ok(Batch {
            inputs,
            labels: Vec::new(),
            numbers: Vec::new(),
            samples: 0,
        })
    }

    /// Makes a batch of these samples.
    fn fill(&self, batch: &mut Batch, samples: &[u32]) {
        let elements = self.samples.elements();
        batch.inputs.resize(samples.len() * elements, 0.0);
        batch.labels.clear();
        batch.numbers.clear();
        batch.samples = samples.len();
        let places = batch.inputs.chunks_exact_mut(elements.max(1));
        for (to, &sample) in places.zip(samples) {
            let sample = sample as usize;
            match self.augmenter {
                Some(augmenter) => augmenter.fill(self.samples, sample, self.epoch, to),
                None => self.samples.fill(sample, to),
            }
            match self.samples.targets(sample) {
                Targets::Classes(labels) => batch.labels.extend(labels),
                Targets::Numbers(boxes) if self.samples.are_boxes() => match self.augmenter {
                    Some(augmenter) => {
                        augmenter.boxes(boxes, sample, self.epoch, &mut batch.numbers);
                    }
                    None => batch.numbers.extend(boxes),
                },
                Targets::Numbers(numbers) | Targets::Weighted(numbers, _) => {
                    batch.numbers.extend(numbers);
                }
            }
        }
    }

    /// The batch of these samples, here and now.
    ///
    /// # Errors
    /// Too little memory.
    pub fn batch(&self, samples: &[u32]) -> Result<Batch, TrainError> {
        let mut batch = self.slot()?;
        self.fill(&mut batch, samples);
        Ok(batch)
    }

    /// Hands every batch on, in this order of samples, until there is none left or one of them is refused; whether all were taken.
    ///
    /// # Errors
    /// Those of `take`, and too little memory.
    pub fn each(
        &self,
        order: &[u32],
        mut take: impl FnMut(usize, &Batch) -> Result<bool, TrainError>,
    ) -> Result<bool, TrainError> {
        let (to_empty, empty) = channel();
        for _ in 0..SLOTS {
            // Both ends are here.
            let _ = to_empty.send(self.slot()?);
        }
        let (to_full, full) = sync_channel::<Batch>(SLOTS);
        thread::scope(|scope| {
            scope.spawn(move || {
                for samples in order.chunks(self.batch) {
                    // Nobody takes batches any more.
                    let Ok(mut batch) = empty.recv() else { return };
                    self.fill(&mut batch, samples);
                    if to_full.send(batch).is_err() {
                        return;
                    }
                }
            });
            // Both go out of scope before the thread is waited for, which ends it.
            let (full, to_empty) = (full, to_empty);
            for index in 0..order.len().div_ceil(self.batch) {
                // Without a sender it has panicked, which the scope passes on.
                let Ok(batch) = full.recv() else {
                    return Ok(false);
                };
                if !take(index, &batch)? {
                    return Ok(false);
                }
                let _ = to_empty.send(batch);
            }
            Ok(true)
        })
    }
}
