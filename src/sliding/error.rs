//! Why windows do not slide.

use crate::Error;
use cnnc_runtime::image::ImageError;
use std::fmt;

/// Why windows do not slide over a picture.
#[derive(Debug)]
#[non_exhaustive]
pub enum SlidingError {
    /// The network, by its name, is none whose windows have a class each.
    Network(String, String),
    /// The picture is smaller than a window.
    TooSmall {
        /// What it is called.
        name: String,
        /// Its columns and rows.
        size: (usize, usize),
        /// At that scale.
        scale: f64,
        /// Columns and rows of a window.
        window: (usize, usize),
    },
    /// The answers to so many windows would take too much memory.
    TooMany {
        /// What the picture is called.
        name: String,
        /// At that scale.
        scale: f64,
        /// Windows there.
        windows: usize,
        /// Numbers of the answer to each.
        classes: usize,
    },
    /// Windows are as far apart as the network's strides say, which are these.
    Stride([usize; 2]),
    /// In the network or its weights.
    Run(Error),
    /// In the picture.
    Picture(ImageError),
}

impl fmt::Display for SlidingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SlidingError::Network(name, why) => write!(f, "no windows of `{name}` slide: it {why}"),
            SlidingError::TooSmall {
                name,
                size,
                scale,
                window,
            } => write!(
                f,
                "{name}: the picture is {}x{} at the scale {scale}, smaller than a window of {}x{} (width x height)",
                size.0, size.1, window.0, window.1
            ),
            SlidingError::TooMany {
                name,
                scale,
                windows,
                classes,
            } => write!(
                f,
                "{name}: there are {windows} windows at the scale {scale}, and {classes} numbers of each are more than memory has room for: let `--scales` be smaller, or `--stride` larger where windows are cut out"
            ),
            SlidingError::Stride([down, along]) => write!(
                f,
                "windows of this network are {down}x{along} pixels apart, as its strides say; another distance is for windows that are cut out, and is 1 or more"
            ),
            SlidingError::Run(error) => error.fmt(f),
            SlidingError::Picture(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SlidingError {}

impl From<Error> for SlidingError {
    fn from(error: Error) -> SlidingError {
        SlidingError::Run(error)
    }
}

impl From<ImageError> for SlidingError {
    fn from(error: ImageError) -> SlidingError {
        SlidingError::Picture(error)
    }
}
