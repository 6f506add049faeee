//! Run lengths: pairs of a count and what it counts, or of 0 and what else is to be done.

use crate::image::ImageProblem;
use crate::memory::filled;

/// A pair makes 255 pixels at most.
pub(super) const MOST_PIXELS_A_BYTE: usize = 128;

/// What may follow a count of 0; other numbers are those of pixels that stand there one by one.
const END_OF_ROW: u8 = 0;
const END: u8 = 1;
const MOVE: u8 = 2;

/// The numbers of the pixels' colours, row by row as they are stored, from runs of 4 or 8 bits a pixel. What is
/// skipped has colour 0.
pub(super) fn decode(
    mut data: &[u8],
    bits: usize,
    width: usize,
    height: usize,
) -> Result<Vec<u8>, ImageProblem> {
    let mut indices = filled(width * height, 0)?;
    let (mut x, mut y) = (0, 0);
    // Runs that reach beyond a row's end, or beyond the last row, are cut off.
    while y < height {
        let Some([count, value]) = take(&mut data) else {
            let whole = y + 1 == height && x >= width;
            return if whole {
                Ok(indices)
            } else {
                Err(ImageProblem::Truncated)
            };
        };
        let row = &mut indices[y * width..][..width];
        let room = row.get_mut(x..).unwrap_or_default();
        match (count, value) {
            (0, END_OF_ROW) => (x, y) = (0, y + 1),
            (0, END) => break,
            (0, MOVE) => {
                let [right, up] = take(&mut data).ok_or(ImageProblem::Truncated)?;
                (x, y) = (x + usize::from(right), y + usize::from(up));
            }
            (0, count) => {
                let count = usize::from(count);
                // Filled up to pairs of bytes.
                let (bytes, stored) = ((count * bits).div_ceil(8), (count * bits).div_ceil(16) * 2);
                let pixels = data.get(..bytes).ok_or(ImageProblem::Truncated)?;
                data = data.get(stored..).unwrap_or_default();
                for (at, pixel) in room.iter_mut().take(count).enumerate() {
                    *pixel = match bits {
                        8 => pixels[at],
                        _ => nibble(pixels[at / 2], at),
                    };
                }
                x += count;
            }
            (count, value) => {
                let count = usize::from(count);
                for (at, pixel) in room.iter_mut().take(count).enumerate() {
                    *pixel = match bits {
                        8 => value,
                        _ => nibble(value, at),
                    };
                }
                x += count;
            }
        }
    }
    Ok(indices)
}

fn take(data: &mut &[u8]) -> Option<[u8; 2]> {
    let (pair, rest) = data.split_first_chunk()?;
    *data = rest;
    Some(*pair)
}

/// The higher half of a byte first.
fn nibble(byte: u8, at: usize) -> u8 {
    if at.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 15
    }
}
