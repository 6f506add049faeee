//! Folders of classes, before their pictures are read.

use super::data::{DataError, entries};
use super::error::TrainError;
use cnnc_runtime::image::is_called_a_picture;
use std::path::Path;

/// The classes of a folder of folders, in the order of their names, and how many pictures all of them have.
///
/// # Errors
/// A folder that cannot be read, has no folders in it, or one without pictures.
pub fn classes(folder: &Path) -> Result<(Vec<String>, usize), TrainError> {
    if folder.is_file() {
        let message = format!(
            "{}: it is a file; a folder is expected, with a folder of pictures for each class",
            folder.display()
        );
        return Err(TrainError::Recipe(message));
    }
    let mut folders = entries(folder)?;
    folders.retain(|path| path.is_dir());
    if folders.is_empty() {
        let message = format!(
            "{}: it has no folder of pictures for each class",
            folder.display()
        );
        return Err(TrainError::Recipe(message));
    }
    if let [only] = &folders[..] {
        let message = format!(
            "{}: it has one folder of pictures only, `{}`; two classes at least can be told apart",
            folder.display(),
            only.file_name().unwrap_or_default().display()
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
            return Err(DataError::Empty(class.clone(), "that is a picture").into());
        }
        pictures += count;
        let name = class
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        classes.extend(name);
    }
    Ok((classes, pictures))
}
