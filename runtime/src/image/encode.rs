//! Pictures written as PNG files.

use super::{ImageError, ImageProblem, Picture};
use crate::files::write_atomically;
use png::{ColorType, Compression, Encoder, Filter};
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
        1 => Some(ColorType::Grayscale),
        2 => Some(ColorType::GrayscaleAlpha),
        3 => Some(ColorType::Rgb),
        4 => Some(ColorType::Rgba),
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
                let mut encoder = Encoder::new(&mut file, width, height);
                encoder.set_color(colour);
                encoder.set_compression(Compression::Fast);
                encoder.set_filter(Filter::Adaptive);
                let mut writer = encoder.write_header()?;
                writer.write_image_data(pixels)?;
                writer.finish()?;
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
