//! Pictures written as PNG files.

use super::{ImageError, ImageProblem, Picture};
use crate::files::write_atomically;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use std::io::{self, BufWriter, Write};
use std::path::Path;

impl Picture {
    /// Writes this picture as PNG; see [`write_png`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_png(&self, path: impl AsRef<Path>) -> Result<(), ImageError> {
        write_png(path, self.width(), self.height(), 3, self.rgb())
    }
}

/// Writes rows of pixels as PNG, under a temporary name and then renamed: 1 channel is grey, 2 grey and alpha, 3 red, green,
/// blue, 4 those and alpha.
///
/// # Errors
/// When the file cannot be written, or `pixels` has not `width · height · channels` bytes.
pub fn write_png(
    path: impl AsRef<Path>,
    width: usize,
    height: usize,
    channels: usize,
    pixels: &[u8],
) -> Result<(), ImageError> {
    let path = path.as_ref();
    let colour = match channels {
        1 => Some(ExtendedColorType::L8),
        2 => Some(ExtendedColorType::La8),
        3 => Some(ExtendedColorType::Rgb8),
        4 => Some(ExtendedColorType::Rgba8),
        _ => None,
    };
    let sizes = (u32::try_from(width), u32::try_from(height), colour);
    let count = width
        .checked_mul(height)
        .and_then(|n| n.checked_mul(channels));
    let result = match sizes {
        (Ok(width @ 1..), Ok(height @ 1..), Some(colour)) if count == Some(pixels.len()) => {
            write_atomically(path, |file| {
                let mut file = BufWriter::new(file);
                let encoder = PngEncoder::new(&mut file);
                encoder
                    .write_image(pixels, width, height, colour)
                    .map_err(io::Error::other)?;
                file.flush()
            })
        }
        _ => {
            let bytes = pixels.len();
            let message =
                format!("{bytes} bytes are not {width}x{height} pixels of {channels} channels");
            Err(io::Error::new(io::ErrorKind::InvalidInput, message))
        }
    };
    result.map_err(|error| ImageProblem::Write(error).of(path.display().to_string()))
}
