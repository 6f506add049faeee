//! Why a network could not run.

use crate::memory::OutOfMemory;
use std::borrow::Cow;
use std::fmt;

/// Why a network could not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// Another number of inputs than the network has.
    Inputs {
        /// What the network has.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// An input of another shape, or another number of elements.
    Shape {
        /// The input.
        name: Cow<'static, str>,
        /// Its shape.
        expected: Vec<usize>,
        /// The shape that was given; one extent where it is a plain slice.
        found: Vec<usize>,
    },
    /// More images than the network was compiled for, or another number than in the first input.
    Images {
        /// The input.
        name: Cow<'static, str>,
        /// Images that were given.
        found: usize,
        /// The most that there may be, or as many as the first input has.
        expected: usize,
        /// Whether that is because of the first input.
        first: bool,
    },
    /// The caller's arena is too small.
    Arena {
        /// Bytes that are needed.
        needed: usize,
        /// Bytes that were given.
        found: usize,
    },
    /// Memory to run in could not be had.
    Memory(OutOfMemory),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Inputs { expected, found } => {
                write!(f, "the network takes {expected} inputs, not {found}")
            }
            RunError::Shape {
                name,
                expected,
                found,
            } => {
                write!(f, "input `{name}` is {}", Extents(expected))?;
                match found[..] {
                    [elements] if expected.len() > 1 => {
                        let wanted: usize = expected.iter().product();
                        write!(f, ", {wanted} elements, but {elements} were given")
                    }
                    _ => write!(f, ", but {} was given", Extents(found)),
                }
            }
            RunError::Images {
                name,
                found,
                expected,
                first,
            } => {
                let images = |n: usize| format!("{n} {}", if n == 1 { "image" } else { "images" });
                write!(f, "input `{name}` has {}, ", images(*found))?;
                match first {
                    true => write!(f, "the first one {}", images(*expected)),
                    false => write!(f, "but the network takes {} at once", images(*expected)),
                }
            }
            RunError::Arena { needed, found } => {
                write!(
                    f,
                    "the arena has {found} bytes, but the network needs {needed}"
                )
            }
            RunError::Memory(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RunError {}

impl From<OutOfMemory> for RunError {
    fn from(error: OutOfMemory) -> RunError {
        RunError::Memory(error)
    }
}

/// `3x224x224`
struct Extents<'a>(&'a [usize]);

impl fmt::Display for Extents<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, extent) in self.0.iter().enumerate() {
            write!(f, "{}{extent}", if index == 0 { "" } else { "x" })?;
        }
        Ok(())
    }
}
