//! A folder for each class, with pictures in it.

use super::{Data, DataError, From, Labelled, Reader, Samples, name};
use cnnc_runtime::image::Picture;
use std::path::{Path, PathBuf};

/// Endings of picture files.
const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "ppm", "pgm", "bmp"];

impl Reader<'_> {
    /// The samples of class folders.
    pub(super) fn folders(&self, root: &Path, folders: &[PathBuf]) -> Result<Data, DataError> {
        let mut files: Vec<(PathBuf, u32)> = Vec::new();
        for (class, folder) in self.classes_of(root, folders)?.into_iter().zip(folders) {
            let broken = |error| DataError::File(folder.clone(), error);
            let mut pictures = Vec::new();
            for entry in std::fs::read_dir(folder).map_err(broken)? {
                let path = entry.map_err(broken)?.path();
                let ending = path.extension().and_then(|ending| ending.to_str());
                if ending.is_some_and(|ending| ENDINGS.contains(&&*ending.to_lowercase())) {
                    pictures.push(path);
                }
            }
            if pictures.is_empty() {
                return Err(DataError::Empty(folder.clone(), "that is a picture"));
            }
            pictures.sort();
            files.extend(pictures.into_iter().map(|path| (path, class)));
        }
        let pictures = files.iter().map(|(path, class)| {
            Ok(Labelled {
                picture: Picture::open(path).map_err(DataError::Picture)?,
                class: *class,
            })
        });
        Ok(Data {
            kind: format!("folders of {} classes", folders.len()),
            train: self.samples(root, files.len(), pictures)?,
            test: Samples::default(),
            from: From::default(),
        })
    }

    /// The class that each folder is: by the network's labels, where the folders are called so, else in the order of their names.
    fn classes_of(&self, root: &Path, folders: &[PathBuf]) -> Result<Vec<u32>, DataError> {
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
        let classes: Option<Vec<u32>> = folders.iter().map(labelled).collect();
        Ok(classes.unwrap_or_else(|| (0..folders.len() as u32).collect()))
    }
}
