//! A training run: epochs over the data, and a folder that holds what came of them.
//!
//! ```text
//! runs/lenet5-01/
//!   spec.cnn               the network as it was trained
//!   weights.safetensors    tensors of the best epoch, which `cnnc run` takes
//!   last.safetensors       tensors of the last epoch
//!   state-004.safetensors  everything that steps change, behind that epoch, to go on from
//!   state.json             the recipe, and how far it is
//!   results.csv            a row for each epoch
//!   loss.svg               the same as curves
//! ```
//!
//! Every file is whole or not there. Samples are shuffled by the seed and the epoch alone, so that a run which goes on is the run that never stopped.

use super::augment::Augmenter;
use super::chart::{Ran, chart};
use super::data::Data;
use super::epoch::Epoch;
use super::error::TrainError;
use super::initial::{first_values, initial};
use super::judge::judged;
use super::loader::Loader;
use super::place::{folder, kept, state_file};
use super::random::{Purpose, Random};
use super::recipe::Recipe;
use super::stage::{Stage, Tensors};
use super::state::{Saved, Within};
use super::trainer::Trainer;
use super::trunk::Front;
use crate::{Model, Weights};
use cnnc_compiler::graph::Param;
use cnnc_compiler::loss::Measure;
use cnnc_compiler::tuning::Keep;
use cnnc_runtime::files::write_atomically;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A run: a network in training, its data, and its folder.
#[derive(Debug)]
pub struct Run {
    model: Model,
    recipe: Recipe,
    data: Data,
    augmenter: Option<Augmenter>,
    stage: Stage,
    folder: PathBuf,
    epochs: Vec<Epoch>,
    within: Within,
    /// The file of what steps change that `state.json` speaks of.
    state: String,
    /// When it was written.
    saved: Instant,
    /// How long it is good for.
    every: Duration,
}

/// Longest time within an epoch that nothing is saved.
const EVERY: Duration = Duration::from_secs(60);

impl Run {
    /// Begins a run in a new folder: `runs/NAME`, or where there is no name `runs/MODEL-NN` with the first number that is free. `spec` is the file
    /// that the model was compiled from, which is copied with all that it imports.
    ///
    /// # Errors
    /// A network that cannot be trained, data that do not fit it, a folder that exists, a spec that reads what is outside its own folder.
    pub fn begin(
        model: Model,
        spec: &Path,
        recipe: &Recipe,
        mut data: Data,
        runs: &Path,
        name: Option<&str>,
    ) -> Result<Run, TrainError> {
        recipe.check()?;
        if recipe.batch > data.train.len() {
            let message = format!(
                "a batch of {} is more than the {} samples to learn from",
                recipe.batch,
                data.train.len()
            );
            return Err(TrainError::Recipe(message));
        }
        let augmenter = augmenter(recipe, &model)?;
        let values = first_values(&model, recipe)?;
        let mut stage = Stage::new(&model, recipe, 0, &mut data, &values)?;
        let trainer = &mut stage.trainer;
        if data.train.labels_each() == 1 && trainer.labels() != 1 {
            let message = format!(
                "`{}` has a class for each of {} pixels; pictures with one label each cannot train it",
                model.graph().name,
                trainer.labels()
            );
            return Err(TrainError::Network(message));
        }
        trainer.check(&data.train)?;
        trainer.check(&data.test)?;
        trainer.prepare(recipe.batch)?;
        // What is left for the last step of an epoch.
        match data.train.len() % recipe.batch {
            0 => {}
            rest => trainer.prepare(rest)?,
        }
        let kept = kept(&model, spec, recipe, &data.from.source)?;
        let folder = folder(runs, name, &model.graph().name)?;
        let mut run = Run {
            model,
            recipe: recipe.clone(),
            data,
            augmenter,
            stage,
            folder,
            epochs: Vec::new(),
            within: Within::default(),
            state: state_file(0, 0),
            saved: Instant::now(),
            every: EVERY,
        };
        for (place, bytes) in kept {
            if let Some(inside) = place.parent() {
                let inside = run.folder.join(inside);
                fs::create_dir_all(&inside).map_err(|error| TrainError::File(inside, error))?;
            }
            run.write(place, &bytes)?;
        }
        run.save()?;
        Ok(run)
    }

