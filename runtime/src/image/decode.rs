//! Reading picture files.
//!
//! The content decides the format, not the name. What a camera says about orientation is applied; colour
//! profiles are not. Transparent pixels are laid over white, as a page would show them; 16-bit
//! channels are rounded to 8.

use super::{ImageError, ImageProblem, MAX_PIXELS, Picture, formats};
use crate::files::open_ordinary;
use crate::memory::reserved;
use crate::sniff::looks_like;
use std::io::Read;
use std::path::Path;

/// Most bytes of a file: colours and alpha of that many pixels, not compressed.
const MAX_BYTES: u64 = 4 * MAX_PIXELS as u64;

impl Picture {
    /// Reads a picture file.
    ///
    /// # Errors
    /// When the file cannot be read, is not a picture, is damaged, truncated or too large.
    pub fn open(path: impl AsRef<Path>) -> Result<Picture, ImageError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let bytes = match read(path) {
            Ok(bytes) => bytes,
            Err(problem) => return Err(problem.of(name)),
        };
        decode(&bytes).map_err(|problem| problem.of(name))
    }

    /// Reads a PNG file whose pixels are numbers, of classes for example: each channel of the result is the grey value or the index of the palette, as it is stored.
    ///
    /// # Errors
    /// As [`Picture::open`], and when it has colours.
    pub fn open_indices(path: impl AsRef<Path>) -> Result<Picture, ImageError> {
        let path = path.as_ref();
        let picture = read(path).and_then(|bytes| formats::indices(&bytes));
        picture.map_err(|problem| problem.of(path.display().to_string()))
    }

    /// Decodes a picture that is in memory; `name` is for messages.
    ///
    /// # Errors
    /// As [`Picture::open`].
    pub fn decode(bytes: &[u8], name: &str) -> Result<Picture, ImageError> {
        decode(bytes).map_err(|problem| problem.of(name))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ImageProblem> {
    let file = open_ordinary(path).map_err(ImageProblem::Read)?;
    let len = file.metadata().map_err(ImageProblem::Read)?.len();
    if len > MAX_BYTES {
        return Err(ImageProblem::TooLong);
    }
    let mut bytes = reserved(len as usize)?;
    file.take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .map_err(ImageProblem::Read)?;
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<Picture, ImageProblem> {
    let decoded = formats::decode(bytes);
    decoded.unwrap_or_else(|| Err(ImageProblem::NotAPicture(looks_like(bytes))))
}
