//! Batches are made ready on a thread of their own while a step runs.
//!
//! ```text
//! samples ──in their order──▶ a slot ──▶ full ──▶ step
//!                               ▲                   │
//!                               └────── empty ◀─────┘
//! ```
//!
//! There are a few slots, which are used again and again. What is in a batch depends on the order, the epoch and the seed alone, so that it is the same without the thread.

use super::affine::Affine;
use super::augment::Augmenter;
use super::data::{Known, Samples};
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
    /// What is known of them.
    pub known: Known,
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
        self.known.targets()
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
        let each = self.samples.together() * self.samples.elements();
        let numbers = self.batch.saturating_mul(each);
        let inputs = zeros(numbers).map_err(cnnc_runtime::session::RunError::from)?;
        Ok(Batch {
            inputs,
            known: Known::default(),
            samples: 0,
        })
    }

    /// Makes a batch of these samples, the first of which has this place in the order of its epoch.
    fn fill(&self, batch: &mut Batch, samples: &[u32], first: usize) -> Result<(), TrainError> {
        let (elements, together) = (self.samples.elements(), self.samples.together());
        batch.inputs.resize(samples.len() * elements, 0.0);
        batch.known.clear();
        batch.samples = samples.len() / together;
        let places = batch.inputs.chunks_exact_mut(elements.max(1));
        for (at, (to, &sample)) in places.zip(samples).enumerate() {
            let sample = sample as usize;
            let Some(augmenter) = self.augmenter else {
                self.samples.fill(sample, to)?;
                self.samples
                    .tell(sample, Affine::IDENTITY, &mut batch.known)?;
                continue;
            };
            if self.samples.are_identities() {
                // One may come several times.
                let change = augmenter.change(self.epoch, first + at);
                augmenter.fill_changed(self.samples, sample, &change, to)?;
                self.samples
                    .tell(sample, Affine::IDENTITY, &mut batch.known)?;
                continue;
            }
            augmenter.fill(self.samples, sample, self.epoch, to)?;
            if self.samples.are_boxes() {
                let mut moved = Vec::new();
                augmenter.boxes(self.samples.rows(sample), sample, self.epoch, &mut moved);
                let to = &mut batch.known.numbers;
                self.samples.say(&moved, Affine::IDENTITY, to);
            } else {
                let moved = augmenter.change(self.epoch, sample).affine;
                self.samples.tell(sample, moved, &mut batch.known)?;
            }
        }
        if together == 2 {
            let (pairs, _) = batch.known.labels.as_chunks::<2>();
            let alike = pairs.iter().map(|[one, other]| u32::from(one == other));
            batch.known.labels = alike.collect();
        }
        Ok(())
    }

    /// The batch of these samples, here and now; of pairs, both are there, one behind the other.
    ///
    /// # Errors
    /// Too little memory, and pictures that are not any more what they were.
    pub fn batch(&self, samples: &[u32]) -> Result<Batch, TrainError> {
        let mut batch = self.slot()?;
        self.fill(&mut batch, samples, 0)?;
        Ok(batch)
    }

    /// Hands every batch on, in this order of samples, until there is none left or one of them is refused; whether all were taken.
    ///
    /// # Errors
    /// Those of `take`, and of [`Loader::batch`].
    pub fn each(
        &self,
        order: &[u32],
        take: impl FnMut(usize, &Batch) -> Result<bool, TrainError>,
    ) -> Result<bool, TrainError> {
        self.each_behind(order, 0, take)
    }

    /// The same behind so many batches, which keep their numbers.
    pub(super) fn each_behind(
        &self,
        order: &[u32],
        done: usize,
        mut take: impl FnMut(usize, &Batch) -> Result<bool, TrainError>,
    ) -> Result<bool, TrainError> {
        let of_batch = self.batch * self.samples.together();
        let batches = order.len().div_ceil(of_batch);
        let (to_empty, empty) = channel();
        for _ in 0..SLOTS {
            // Both ends are here.
            let _ = to_empty.send(self.slot()?);
        }
        let (to_full, full) = sync_channel::<Result<Batch, TrainError>>(SLOTS);
        thread::scope(|scope| {
            scope.spawn(move || {
                for (index, samples) in order.chunks(of_batch).enumerate().skip(done) {
                    // Nobody takes batches any more.
                    let Ok(mut batch) = empty.recv() else { return };
                    let filled = self.fill(&mut batch, samples, index * of_batch);
                    let filled = filled.map(|()| batch);
                    let failed = filled.is_err();
                    if to_full.send(filled).is_err() || failed {
                        return;
                    }
                }
            });
            // Both go out of scope before the thread is waited for, which ends it.
            let (full, to_empty) = (full, to_empty);
            for index in done..batches {
                // Without a sender it has panicked, which the scope passes on.
                let Ok(batch) = full.recv() else {
                    return Ok(false);
                };
                let batch = batch?;
                if !take(index, &batch)? {
                    return Ok(false);
                }
                let _ = to_empty.send(batch);
            }
            Ok(true)
        })
    }
}
