//! What is wrong with zip archives, and with numpy's arrays in them.

use crate::npy::NpyError;
use std::fmt;

/// Most members of an archive.
pub(in super::super) const MAX_MEMBERS: u64 = 100_000;

/// What is wrong with an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveError {
    /// The directory or a header cannot be read; what the zip reader says.
    Damaged(String),
    /// More members than are read.
    TooMany,
    /// A name that is not UTF-8, or stands twice.
    Name(String),
    /// The member is encrypted, or compressed by something else than deflate.
    Method(String),
    /// Two members claim the same bytes.
    Overlap(String, String),
    /// A member would grow beyond all that weights do.
    Bomb {
        /// The member.
        name: String,
        /// Its bytes, unpacked.
        claimed: u64,
        /// Bytes that are unpacked at most.
        limit: u64,
    },
    /// The member's bytes are not those that were packed.
    Corrupt(String),
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArchiveError::Damaged(message) => write!(f, "the zip archive is damaged: {message}"),
            ArchiveError::TooMany => {
                write!(f, "the zip archive has more than {MAX_MEMBERS} members")
            }
            ArchiveError::Name(name) => write!(
                f,
                "`{name}` in the zip archive stands twice or is no proper name"
            ),
            ArchiveError::Method(name) => write!(
                f,
                "`{name}` in the zip archive is encrypted, or not packed by deflate"
            ),
            ArchiveError::Overlap(first, second) => write!(
                f,
                "`{first}` and `{second}` in the zip archive claim the same bytes"
            ),
            ArchiveError::Bomb {
                name,
                claimed,
                limit,
            } => write!(
                f,
                "`{name}` in the zip archive would unpack to {claimed} bytes, \
                 more than the {limit} that an archive of its size may"
            ),
            ArchiveError::Corrupt(name) => write!(
                f,
                "`{name}` in the zip archive is damaged: it does not unpack to what was packed"
            ),
        }
    }
}

impl std::error::Error for ArchiveError {}

/// What is wrong with a `.npz` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NpzError {
    /// One of the arrays.
    Array {
        /// Its name.
        name: String,
        /// What is wrong with it.
        error: NpyError,
    },
}

impl fmt::Display for NpzError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NpzError::Array { name, error } => write!(f, "tensor `{name}`: {error}"),
        }
    }
}

impl std::error::Error for NpzError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            NpzError::Array { error, .. } => Some(error),
        }
    }
}
