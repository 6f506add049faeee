//! Why weights cannot be used, said so that the reader can mend it.

use super::error::{Fault, FormatError, Shape};
use super::tensor::long_extents;
use crate::memory::OutOfMemory;
use safetensors::Dtype;
use std::fmt;
use std::io;

/// Most problems that one message lists.
const LISTED: usize = 20;

/// Why weights cannot be used.
#[derive(Debug)]
pub enum WeightsError {
    /// The file cannot be read.
    Io {
        /// The path.
        origin: String,
        /// The system's reason.
        error: io::Error,
    },
    /// The file is not sound.
    Format {
        /// The path, or what else messages call the weights.
        origin: String,
        /// What is wrong with it.
        error: FormatError,
    },
    /// The tensors do not fit the network.
    Unfit {
        /// The path, or what else messages call the weights.
        origin: String,
        /// What stands in front of every name in the file.
        prefix: String,
        /// All there is to mend.
        problems: Vec<Problem>,
    },
    /// The names of the network stand in the file several times, behind different prefixes, and all fit.
    Ambiguous {
        /// The path, or what else messages call the weights.
        origin: String,
        /// The prefixes.
        prefixes: Vec<String>,
    },
    /// Weights that are [strict](crate::weights::Weights::strict) have tensors that the network does not read.
    Unused {
        /// The path, or what else messages call the weights.
        origin: String,
        /// Their names.
        names: Vec<String>,
    },
    /// There is no memory for the weights.
    Memory(OutOfMemory),
}

/// One tensor that does not fit.
#[derive(Clone, Debug, PartialEq)]
pub enum Problem {
    /// The file does not have it.
    Missing {
        /// Its name.
        name: String,
        /// The shape that it should have.
        shape: Vec<usize>,
        /// The most similar name among the file's unused tensors.
        nearest: Option<String>,
        /// Unused tensors of the file that have this shape, at most three.
        same_shape: Vec<String>,
        /// The pair of the spec's `weights map` that says what it is called in the file, if one does.
        pair: Option<String>,
    },
    /// It has another shape.
    Shape {
        /// Its name.
        name: String,
        /// The shape that it should have.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// Its elements are no floating-point numbers.
    Dtype {
        /// Its name.
        name: String,
        /// The type in the file.
        dtype: Dtype,
    },
    /// What has that name is no tensor that is read.
    Unread {
        /// Its name.
        name: String,
        /// What it is, with its article.
        what: String,
    },
    /// It holds NaN or an infinity.
    NotFinite {
        /// Its name.
        name: String,
        /// Row-major index of the first such value.
        index: usize,
        /// The value.
        value: f32,
    },
    /// A running variance that has no square root, or none to divide by.
    Variance {
        /// Its name.
        name: String,
        /// Index of the first such value.
        index: usize,
        /// The value.
        value: f32,
    },
    /// Its values leave the range of f32 when batch norm is folded into them.
    Overflow {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WeightsError::Io { origin, error } => write!(f, "cannot read {origin}: {error}"),
            WeightsError::Format { origin, error } => write!(f, "{origin}: {error}"),
            WeightsError::Unfit {
                origin,
                prefix,
                problems,
            } => {
                let behind = match &prefix[..] {
                    "" => String::new(),
                    prefix => format!(" (names are read behind `{prefix}`)"),
                };
                match &problems[..] {
                    [problem] => write!(f, "{origin}{behind}: {problem}"),
                    problems => {
                        let count = problems.len();
                        write!(
                            f,
                            "{origin}{behind}: {count} tensors do not fit the network:"
                        )?;
                        for problem in problems.iter().take(LISTED) {
                            write!(f, "\n  {problem}")?;
                        }
                        match count.checked_sub(LISTED) {
                            Some(more @ 1..) => write!(f, "\n  and {more} more"),
                            _ => Ok(()),
                        }
                    }
                }
            }
            WeightsError::Ambiguous { origin, prefixes } => {
                let listed = quoted(prefixes);
                let first = prefixes.first().map_or("", String::as_str);
                write!(
                    f,
                    "{origin}: the network fits behind several prefixes, {listed}; "
                )?;
                write!(
                    f,
                    "choose one in the spec: `weights map {{ \"{first}*\" -> \"*\" }}`"
                )
            }
            WeightsError::Unused { origin, names } => {
                let count = names.len();
                write!(
                    f,
                    "{origin}: the network does not read {count} of its tensors, {}",
                    quoted(names)
                )
            }
            WeightsError::Memory(error) => write!(f, "the weights: {error}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Missing {
                name,
                shape,
                nearest,
                same_shape,
                pair,
            } => {
                write!(f, "tensor `{name}` ({}) is missing", Shape(shape))?;
                if let Some(pair) = pair {
                    write!(f, ", which the pair {pair} names so")?;
                }
                match nearest {
                    Some(nearest) if same_shape.contains(nearest) => {
                        write!(f, "; did you mean `{nearest}`, which has that shape?")
                    }
                    Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
                    None if same_shape.is_empty() => Ok(()),
                    None => {
                        let names: Vec<_> = same_shape.iter().map(|n| format!("`{n}`")).collect();
                        write!(f, "; unused tensors of that shape: {}", names.join(", "))
                    }
                }
            }
            Problem::Shape {
                name,
                expected,
                found,
            } => {
                let (needed, has) = (Shape(expected), Shape(found));
                write!(
                    f,
                    "tensor `{name}` has shape {has}, but the network needs {needed}"
                )?;
                if is_permutation(expected, found) {
                    f.write_str("; transposed?")
                } else {
                    Ok(())
                }
            }
            Problem::Dtype { name, dtype } => {
                write!(
                    f,
                    "tensor `{name}` holds {dtype}; weights are read from F32, F16, BF16, F64"
                )
            }
            Problem::Unread { name, what } => {
                write!(f, "`{name}` is {what}, which is not read")
            }
            Problem::NotFinite { name, index, value } => {
                write!(f, "tensor `{name}` holds {value} at index {index}")
            }
            Problem::Variance { name, index, value } => {
                write!(
                    f,
                    "tensor `{name}` holds {value} at index {index}, which is no variance"
                )
            }
            Problem::Overflow { name } => {
                write!(
                    f,
                    "tensor `{name}`: values leave the range of f32 when batch norm is folded in"
                )
            }
        }
    }
}

