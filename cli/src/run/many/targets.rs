//! Where pictures and tensors are written: none over a file that is read, and none over another.

use crate::Failure;
use cnnc::source::Entry;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// What the file is called that is made of an input with this place.
pub type Named = fn(&Path) -> PathBuf;

/// Folders that files are written to, and what has its place there.
pub struct Targets {
    folders: Vec<(PathBuf, Named)>,
    /// Those of this run, as numbers.
    taken: HashSet<u128>,
    /// Whether inputs may yet be named that are there, so that nothing may be written over.
    open: bool,
    /// Whether an earlier run may have written what is there.
    resume: bool,
}

impl Targets {
    /// In these folders, where more inputs may be named while it runs, or all are known.
    pub fn new(folders: Vec<(PathBuf, Named)>, open: bool, resume: bool) -> Targets {
        Targets {
            folders,
            taken: HashSet::new(),
            open,
            resume,
        }
    }

    /// Whether there are any.
    pub fn are_some(&self) -> bool {
        !self.folders.is_empty()
    }

    /// Refuses entries that would be written over one another, or over one that is read; those that are done have their places, too.
    pub fn apart(&self, known: &[Entry], done: &[Entry]) -> Result<(), Failure> {
        let mut there = Vec::new();
        for (folder, named) in &self.folders {
            let mut taken = HashSet::new();
            for entry in done.iter().chain(known) {
                let target = folder.join(named(&entry.place()));
                if !taken.insert(number(&target)) {
                    return Err(twice(&target));
                }
                if let Ok(own) = target.canonicalize() {
                    there.push((own, target));
                }
            }
        }
        if there.is_empty() {
            return Ok(());
        }
        let read = done.iter().chain(known);
        let read: HashSet<PathBuf> = read
            .filter_map(|entry| entry.path.canonicalize().ok())
            .collect();
        match there.iter().find(|(own, _)| read.contains(own)) {
            None => Ok(()),
            Some((_, target)) => Err(Failure::Overwrite {
                file: target.display().to_string(),
            }),
        }
    }

    /// The place in the folders for the answer of that number among so many of a file, which nothing else is given any more; what is written there is named after it.
    pub fn claim(&mut self, place: &Path, nth: usize, of: usize) -> Result<PathBuf, Failure> {
        let place = match of {
            1 => place.to_owned(),
            _ => place.with_added_extension(nth.to_string()),
        };
        for (folder, named) in &self.folders {
            let target = folder.join(named(&place));
            if !self.taken.insert(number(&target)) {
                return Err(twice(&target));
            }
            // Of answers of a file that has several no place is known before.
            if (self.open || of > 1) && !self.resume && target.exists() {
                return Err(Failure::Exists(target));
            }
        }
        Ok(place)
    }
}

/// Makes a folder, where there is none.
pub fn create(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::WriteFile {
        file: folder.display().to_string(),
        error,
    })
}

fn twice(target: &Path) -> Failure {
    let file = target.display().to_string();
    Failure::Twice { file }
}

/// The drawn picture's file: the picture's own name where that is a PNG, else with that ending behind it.
pub fn drawn(place: &Path) -> PathBuf {
    match place.extension() {
        Some(ending) if ending.eq_ignore_ascii_case("png") => place.to_owned(),
        _ => place.with_added_extension("png"),
    }
}

/// The file of an input's outputs.
pub fn tensors(place: &Path) -> PathBuf {
    place.with_added_extension("safetensors")
}

/// A number that two paths have in common once in 10³⁸.
fn number(path: &Path) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, path).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    (half(0) << 64) | half(1)
}
