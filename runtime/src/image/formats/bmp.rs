//! BMP as Windows and OS/2 write it: palettes, 16 to 32 bits with or without masks, run lengths.
//!
//! ```text
//! "BM" ····length ····0 ····where pixels start │ header of 12 bytes or more │ masks │ palette │ rows, the lowest first
//! ```
//!
//! Numbers have their least byte first. The layouts are those of Microsoft's `BITMAPFILEHEADER`, `BITMAPCOREHEADER` and
//! `BITMAPINFOHEADER` to `BITMAPV5HEADER`, and IBM's `BITMAPINFOHEADER2`, of which any part may be there.

mod masks;
mod runs;

use super::{Format, claim, over_white};
use crate::image::{ImageProblem, Picture};
use crate::memory::reserved;
use masks::Masks;
use std::borrow::Cow;

pub(super) const FORMAT: Format = Format {
    name: "BMP",
    endings: &["bmp", "dib"],
    is: |bytes| bytes.starts_with(b"BM"),
    decode,
};

/// Where the header starts, which says how long it is.
const HEADER: usize = 14;

/// How pixels are stored.
enum Pixels {
    /// Numbers of colours in the palette, of 1, 2, 4 or 8 bits, the leftmost in the highest.
    Indices(usize),
    /// The same, of 4 or 8 bits, as runs of one or two colours.
    Runs(usize),
    /// Blue, green, red.
    Bytes,
    /// Numbers of 2 bytes, out of which masks cut the channels.
    Shorts(Masks),
    /// Numbers of 4 bytes, likewise.
    Longs(Masks),
}

/// What stands in front of the pixels.
struct Header {
    width: usize,
    height: usize,
    /// Whether the highest row comes first.
    top_down: bool,
    pixels: Pixels,
    /// As many colours as 8 bits can name; those that the file lacks are black.
    palette: [[u8; 3]; 256],
}

fn decode(bytes: &[u8]) -> Result<Picture, ImageProblem> {
    let Header {
        width,
        height,
        top_down,
        pixels,
        palette,
    } = Header::read(bytes)?;
    claim(width, height, usize::MAX)?;
    let start = long(bytes, 10)? as usize;
    let data = bytes.get(start..).ok_or(ImageProblem::Truncated)?;

    // Bytes of a row, without and with what fills it up.
    let bits = width * pixels.bits();
    let (mut row, mut stride) = (bits.div_ceil(8), bits.div_ceil(32) * 4);
    let (data, pixels) = match pixels {
        Pixels::Runs(bits) => {
            let most = data.len().saturating_mul(runs::MOST_PIXELS_A_BYTE);
            claim(width, height, most)?;
            (row, stride) = (width, width);
            let indices = runs::decode(data, bits, width, height)?;
            (Cow::Owned(indices), Pixels::Indices(8))
        }
        pixels => {
            // The last row need not be filled up.
            let others = data.len().checked_sub(row);
            let rows = others.map_or(0, |others| others / stride + 1);
            claim(width, height, width * rows)?;
            (Cow::Borrowed(data), pixels)
        }
    };
    let rows = (0..height).map(|y| {
        let stored = if top_down { y } else { height - 1 - y };
        &data[stored * stride..][..row]
    });
    let mut rgb = reserved(3 * width * height)?;
    match pixels {
        Pixels::Indices(bits) | Pixels::Runs(bits) => {
            let index = |row: &[u8], x: usize| {
                let at = x * bits;
                // What is left of it is shifted out.
                row[at / 8] << (at % 8) >> (8 - bits)
            };
            for row in rows {
                for x in 0..width {
                    rgb.extend_from_slice(&palette[usize::from(index(row, x))]);
                }
            }
        }
        Pixels::Bytes => {
            for row in rows {
                for &[blue, green, red] in row.as_chunks().0 {
                    rgb.extend_from_slice(&[red, green, blue]);
                }
            }
        }
        Pixels::Shorts(masks) => {
            let numbers = rows.flat_map(|row| row.as_chunks().0);
            masks.append(
                &mut rgb,
                numbers.map(|&pixel| u16::from_le_bytes(pixel).into()),
            );
        }
        Pixels::Longs(masks) => {
            let numbers = rows.flat_map(|row| row.as_chunks().0);
            masks.append(&mut rgb, numbers.map(|&pixel| u32::from_le_bytes(pixel)));
        }
    }
    Picture::from_rgb(width, height, rgb).ok_or(ImageProblem::Truncated)
}

