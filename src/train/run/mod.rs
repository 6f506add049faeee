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
//!   log.jsonl              a line for whatever happened, with its time
//!   loss, rate             the same as curves, each as .svg and .png
//!   batch                  the first batch as it is learned
//!   confusion, predictions what the best epoch takes for what, once the run is done
//! ```
//!
//! Every file is whole or not there. Samples are shuffled by the seed and the epoch alone, so that a run which goes on is the run that never stopped.

mod files;
mod learn;
mod log;
mod pictures;

pub use files::ran;

use super::augment::Augmenter;
use super::data::Data;
use super::draw::Draw;
use super::epoch::Epoch;
use super::error::TrainError;
use super::initial::first_values;
use super::origin::Origin;
use super::place::{folder, hold, kept, state_file};
use super::recipe::Recipe;
use super::stage::Stage;
use super::state::{Saved, Within};
use super::trainer::Trainer;
use super::trunk::Front;
use crate::{Model, Weights};
use cnnc_compiler::graph::Param;
use cnnc_compiler::loss::Measure;
use cnnc_compiler::tuning::Keep;
use log::Log;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A run: a network in training, its data, and its folder.
#[derive(Debug)]
pub struct Run {
    model: Model,
    recipe: Recipe,
    data: Data,
    draw: Draw,
    augmenter: Option<Augmenter>,
    stage: Stage,
    folder: PathBuf,
    /// Keeps others from the folder.
    _held: Option<File>,
    epochs: Vec<Epoch>,
    within: Within,
    origin: Origin,
    log: Log,
    /// The file of what steps change that `state.json` speaks of.
    state: String,
    /// What is odd about its boxes.
    odd: Vec<String>,
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
        let draw = Draw::of(recipe, &data.train)?;
        let augmenter = Augmenter::of(recipe, &model)?;
        let odd = data.odd_boxes(&model, recipe)?;
        let values = first_values(&model, recipe)?;
        let origin = Origin::of(&model, &data);
        let first = pictures::first_batch(recipe, &model, &data, &draw);
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
        // What is left for the last step of an epoch.
        let rest = draw.len() % recipe.batch;
        for samples in [recipe.batch, rest].into_iter().filter(|count| *count > 0) {
            let prepared = trainer.prepare(samples);
            prepared.map_err(|error| error.placed(spec))?;
        }
        let kept = kept(&model, spec, recipe, &data.from.source)?;
        let folder = folder(runs, name, &model.graph().name)?;
        let held = hold(&folder)?;
        let mut run = Run {
            _held: held,
            model,
            recipe: recipe.clone(),
            data,
            draw,
            augmenter,
            stage,
            folder,
            epochs: Vec::new(),
            within: Within::default(),
            origin,
            log: Log::default(),
            state: state_file(0, 0),
            odd,
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
        if let Some(sheet) = first {
            let drawn = run.picture("batch", &sheet);
            run.unless_drawn(drawn)?;
        }
        run.began("begin")?;
        run.save()?;
        Ok(run)
    }

    /// Goes on with the run in a folder, on so many threads or as many as it began with. Its spec and its data are those that it began with.
    ///
    /// # Errors
    /// A folder that is no run, or one with which somebody else goes on; another network than it began with; data that are not there any more, or others.
    pub fn resume(folder: &Path, threads: Option<usize>) -> Result<Run, TrainError> {
        let in_memory = Saved::read(folder)?.data.source.path.as_os_str().is_empty();
        let model = crate::compile_file(folder.join("spec.cnn"))?;
        if in_memory {
            let message = "its data were in memory, and are gone".to_owned();
            return Err(TrainError::Recipe(message));
        }
        // Whoever held it may have saved until now.
        let held = hold(folder)?;
        let mut saved = Saved::read(folder)?;
        if let Some(origin) = &saved.origin {
            origin.holds_network(&model, folder)?;
        }
        saved.recipe.threads = threads.unwrap_or(saved.recipe.threads);
        let mut data = Data::again(&saved.data, model.graph())?;
        let origin = Origin::of(&model, &data);
        if let Some(began) = &saved.origin {
            began.holds_data(&origin, &saved.data.source.path, folder)?;
        }
        let recipe = saved.recipe;
        let draw = Draw::of(&recipe, &data.train)?;
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
        let of_epoch = draw.len().div_ceil(recipe.batch) as u64;
        stage.trainer.begin_at(stage.first as u64 * of_epoch);
        // Where it begins, the optimiser has nothing yet.
        if saved.steps > stage.first as u64 * of_epoch {
            stage.trainer.restore(&weights, saved.steps)?;
        }
        let mut run = Run {
            _held: held,
            augmenter: Augmenter::of(&recipe, &model)?,
            model,
            recipe,
            data,
            draw,
            stage,
            folder: folder.to_owned(),
            epochs,
            within,
            origin,
            log: Log::of(folder)?,
            state,
            odd: Vec::new(),
            saved: Instant::now(),
            every: EVERY,
        };
        run.began("resume")?;
        Ok(run)
    }

    /// What is odd about the boxes that a detector shall learn, as [`odd_boxes`](super::odd_boxes) says; nothing where a run goes on.
    pub fn odd(&self) -> &[String] {
        &self.odd
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

    /// How many there are in an epoch: samples, or pairs of them.
    pub fn drawn(&self) -> usize {
        self.draw.len()
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
}
