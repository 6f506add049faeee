//! Folders of classes, before their pictures are read.

use super::data::DataError;
use super::error::TrainError;
use cnnc_runtime::image::is_called_a_picture;
use std::fs;
use std::path::Path;

/// The classes of a folder of folders, in the order of their names, and how many pictures all of them have.
///
/// # Errors
/// A folder that cannot be read, has no folders in it, or one without pictures.
pub fn classes(folder: &Path) -> Result<(Vec<String>, usize), TrainError> {
    let entries = |folder: &Path| {
        let read = || {
            let entries = fs::read_dir(folder)?;
            let paths = entries.map(|entry| Ok(entry?.path()));
            paths.collect::<std::io::Result<Vec<_>>>()
        };
        read().map_err(|error| TrainError::File(folder.to_owned(), error))
    };
    let mut folders = entries(folder)?;
    folders.retain(|path| path.is_dir());
    folders.sort();
    if folders.is_empty() {
        let message = format!(
            "{}: it has no folder of pictures for each class",
            folder.display()
        );
        return Err(TrainError::Recipe(message));
    }
    let (mut classes, mut pictures) = (Vec::new(), 0);
    for class in &folders {
        let count = entries(class)?
            .iter()
            .filter(|path| is_called_a_picture(path))
            .count();
        if count == 0 {
            return Err(TrainError::Data(DataError::Empty(
                class.clone(),
                "that is a picture",
            )));
        }
        pictures += count;
        let name = class
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        classes.extend(name);
    }
    Ok((classes, pictures))
}

/// Places of the pictures in folders of classes, in the order in which they are read, if there are so many.
pub fn pictures_of(folder: &Path, count: usize) -> Option<Vec<String>> {
    let entries = |folder: &Path| -> Option<Vec<std::path::PathBuf>> {
        let entries = fs::read_dir(folder).ok()?;
        let mut paths: Vec<_> = entries
            .map(|entry| Some(entry.ok()?.path()))
            .collect::<Option<_>>()?;
        paths.sort();
        Some(paths)
    };
    let mut names = Vec::new();
    for class in entries(folder)?.iter().filter(|path| path.is_dir()) {
        let pictures = entries(class)?.into_iter();
        let pictures = pictures.filter(|path| !path.is_dir() && is_called_a_picture(path));
        names.extend(pictures.map(|path| {
            path.strip_prefix(folder)
                .unwrap_or(&path)
                .display()
                .to_string()
        }));
    }
    (names.len() == count).then_some(names)
}
