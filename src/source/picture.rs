//! What a network sees of a picture: the one place where a file of pixels becomes a sample.
//!
//! Answers (`run`, `bench`), samples to learn from (`train`) and samples that judge (`evaluate`) are all made here, on whichever thread asks.

use cnnc_runtime::image::{ImageError, Picture, Placement, PreProcess, Seen};
use std::path::Path;

/// A picture as a network sees it.
pub struct Viewed {
    /// What the network sees, in bytes.
    pub seen: Seen,
    /// Where the picture lies in the input, and its own size.
    pub place: Placement,
    /// All of its pixels, where they are kept.
    pub picture: Option<Picture>,
}

impl Viewed {
    /// Reads a file and does what an input's declaration says; the picture is kept where it is needed once more.
    ///
    /// # Errors
    /// A file that is no picture, or a picture that does not become the input.
    pub fn open(file: &Path, pre: &PreProcess, kept: bool) -> Result<Viewed, ImageError> {
        let picture = Picture::open(file)?;
        Viewed::of(picture, &file.display().to_string(), pre, kept)
    }

    /// The same of a picture that has been decoded; `name` is for messages.
    ///
    /// # Errors
    /// A picture that does not become the input.
    pub fn of(
        picture: Picture,
        name: &str,
        pre: &PreProcess,
        kept: bool,
    ) -> Result<Viewed, ImageError> {
        Ok(Viewed {
            seen: pre.see(&picture, name)?,
            place: pre.placement(picture.width(), picture.height()),
            picture: kept.then_some(picture),
        })
    }

    /// Columns and rows of the picture.
    pub fn size(&self) -> (usize, usize) {
        self.place.picture()
    }
}
