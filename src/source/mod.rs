//! Many files, made ready on threads of their own while a network computes.
//!
//! ```text
//! folders, patterns, lists ──▶ Entries ──its shard──▶ prepare::each ──in order──▶ a session ──▶ what is made of answers
//!                                                     a few threads
//! ```
//!
//! | Module | What it knows |
//! |---|---|
//! | `pattern` | `*`, `?`, `[a-z]` and `**` in paths |
//! | `shard` | which of several processes has a file |
//! | `entries` | which files there are, in which order |
//! | `picture` | what a network sees of a picture |
//! | `prepare` | threads ahead of the one that takes what they make |
//! | `feed` | sources that may keep waiting, which nobody waits for in the end |
//! | `sound` | WAV files: read, resampled, cut into frames |

mod entries;
mod feed;
mod pattern;
mod picture;
mod prepare;
mod shard;
mod sound;

pub use entries::{Entries, Entry, Place, Wanted};
pub use feed::{Feed, Over};
pub use pattern::{Pattern, is_pattern};
pub use picture::Viewed;
pub use prepare::{Ahead, each};
pub use shard::{Shard, ShardError};
pub use sound::{Heard, Sound, SoundError, resampled};

use std::fmt;

/// Why there is no list of files.
#[derive(Debug)]
pub struct SourceError {
    /// The folder, list or pattern.
    pub place: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` cannot be read: {}", self.place, self.why)
    }
}

impl std::error::Error for SourceError {}
