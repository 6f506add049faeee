//! What a spec expects of its network on a data set.

use crate::{Failure, print};
use cnnc::Model;
use cnnc::train::Goal;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Each expectation, and whether it holds, if it is of this folder.
pub struct Goals<'m>(Vec<(&'m Goal, Option<bool>)>);

impl<'m> Goals<'m> {
    /// Those of a spec, for a folder's accuracy, if it has one.
    pub fn of(model: &'m Model, folder: &Path, accuracy: Option<f64>) -> Goals<'m> {
        let same = |on: &PathBuf| match (on.canonicalize(), folder.canonicalize()) {
            (Ok(on), Ok(folder)) => on == folder,
            _ => on == folder,
        };
        let goals = model.goals().iter();
        let held = goals.map(|goal| {
            let of_it = goal.on.as_ref().is_none_or(same);
            (
                goal,
                accuracy
                    .filter(|_| of_it)
                    .map(|accuracy| accuracy >= goal.accuracy),
            )
        });
        Goals(held.collect())
    }

    /// Prints them.
    pub fn show(&self) -> Result<(), Failure> {
        for (goal, met) in &self.0 {
            print::line(expected(goal, *met))?;
        }
        Ok(())
    }

    /// The same as JSON.
    pub fn to_json(&self) -> Value {
        let goals = self.0.iter();
        let goals = goals
            .map(|(goal, met)| json!({ "accuracy": goal.accuracy, "on": goal.on, "met": met }));
        goals.collect()
    }

    /// An error where one does not hold.
    pub fn met(&self) -> Result<(), Failure> {
        match self.0.iter().any(|(_, met)| *met == Some(false)) {
            true => Err(Failure::Missed),
            false => Ok(()),
        }
    }
}

fn expected(goal: &Goal, met: Option<bool>) -> String {
    let on = match &goal.on {
        Some(folder) => format!(" on {}", folder.display()),
        None => String::new(),
    };
    let met = match met {
        Some(true) => "it is",
        Some(false) => "it is LESS",
        None => "not checked",
    };
    format!("expected at least {} %{on}: {met}", 100.0 * goal.accuracy)
}
