//! How a camera was held: what Exif data say of it, and the picture set upright.

use crate::image::Picture;
use crate::memory::{OutOfMemory, reserved};

/// Where the pixels of the upright picture are in the stored one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Orientation {
    /// Its rows are stored as columns.
    transposed: bool,
    /// The stored rows run from right to left.
    mirrored: bool,
    /// The stored columns run from bottom to top.
    flipped: bool,
}

impl Orientation {
    /// What Exif data say (a TIFF file: TIFF 6.0, section 2); upright if they say nothing that can be read.
    pub(super) fn of_exif(tiff: &[u8]) -> Orientation {
        // Exif 2.3, section 4.6.4 A: where row 0 and column 0 are.
        let (transposed, mirrored, flipped) = match tag(tiff) {
            Some(2) => (false, true, false),
            Some(3) => (false, true, true),
            Some(4) => (false, false, true),
            Some(5) => (true, false, false),
            Some(6) => (true, false, true),
            Some(7) => (true, true, true),
            Some(8) => (true, true, false),
            _ => (false, false, false),
        };
        Orientation {
            transposed,
            mirrored,
            flipped,
        }
    }

    /// The picture as it was seen.
    pub(super) fn upright(self, mut picture: Picture) -> Result<Picture, OutOfMemory> {
        let (width, height) = (picture.width, picture.height);
        if self.transposed {
            let mut rgb = reserved(picture.rgb.len())?;
            let (pixels, _) = picture.rgb.as_chunks::<3>();
            let turn = |reversed: bool, at: usize, count: usize| match reversed {
                true => count - 1 - at,
                false => at,
            };
            for y in 0..width {
                let x = turn(self.mirrored, y, width);
                for row in 0..height {
                    let row = turn(self.flipped, row, height);
                    rgb.extend_from_slice(&pixels[row * width + x]);
                }
            }
            return Ok(Picture {
                width: height,
                height: width,
                rgb,
            });
        }
        let (pixels, _) = picture.rgb.as_chunks_mut::<3>();
        match (self.mirrored, self.flipped) {
            (true, true) => pixels.reverse(),
            (true, false) => pixels.chunks_exact_mut(width).for_each(<[_]>::reverse),
            (false, true) => {
                pixels.reverse();
                pixels.chunks_exact_mut(width).for_each(<[_]>::reverse);
            }
            (false, false) => {}
        }
        Ok(picture)
    }
}

/// The value of the tag that says it.
fn tag(tiff: &[u8]) -> Option<u16> {
    const ORIENTATION: u16 = 0x112;
    const SHORT: u16 = 3;
    let little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes = *tiff.get(at..)?.first_chunk()?;
        Some(match little {
            true => u16::from_le_bytes(bytes),
            false => u16::from_be_bytes(bytes),
        })
    };
    let long = |at: usize| {
        let bytes = *tiff.get(at..)?.first_chunk()?;
        Some(match little {
            true => u32::from_le_bytes(bytes),
            false => u32::from_be_bytes(bytes),
        })
    };
    let start = long(4)? as usize;
    for entry in 0..usize::from(short(start)?) {
        let at = start + 2 + 12 * entry;
        if (short(at)?, short(at + 2)?, long(at + 4)?) == (ORIENTATION, SHORT, 1) {
            return short(at + 8);
        }
    }
    None
}
