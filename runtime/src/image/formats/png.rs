//! PNG, decoded row by row: memory goes to the picture and to two rows, however a file stores them.

use super::orientation::Orientation;
use super::{Format, claim, over_white};
use crate::image::{ImageProblem, Picture};
use crate::memory::{OutOfMemory, filled};
use png::{BitDepth, ColorType, Decoder, DecodingError, InterlaceInfo, Limits, Transformations};
use std::io::{Cursor, ErrorKind};

pub(super) const FORMAT: Format = Format {
    name: "PNG",
    endings: &["png"],
    is: |bytes| bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
    decode,
};

/// Deflate makes at most so many bytes of one: a match of 258 bytes takes two bits.
const MOST_INFLATED: usize = 1032;

/// What rows of the largest width take, filtered and not: eight bytes a pixel.
const ROWS: usize = 2 << 20;

fn decode(bytes: &[u8]) -> Result<Picture, ImageProblem> {
    read(bytes, Stored::Colours)
}

/// A picture of what is stored: the grey values or the indices of a palette, as they are, in all three channels.
pub(in crate::image) fn indices(bytes: &[u8]) -> Result<Picture, ImageProblem> {
    if !(FORMAT.is)(bytes) {
        let what = "indices are read from PNG files, which keep them as they are".to_owned();
        return Err(ImageProblem::Unsupported(what));
    }
    read(bytes, Stored::Indices)
}

/// What is wanted of samples that are stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stored {
    /// The colours that they stand for.
    Colours,
    /// Themselves.
    Indices,
}

impl Stored {
    fn transformations(self) -> Transformations {
        match self {
            Stored::Colours => Transformations::EXPAND,
            Stored::Indices => Transformations::IDENTITY,
        }
    }

    /// Refuses what has no indices.
    fn fit(self, colour: ColorType, depth: BitDepth, interlaced: bool) -> Result<(), ImageProblem> {
        let why = match (colour, depth) {
            _ if self == Stored::Colours => return Ok(()),
            (ColorType::Rgb | ColorType::Rgba | ColorType::GrayscaleAlpha, _) => {
                "it has colours, where shades of grey or indices of a palette are expected"
            }
            (_, BitDepth::Sixteen) => "it has 16 bits a pixel, where 8 at most are expected",
            (_, BitDepth::One | BitDepth::Two | BitDepth::Four) if interlaced => {
                "it is interlaced, with fewer than 8 bits a pixel"
            }
            _ => return Ok(()),
        };
        Err(ImageProblem::Unsupported(why.to_owned()))
    }

    /// Adds a row of so many pixels as 8-bit RGB.
    fn append(self, rgb: &mut Vec<u8>, row: &[u8], kind: (ColorType, BitDepth), width: usize) {
        if self == Stored::Colours {
            return append(rgb, row, kind);
        }
        let bits = kind.1 as usize;
        // The leftmost pixel is in the highest bits (PNG, 3rd edition, section 7.2).
        let pixels = row.iter().flat_map(|&byte| {
            let places = (0..8 / bits).rev();
            places.map(move |place| byte >> (place * bits) & (u8::MAX >> (8 - bits)))
        });
        rgb.extend(pixels.take(width).flat_map(|index| [index; 3]));
    }
}

fn read(bytes: &[u8], stored: Stored) -> Result<Picture, ImageProblem> {
    if [16, 20]
        .iter()
        .any(|&at| bytes.get(at..at + 4) == Some(&[0; 4]))
    {
        // The decoder's complaint would puzzle the reader.
        return Err(ImageProblem::NoPixels);
    }
    // Beside rows, the decoder keeps nothing but chunks of the file.
    let limits = Limits {
        bytes: bytes.len() + ROWS,
    };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(stored.transformations());
    let info = decoder.read_header_info().map_err(problem)?;
    let (width, height) = (info.width as usize, info.height as usize);
    stored.fit(info.color_type, info.bit_depth, info.interlaced)?;
    let bits = info.color_type.samples() * info.bit_depth as usize;
    claim(
        width,
        height,
        bytes.len().saturating_mul(MOST_INFLATED * 8 / bits),
    )?;

    let mut reader = decoder.read_info().map_err(problem)?;
    let info = reader.info();
    let interlaced = info.interlaced;
    let exif = info.exif_metadata.as_deref().unwrap_or_default();
    let orientation = Orientation::of_exif(exif);
    if info
        .frame_control
        .is_some_and(|frame| (frame.width, frame.height) != info.size())
    {
        let why = "its first frame is of another size".to_owned();
        return Err(ImageProblem::Damaged(why));
    }
    let kind = reader.output_color_type();
    let size = 3 * width * height;
    let mut rgb = Vec::new();
    if interlaced {
        let mut row = Vec::with_capacity(3 * width);
        rgb = filled(size, 0)?;
        while let Some(part) = reader.next_interlaced_row().map_err(problem)? {
            row.clear();
            stored.append(&mut row, part.data(), kind, width);
            if let InterlaceInfo::Adam7(place) = part.interlace() {
                png::expand_interlaced_row(&mut rgb, 3 * width, &row, place, 24);
            }
        }
    } else {
        while let Some(row) = reader.next_row().map_err(problem)? {
            if rgb.capacity() - rgb.len() < 3 * width {
                // As much again as has been decoded, but no more than the picture needs.
                let more = rgb.len().max(3 * width).max(1 << 16);
                let more = more.min(size - rgb.len());
                let reserved = rgb.try_reserve_exact(more);
                reserved.map_err(|_| OutOfMemory::of::<u8>(rgb.len() + more))?;
            }
            stored.append(&mut rgb, row.data(), kind, width);
        }
    }
    let picture = Picture::from_rgb(width, height, rgb).ok_or(ImageProblem::Truncated)?;
    Ok(orientation.upright(picture)?)
}

/// Adds a row of samples as 8-bit RGB.
fn append(rgb: &mut Vec<u8>, row: &[u8], (colour, depth): (ColorType, BitDepth)) {
    let rounded: Vec<u8>;
    let row = match depth {
        BitDepth::Sixteen => {
            let (samples, _) = row.as_chunks::<2>();
            rounded = samples.iter().map(|&bytes| to_8_bits(bytes)).collect();
            &rounded
        }
        // Fewer bits have been expanded.
        _ => row,
    };
    match colour.samples() {
        1 => {
            for &grey in row {
                rgb.extend_from_slice(&[grey; 3]);
            }
        }
        2 => {
            for &[grey, alpha] in row.as_chunks::<2>().0 {
                rgb.extend_from_slice(&over_white([grey; 3], alpha));
            }
        }
        3 => rgb.extend_from_slice(row),
        _ => {
            for &[r, g, b, alpha] in row.as_chunks::<4>().0 {
                rgb.extend_from_slice(&over_white([r, g, b], alpha));
            }
        }
    }
}

/// The nearest 8-bit value: 65535 is 255.
fn to_8_bits(sample: [u8; 2]) -> u8 {
    ((u32::from(u16::from_be_bytes(sample)) + 128) / 257) as u8
}

fn problem(error: DecodingError) -> ImageProblem {
    match error {
        DecodingError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            ImageProblem::Truncated
        }
        error => ImageProblem::Damaged(error.to_string()),
    }
}
