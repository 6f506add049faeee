//! What is to be answered, and how it is prepared on threads ahead: files that are named, or frames.

use super::taker::{Made, Run};
use crate::Failure;
use crate::inputs::{self, Runs, Sample};
use cnnc::rt::image::Picture;
use cnnc::rt::plan::Port;
use cnnc::source::{self, Ahead, Entries, Entry, Place, Shard, SourceError, Viewed, Wanted};
use cnnc::{Model, Network};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What is to be answered.
pub enum Work {
    File(Entry),
    Frame(String, Picture),
    /// There is no more.
    Failed(Failure),
}

impl Work {
    /// Of an entry, or of why there is no more.
    pub fn of(entry: Result<Entry, SourceError>) -> Work {
        match entry {
            Ok(entry) => Work::File(entry),
            Err(error) => Work::Failed(error.into()),
        }
    }
}

impl Run<'_> {
    /// Answers all of it, prepared on threads ahead; `over` as [`source::each`] calls it.
    pub fn all(
        &mut self,
        model: &Model,
        network: &Network,
        work: &mut (dyn Iterator<Item = Work> + Send),
        ahead: Ahead,
        over: &dyn Fn(),
    ) -> Result<(), Failure> {
        let port = &network.inputs()[0];
        let kept = self.draw.is_some();
        let make = |work: Work| made(model, port, work, kept);
        let mut take = |made: Made| {
            let begun = Instant::now();
            let more = self.take(network, made);
            self.progress.computing += begun.elapsed();
            self.progress.say();
            more.map(|()| true)
        };
        source::each(work, &make, ahead, &mut take, over)?;
        let begun = Instant::now();
        self.answer(network)?;
        self.progress.computing += begun.elapsed();
        Ok(())
    }
}

/// The files of a shard that words stand for, without folders that are written to.
pub fn listed(
    model: &Model,
    files: &[PathBuf],
    without: &[&Path],
    shard: Option<Shard>,
    done: HashSet<String>,
) -> Result<Entries, Failure> {
    let framed = inputs::takes_frames(model);
    let places = files.iter().map(|word| match Place::of(word) {
        Place::Folder(folder) if framed => Place::File(folder),
        place => place,
    });
    let places: Vec<Place> = places.collect();
    let same = |one: &Path, other: &Path| match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    };
    for place in &places {
        if let Place::Folder(folder) = place
            && without.iter().any(|written| same(folder, written))
        {
            let file = folder.display().to_string();
            return Err(Failure::Overwrite { file });
        }
    }
    let kind = |path: &Path| inputs::is_called_an_input(model, path);
    let wanted = Wanted {
        kind: Some(&kind),
        without,
        shard,
        done,
    };
    Ok(Entries::of(&places, wanted)?)
}

fn made(model: &Model, port: &Port, work: Work, kept: bool) -> Made {
    let begun = Instant::now();
    let (is_file, ends) = match &work {
        Work::File(_) => (true, false),
        Work::Frame(..) => (false, false),
        Work::Failed(_) => (false, true),
    };
    let (name, place, runs) = match work {
        Work::File(entry) => {
            let name = entry.name();
            let runs = inputs::each(model, port, (name.clone(), &entry.path), kept);
            let runs = runs.and_then(|runs| match kept && !runs.are_shown() {
                false => Ok(runs),
                true => Err(Failure::Flag {
                    flag: "--draw",
                    why: format!("`{name}` is not a picture, and cannot be drawn on"),
                }),
            });
            (name, entry.place(), runs)
        }
        Work::Frame(name, picture) => {
            let pre = model.graph().inputs[0].pre.as_ref();
            let sample = pre.map(|pre| {
                let viewed = Viewed::of(picture, &name, pre, kept)?;
                Sample::of_view(name.clone(), Path::new(&name), viewed, pre)
            });
            let samples: Result<Vec<Sample>, Failure> = sample.into_iter().collect();
            (name.clone(), PathBuf::from(name), samples.map(Runs::Made))
        }
        Work::Failed(failure) => (String::new(), PathBuf::new(), Err(failure)),
    };
    Made {
        name,
        place,
        is_file,
        runs,
        ends,
        time: begun.elapsed(),
    }
}
