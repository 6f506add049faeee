//! The folder of a run, and what it keeps of the spec.

use super::data::{Gathered, gathered_by};
use super::error::TrainError;
use super::recipe::Recipe;
use super::used::as_used;
use crate::Model;
use cnnc_compiler::recipe::Source;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Component, Path, PathBuf};

/// The spec and what it reads, by their places in a run's folder.
pub(super) fn kept(
    model: &Model,
    spec: &Path,
    recipe: &Recipe,
    source: &Source,
) -> Result<Vec<(PathBuf, Vec<u8>)>, TrainError> {
    let read = |path: &Path| {
        crate::model::read(path).map_err(|error| TrainError::File(path.to_owned(), error))
    };
    let text = String::from_utf8_lossy(&read(spec)?).into_owned();
    let recipe = without_what_does_nothing(model, recipe);
    let text = as_used(&text, model.recipe(), &recipe, source);
    let mut kept = vec![(PathBuf::from("spec.cnn"), text.into_bytes())];
    let home = spec.parent().unwrap_or(Path::new(""));
    for file in model.files().iter().filter(|file| *file != spec) {
        let place = file.strip_prefix(home).ok();
        let inside = |place: &&Path| {
            let mut parts = place.components();
            parts.all(|part| matches!(part, Component::Normal(_)))
        };
        let place = place.filter(inside).ok_or_else(|| {
            let (spec, file) = (spec.display(), file.display());
            TrainError::Network(format!(
                "{spec} reads {file}, which is not in its folder, so that a run cannot keep it"
            ))
        })?;
        kept.push((place.to_owned(), read(file)?));
    }
    Ok(kept)
}

/// The recipe without what it says of identities and pairs that the network does not learn, which no section may say.
fn without_what_does_nothing(model: &Model, recipe: &Recipe) -> Recipe {
    let (gathered, usual) = (gathered_by(model.graph()), Recipe::default());
    Recipe {
        each: match gathered {
            Gathered::Identities => recipe.each,
            _ => usual.each,
        },
        alike: match gathered {
            Gathered::Pairs => recipe.alike,
            _ => usual.alike,
        },
        ..recipe.clone()
    }
}

/// A new folder for a run.
pub(super) fn folder(runs: &Path, name: Option<&str>, model: &str) -> Result<PathBuf, TrainError> {
    let failed = |path: &Path, error| TrainError::File(path.to_owned(), error);
    if let Some(name) = name {
        let mut parts = Path::new(name).components();
        if !matches!(
            (parts.next(), parts.next()),
            (Some(Component::Normal(_)), None)
        ) {
            let message =
                format!("`{name}` is no name of a run: it is one folder in that of all runs");
            return Err(TrainError::Recipe(message));
        }
    }
    fs::create_dir_all(runs).map_err(|error| failed(runs, error))?;
    if let Some(name) = name {
        let path = runs.join(name);
        return match fs::create_dir(&path) {
            Ok(()) => Ok(path),
            Err(error) => Err(failed(&path, error)),
        };
    }
    for number in 1.. {
        let path = runs.join(format!("{}-{number:02}", model.to_lowercase()));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            // Of two runs that begin at the same time one finds the other's folder.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(&path, error)),
        }
    }
    unreachable!("there is a number that is free")
}

/// Takes a run's folder, so that nobody else goes on with the run while this is kept. Where the system cannot lock folders, nothing is held.
pub(super) fn hold(folder: &Path) -> Result<Option<File>, TrainError> {
    let Ok(held) = File::open(folder) else {
        return Ok(None);
    };
    match held.try_lock() {
        Ok(()) => Ok(Some(held)),
        Err(TryLockError::Error(_)) => Ok(None),
        Err(TryLockError::WouldBlock) => {
            let message = format!(
                "{}: this run goes on somewhere else right now",
                folder.display()
            );
            Err(TrainError::Recipe(message))
        }
    }
}

/// The file of what steps change, behind so many epochs and steps of the next: a name for each, so that `state.json`, which counts them, always speaks of one that is
/// whole.
pub(super) fn state_file(epochs: usize, steps: usize) -> String {
    match steps {
        0 => format!("state-{epochs:03}.safetensors"),
        steps => format!("state-{epochs:03}-{steps:06}.safetensors"),
    }
}
