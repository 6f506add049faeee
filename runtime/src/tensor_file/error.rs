//! What can be wrong with a file of tensors.

use crate::memory::OutOfMemory;
use crate::npy::NpyError;
use crate::sniff::Guess;
use crate::weights::{Dtype, Shape, WeightsError};
use std::fmt;
use std::io;

/// Why a tensor file could not be read or written.
#[derive(Debug)]
pub enum TensorFileError {
    /// It cannot be read.
    Read {
        /// The file.
        path: String,
        /// The system's reason.
        error: io::Error,
    },
    /// It cannot be written.
    Write {
        /// The file.
        path: String,
        /// The system's reason.
        error: io::Error,
    },
    /// It is in no format that is read.
    Unknown {
        /// The file.
        path: String,
        /// What it looks like.
        guess: Option<&'static str>,
    },
    /// It is a damaged `.npy` file.
    Npy {
        /// The file.
        path: String,
        /// What is wrong with it.
        error: NpyError,
    },
    /// It is a damaged file of named tensors.
    Weights(WeightsError),
    /// There is no memory for what it holds.
    Memory {
        /// The file.
        path: String,
        /// How much is needed.
        error: OutOfMemory,
    },
    /// A tensor's type does not become f32.
    Dtype {
        /// The file.
        path: String,
        /// The tensor.
        name: String,
        /// Its type.
        dtype: Dtype,
    },
    /// Shape and elements disagree.
    Count {
        /// The file.
        path: String,
        /// The tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Number of elements given.
        elements: usize,
    },
    /// A name that stands twice, or that the format keeps for itself.
    Name {
        /// The file.
        path: String,
        /// The name.
        name: String,
    },
}

impl fmt::Display for TensorFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use TensorFileError::*;
        match self {
            Read { path, error } => write!(f, "cannot read {path}: {error}"),
            Write { path, error } => write!(f, "cannot write {path}: {error}"),
            Unknown { path, guess } => {
                write!(
                    f,
                    "{path}: not a file of tensors (npy, npz, safetensors, pt){}",
                    Guess(*guess)
                )
            }
            Npy { path, error } => write!(f, "{path}: {error}"),
            Weights(error) => error.fmt(f),
            Memory { path, error } => write!(f, "{path}: {error}"),
            Dtype { path, name, dtype } => {
                write!(
                    f,
                    "{path}: tensor `{name}` holds {dtype}, which is not read as f32"
                )
            }
            Count {
                path,
                name,
                shape,
                elements,
            } => write!(
                f,
                "{path}: tensor `{name}` of shape {} was given {elements} elements",
                Shape(shape)
            ),
            Name { path, name } => {
                write!(
                    f,
                    "{path}: the name `{name}` stands twice, or is not allowed"
                )
            }
        }
    }
}

impl std::error::Error for TensorFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TensorFileError::Read { error, .. } | TensorFileError::Write { error, .. } => {
                Some(error)
            }
            TensorFileError::Npy { error, .. } => Some(error),
            TensorFileError::Weights(error) => Some(error),
            TensorFileError::Memory { error, .. } => Some(error),
            _ => None,
        }
    }
}