/// Names, as many as a line has room for.
fn quoted(names: &[String]) -> String {
    const ROOM: usize = 4;
    let listed: Vec<_> = names
        .iter()
        .take(ROOM)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len().checked_sub(ROOM) {
        Some(more @ 1..) => format!("{} and {more} more", listed.join(", ")),
        _ => listed.join(", "),
    }
}

/// Whether shapes have the same extents in another order; those of 1 do not count.
fn is_permutation(a: &[usize], b: &[usize]) -> bool {
    let [mut a, mut b] = [a, b].map(|shape| long_extents(shape).collect::<Vec<_>>());
    a.sort_unstable();
    b.sort_unstable();
    a == b
}

impl std::error::Error for WeightsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            WeightsError::Io { error, .. } => Some(error),
            WeightsError::Format { error, .. } => Some(error),
            WeightsError::Unfit { .. }
            | WeightsError::Ambiguous { .. }
            | WeightsError::Unused { .. } => None,
            WeightsError::Memory(error) => Some(error),
        }
    }
}

impl WeightsError {
    pub(crate) fn new(origin: &str, fault: Fault) -> WeightsError {
        let origin = origin.to_owned();
        match fault {
            Fault::Io(error) => WeightsError::Io { origin, error },
            Fault::Format(error) => WeightsError::Format { origin, error },
            Fault::Memory(error) => WeightsError::Memory(error),
        }
    }
}

impl From<OutOfMemory> for WeightsError {
    fn from(error: OutOfMemory) -> WeightsError {
        WeightsError::Memory(error)
    }
}