impl Pixels {
    /// Of a pixel, where all take as many.
    fn bits(&self) -> usize {
        match self {
            Pixels::Indices(bits) | Pixels::Runs(bits) => *bits,
            Pixels::Bytes => 24,
            Pixels::Shorts(_) => 16,
            Pixels::Longs(_) => 32,
        }
    }
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Header, ImageProblem> {
        let length = long(bytes, HEADER)? as usize;
        let damaged = |why: String| Err(ImageProblem::Damaged(why));
        if length < 12 {
            return damaged(format!("its header has {length} bytes"));
        }
        // What a short header leaves out is 0.
        let field = |at: usize| match at + 4 <= length {
            true => long(bytes, HEADER + at),
            false => Ok(0),
        };
        let first = length == 12;
        let (width, height, bits) = match first {
            true => (
                i32::from(short(bytes, HEADER + 4)?),
                i32::from(short(bytes, HEADER + 6)?),
                short(bytes, HEADER + 10)?,
            ),
            false => (
                field(4)?.cast_signed(),
                field(8)?.cast_signed(),
                (field(12)? >> 16) as u16,
            ),
        };
        let compression = if first { 0 } else { field(16)? };
        // Those of OS/2 have other compressions under these numbers.
        let windows = length >= 40 && length != 64;
        let pixels = match (compression, bits) {
            (0, 1 | 2 | 4 | 8) => Pixels::Indices(bits.into()),
            (1, 8) | (2, 4) => Pixels::Runs(bits.into()),
            (0, 16) => Pixels::Shorts(Masks::new([0x7c00, 0x03e0, 0x001f], 0)?),
            (0, 24) => Pixels::Bytes,
            (0, 32) => Pixels::Longs(Masks::new([0xff_0000, 0xff00, 0xff], 0)?),
            (3 | 6, 16 | 32) if windows => {
                // In the header where it is long enough, behind it otherwise: that is the same place.
                let mask = |index: usize| long(bytes, HEADER + 40 + 4 * index);
                let alpha = if length >= 56 || compression == 6 {
                    mask(3)?
                } else {
                    0
                };
                let masks = Masks::new([mask(0)?, mask(1)?, mask(2)?], alpha)?;
                match bits {
                    16 => Pixels::Shorts(masks),
                    _ => Pixels::Longs(masks),
                }
            }
            (4, _) if windows => {
                return Err(ImageProblem::Unsupported("a JPEG in a BMP".to_owned()));
            }
            (5, _) if windows => {
                return Err(ImageProblem::Unsupported("a PNG in a BMP".to_owned()));
            }
            _ => {
                let what = format!("{bits} bits a pixel with compression {compression}");
                return Err(ImageProblem::Unsupported(what));
            }
        };
        if width < 0 {
            return damaged(format!("its width is {width}"));
        }
        let mut palette = [[0; 3]; 256];
        if let Pixels::Indices(bits) | Pixels::Runs(bits) = pixels {
            let most = 1 << bits;
            let count = match if first { 0 } else { field(32)? as usize } {
                0 => most,
                used => used.min(most),
            };
            let colour = if first { 3 } else { 4 };
            let start = HEADER.saturating_add(length);
            // Some files have fewer than they say.
            let room = (long(bytes, 10)? as usize).checked_sub(start);
            let count = room.map_or(count, |room| count.min(room / colour));
            let colours = bytes.get(start..).unwrap_or_default().chunks_exact(colour);
            for (entry, stored) in palette.iter_mut().zip(colours.take(count)) {
                *entry = [stored[2], stored[1], stored[0]];
            }
        }
        Ok(Header {
            width: width.unsigned_abs() as usize,
            height: height.unsigned_abs() as usize,
            top_down: height < 0,
            pixels,
            palette,
        })
    }
}

fn short(bytes: &[u8], at: usize) -> Result<u16, ImageProblem> {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    let found = found.ok_or(ImageProblem::Truncated)?;
    Ok(u16::from_le_bytes(*found))
}

fn long(bytes: &[u8], at: usize) -> Result<u32, ImageProblem> {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    let found = found.ok_or(ImageProblem::Truncated)?;
    Ok(u32::from_le_bytes(*found))
}
