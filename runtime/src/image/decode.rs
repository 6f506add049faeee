//! Decoding PNG, JPEG and BMP, with nothing taken on trust.
//!
//! The content decides the format, not the name. What a camera says about orientation is applied; colour
//! profiles are not. Transparent pixels are laid over white, as a page would show them; 16-bit
//! channels are rounded to 8.

use super::{ImageError, ImageProblem, MAX_PIXELS, Picture, within_limits};
use crate::sniff::looks_like;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::Path;

/// Most bytes of a file, and of its decoded pixels: 8-bit colours and alpha of that many pixels.
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

    /// Decodes a picture that is in memory; `name` is for messages.
    ///
    /// # Errors
    /// As [`Picture::open`].
    pub fn decode(bytes: &[u8], name: &str) -> Result<Picture, ImageError> {
        decode(bytes).map_err(|problem| problem.of(name))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ImageProblem> {
    // Asked before opening: opening a named pipe would wait for its writer.
    let metadata = fs::metadata(path).map_err(ImageProblem::Read)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() {
            "it is a directory"
        } else {
            "it is not a file"
        };
        return Err(ImageProblem::Read(io::Error::other(what)));
    }
    if metadata.len() > MAX_BYTES {
        return Err(ImageProblem::TooLong);
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(ImageProblem::Read)?;
    file.take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .map_err(ImageProblem::Read)?;
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<Picture, ImageProblem> {
    let format = match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Bmp)) => format,
        _ => return Err(ImageProblem::NotAPicture(looks_like(bytes))),
    };
    if format == ImageFormat::Jpeg && !jpeg_has_an_end(bytes) {
        // The decoder would fill the rest with grey and say nothing.
        return Err(ImageProblem::Truncated);
    }
    if claims_no_pixels(format, bytes) {
        return Err(ImageProblem::NoPixels);
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(problem)?;
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    let too_large = || ImageProblem::TooLarge { width, height };
    if !within_limits(width, height) || limits.reserve(decoder.total_bytes()).is_err() {
        return Err(too_large());
    }
    if format == ImageFormat::Jpeg && width * height > 512 * bytes.len() {
        // Each block of 64 pixels takes a bit at least, even in a progressive file.
        return Err(ImageProblem::Truncated);
    }
    // A picture without a readable orientation is taken as it is.
    let orientation = decoder
        .orientation()
        .unwrap_or(image::metadata::Orientation::NoTransforms);
    decoder.set_limits(limits).map_err(problem)?;
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(|error| match error {
        image::ImageError::Limits(_) => too_large(),
        error => problem(error),
    })?;
    decoded.apply_orientation(orientation);
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    Ok(Picture {
        width,
        height,
        rgb: over_white(decoded),
    })
}

fn over_white(picture: DynamicImage) -> Vec<u8> {
    if !picture.color().has_alpha() {
        return picture.into_rgb8().into_raw();
    }
    let rgba = picture.into_rgba8().into_raw();
    let (pixels, _) = rgba.as_chunks::<4>();
    let blend = |&[r, g, b, alpha]: &[u8; 4]| {
        let alpha = u32::from(alpha);
        [r, g, b].map(|c| ((u32::from(c) * alpha + 255 * (255 - alpha) + 127) / 255) as u8)
    };
    pixels.iter().flat_map(blend).collect()
}

fn problem(error: image::ImageError) -> ImageProblem {
    match error {
        image::ImageError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            ImageProblem::Truncated
        }
        error => ImageProblem::Damaged(error.to_string()),
    }
}

/// Whether the header of a PNG or BMP says that width or height is nothing. Their decoders refuse that too,
/// but for reasons that would puzzle the reader. JPEG may leave the height to be said later.
fn claims_no_pixels(format: ImageFormat, bytes: &[u8]) -> bool {
    let start = match format {
        ImageFormat::Png => 16,
        ImageFormat::Bmp => 18,
        _ => return false,
    };
    [start, start + 4]
        .iter()
        .any(|&at| bytes.get(at..at + 4) == Some(&[0; 4]))
}

/// Whether a JPEG reaches its end-of-image marker (ITU T.81, annex B), by walking its segments: a thumbnail
/// inside one of them has such a marker too.
fn jpeg_has_an_end(bytes: &[u8]) -> bool {
    const END: u8 = 0xd9;
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        // To the next marker; a segment may be followed by fill bytes.
        let Some(at) = rest
            .windows(2)
            .position(|pair| pair[0] == 0xff && is_marker(pair[1]))
        else {
            return false;
        };
        let marker = rest[at + 1];
        rest = &rest[at + 2..];
        if marker == END {
            return true;
        }
        let Some(&length) = rest.first_chunk::<2>() else {
            return false;
        };
        let Some(after) = rest.get(usize::from(u16::from_be_bytes(length))..) else {
            return false;
        };
        rest = after;
    }
}

/// Whether a byte after 0xff starts a segment or ends the picture: not a stuffed zero, a fill
/// byte, a restart or another marker without a length.
fn is_marker(byte: u8) -> bool {
    !matches!(byte, 0x00 | 0x01 | 0xd0..=0xd8 | 0xff)
}
