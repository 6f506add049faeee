//! GIF: the first picture of a file, on the screen that it belongs to. What it leaves free or transparent is white.

use super::{Format, claim, sparse};
use crate::image::{ImageProblem, Picture};
use crate::memory::filled;
use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};
use std::io::ErrorKind;
use std::num::NonZeroU64;

pub(super) const FORMAT: Format = Format {
    name: "GIF",
    endings: &["gif"],
    is: |bytes| bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a"),
    decode,
};

/// A code of 12 bits stands for 4094 pixels at most, as many as there are longer and longer words.
const MOST_PIXELS_A_BYTE: usize = 4096 * 8 / 12;

fn decode(bytes: &[u8]) -> Result<Picture, ImageProblem> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.allow_unknown_blocks(true);
    let limit = NonZeroU64::new(bytes.len() as u64).unwrap_or(NonZeroU64::MIN);
    options.set_memory_limit(MemoryLimit::Bytes(limit));
    let mut decoder = options.read_info(bytes).map_err(problem)?;
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    claim(width, height, sparse(bytes, MOST_PIXELS_A_BYTE))?;
    let frame = decoder.next_frame_info().map_err(problem)?;
    let frame = frame.ok_or(ImageProblem::NoPixels)?;
    let (columns, rows) = (usize::from(frame.width), usize::from(frame.height));
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let transparent = frame.transparent;
    claim(
        columns,
        rows,
        bytes.len().saturating_mul(MOST_PIXELS_A_BYTE),
    )?;
    let palette = decoder.palette().map_err(problem)?.to_vec();
    let mut indices = filled(columns * rows, 0)?;
    decoder.read_into_buffer(&mut indices).map_err(problem)?;
    let mut rgb = filled(3 * width * height, 255)?;
    let shown = width.saturating_sub(left).min(columns);
    for (y, row) in indices.chunks_exact(columns).enumerate() {
        if top + y >= height {
            break;
        }
        let to = &mut rgb[3 * ((top + y) * width + left.min(width - shown))..][..3 * shown];
        for (pixel, &index) in to.chunks_exact_mut(3).zip(row) {
            if transparent == Some(index) {
                continue;
            }
            // Colours that the palette lacks are black.
            let colour = palette
                .get(3 * usize::from(index)..)
                .and_then(|rest| rest.get(..3));
            pixel.copy_from_slice(colour.unwrap_or(&[0; 3]));
        }
    }
    Picture::from_rgb(width, height, rgb).ok_or(ImageProblem::Truncated)
}

fn problem(error: DecodingError) -> ImageProblem {
    match error {
        DecodingError::UnexpectedEof => ImageProblem::Truncated,
        DecodingError::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            ImageProblem::Truncated
        }
        error => ImageProblem::Damaged(error.to_string()),
    }
}
