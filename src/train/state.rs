//! What a run goes on from: its recipe, and how far it is.

mod samples;

use super::data::From;
use super::error::TrainError;
use super::recipe::Recipe;
use super::run::Epoch;
use cnnc_compiler::recipe::Schedule;
use cnnc_compiler::recipe::{Method, Optimizer};
use cnnc_runtime::files::read_ordinary;
use serde_json::{Value, json};
use std::path::Path;

/// What `state.json` holds.
pub struct Saved {
    /// How it is trained.
    pub recipe: Recipe,
    /// Where its data come from.
    pub data: From,
    /// Steps so far.
    pub steps: u64,
    /// Epochs so far.
    pub epochs: Vec<Epoch>,
}

impl Saved {
    /// Reads it from a run's folder.
    pub fn read(folder: &Path) -> Result<Saved, TrainError> {
        let path = folder.join("state.json");
        let bytes = read_ordinary(&path).map_err(|error| TrainError::File(path.clone(), error))?;
        let parsed = serde_json::from_slice::<Value>(&bytes).ok();
        parsed.as_ref().and_then(from_json).ok_or_else(|| {
            let message = format!("{}: not the state of a training run", path.display());
            TrainError::Recipe(message)
        })
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let Recipe {
            optimizer,
            rate,
            schedule,
            warmup,
            batch,
            epochs,
            smoothing,
            augment,
            seed,
            threads,
        } = &self.recipe;
        let Optimizer {
            method,
            momentum,
            nesterov,
            alpha,
            betas,
            eps,
            decay,
        } = optimizer;
        let optimizer = json!({
            "method": method.name(), "momentum": momentum, "nesterov": nesterov, "alpha": alpha, "betas": betas, "eps": eps, "decay": decay,
        });
        let done = self.epochs.iter().map(Epoch::to_json);
        let state = json!({
            "recipe": {
                "optimizer": optimizer, "rate": rate, "cosine": *schedule == Schedule::Cosine, "warmup": warmup, "batch": batch, "epochs": epochs,
                "smoothing": smoothing, "augment": augment.as_ref().map(samples::augment_to_json), "seed": seed, "threads": threads,
            },
            "data": samples::from_to_json(&self.data),
            "steps": self.steps,
            "epochs": done.collect::<Vec<Value>>(),
        });
        format!("{state:#}\n")
    }
}

impl Epoch {
    /// As it stands in `state.json` and in what `cnnc train --json` prints.
    pub fn to_json(&self) -> Value {
        json!({
            "epoch": self.number, "rate": self.rate, "loss": self.loss, "accuracy": self.accuracy, "test_accuracy": self.test,
            "seconds": self.seconds,
        })
    }
}

fn from_json(state: &Value) -> Option<Saved> {
    let recipe = &state["recipe"];
    let optimizer = &recipe["optimizer"];
    let number = |key: &str| optimizer[key].as_f64();
    let optimizer = Optimizer {
        method: Method::find(optimizer["method"].as_str()?)?,
        momentum: number("momentum")?,
        nesterov: optimizer["nesterov"].as_bool()?,
        alpha: number("alpha")?,
        betas: [
            optimizer["betas"][0].as_f64()?,
            optimizer["betas"][1].as_f64()?,
        ],
        eps: number("eps")?,
        decay: number("decay")?,
    };
    let count = |value: &Value| value.as_u64().map(|count| count as usize);
    let epoch = |row: &Value| {
        Some(Epoch {
            number: count(&row["epoch"])?,
            rate: row["rate"].as_f64()?,
            loss: row["loss"].as_f64()?,
            accuracy: row["accuracy"].as_f64()?,
            test: row["test_accuracy"].as_f64()?,
            seconds: row["seconds"].as_f64()?,
        })
    };
    Some(Saved {
        recipe: Recipe {
            optimizer,
            rate: recipe["rate"].as_f64()?,
            schedule: match recipe["cosine"].as_bool()? {
                true => Schedule::Cosine,
                false => Schedule::Constant,
            },
            warmup: recipe["warmup"].as_f64()?,
            batch: count(&recipe["batch"])?,
            epochs: count(&recipe["epochs"])?,
            smoothing: recipe["smoothing"].as_f64()?,
            augment: samples::augment_of(&recipe["augment"])?,
            seed: recipe["seed"].as_u64()?,
            threads: count(&recipe["threads"])?,
        },
        data: samples::from_of(&state["data"])?,
        steps: state["steps"].as_u64()?,
        epochs: state["epochs"]
            .as_array()?
            .iter()
            .map(epoch)
            .collect::<Option<_>>()?,
    })
}
