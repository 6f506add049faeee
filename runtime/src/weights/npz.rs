//! Numpy's `.npz`: a zip archive of `.npy` arrays, each under its tensor's name.

use super::archive::{Archive, ArchiveError};
use super::file::{Elements, Entry, Index};
use crate::npy::{self, NpyError};
use std::fmt;

/// What is wrong with a `.npz` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NpzError {
    /// The zip archive.
    Archive(ArchiveError),
    /// One of the arrays.
    Array {
        /// Its name.
        name: String,
        /// What is wrong with it.
        error: NpyError,
    },
    /// There is no `.npy` member.
    Empty,
}

impl fmt::Display for NpzError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NpzError::Archive(error) => error.fmt(f),
            NpzError::Array { name, error } => write!(f, "tensor `{name}`: {error}"),
            NpzError::Empty => {
                f.write_str("a zip archive without weights: neither `data.pkl` nor `.npy` files")
            }
        }
    }
}

impl std::error::Error for NpzError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            NpzError::Archive(error) => Some(error),
            NpzError::Array { error, .. } => Some(error),
            NpzError::Empty => None,
        }
    }
}

impl From<ArchiveError> for NpzError {
    fn from(error: ArchiveError) -> NpzError {
        NpzError::Archive(error)
    }
}

/// The arrays of an archive; what was stored without compression is used where it lies.
pub(super) fn read(file: &[u8], mut archive: Archive<'_>) -> Result<Index, NpzError> {
    let arrays: Vec<_> = archive
        .members()
        .filter_map(|(name, member)| Some((name.strip_suffix(".npy")?.to_owned(), member.clone())))
        .collect();
    if arrays.is_empty() {
        return Err(NpzError::Empty);
    }
    let mut index = Index::new();
    for (name, member) in arrays {
        let unpacked = match member.compressed {
            true => Some(archive.read(&format!("{name}.npy"))?),
            false => None,
        };
        let bytes = unpacked.as_deref().unwrap_or(&file[member.range.clone()]);
        let array = match npy::parse(bytes) {
            Ok(array) => array,
            Err(error) => return Err(NpzError::Array { name, error }),
        };
        let elements = match unpacked {
            _ if array.fortran => Elements::Owned(array.row_major(bytes)),
            Some(mut unpacked) => Elements::Owned(unpacked.split_off(array.start)),
            None => Elements::InFile(member.range.start + array.start..member.range.end),
        };
        let (dtype, shape) = (array.dtype, array.shape);
        index.insert(
            name,
            Entry {
                dtype,
                shape,
                elements,
            },
        );
    }
    Ok(index)
}
