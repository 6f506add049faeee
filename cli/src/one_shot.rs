//! What `cnnc evaluate --one-shot` says: which share of the pictures of one-shot runs a network answers rightly.

use crate::{Failure, outputs, print};
use cnnc::train::{OneShot, missed_sheet, one_shot, one_shot_files};
use cnnc::{Model, Weights};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What is asked.
pub struct Asked<'a> {
    pub model: &'a Model,
    pub weights: &'a Path,
    pub folder: &'a Path,
    /// Where mistakes are drawn.
    pub worst: Option<&'a Path>,
    pub spec: &'a Path,
    pub threads: usize,
    pub json: bool,
}

/// Most mistakes that are drawn.
const DRAWN: usize = 20;

/// Tries the network on all runs.
pub fn run(asked: &Asked<'_>) -> Result<(), Failure> {
    let start = Instant::now();
    let files = asked.model.files().iter().map(|file| file.as_path());
    outputs::apart(asked.worst, files.chain([asked.spec, asked.weights]))?;
    if let Some(path) = asked.worst {
        let read = one_shot_files(asked.folder)?;
        outputs::apart([path], read.iter().map(PathBuf::as_path))?;
        outputs::sheets([path], true)?;
    }
    let weights = Weights::open(asked.weights).map_err(cnnc::Error::from)?;
    let all = one_shot(asked.model, &weights, asked.folder, asked.threads)?;
    print::broken(&all.broken);
    if let (Some(path), Some(pre)) = (asked.worst, &asked.model.graph().inputs[0].pre) {
        let tried = all.runs.iter().flat_map(|run| &run.tried);
        let missed: Vec<_> = tried
            .filter(|tried| !tried.is_right())
            .take(DRAWN)
            .collect();
        missed_sheet(&missed, pre, asked.folder)?.write(path)?;
        print::wrote(path);
    }
    let seconds = start.elapsed().as_secs_f64();
    if asked.json {
        return Ok(print::json(&to_json(&all, seconds))?);
    }
    let mut table = print::table(&["run", ">known", ">asked", ">right"]);
    for run in &all.runs {
        table.add_row([
            run.name.clone(),
            run.ways.to_string(),
            run.tried.len().to_string(),
            run.right().to_string(),
        ]);
    }
    print::line(format_args!(
        "{table}\n{:.2} % of {} right in {} runs ({seconds:.1} s)",
        100.0 * all.accuracy(),
        all.tried(),
        all.runs.len()
    ))?;
    Ok(())
}

fn to_json(all: &OneShot, seconds: f64) -> Value {
    let runs = all.runs.iter().map(|run| {
        json!({ "run": run.name, "known": run.ways, "asked": run.tried.len(), "right": run.right() })
    });
    json!({ "accuracy": all.accuracy(), "asked": all.tried(), "runs": runs.collect::<Vec<Value>>(), "broken": all.broken, "seconds": seconds })
}
