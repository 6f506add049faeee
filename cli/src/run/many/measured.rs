//! How fast files are answered, for `bench`: what `run` does, without a word about answers.

use super::progress::{Pace, Progress};
use super::sink::{Form, Sink};
use super::taker::Run;
use super::targets::Targets;
use super::work::{Work, listed};
use crate::Failure;
use cnnc::source::{Ahead, Entries};
use cnnc::{Model, Network};
use serde_json::Value;
use std::collections::HashSet;
use std::path::PathBuf;

/// Answers files for the time that it takes, and says nothing of answers; a bar shows on a terminal.
///
/// # Errors
/// Places that cannot be read, a network that takes several inputs, or a run that fails.
pub fn measured(
    model: &Model,
    network: &Network,
    files: &[PathBuf],
    threads: usize,
) -> Result<Pace, Failure> {
    if model.graph().inputs.len() != 1 {
        return Err(Failure::Flag {
            flag: "--input",
            why: "the network has several inputs, and of files each is answered alone".to_owned(),
        });
    }
    let entries = listed(model, files, &[], None, HashSet::new())?;
    let ahead = Ahead::beside(threads, network.batch());
    let mut run = Run {
        draw: None,
        out: None,
        raw: None,
        taps: &[],
        piped: false,
        head: model.head(),
        session: network.session()?,
        sink: Sink::new(Form::Nothing, Value::Null),
        progress: Progress::new(Entries::count(&entries), 0, true),
        targets: Targets::new(Vec::new(), false, false),
        waiting: Vec::new(),
        size: None,
    };
    let mut work = entries.map(Work::of);
    run.all(model, network, &mut work, ahead, &|| ())?;
    Ok(run.progress.pace(ahead.threads))
}
