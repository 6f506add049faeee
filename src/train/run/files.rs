//! What a run leaves in its folder. Every file is whole or not there.

use super::{Epoch, Run};
use crate::train::chart::Ran;
use crate::train::epoch::NAMED;
use crate::train::error::TrainError;
use crate::train::place::state_file;
use crate::train::state::Saved;
use cnnc_runtime::files::write_atomically;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

impl Run {
    /// Writes what a run goes on from, the table and the curves. The epoch is done once `state.json` says so, which is written behind what it speaks of.
    pub(super) fn save(&mut self) -> Result<(), TrainError> {
        let name = self.measure().name();
        let named = self.trainer().score().names();
        let column = if named {
            format!(",{NAMED}")
        } else {
            String::new()
        };
        let mut table = format!("epoch,rate,loss,{name},test_{name}{column},seconds\n");
        for epoch in &self.epochs {
            let Epoch {
                number,
                rate,
                loss,
                train,
                test,
                named,
                seconds,
            } = epoch;
            let train = train.map_or_else(String::new, |train| train.to_string());
            let named = named.map_or_else(String::new, |named| format!(",{named}"));
            table += &format!("{number},{rate},{loss},{train},{test}{named},{seconds:.3}\n");
        }
        self.write("results.csv", table.as_bytes())?;
        self.draw_curves()?;
        self.save_state()
    }

    /// Writes what a run goes on from.
    pub(super) fn save_state(&mut self) -> Result<(), TrainError> {
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
            samples: Some(self.origin.samples),
            origin: Some(self.origin.clone()),
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

    pub(super) fn write(&self, name: impl AsRef<Path>, bytes: &[u8]) -> Result<(), TrainError> {
        let path = self.folder.join(name);
        let written = write_atomically(&path, |file| file.write_all(bytes));
        written.map_err(|error| TrainError::File(path, error))
    }
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
        samples: saved.samples,
    })
}
