//! What a run began with, by which it is known whether it still has that when it goes on.

use super::data::{Data, Samples};
use super::error::TrainError;
use crate::Model;
use cnnc_runtime::synthetic::{hash, mix};
use serde_json::{Value, json};
use std::path::Path;

/// The network and the samples of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// Hash of the network's architecture, of which the recipe is no part.
    pub network: String,
    /// How many samples it learns from.
    pub samples: usize,
    /// How many judge it.
    pub test_samples: usize,
    /// Hash of what all of them are called and of what is known of them.
    pub known: String,
}

impl Origin {
    pub fn of(model: &Model, data: &Data) -> Origin {
        let known = [&data.train, &data.test].map(Samples::mark);
        Origin {
            network: model.hash(),
            samples: data.train.len(),
            test_samples: data.test.len(),
            known: format!("{:016x}", mix(known[0]) ^ known[1]),
        }
    }

    /// Adds it to the state of a run.
    pub fn write(&self, state: &mut Value) {
        state["samples"] = json!(self.samples);
        state["test_samples"] = json!(self.test_samples);
        state["known"] = json!(self.known);
        state["network"] = json!(self.network);
    }

    /// That of a state; of runs that began before there was one, none.
    pub fn read(state: &Value) -> Option<Origin> {
        let count = |key: &str| Some(state[key].as_u64()? as usize);
        let text = |key: &str| Some(state[key].as_str()?.to_owned());
        Some(Origin {
            network: text("network")?,
            samples: count("samples")?,
            test_samples: count("test_samples")?,
            known: text("known")?,
        })
    }

    /// Holds a network against that which the run in a folder began with.
    ///
    /// # Errors
    /// Another network.
    pub fn holds_network(&self, model: &Model, folder: &Path) -> Result<(), TrainError> {
        if self.network == model.hash() {
            return Ok(());
        }
        let [spec, state, last] =
            ["spec.cnn", "state.json", "last.safetensors"].map(|name| folder.join(name));
        Err(TrainError::Recipe(format!(
            "{} is another network than the one that {} is the state of: a run goes on with the spec that it began with\nput that back, or begin a run with the tensors that there are: `--init {}`",
            spec.display(),
            state.display(),
            last.display()
        )))
    }

    /// Holds samples against those that the run in a folder began with.
    ///
    /// # Errors
    /// More or fewer of them, or others.
    pub fn holds_data(&self, now: &Origin, data: &Path, folder: &Path) -> Result<(), TrainError> {
        let (began, has) = (
            (self.samples, self.test_samples),
            (now.samples, now.test_samples),
        );
        if began == has && self.known == now.known {
            return Ok(());
        }
        let state = folder.join("state.json");
        let (state, data) = (state.display(), data.display());
        let what = match began == has {
            true => format!(
                "the same number of samples, but some have other names or are of other classes in {data}"
            ),
            false => format!(
                "{} samples to learn from and {} to be judged by, and {data} has {} and {}",
                began.0, began.1, has.0, has.1
            ),
        };
        Err(TrainError::Recipe(format!(
            "{state} is of a run with {what}: a run goes on with the data that it began with\nput them back, or begin a run with the tensors that there are: `--init {}`",
            folder.join("last.safetensors").display()
        )))
    }
}

impl Samples {
    /// A hash of what samples are called and of what is known of them.
    fn mark(&self) -> u64 {
        let mut mark = self.len() as u64;
        for index in 0..self.len() {
            let name = self.name(index).unwrap_or_default();
            mark = mix(mark ^ hash(name.as_bytes()));
        }
        self.fold_known(mark, |mark, number| mix(mark ^ u64::from(number)))
    }
}
