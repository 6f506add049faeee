//! What is wrong with darknet's `.weights` files.

use super::Shape;
use std::fmt;

/// What is wrong with a `.weights` file, or with the network that it should fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DarknetError {
    /// The network has a layer that darknet does not store so; why.
    Layer {
        /// A tensor of the layer.
        name: String,
        /// What darknet has instead.
        reason: &'static str,
    },
    /// The file ends before the last layer.
    TooShort {
        /// Bytes of the file.
        found: u64,
        /// Bytes that the network needs, as far as they can be counted.
        needed: u64,
        /// Layers that the file fills.
        filled: usize,
        /// Layers of the network.
        layers: usize,
        /// The first tensor that it does not fill.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// Numbers are left after the last layer.
    TooLong {
        /// Layers of the network, all filled.
        layers: usize,
        /// Bytes of the file.
        found: u64,
        /// Bytes that the network needs.
        needed: u64,
    },
}

impl fmt::Display for DarknetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DarknetError::Layer { name, reason } => {
                write!(f, "darknet cannot have stored tensor `{name}`: {reason}")
            }
            DarknetError::TooShort {
                found,
                needed,
                filled,
                layers,
                name,
                shape,
            } => write!(
                f,
                "the file is truncated, or of another network: {found} bytes are there, the network needs {needed}; \
                 they fill {filled} of its {layers} layers and end in `{name}` ({})",
                Shape(shape)
            ),
            DarknetError::TooLong {
                layers,
                found,
                needed,
            } => write!(
                f,
                "the file is of another network: {found} bytes are there, and all {layers} layers of the network need {needed}"
            ),
        }
    }
}

impl std::error::Error for DarknetError {}
