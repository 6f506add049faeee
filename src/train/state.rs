//! What a run goes on from: its recipe, and how far it is.

mod curve;
mod samples;

use super::data::From;
use super::epoch::Epoch;
use super::error::TrainError;
use super::origin::Origin;
use super::recipe::Recipe;
use super::tuning;
use cnnc_compiler::loss::{self, Measure};
use cnnc_compiler::recipe::{Loss, Method, Optimizer};
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
    /// How far the next one is.
    pub within: Within,
    /// Name of what they are judged by.
    pub measure: &'static str,
    /// How many samples it learns from.
    pub samples: Option<usize>,
    /// What it began with.
    pub origin: Option<Origin>,
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
            clip,
            batch,
            each,
            alike,
            epochs,
            loss,
            augment,
            seed,
            threads,
            tuning: of_tuning,
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
        let done = self.epochs.iter().map(|epoch| epoch.to_json(self.measure));
        let mut state = json!({
            "recipe": {
                "optimizer": optimizer, "rate": rate, "curve": curve::to_json(schedule), "warmup": warmup, "clip": clip.map(curve::clip_to_json), "batch": batch, "each": each, "alike": alike, "epochs": epochs,
                "loss": loss.as_ref().map(loss_to_json), "augment": augment.as_ref().map(samples::augment_to_json), "seed": seed, "threads": threads, "tuning": tuning::to_json(of_tuning),
            },
            "data": samples::from_to_json(&self.data),
            "samples": self.samples,
            "steps": self.steps,
            "measure": self.measure,
            "within": self.within.to_json(),
            "epochs": done.collect::<Vec<Value>>(),
        });
        if let Some(origin) = &self.origin {
            origin.write(&mut state);
        }
        format!("{state:#}\n")
    }
}

/// How far an epoch is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Within {
    /// Steps that are done.
    pub steps: usize,
    /// The sum of the losses of their samples.
    pub loss: f64,
    /// What the network made of them, as counts of its measure.
    pub counts: Vec<[f64; 2]>,
    /// Seconds that they took.
    pub seconds: f64,
}

impl Within {
    fn to_json(&self) -> Value {
        json!({ "steps": self.steps, "loss": self.loss, "counts": self.counts, "seconds": self.seconds })
    }

    fn from_json(json: &Value) -> Option<Within> {
        let counts = json["counts"].as_array()?.iter();
        let counts = counts.map(|pair| Some([pair[0].as_f64()?, pair[1].as_f64()?]));
        Some(Within {
            steps: json["steps"].as_u64()? as usize,
            loss: json["loss"].as_f64()?,
            counts: counts.collect::<Option<_>>()?,
            seconds: json["seconds"].as_f64()?,
        })
    }
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
    let mut measures = Measure::NAMES.into_iter();
    let measure = measures.find(|name| state["measure"] == **name)?;
    let count = |value: &Value| value.as_u64().map(|count| count as usize);
    let rest = Recipe::default();
    Some(Saved {
        recipe: Recipe {
            optimizer,
            rate: recipe["rate"].as_f64()?,
            schedule: curve::of(recipe)?,
            warmup: recipe["warmup"].as_f64()?,
            clip: match &recipe["clip"] {
                Value::Null => None,
                clip => Some(curve::clip_of(clip)?),
            },
            batch: count(&recipe["batch"])?,
            // Runs begun before there were identities say nothing of them.
            each: match &recipe["each"] {
                Value::Null => rest.each,
                each => count(each)?,
            },
            alike: match &recipe["alike"] {
                Value::Null => rest.alike,
                alike => alike.as_f64()?,
            },
            epochs: count(&recipe["epochs"])?,
            loss: match &recipe["loss"] {
                Value::Null => None,
                loss => Some(loss_from_json(loss)?),
            },
            augment: samples::augment_of(&recipe["augment"])?,
            seed: recipe["seed"].as_u64()?,
            threads: count(&recipe["threads"])?,
            tuning: tuning::from_json(&recipe["tuning"])?,
        },
        data: samples::from_of(&state["data"])?,
        steps: state["steps"].as_u64()?,
        within: Within::from_json(&state["within"])?,
        measure,
        samples: count(&state["samples"]),
        origin: Origin::read(state),
        epochs: state["epochs"]
            .as_array()?
            .iter()
            .map(|row| Epoch::from_json(row, measure))
            .collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnc_compiler::recipe::{Clip, Schedule};

    fn saved() -> Saved {
        Saved {
            recipe: Recipe::default(),
            data: From::default(),
            steps: 3,
            epochs: Vec::new(),
            within: Within::default(),
            measure: Measure::NAMES[0],
            samples: None,
            origin: None,
        }
    }

    /// Without what came later, it is what it was then.
    #[test]
    fn runs_of_before_can_be_read() {
        let mut state: Value = serde_json::from_str(&saved().to_text()).expect("JSON");
        let read = |state: &Value| from_json(state).map(|saved| saved.recipe);
        assert_eq!(read(&state), Some(Recipe::default()));
        let recipe = state["recipe"].as_object_mut().expect("settings");
        for key in ["each", "alike", "clip"] {
            assert!(recipe.remove(key).is_some(), "{key}");
        }
        let tuning = recipe["tuning"].as_object_mut().expect("settings");
        assert!(tuning.remove("start").is_some());
        assert_eq!(read(&state), Some(Recipe::default()));
        state["recipe"]["alike"] = json!("half");
        assert_eq!(read(&state), None);
    }

    /// A curve was a cosine or none.
    #[test]
    fn curves_of_before_can_be_read() {
        let of = |recipe: &str| curve::of(&serde_json::from_str(recipe).expect("JSON"));
        assert_eq!(of(r#"{ "cosine": true }"#), Some(Schedule::Cosine));
        assert_eq!(of(r#"{ "cosine": false }"#), Some(Schedule::Constant));
        assert_eq!(of("{}"), None);
        assert_eq!(of(r#"{ "curve": { "name": "spiral" } }"#), None);
    }

    #[test]
    fn curves_and_limits_are_read_as_they_were_written() {
        let curves = [
            Schedule::Constant,
            Schedule::Cosine,
            Schedule::Polynomial { power: 0.9 },
            Schedule::At {
                epochs: vec![1.5, 30.0],
                by: 0.2,
            },
            Schedule::Every {
                epochs: 0.1,
                by: 0.97,
            },
        ];
        let clips = [None, Some(Clip::Norm(0.3)), Some(Clip::Value(5.0))];
        for (index, schedule) in curves.into_iter().enumerate() {
            let recipe = Recipe {
                schedule,
                clip: clips[index % clips.len()],
                ..Recipe::default()
            };
            let saved = Saved {
                recipe: recipe.clone(),
                ..saved()
            };
            let state = serde_json::from_str(&saved.to_text()).expect("JSON");
            assert_eq!(from_json(&state).map(|saved| saved.recipe), Some(recipe));
        }
    }
}
