//! Files that a command writes: none that it reads, and none twice.

use crate::Failure;
use cnnc::rt::files::{same_file, write_atomically};
use std::io::Write as _;
use std::path::Path;

/// Refuses to write over what is read, under whatever name.
pub fn apart<'a>(
    written: impl IntoIterator<Item = &'a Path>,
    read: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Failure> {
    let read: Vec<&Path> = read.into_iter().collect();
    let mut others: Vec<&Path> = Vec::new();
    for path in written {
        let file = || path.display().to_string();
        if read.iter().any(|read| same_file(read, path)) {
            return Err(Failure::Overwrite { file: file() });
        }
        if others
            .iter()
            .any(|other| *other == path || same_file(other, path))
        {
            return Err(Failure::Twice { file: file() });
        }
        others.push(path);
    }
    Ok(())
}

/// Writes a text file.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let written = write_atomically(path, |file| file.write_all(text.as_bytes()));
    let file = path.display().to_string();
    written.map_err(|error| Failure::WriteFile { file, error })
}
