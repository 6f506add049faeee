//! JPEG: baseline and progressive; grey, RGB, YCbCr, CMYK and YCCK.

use super::orientation::Orientation;
use super::{Format, claim};
use crate::image::{ImageProblem, MAX_SIDE, Picture};
use crate::memory::{self, filled, reserved};
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

pub(super) const FORMAT: Format = Format {
    name: "JPEG",
    endings: &["jpg", "jpeg"],
    is: |bytes| bytes.starts_with(b"\xff\xd8\xff"),
    decode,
};

/// Each block of 64 pixels takes a bit at least, even in a progressive file.
const MOST_PIXELS_A_BYTE: usize = 64 * 8;

/// Bytes that the decoder of a progressive picture keeps of each sample.
const COEFFICIENT: usize = size_of::<i16>();

fn decode(bytes: &[u8]) -> Result<Picture, ImageProblem> {
    // The decoder would fill the rest with grey and say nothing.
    let progressive = scan(bytes).ok_or(ImageProblem::Truncated)?;
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(problem)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    claim(
        width,
        height,
        bytes.len().saturating_mul(MOST_PIXELS_A_BYTE),
    )?;
    let exif = decoder.exif().map_or(&[][..], Vec::as_slice);
    let orientation = Orientation::of_exif(exif);
    let grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let (colours, samples) = match grey {
        true => (ColorSpace::Luma, 1),
        false => (ColorSpace::RGB, 3),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(colours));
    let mut pixels = filled(width * height * samples, 0)?;
    if progressive {
        // Coefficients of all components, which the decoder's vectors hold to the end.
        memory::ask((COEFFICIENT * pixels.len()) as u64)?;
    }
    decoder.decode_into(&mut pixels).map_err(problem)?;
    let picture = match grey {
        true => {
            let mut rgb = reserved(3 * pixels.len())?;
            rgb.extend(pixels.iter().flat_map(|&value| [value; 3]));
            Picture::from_rgb(width, height, rgb)
        }
        false => Picture::from_rgb(width, height, pixels),
    };
    let picture = picture.ok_or(ImageProblem::NoPixels)?;
    Ok(orientation.upright(picture)?)
}

fn problem(error: DecodeErrors) -> ImageProblem {
    match error {
        DecodeErrors::ExhaustedData => ImageProblem::Truncated,
        DecodeErrors::Unsupported(_) => ImageProblem::Unsupported(error.to_string()),
        error => ImageProblem::Damaged(error.to_string()),
    }
}

/// Whether it is a progressive picture, by walking its segments (ITU T.81, annex B); `None` unless the file reaches its end-of-image
/// marker: a thumbnail inside a segment has such a marker too.
fn scan(bytes: &[u8]) -> Option<bool> {
    const END: u8 = 0xd9;
    /// Frames of progressive pictures.
    const PROGRESSIVE: [u8; 4] = [0xc2, 0xc6, 0xca, 0xce];
    let mut progressive = false;
    let mut rest = bytes.get(2..)?;
    loop {
        // To the next marker; a segment may be followed by fill bytes.
        let mut pairs = rest.windows(2);
        let at = pairs.position(|pair| pair[0] == 0xff && is_marker(pair[1]))?;
        let marker = rest[at + 1];
        rest = &rest[at + 2..];
        if marker == END {
            return Some(progressive);
        }
        progressive |= PROGRESSIVE.contains(&marker);
        let length = u16::from_be_bytes(*rest.first_chunk()?);
        rest = rest.get(usize::from(length)..)?;
    }
}

/// Whether a byte after 0xff starts a segment or ends the picture: not a stuffed zero, a fill
/// byte, a restart or another marker without a length.
fn is_marker(byte: u8) -> bool {
    !matches!(byte, 0x00 | 0x01 | 0xd0..=0xd8 | 0xff)
}
