//! Batches are made ready on threads of their own while a step runs, or a network that is judged.
//!
//! ```text
//! samples ──in their order──▶ a slot ──source::each──▶ step
//!                               ▲                        │
//!                               └──────── empty ◀────────┘
//! ```
//!
//! There are a few slots, which are used again and again. What is in a batch depends on the order, the epoch and the seed alone, so that it is the same on any number of threads.

use super::affine::Affine;
use super::augment::Augmenter;
use super::data::{DataError, Known, Samples, is_of_the_file, leave_out};
use super::error::TrainError;
use crate::source::{Ahead, each};
use cnnc_compiler::loss::Targets;
use cnnc_runtime::memory::zeros;
use std::sync::{Mutex, PoisonError};

/// Takes the samples of a batch, and the batch.
type Take<'a> = dyn FnMut(&[u32], &Batch) -> Result<(), TrainError> + 'a;

/// Fills a batch, of which the number is given, with samples.
type Fill<'a> = dyn Fn(&mut Batch, usize, &[u32]) -> Result<(), TrainError> + Sync + 'a;

/// Batches that are ready at most where one thread makes them, and the one that is learned.
const SLOTS: usize = 3;
/// Threads that make them, at most: each has a batch of its own, which may be tens of megabytes.
const MOST: usize = 4;

/// Samples of a step.
#[derive(Debug)]
pub struct Batch {
    /// Their numbers, one behind the other.
    pub inputs: Vec<f32>,
    /// What is known of them.
    pub known: Known,
    samples: usize,
    /// Of those that judge: which samples these are, and what is wrong with others that are left out.
    readable: Vec<u32>,
    broken: Vec<(usize, String)>,
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
            readable: Vec::new(),
            broken: Vec::new(),
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
        mut take: impl FnMut(usize, &Batch) -> Result<bool, TrainError>,
    ) -> Result<bool, TrainError> {
        self.each_behind(order, 0, 1, &mut take)
    }

    /// The same on so many threads, behind so many batches, which keep their numbers.
    pub(super) fn each_behind(
        &self,
        order: &[u32],
        done: usize,
        threads: usize,
        take: &mut dyn FnMut(usize, &Batch) -> Result<bool, TrainError>,
    ) -> Result<bool, TrainError> {
        let of_batch = self.batch * self.samples.together();
        let fill = |batch: &mut Batch, at: usize, samples: &[u32]| {
            self.fill(batch, samples, at * of_batch)
        };
        self.ahead(order, done, threads, &fill, take)
    }

    /// Hands on every batch of samples as they are, for those that judge: without samples whose pictures cannot be read, with the numbers of those that are in it; gives what
    /// is wrong with the others.
    ///
    /// # Errors
    /// Those of `take`, more broken files than are left out, or nothing else.
    pub(super) fn each_readable(
        &self,
        order: &[u32],
        threads: usize,
        take: &mut Take<'_>,
    ) -> Result<Vec<String>, TrainError> {
        let (mut broken, mut any) = (Vec::new(), false);
        let fill =
            |batch: &mut Batch, _: usize, samples: &[u32]| self.fill_readable(batch, samples);
        self.ahead(order, 0, threads, &fill, &mut |_, batch| {
            for (sample, why) in &batch.broken {
                let root = self.samples.root(*sample);
                leave_out(&root, why.clone(), order.len(), &mut broken)?;
            }
            if !batch.is_empty() {
                any = true;
                take(&batch.readable, batch)?;
            }
            Ok(true)
        })?;
        match any || order.is_empty() {
            true => Ok(broken),
            false => {
                let root = self.samples.root(order[0] as usize);
                Err(DataError::Empty(root, "to be judged by").into())
            }
        }
    }

    /// Makes a batch of those of these samples that can be read, as they are.
    fn fill_readable(&self, batch: &mut Batch, samples: &[u32]) -> Result<(), TrainError> {
        let elements = self.samples.elements();
        batch.inputs.resize(samples.len() * elements, 0.0);
        batch.known.clear();
        batch.readable.clear();
        batch.broken.clear();
        for &sample in samples {
            let to = &mut batch.inputs[batch.readable.len() * elements..][..elements];
            match self.samples.fill(sample as usize, to) {
                Ok(()) => batch.readable.push(sample),
                Err(DataError::Picture(error)) if is_of_the_file(&error) => {
                    batch.broken.push((sample as usize, error.to_string()));
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            let known = &mut batch.known;
            self.samples
                .tell(sample as usize, Affine::IDENTITY, known)?;
        }
        batch.samples = batch.readable.len();
        batch.inputs.truncate(batch.samples * elements);
        Ok(())
    }

    /// Hands every batch on that `fill` makes on so many threads ahead; each is used again once it has been taken.
    fn ahead(
        &self,
        order: &[u32],
        done: usize,
        threads: usize,
        fill: &Fill<'_>,
        take: &mut dyn FnMut(usize, &Batch) -> Result<bool, TrainError>,
    ) -> Result<bool, TrainError> {
        let of_batch = self.batch * self.samples.together();
        let spare = Mutex::new(Vec::new());
        let slots = || spare.lock().unwrap_or_else(PoisonError::into_inner);
        let make = |(at, samples): (usize, &[u32])| -> Result<(usize, Batch), TrainError> {
            let used = slots().pop();
            let mut batch = used.map_or_else(|| self.slot(), Ok)?;
            fill(&mut batch, at, samples)?;
            Ok((at, batch))
        };
        let ahead = Ahead {
            threads,
            places: SLOTS - 1 + threads,
        };
        let mut batches = order.chunks(of_batch).enumerate().skip(done);
        let mut taken = |made: Result<(usize, Batch), TrainError>| {
            let (at, batch) = made?;
            let more = take(at, &batch)?;
            slots().push(batch);
            Ok(more)
        };
        each(&mut batches, &make, ahead, &mut taken, &|| ())
    }
}

/// Threads that make batches ready beside so many that compute: one for each processor that is left, one at least and [`MOST`] at most.
pub(super) fn beside(computing: usize) -> usize {
    Ahead::beside(computing, 0).threads.min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is in each batch, and its number.
    type Taken = Vec<(usize, Vec<f32>, Vec<u32>)>;

    #[test]
    fn batches_are_the_same_on_any_number_of_threads() {
        let inputs = (0..37 * 6).map(|number| number as f32).collect();
        let labels = (0..37).map(|number| number % 5).collect();
        let samples = Samples::of_classes(inputs, 6, labels).expect("37 samples");
        let order: Vec<u32> = (0..37).map(|at| 7 * at % 37).collect();
        let loader = Loader::of(&samples, 4);
        let batches = |threads, done| {
            let mut all: Taken = Vec::new();
            let taken = loader.each_behind(&order, done, threads, &mut |at, batch| {
                all.push((at, batch.inputs.clone(), batch.known.labels.clone()));
                Ok(true)
            });
            assert!(taken.expect("enough memory"));
            all
        };
        let alone = batches(1, 0);
        assert_eq!((alone.len(), alone[9].1.len()), (10, 6));
        assert!(batches(5, 0) == alone);
        assert!(batches(5, 3) == alone[3..]);
        let mut readable: Taken = Vec::new();
        let broken = loader.each_readable(&order, 3, &mut |of, batch| {
            let at = readable.len();
            assert_eq!(of, &order[4 * at..][..batch.len()]);
            readable.push((at, batch.inputs.clone(), batch.known.labels.clone()));
            Ok(())
        });
        assert!(broken.expect("samples").is_empty() && readable == alone);
    }
}
