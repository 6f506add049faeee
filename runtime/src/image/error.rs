//! Why a picture cannot be used.

use super::{KINDS, MAX_PIXELS, MAX_SIDE};
use crate::memory::OutOfMemory;
use crate::sniff::Guess;
use std::fmt;
use std::io;

/// Why a picture could not be read, prepared or written.
#[derive(Debug)]
pub struct ImageError {
    /// The file, or what else the caller calls the picture.
    pub name: String,
    /// What is wrong.
    pub problem: ImageProblem,
}

/// What is wrong with a picture.
#[derive(Debug)]
pub enum ImageProblem {
    /// It cannot be read.
    Read(io::Error),
    /// It cannot be written.
    Write(io::Error),
    /// It would be written to a file whose name ends in another way than those of pictures that are written.
    Ending(String),
    /// Not a picture, or of a kind that is not read; with a guess at what it is.
    NotAPicture(Option<&'static str>),
    /// The file ends before the picture does.
    Truncated,
    /// The decoder's complaint.
    Damaged(String),
    /// Something that its format has and that is not read.
    Unsupported(String),
    /// More pixels than are read, or would come out of a step.
    TooLarge {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
    },
    /// A file too long to be a picture.
    TooLong,
    /// There is no memory for it.
    Memory(OutOfMemory),
    /// It has no pixels.
    NoPixels,
    /// The network takes another number of channels than pictures have.
    Channels(usize),
    /// After pre-processing it has not the size that the network takes.
    Size {
        /// Width and height that it has.
        found: (usize, usize),
        /// Width and height that the network takes.
        needed: (usize, usize),
    },
}

impl From<OutOfMemory> for ImageProblem {
    fn from(error: OutOfMemory) -> ImageProblem {
        ImageProblem::Memory(error)
    }
}

impl ImageProblem {
    /// The error of the picture of that name.
    pub fn of(self, name: impl Into<String>) -> ImageError {
        ImageError {
            name: name.into(),
            problem: self,
        }
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.problem {
            ImageProblem::Read(error) => write!(f, "cannot read {name}: {error}"),
            ImageProblem::Write(error) => write!(f, "cannot write {name}: {error}"),
            ImageProblem::Ending(ending) => {
                match ending.as_str() {
                    "" => write!(f, "{name}: the name has no ending")?,
                    ending => write!(f, "{name}: pictures are not written as .{ending}")?,
                }
                f.write_str("; .png, .jpg and .jpeg are written")
            }
            ImageProblem::NotAPicture(guess) => {
                write!(f, "{name}: not a {KINDS} picture{}", Guess(*guess))
            }
            ImageProblem::Truncated => write!(f, "{name}: the picture is truncated"),
            ImageProblem::Damaged(why) => write!(f, "{name}: the picture is damaged: {why}"),
            ImageProblem::Unsupported(what) => {
                write!(f, "{name}: pictures of this kind are not read: {what}")
            }
            ImageProblem::TooLarge { width, height } => write!(
                f,
                "{name}: {width}x{height} pixels are too many; \
                 at most {MAX_SIDE} a side and {MAX_PIXELS} in all are handled"
            ),
            ImageProblem::TooLong => write!(f, "{name}: the file is too long to be a picture"),
            ImageProblem::Memory(error) => write!(f, "{name}: {error}"),
            ImageProblem::NoPixels => write!(f, "{name}: the picture has no pixels"),
            ImageProblem::Channels(channels) => {
                write!(
                    f,
                    "{name}: a picture gives 1 or 3 channels, but the network takes {channels}"
                )
            }
            ImageProblem::Size { found, needed } => write!(
                f,
                "{name}: the picture is {}x{} after pre-processing (width x height), \
                 but the network takes {}x{}; `resize` or `crop` in the input's declaration can help",
                found.0, found.1, needed.0, needed.1
            ),
        }
    }
}

impl std::error::Error for ImageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            ImageProblem::Read(error) | ImageProblem::Write(error) => Some(error),
            _ => None,
        }
    }
}
