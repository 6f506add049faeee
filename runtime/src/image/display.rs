//! From numbers to a picture that can be looked at.

use super::{ImageError, ImageProblem, Picture};
use crate::files::write_atomically;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// How the numbers of a map become brightness. NaN is black.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// 0 is black and 1 is white; what is outside is cut off.
    Clamp,
    /// 0 is black and the largest magnitude is white: edges, gradients.
    Magnitude,
    /// The smallest number is black and the largest is white; a constant map is black.
    MinMax,
}

impl Picture {
    /// A picture of a map, channels first: one channel is shown in grey, three as red, green, blue.
    /// `None` for other numbers of channels, too large a size (see [`Picture::from_rgb`]), or values that are more or
    /// fewer than that.
    pub fn of_map(
        values: &[f32],
        channels: usize,
        height: usize,
        width: usize,
        show: Show,
    ) -> Option<Picture> {
        let plane = height.checked_mul(width)?;
        if !matches!(channels, 1 | 3) || plane.checked_mul(channels) != Some(values.len()) {
            return None;
        }
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let (low, high) = match show {
            Show::Clamp => (0.0, 1.0),
            Show::Magnitude => (
                0.0,
                finite().fold(0.0, |high: f32, value| high.max(value.abs())),
            ),
            Show::MinMax => finite()
                .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
                    (low.min(value), high.max(value))
                }),
        };
        let level = |value: f32| {
            let value = if show == Show::Magnitude {
                value.abs()
            } else {
                value
            };
            let (value, low, high) = (f64::from(value), f64::from(low), f64::from(high));
            let range = high - low;
            // A cast from NaN gives 0, one from beyond the range its end.
            if range > 0.0 {
                ((value - low) / range * 255.0).round() as u8
            } else {
                0
            }
        };
        let rgb = if channels == 1 {
            values.iter().flat_map(|&value| [level(value); 3]).collect()
        } else {
            (0..plane)
                .flat_map(|i| [0, 1, 2].map(|c| level(values[c * plane + i])))
                .collect()
        };
        Picture::from_rgb(width, height, rgb)
    }

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
