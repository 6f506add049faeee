//! A folder for each class, with pictures, sounds or arrays in it.

use super::files::{ends_with, entries, name};
use super::reader::Reader;
use super::{Data, DataError, Gathered};
use cnnc_runtime::image::is_called_a_picture;
use std::path::{Path, PathBuf};

impl Reader<'_> {
    /// The samples of class folders.
    pub(super) fn folders(&self, root: &Path, folders: &[PathBuf]) -> Result<Data, DataError> {
        let (mut all, mut what) = (Vec::new(), "picture");
        for (class, folder) in self.classes_of(root, folders)?.into_iter().zip(folders) {
            let inside: Vec<PathBuf> = entries(folder)?;
            if self.pre.is_none() && !inside.iter().any(|path| is_called_a_picture(path)) {
                let any = |end: &str| inside.iter().any(|path| ends_with(path, end));
                what = if any("wav") {
                    "sound"
                } else if any("npy") || any("npz") {
                    "array"
                } else {
                    what
                };
            }
            all.push((folder, class, inside));
        }
        let is_one = |path: &Path| match what {
            "sound" => ends_with(path, "wav"),
            "array" => ends_with(path, "npy") || ends_with(path, "npz"),
            _ => is_called_a_picture(path),
        };
        let (mut files, mut skipped) = (Vec::new(), Vec::new());
        for (folder, class, inside) in all {
            let (taken, others): (Vec<_>, Vec<_>) = inside
                .into_iter()
                .partition(|path| !path.is_dir() && is_one(path));
            skipped.extend(others);
            if taken.is_empty() {
                let what = match what {
                    "sound" => "that is a sound",
                    "array" => "that is an array",
                    _ => "that is a picture",
                };
                return Err(DataError::Empty(folder.clone(), what));
            }
            if self.gathered != Gathered::Each && taken.len() < 2 {
                let why = "there is one sample of it, which has no other to be near to".to_owned();
                return Err(DataError::Classes(folder.clone(), why));
            }
            files.extend(taken.into_iter().map(|path| (path, class)));
        }
        let (mut train, broken) = match what {
            "sound" => (self.sound_files(root, &files)?, Vec::new()),
            "array" => (self.arrays(root, &files)?, Vec::new()),
            _ => self.picture_files(root, &files)?,
        };
        train.foldered = true;
        let of = match what {
            "picture" => String::new(),
            what => format!(" of {what}s"),
        };
        Ok(Data {
            kind: format!("folders of {} classes{of}", folders.len()),
            train,
            skipped,
            broken,
            ..Data::default()
        })
    }

    /// The class that each folder is: by the network's labels, where the folders are called so, or in the order of their names, if none is.
    fn classes_of(&self, root: &Path, folders: &[PathBuf]) -> Result<Vec<u32>, DataError> {
        if self.gathered != Gathered::Each {
            return Ok((0..folders.len() as u32).collect());
        }
        if folders.len() != self.classes {
            let why = format!(
                "{} folders, but the network has {} classes",
                folders.len(),
                self.classes
            );
            return Err(DataError::Classes(root.to_owned(), why));
        }
        let labelled = |folder: &PathBuf| {
            let place = self.labels.iter().position(|label| label == name(folder));
            place.map(|place| place as u32)
        };
        let classes: Vec<Option<u32>> = folders.iter().map(labelled).collect();
        if classes.iter().all(Option::is_none) {
            return Ok((0..folders.len() as u32).collect());
        }
        // Some are labels: another one is a slip, and would be taken for a class that it is not.
        let named = classes.into_iter().zip(folders);
        let named = named.map(|(class, folder)| {
            class.ok_or_else(|| {
                let why = format!(
                    "it is called like none of the head's labels `{}`, as others beside it are",
                    self.labels.join("`, `")
                );
                DataError::Classes(folder.clone(), why)
            })
        });
        named.collect()
    }
}
