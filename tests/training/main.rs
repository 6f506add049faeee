//! Gradients against exact answers that nobody here made: PyTorch's autograd in f64, as goldens/training/README.md says.
//!
//! `CNNC_TRAINING_GOLDENS` names another folder of such files. What is too large for the definition in f64 is named and left to the long run.

mod case;
mod compare;
mod compiled;
mod gradients;
mod keys;
mod layers;
mod pictures;
mod steps;
mod trainer;

use case::Case;
use cnnc_testing::{say, shared};
use std::path::PathBuf;

/// Multiplications on the way forward, of all steps that are compared, up to which a network is evaluated in f64 by the test command.
const MOST: u64 = 5_000_000_000;

/// Every case of the folder.
fn cases() -> Vec<Case> {
    let given = std::env::var_os("CNNC_TRAINING_GOLDENS").map(PathBuf::from);
    let Some(folder) = given.or_else(|| shared("goldens/training")) else {
        return Vec::new();
    };
    let files = std::fs::read_dir(&folder);
    let files = files.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = files
        .map(|entry| entry.expect("an entry of the folder").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{}: no case", folder.display());
    files.iter().map(|path| Case::read(path)).collect()
}

fn check(kinds: &[&str], mut one: impl FnMut(&Case) -> Result<(), String>) {
    let mut left_out = Vec::new();
    for case in cases() {
        let kind = case.text("kind");
        if kinds.contains(&&*kind)
            && let Err(why) = one(&case)
        {
            left_out.push(format!("{} ({why})", case.name));
        }
    }
    if !left_out.is_empty() {
        say(&format!("LEFT OUT: {}", left_out.join(", ")));
    }
}

#[test]
fn training_goldens_of_layers() {
    check(&["layers"], |file| {
        layers::check(file);
        Ok(())
    });
}

#[test]
fn training_goldens_of_gradients() {
    check(&["training"], |case| gradients::check(case, MOST));
}

#[test]
fn training_goldens_of_steps() {
    check(&["training"], |case| steps::check(case, MOST));
}

#[test]
fn training_goldens_of_pictures() {
    check(&["picture"], pictures::check);
}

/// What freezes layers, as a recipe says it: weights to begin with, and patterns of what stays.
#[test]
fn training_goldens_of_trainers() {
    let mut held = 0;
    check(&["training"], |case| {
        held += usize::from(trainer::check(case));
        Ok(())
    });
    assert!(held > 0 || cases().is_empty(), "no case freezes layers");
}

/// The same with the large ones in f64.
#[test]
#[ignore = "takes minutes: a part of the long run"]
fn training_goldens_of_large_steps() {
    check(&["training"], |case| steps::check(case, u64::MAX));
}

#[test]
#[ignore = "takes minutes: a part of the long run"]
fn training_goldens_of_large_gradients() {
    check(&["training"], |case| gradients::check(case, u64::MAX));
}
