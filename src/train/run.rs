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
use super::chart::chart;
use super::data::Data;
use super::error::TrainError;
use super::loader::Loader;
use super::measure::Score;
use super::random::{Purpose, Random};
use super::recipe::Recipe;
use super::state::Saved;
use super::trainer::{Trainer, apart};
use crate::{Model, Options, Weights};
use cnnc_compiler::loss::Measure;
use cnnc_runtime::files::write_atomically;
use cnnc_runtime::input::Input;
use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::time::Instant;

/// What an epoch came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Its number, from 1.
    pub number: usize,
    /// The rate of its last step.
    pub rate: f64,
    /// Mean loss of the samples, each before the step that it was in.
    pub loss: f64,
    /// What the network made of them then, by the measure of its loss: the share that it had right, of classes.
    pub train: f64,
    /// What it makes of the test samples afterwards.
    pub test: f64,
    /// Seconds that its steps took.
    pub seconds: f64,
}

/// A run: a network in training, its data, and its folder.
#[derive(Debug)]
pub struct Run {
    model: Model,
    recipe: Recipe,
    data: Data,
    augmenter: Option<Augmenter>,
    trainer: Trainer,
    folder: PathBuf,
    epochs: Vec<Epoch>,
}

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
        data: Data,
        runs: &Path,
        name: Option<&str>,
    ) -> Result<Run, TrainError> {
        let mut trainer = Trainer::new(&model, recipe)?;
        if recipe.batch > data.train.len() {
            let message = format!(
                "a batch of {} is more than the {} samples to learn from",
                recipe.batch,
                data.train.len()
            );
            return Err(TrainError::Recipe(message));
        }
        if data.train.labels_each() == 1 && trainer.labels() != 1 {
            let message = format!(
                "`{}` has a class for each of {} pixels; pictures with one label each cannot train it",
                model.graph().name,
                trainer.labels()
            );
            return Err(TrainError::Network(message));
        }
        let augmenter = augmenter(recipe, &model)?;
        trainer.check(&data.train)?;
        trainer.check(&data.test)?;
        trainer.prepare(recipe.batch)?;
        // What is left for the last step of an epoch.
        match data.train.len() % recipe.batch {
            0 => {}
            rest => trainer.prepare(rest)?,
        }
        let kept = kept(&model, spec)?;
        let folder = folder(runs, name, &model.graph().name)?;
        let run = Run {
            model,
            recipe: recipe.clone(),
            data,
            augmenter,
            trainer,
            folder,
            epochs: Vec::new(),
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
        let data = Data::again(&saved.data, model.graph())?;
        let mut trainer = Trainer::new(&model, &saved.recipe)?;
        let path = folder.join(state_file(saved.epochs.len()));
        let weights = Weights::open(&path).map_err(crate::Error::from)?;
        trainer.restore(&weights, saved.steps)?;
        Ok(Run {
            augmenter: augmenter(&saved.recipe, &model)?,
            model,
            recipe: saved.recipe,
            data,
            trainer,
            folder: folder.to_owned(),
            epochs: saved.epochs,
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
        &self.trainer
    }

    /// What the network is judged by.
    pub fn measure(&self) -> Measure {
        self.trainer.measure()
    }

    /// Whether all epochs are done.
    pub fn is_done(&self) -> bool {
        self.epochs.len() >= self.recipe.epochs
    }

    /// The best epoch so far: of equal ones the first.
    pub fn best(&self) -> Option<&Epoch> {
        let mut epochs = self.epochs.iter();
        let first = epochs.next()?;
        let measure = self.measure();
        let better = |epoch: &Epoch, best: &Epoch| measure.better(epoch.test, best.test);
        Some(epochs.fold(first, |best, epoch| match better(epoch, best) {
            true => epoch,
            false => best,
        }))
    }

    /// The order in which an epoch sees so many samples.
    pub fn order(recipe: &Recipe, epoch: usize, samples: usize) -> Vec<u32> {
        let which = (epoch as u64).to_le_bytes();
        Random::new(recipe.seed, Purpose::Order, &which).order(samples)
    }

    /// Trains for one epoch, judges the network, and saves everything. `progress` is told how many steps of how many are done, and the mean loss so far;
    /// if it says no, the epoch is given up and nothing is saved.
    ///
    /// # Errors
    /// A loss that is not a number, or a file that cannot be written.
    pub fn epoch(
        &mut self,
        mut progress: impl FnMut(usize, usize, f64) -> bool,
    ) -> Result<Option<Epoch>, TrainError> {
        let number = self.epochs.len() + 1;
        let count = self.data.train.len();
        let order = Run::order(&self.recipe, number, count);
        let batches = count.div_ceil(self.recipe.batch);
        let steps = (batches as u64).saturating_mul(self.recipe.epochs as u64);
        let start = Instant::now();
        let (mut loss, mut rate) = (0.0, 0.0);
        let mut score: Option<Score> = None;
        let Run {
            data,
            recipe,
            trainer,
            ..
        } = self;
        let loader = Loader {
            samples: &data.train,
            augmenter: self.augmenter.as_ref(),
            epoch: number,
            batch: recipe.batch,
        };
        let all = loader.each(&order, |index, batch| {
            rate = recipe.rate_of(trainer.steps(), steps);
            let done = trainer.step_targets(&batch.inputs, batch.targets(), rate);
            let done = done.map_err(|error| match error {
                TrainError::NotFinite { tensor, .. } => TrainError::NotFinite {
                    epoch: number,
                    step: index as u64 + 1,
                    tensor,
                },
                error => error,
            })?;
            loss += done.loss * batch.len() as f64;
            match &mut score {
                Some(score) => score.merge(trainer.score()),
                None => score = Some(trainer.score().clone()),
            }
            let seen = (index * recipe.batch + batch.len()) as f64;
            Ok(progress(index + 1, batches, loss / seen))
        })?;
        if !all {
            return Ok(None);
        }
        let seconds = start.elapsed().as_secs_f64();
        let weights = self.trainer.weights()?;
        let epoch = Epoch {
            number,
            rate,
            loss: loss / count as f64,
            train: score.map_or(0.0, |score| score.value()),
            test: self.judge(&weights)?,
            seconds,
        };
        let measure = self.measure();
        let best = self.best();
        let best = best.is_none_or(|best| measure.better(epoch.test, best.test));
        self.epochs.push(epoch);
        if best {
            weights.write_safetensors(self.folder.join("weights.safetensors"))?;
        }
        weights.write_safetensors(self.folder.join("last.safetensors"))?;
        self.save()?;
        Ok(Some(epoch))
    }

    /// What the network makes of the test samples, by the measure of its loss.
    fn judge(&self, weights: &Weights) -> Result<f64, TrainError> {
        let options = Options::new()
            .batch(self.recipe.batch)
            .threads(self.recipe.threads);
        let network = self.model.jit(weights, &options)?;
        let mut session = network.session()?;
        let graph = self.model.graph();
        let output = &graph.values[graph.outputs[0].value].shape;
        let elements = graph.inputs.iter();
        let elements = elements.map(|input| graph.values[input.value].shape.elements());
        let elements: Vec<usize> = elements.collect();
        let (samples, mut score) = (&self.data.test, Score::new(self.measure(), output));
        let loader = Loader {
            samples,
            augmenter: None,
            epoch: 1,
            batch: self.recipe.batch,
        };
        let all: Vec<u32> = (0..samples.len() as u32).collect();
        for part in all.chunks(self.recipe.batch) {
            let batch = loader.batch(part)?;
            let inputs = apart(&batch.inputs, &elements);
            let inputs: Vec<&dyn Input> = inputs.iter().map(|input| input as &dyn Input).collect();
            let outputs = session.run(&inputs)?;
            for (image, &sample) in part.iter().enumerate() {
                let targets = samples.targets(sample as usize);
                score.add(outputs.image(image).raw(), output, targets);
            }
        }
        Ok(score.value())
    }

    /// Writes what a run goes on from, the table and the curves. The epoch is done once `state.json` says so, which is written behind what it speaks of.
    fn save(&self) -> Result<(), TrainError> {
        let (measure, name) = (self.measure(), self.measure().name());
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
            table += &format!("{number},{rate},{loss},{train},{test},{seconds:.3}\n");
        }
        let done = self.epochs.len();
        let state = self.trainer.state()?;
        state.write_safetensors(self.folder.join(state_file(done)))?;
        self.write("results.csv", table.as_bytes())?;
        self.write(
            "loss.svg",
            chart(&self.model.graph().name, &self.epochs, measure).as_bytes(),
        )?;
        let saved = Saved {
            recipe: self.recipe.clone(),
            data: self.data.from.clone(),
            steps: self.trainer.steps(),
            epochs: self.epochs.clone(),
        };
        self.write("state.json", saved.to_text(measure).as_bytes())?;
        // Nobody goes on from the epoch before any more; that its file stays is no harm.
        if let Some(before) = done.checked_sub(1) {
            let _ = fs::remove_file(self.folder.join(state_file(before)));
        }
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

/// The file of what steps change, behind so many epochs: a name for each, so that `state.json`, which counts them, always speaks of one that is whole.
fn state_file(epochs: usize) -> String {
    format!("state-{epochs:03}.safetensors")
}

/// The spec and what it reads, by their places in a run's folder.
fn kept(model: &Model, spec: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>, TrainError> {
    let read =
        |path: &Path| fs::read(path).map_err(|error| TrainError::File(path.to_owned(), error));
    let mut kept = vec![(PathBuf::from("spec.cnn"), read(spec)?)];
    let home = spec.parent().unwrap_or(Path::new(""));
    for file in model.files().iter().filter(|file| *file != spec) {
        let place = file.strip_prefix(home).ok();
        let inside = |place: &&Path| {
            let mut parts = place.components();
            parts.all(|part| matches!(part, Component::Normal(_)))
        };
        let place = place.filter(inside).ok_or_else(|| {
            let (spec, file) = (spec.display(), file.display());
            TrainError::Network(format!(
                "{spec} reads {file}, which is not in its folder, so that a run cannot keep it"
            ))
        })?;
        kept.push((place.to_owned(), read(file)?));
    }
    Ok(kept)
}

/// A new folder for a run.
fn folder(runs: &Path, name: Option<&str>, model: &str) -> Result<PathBuf, TrainError> {
    let failed = |path: &Path, error| TrainError::File(path.to_owned(), error);
    fs::create_dir_all(runs).map_err(|error| failed(runs, error))?;
    if let Some(name) = name {
        let path = runs.join(name);
        return match fs::create_dir(&path) {
            Ok(()) => Ok(path),
            Err(error) => Err(failed(&path, error)),
        };
    }
    for number in 1.. {
        let path = runs.join(format!("{}-{number:02}", model.to_lowercase()));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            // Of two runs that begin at the same time one finds the other's folder.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(&path, error)),
        }
    }
    unreachable!("there is a number that is free")
}
