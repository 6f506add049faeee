//! An epoch of a run: what is trained in it, its steps, and what came of them.

use super::{Epoch, Run};
use crate::train::data::{Data, Gathered, Samples};
use crate::train::error::TrainError;
use crate::train::initial::initial;
use crate::train::judge::judged;
use crate::train::loader::{Loader, beside};
use crate::train::stage::{Stage, Tensors};
use crate::train::state::Within;
use cnnc_compiler::graph::Param;
use std::time::Instant;

/// The samples of a batch, in front those at some of its places: their files, or their numbers from 1.
fn named(train: &Samples, samples: &[u32], places: &[usize]) -> Vec<String> {
    let together = train.together();
    let name = |&sample: &u32| match train.name(sample as usize) {
        Some(name) => name.to_owned(),
        None => format!("sample {}", sample + 1),
    };
    let at = |place: usize| samples.chunks(together).nth(place).unwrap_or_default();
    let rest = (0..samples.len() / together).filter(|place| !places.contains(place));
    let all = places.iter().copied().chain(rest);
    all.flat_map(|place| at(place).iter().map(name)).collect()
}

impl Run {
    /// Goes on to what is trained now, if that is other tensors than before.
    pub(super) fn enter(&mut self) -> Result<(), TrainError> {
        let done = self.epochs.len();
        if done == self.stage.first || !self.recipe.tuning.phases().contains(&done) {
            return Ok(());
        }
        // Inputs may have become features of a front that is longer.
        let mut data = match self.stage.front() {
            Some(_) => Data::again(&self.data.from, self.model.graph())?,
            None => std::mem::take(&mut self.data),
        };
        let tensors: Tensors = self.stage.tensors();
        let values = |param: &Param| match tensors.get(&param.name) {
            Some(values) => Ok(values.clone()),
            None => Ok(initial(param, self.recipe.seed)),
        };
        let steps = self.stage.trainer.steps();
        let mut stage = Stage::new(&self.model, &self.recipe, done, &mut data, &values)?;
        stage.trainer.begin_at(steps);
        (self.data, self.stage) = (data, stage);
        Ok(())
    }

    /// Trains for one epoch, or what is left of it, judges the network, and saves everything. `progress` is told how many steps of how many are done, and the
    /// mean loss so far; if it says no, what is done is saved, and [`Run::resume`] goes on behind that step.
    ///
    /// # Errors
    /// A loss that is not a number, or a file that cannot be written.
    pub fn epoch(
        &mut self,
        mut progress: impl FnMut(usize, usize, f64) -> bool,
    ) -> Result<Option<Epoch>, TrainError> {
        self.enter()?;
        let number = self.epochs.len() + 1;
        let count = self.draw.len();
        let order = self.draw.order(self.recipe.seed, number);
        let batches = count.div_ceil(self.recipe.batch);
        let steps = (batches as u64).saturating_mul(self.recipe.epochs as u64);
        let last = (batches as u64).saturating_mul(number as u64) - 1;
        let last = self.recipe.rate_of(last, steps);
        let (start, before) = (Instant::now(), self.within.seconds);
        let first = self.within.steps;
        let mut score = self.stage.trainer.no_score();
        score.count(&self.within.counts);
        // The loader holds them while steps change the rest.
        let train = std::mem::take(&mut self.data.train);
        let augmenter = self.augmenter.take();
        let loader = Loader {
            samples: &train,
            augmenter: augmenter.as_ref(),
            epoch: number,
            batch: self.recipe.batch,
        };
        let ahead = beside(self.recipe.threads);
        let all = loader.each_behind(&order, first, ahead, &mut |index, batch| {
            let trainer = &mut self.stage.trainer;
            let rate = self.recipe.rate_of(trainer.steps(), steps);
            let all = &order[index * self.recipe.batch * train.together()..];
            // Of identities one sample may come several times, and of pairs both are one.
            let first = index * self.recipe.batch;
            match train.gathered() {
                Gathered::Each => {
                    let drawn = all[..batch.len()].iter().map(|&sample| sample.into());
                    trainer.draws(number, drawn);
                }
                _ => trainer.draws(number, (first..first + batch.len()).map(|at| at as u64)),
            }
            let done = trainer.step_targets(&batch.inputs, batch.targets(), rate);
            let done = done.map_err(|error| match error {
                TrainError::NotFinite {
                    of, tensor, places, ..
                } => {
                    let samples = &all[..batch.len() * train.together()];
                    TrainError::NotFinite {
                        of,
                        epoch: number,
                        step: index as u64 + 1,
                        tensor,
                        samples: named(&train, samples, &places),
                        places,
                    }
                }
                error => error,
            })?;
            score.merge(trainer.score());
            self.within = Within {
                steps: index + 1,
                loss: self.within.loss + done.loss * batch.len() as f64,
                counts: score.counts().to_vec(),
                seconds: before + start.elapsed().as_secs_f64(),
            };
            let seen = (index * self.recipe.batch + batch.len()) as f64;
            let goes_on = progress(index + 1, batches, self.within.loss / seen);
            let open = index + 1 < batches;
            if open && (!goes_on || self.saved.elapsed() >= self.every) {
                self.save_state()?;
            }
            Ok(goes_on || !open)
        });
        (self.data.train, self.augmenter) = (train, augmenter);
        if !all? {
            return Ok(None);
        }
        // Of the last step no loss tells.
        if let Some(tensor) = self.stage.trainer.not_finite() {
            let train = &self.data.train;
            let first = (batches - 1) * self.recipe.batch * train.together();
            return Err(TrainError::NotFinite {
                of: "update",
                epoch: number,
                step: batches as u64,
                tensor: Some(tensor),
                places: Vec::new(),
                samples: named(train, &order[first..], &[]),
            });
        }
        let weights = self.stage.weights()?;
        let (model, measure) = (self.stage.model(), self.measure());
        let none = self.stage.trainer.no_score();
        let (test, named) = judged(model, &weights, &self.data.test, &self.recipe, none)?;
        let epoch = Epoch {
            number,
            rate: last,
            loss: self.within.loss / count as f64,
            train: measure.counts_on_the_way().then(|| score.value()),
            test,
            named,
            seconds: self.within.seconds,
        };
        let best = self.best().is_none_or(|best| self.is_better(&epoch, best));
        self.epochs.push(epoch);
        self.within = Within::default();
        if best {
            weights.write_safetensors(self.folder.join("weights.safetensors"))?;
        }
        weights.write_safetensors(self.folder.join("last.safetensors"))?;
        self.log("epoch", epoch.to_json(measure.name()))?;
        self.save()?;
        if self.is_done() {
            let drawn = self.draw_answers();
            self.unless_drawn(drawn)?;
        }
        Ok(Some(epoch))
    }
}
