//! Folders and files, as data lie in them.

use super::DataError;
use cnnc_runtime::files::read_ordinary;
use std::path::{Path, PathBuf};

/// A path within a folder, with `/` on every system.
pub(super) fn within(folder: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// A file's name.
pub(super) fn name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("")
}

/// Whether a file's name has that ending.
pub(super) fn ends_with(path: &Path, end: &str) -> bool {
    let found = path.extension().and_then(|found| found.to_str());
    found.is_some_and(|found| found.eq_ignore_ascii_case(end))
}

/// What is in a folder, in the order of names.
pub(in crate::train) fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let read = || {
        let entries = std::fs::read_dir(folder)?;
        let paths = entries.map(|entry| Ok(entry?.path()));
        paths.collect::<std::io::Result<Vec<_>>>()
    };
    let mut paths = read().map_err(|error| DataError::File(folder.to_owned(), error))?;
    paths.sort();
    Ok(paths)
}

/// An ordinary file, all of it.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    read_ordinary(path).map_err(|error| DataError::File(path.to_owned(), error))
}

/// The file of that name, with or without `.gz`.
pub(super) fn find<'f>(files: &'f [PathBuf], wanted: &str) -> Option<&'f PathBuf> {
    files
        .iter()
        .find(|path| name(path).trim_end_matches(".gz") == wanted)
}
