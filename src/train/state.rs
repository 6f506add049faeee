//! What a run goes on from: its recipe, and how far it is.

mod samples;

use super::data::From;
use super::error::TrainError;
use super::recipe::Recipe;
use super::run::Epoch;
use cnnc_compiler::loss::{self, Measure};
use cnnc_compiler::recipe::{Loss, Method, Optimizer, Schedule};
use cnnc_runtime::files::read_ordinary;
use serde_json::{Map, Value, json};
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

    /// The text of the file, of epochs that are judged by that.
    pub fn to_text(&self, measure: Measure) -> String {
        let Recipe {
            optimizer,
            rate,
            schedule,
            warmup,
            batch,
            epochs,
            loss,
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
        let done = self.epochs.iter().map(|epoch| epoch.to_json(measure));
        let state = json!({
            "recipe": {
                "optimizer": optimizer, "rate": rate, "cosine": *schedule == Schedule::Cosine, "warmup": warmup, "batch": batch, "epochs": epochs,
                "loss": loss.as_ref().map(loss_to_json), "augment": augment.as_ref().map(samples::augment_to_json), "seed": seed, "threads": threads,
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
    pub fn to_json(&self, measure: Measure) -> Value {
        let name = measure.name();
        let mut row = json!({
            "epoch": self.number, "rate": self.rate, "loss": self.loss, "seconds": self.seconds,
        });
        row[name] = self.train.into();
        row[format!("test_{name}")] = self.test.into();
        row
    }
}

/// What an epoch was judged by, whatever the measure is.
fn measured(row: &Value, of: &str) -> Option<f64> {
    let mut names = Measure::NAMES.iter();
    names.find_map(|name| row[format!("{of}{name}")].as_f64())
}

fn loss_to_json(loss: &Loss) -> Value {
    let settings = loss.settings.iter();
    let settings = settings.map(|(name, numbers)| ((*name).to_owned(), json!(numbers)));
    json!({ "name": loss.name, "settings": settings.collect::<Map<String, Value>>() })
}

fn loss_from_json(json: &Value) -> Option<Loss> {
    let decl = loss::find(json["name"].as_str()?)?;
    let settings = json["settings"].as_object()?.iter().map(|(name, numbers)| {
        let setting = decl.settings.iter().find(|known| known.name == name)?;
        let numbers = numbers.as_array()?.iter().map(Value::as_f64);
        Some((setting.name, numbers.collect::<Option<Vec<f64>>>()?))
    });
    Some(Loss {
        name: decl.name,
        settings: settings.collect::<Option<_>>()?,
    })
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
            train: measured(row, "")?,
            test: measured(row, "test_")?,
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
            loss: match &recipe["loss"] {
                Value::Null => None,
                loss => Some(loss_from_json(loss)?),
            },
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
