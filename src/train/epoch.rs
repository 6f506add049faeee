//! Epochs, as they are told and kept.

use serde_json::{Value, json};

/// What [`Epoch::named`] is called in files.
pub(super) const NAMED: &str = "test_named";

/// What an epoch came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Its number, from 1.
    pub number: usize,
    /// The rate of its last step.
    pub rate: f64,
    /// Mean loss of the samples, each before the step that it was in.
    pub loss: f64,
    /// What the network made of them then, by the measure of its loss: the share that it had right, of classes. `None` for measures that
    /// need more than a step knows.
    pub train: Option<f64>,
    /// What it makes of the test samples afterwards.
    pub test: f64,
    /// Share of the test samples of which the network says right what is there, if the measure is of where it is.
    pub named: Option<f64>,
    /// Seconds that its steps took.
    pub seconds: f64,
}

impl Epoch {
    /// As it stands in `state.json` and in what `cnnc train --json` prints.
    pub fn to_json(&self, measure: &str) -> Value {
        let mut row = json!({
            "epoch": self.number, "rate": self.rate, "loss": self.loss, "seconds": self.seconds,
        });
        row[measure] = self.train.into();
        row[format!("test_{measure}")] = self.test.into();
        if let Some(named) = self.named {
            row[NAMED] = named.into();
        }
        row
    }
    /// The same, read; `None` if it is none.
    pub(super) fn from_json(row: &Value, measure: &str) -> Option<Epoch> {
        Some(Epoch {
            number: row["epoch"].as_u64()? as usize,
            rate: row["rate"].as_f64()?,
            loss: row["loss"].as_f64()?,
            train: row[measure].as_f64(),
            test: row[format!("test_{measure}")].as_f64()?,
            named: row[NAMED].as_f64(),
            seconds: row["seconds"].as_f64()?,
        })
    }
}
