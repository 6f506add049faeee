//! WebP, lossy and lossless; of an animation the first picture.

use super::orientation::Orientation;
use super::{Format, claim, over_white, sparse};
use crate::image::{ImageProblem, Picture};
use crate::memory::filled;
use image_webp::{DecodingError, WebPDecoder};
use std::io::{Cursor, ErrorKind};

pub(super) const FORMAT: Format = Format {
    name: "WebP",
    endings: &["webp"],
    is: |bytes| bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
    decode,
};

/// Where the length of what follows ends.
const HEADER: usize = 8;

/// Pixels that a byte encodes at most in a picture of more than [`super::SPARSE`]. Codes of one symbol take no bits at all: a
/// picture of one colour is as short as it is small.
const MOST_PIXELS_A_BYTE: usize = 1 << 13;

fn decode(bytes: &[u8]) -> Result<Picture, ImageProblem> {
    let length = bytes[4..HEADER].iter().rev();
    let length = length.fold(0, |length, &byte| length << 8 | usize::from(byte));
    // What fills the last chunk up need not be there.
    if bytes.len() < HEADER + length.saturating_sub(1) {
        return Err(ImageProblem::Truncated);
    }
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(problem)?;
    decoder.set_memory_limit(bytes.len());
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    claim(width, height, sparse(bytes, MOST_PIXELS_A_BYTE))?;
    let exif = decoder.exif_metadata().ok().flatten().unwrap_or_default();
    let orientation = Orientation::of_exif(exif.strip_prefix(b"Exif\0\0").unwrap_or(&exif));
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    let mut rgb = filled(channels * width * height, 0)?;
    decoder.read_image(&mut rgb).map_err(problem)?;
    if channels == 4 {
        for at in 0..width * height {
            let pixel = &rgb[4 * at..];
            let colour = over_white([pixel[0], pixel[1], pixel[2]], pixel[3]);
            rgb[3 * at..][..3].copy_from_slice(&colour);
        }
        rgb.truncate(3 * width * height);
    }
    let picture = Picture::from_rgb(width, height, rgb).ok_or(ImageProblem::Truncated)?;
    Ok(orientation.upright(picture)?)
}

fn problem(error: DecodingError) -> ImageProblem {
    match error {
        DecodingError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            ImageProblem::Truncated
        }
        DecodingError::UnsupportedFeature(what) => ImageProblem::Unsupported(what),
        error => ImageProblem::Damaged(error.to_string()),
    }
}