    /// Goes on with the run in a folder, on so many threads or as many as it began with. Its spec and its data are those that it began with.
    ///
    /// # Errors
    /// A folder that is no run, or data that are not there any more.
    pub fn resume(folder: &Path, threads: Option<usize>) -> Result<Run, TrainError> {
        let mut saved = Saved::read(folder)?;
        saved.recipe.threads = threads.unwrap_or(saved.recipe.threads);
        let model = crate::compile_file(folder.join("spec.cnn"))?;
        if saved.data.source.path.as_os_str().is_empty() {
            let message = "its data were in memory, and are gone".to_owned();
            return Err(TrainError::Recipe(message));
        }
        let mut data = Data::again(&saved.data, model.graph())?;
        let recipe = saved.recipe;
        let (epochs, within) = (saved.epochs, saved.within);
        let state = state_file(epochs.len(), within.steps);
        let weights = Weights::open(folder.join(&state)).map_err(crate::Error::from)?;
        let values = |param: &Param| match weights.get(&param.name) {
            Some(tensor) if *tensor.shape == *param.shape => {
                Ok(tensor.to_f32().map_err(crate::Error::from)?.into_owned())
            }
            _ => Err(Trainer::lacks(&weights, param)),
        };
        let mut stage = Stage::new(&model, &recipe, epochs.len(), &mut data, &values)?;
        let of_epoch = data.train.len().div_ceil(recipe.batch) as u64;
        stage.trainer.begin_at(stage.first as u64 * of_epoch);
        // Where it begins, the optimiser has nothing yet.
        if saved.steps > stage.first as u64 * of_epoch {
            stage.trainer.restore(&weights, saved.steps)?;
        }
        Ok(Run {
            augmenter: augmenter(&recipe, &model)?,
            model,
            recipe,
            data,
            stage,
            folder: folder.to_owned(),
            epochs,
            within,
            state,
            saved: Instant::now(),
            every: EVERY,
        })
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The epochs so far.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// How it is trained.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// What it learns from.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The network in training.
    pub fn trainer(&self) -> &Trainer {
        &self.stage.trainer
    }

    /// What the network is judged by.
    pub fn measure(&self) -> Measure {
        self.stage.trainer.measure()
    }

    /// What the last epoch says of a network that does not learn, if it says so.
    pub fn trouble(&self) -> Option<String> {
        self.stage.trainer.trouble(self.epochs.last()?.loss)
    }

    /// The front of the network that is frozen, if its features are computed once for each sample.
    pub fn front(&self) -> Option<&Front> {
        self.stage.front()
    }

    /// How long an epoch may go on without being saved, 60 s if nothing is said.
    pub fn save_every(&mut self, every: Duration) {
        self.every = every;
    }

    /// Steps of the next epoch that are done.
    pub fn steps_within(&self) -> usize {
        self.within.steps
    }

    /// Whether all epochs are done, or so many were no better that the recipe stops.
    pub fn is_done(&self) -> bool {
        self.epochs.len() >= self.recipe.epochs || self.is_stuck()
    }

    fn is_stuck(&self) -> bool {
        let (Some(stop), Some(best)) = (self.recipe.tuning.stop, self.best()) else {
            return false;
        };
        self.epochs.len() - best.number >= stop
    }

    /// The best epoch so far: of equal ones the first.
    pub fn best(&self) -> Option<&Epoch> {
        let epochs = self.epochs.iter();
        epochs.reduce(|best, epoch| match self.is_better(epoch, best) {
            true => epoch,
            false => best,
        })
    }

    fn is_better(&self, epoch: &Epoch, than: &Epoch) -> bool {
        match self.recipe.tuning.keep {
            Keep::Accuracy => self.measure().better(epoch.test, than.test),
            Keep::Loss => epoch.loss < than.loss,
        }
    }

    /// Goes on to what is trained now, if that is other tensors than before.
    fn enter(&mut self) -> Result<(), TrainError> {
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
        let count = self.data.train.len();
        let order = order(self.recipe.seed, number, count);
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
        let left = &order[(first * self.recipe.batch).min(count)..];
        let all = loader.each(left, |index, batch| {
            let index = first + index;
            let trainer = &mut self.stage.trainer;
            let rate = self.recipe.rate_of(trainer.steps(), steps);
            let done = trainer.step_targets(&batch.inputs, batch.targets(), rate);
            let done = done.map_err(|error| match error {
                TrainError::NotFinite { tensor, .. } => TrainError::NotFinite {
                    epoch: number,
                    step: index as u64 + 1,
                    tensor,
                },
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
        let weights = self.stage.weights()?;
        let (model, measure) = (self.stage.model(), self.measure());
        let test = judged(model, &weights, &self.data.test, &self.recipe, measure)?;
        let epoch = Epoch {
            number,
            rate: last,
            loss: self.within.loss / count as f64,
            train: measure.counts_on_the_way().then(|| score.value()),
            test,
            seconds: self.within.seconds,
        };
        let best = self.best().is_none_or(|best| self.is_better(&epoch, best));
        self.epochs.push(epoch);
        self.within = Within::default();
        if best {
            weights.write_safetensors(self.folder.join("weights.safetensors"))?;
        }
        weights.write_safetensors(self.folder.join("last.safetensors"))?;
        self.save()?;
        Ok(Some(epoch))
    }

    /// Writes what a run goes on from, the table and the curves. The epoch is done once `state.json` says so, which is written behind what it speaks of.
    fn save(&mut self) -> Result<(), TrainError> {
        let name = self.measure().name();
        let mut table = format!("epoch,rate,loss,{name},test_{name},seconds\n");
        for epoch in &self.epochs {
            let Epoch {
                number,
                rate,
                loss,
                train,
                test,
                seconds,
            } = epoch;
            let train = train.map_or_else(String::new, |train| train.to_string());
            table += &format!("{number},{rate},{loss},{train},{test},{seconds:.3}\n");
        }
        self.write("results.csv", table.as_bytes())?;
        self.write(
            "loss.svg",
            chart(&self.model.graph().name, &self.epochs, name)
                .to_svg()
                .as_bytes(),
        )?;
        self.save_state()
    }

    /// Writes what a run goes on from.
    fn save_state(&mut self) -> Result<(), TrainError> {
        let name = state_file(self.epochs.len(), self.within.steps);
        let state = self.stage.state()?;
        state.write_safetensors(self.folder.join(&name))?;
        let saved = Saved {
            recipe: self.recipe.clone(),
            data: self.data.from.clone(),
            steps: self.stage.trainer.steps(),
            epochs: self.epochs.clone(),
            within: self.within.clone(),
            measure: self.measure().name(),
        };
        self.write("state.json", saved.to_text().as_bytes())?;
        let before = std::mem::replace(&mut self.state, name);
        // Nobody goes on from there any more; that the file stays is no harm.
        if before != self.state {
            let _ = fs::remove_file(self.folder.join(before));
        }
        self.saved = Instant::now();
        Ok(())
    }

    fn write(&self, name: impl AsRef<Path>, bytes: &[u8]) -> Result<(), TrainError> {
        let path = self.folder.join(name);
        let written = write_atomically(&path, |file| file.write_all(bytes));
        written.map_err(|error| TrainError::File(path, error))
    }
}

/// What changes the samples of a network, if its recipe changes them.
pub(super) fn augmenter(recipe: &Recipe, model: &Model) -> Result<Option<Augmenter>, TrainError> {
    let augment = recipe.augment.as_ref();
    let new = |augment| Augmenter::new(augment, recipe.seed, model.graph());
    augment.map(new).transpose()
}

/// The run in a folder, by a name of its own, as it is drawn.
///
/// # Errors
/// A folder that is no run.
pub fn ran(folder: &Path, name: String) -> Result<Ran, TrainError> {
    let saved = Saved::read(folder)?;
    Ok(Ran {
        name,
        measure: saved.measure,
        epochs: saved.epochs,
    })
}

/// The order in which an epoch, counted from 1, sees so many samples.
pub fn order(seed: u64, epoch: usize, samples: usize) -> Vec<u32> {
    let mut random = Random::new(seed, Purpose::Order, &(epoch as u64).to_le_bytes());
    random.order(samples)
}
