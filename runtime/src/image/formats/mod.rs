//! The formats of picture files that are read: a file and a row each.
//!
//! A decoder takes nothing on trust. It [`claim`]s the size that a header states before it reserves memory, gives 8-bit RGB with
//! what is transparent laid over white, and leaves colour profiles alone.

mod bmp;
mod gif;
mod jpeg;
mod orientation;
mod png;
mod pnm;
mod webp;

pub(super) use png::indices;

use super::{ImageProblem, Picture, within_limits};
use std::ffi::OsStr;
use std::path::Path;

/// A format that is read.
pub struct Format {
    /// What people call it.
    pub name: &'static str,
    /// How the names of its files end, in lower case.
    pub endings: &'static [&'static str],
    /// Whether a file that starts like this is one of it.
    is: fn(&[u8]) -> bool,
    decode: fn(&[u8]) -> Result<Picture, ImageProblem>,
}

/// All of them.
pub const FORMATS: &[Format] = &[
    png::FORMAT,
    jpeg::FORMAT,
    bmp::FORMAT,
    pnm::FORMAT,
    gif::FORMAT,
    webp::FORMAT,
];

/// Whether a file's name ends as those of pictures do; whether it is one is seen when it is read.
pub fn is_called_a_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    let ending = ending.to_ascii_lowercase();
    let mut formats = FORMATS.iter();
    formats.any(|format| format.endings.contains(&ending.as_str()))
}

/// Decodes a picture, if it is of a format that is read.
pub(super) fn decode(bytes: &[u8]) -> Option<Result<Picture, ImageProblem>> {
    let format = FORMATS.iter().find(|format| (format.is)(bytes))?;
    Some((format.decode)(bytes))
}

/// Checks a size that a file claims to have; its bytes encode `most` pixels at most.
fn claim(width: usize, height: usize, most: usize) -> Result<(), ImageProblem> {
    if width == 0 || height == 0 {
        return Err(ImageProblem::NoPixels);
    }
    if !within_limits(width, height) {
        return Err(ImageProblem::TooLarge { width, height });
    }
    match width * height > most {
        true => Err(ImageProblem::Truncated),
        false => Ok(()),
    }
}

/// Pixels that a picture may have however few bytes encode them, in formats where one of one colour takes next to none.
const SPARSE: usize = 1 << 24;

/// Pixels that a file of such a format may claim, of which larger ones take a byte at least for so many.
fn sparse(bytes: &[u8], most_a_byte: usize) -> usize {
    bytes.len().saturating_mul(most_a_byte).max(SPARSE)
}

/// A colour of that opacity on white.
fn over_white(colour: [u8; 3], alpha: u8) -> [u8; 3] {
    let alpha = u32::from(alpha);
    colour.map(|value| ((u32::from(value) * alpha + 255 * (255 - alpha) + 127) / 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::KINDS;

    #[test]
    fn transparent_is_white_and_half_transparent_half_way_there() {
        assert_eq!(over_white([9, 9, 9], 0), [255; 3]);
        assert_eq!(over_white([9, 8, 7], 255), [9, 8, 7]);
        assert_eq!(over_white([0, 100, 255], 51), [204, 224, 255]);
    }

    #[test]
    fn messages_name_all_formats() {
        let names: Vec<_> = FORMATS.iter().map(|format| format.name).collect();
        let (last, others) = names.split_last().unwrap();
        assert_eq!(KINDS, format!("{} or {last}", others.join(", ")));
    }
}
