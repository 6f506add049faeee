//! `log.jsonl`: what happened to a run, a line each, with seconds since 1970. Files are whole or not there, so that it is written anew each time.

use super::Run;
use crate::train::error::TrainError;
use cnnc_runtime::files::read_ordinary;
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const FILE: &str = "log.jsonl";

/// The lines so far.
#[derive(Debug, Default)]
pub(super) struct Log(String);

impl Log {
    /// That of a folder; of runs that began before there was one, nothing.
    pub fn of(folder: &Path) -> Result<Log, TrainError> {
        let path = folder.join(FILE);
        match read_ordinary(&path) {
            Ok(bytes) => Ok(Log(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Log::default()),
            Err(error) => Err(TrainError::File(path, error)),
        }
    }
}

impl Run {
    /// Says that the run begins, or goes on.
    pub(super) fn began(&mut self, event: &str) -> Result<(), TrainError> {
        let memory = self.stage.trainer.bytes();
        let said = json!({
            "network": self.model.graph().name, "samples": self.origin.samples, "test_samples": self.origin.test_samples,
            "epochs": self.epochs.len(), "step": self.within.steps, "threads": self.recipe.threads,
            "parameter_bytes": memory.parameters, "optimizer_bytes": memory.optimizer, "step_bytes": memory.step,
        });
        self.log(event, said)
    }

    /// Adds a line of a picture that could not be drawn: what was learned is written, and that is no reason to fail.
    pub(super) fn unless_drawn(&mut self, drawn: Result<(), TrainError>) -> Result<(), TrainError> {
        match drawn {
            Ok(()) => Ok(()),
            Err(error) => self.log("undrawn", json!({ "why": error.to_string() })),
        }
    }

    /// Adds a line.
    pub(super) fn log(&mut self, event: &str, said: Value) -> Result<(), TrainError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let mut line = json!({ "event": event, "time": now.unwrap_or_default().as_secs() });
        if let (Some(line), Value::Object(said)) = (line.as_object_mut(), said) {
            line.extend(said);
        }
        self.log.0 += &format!("{line}\n");
        self.write(FILE, self.log.0.as_bytes())
    }
}
