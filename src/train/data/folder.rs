//! A folder for each class, with pictures in it.

use super::{Data, DataError, From, Labelled, Reader, Samples, entries, name};
use cnnc_runtime::image::{Picture, is_called_a_picture};
use std::path::{Path, PathBuf};

impl Reader<'_> {
    /// The samples of class folders.
    pub(super) fn folders(&self, root: &Path, folders: &[PathBuf]) -> Result<Data, DataError> {
        let (mut files, mut skipped) = (Vec::new(), Vec::new());
        for (class, folder) in self.classes_of(root, folders)?.into_iter().zip(folders) {
            let (pictures, others): (Vec<_>, Vec<_>) = entries(folder)?
                .into_iter()
                .partition(|path| !path.is_dir() && is_called_a_picture(path));
            skipped.extend(others);
            if pictures.is_empty() {
                return Err(DataError::Empty(folder.clone(), "that is a picture"));
            }
            files.extend(pictures.into_iter().map(|path| (path, class)));
        }
        let pictures = files.iter().map(|(path, class): &(PathBuf, u32)| {
            Ok(Labelled {
                picture: Picture::open(path).map_err(DataError::Picture)?,
                class: *class,
            })
        });
        Ok(Data {
            kind: format!("folders of {} classes", folders.len()),
            train: self.samples(root, files.len(), pictures)?,
            test: Samples::default(),
            skipped,
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
