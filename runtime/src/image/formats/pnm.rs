//! PNM, the portable maps of Netpbm: bits (PBM), shades of grey (PGM) and colours (PPM), each as text or as bytes.
//!
//! ```text
//! "P5" width height most │ one byte of white space │ samples, row by row
//! ```
//!
//! | | text | bytes | a pixel |
//! |---|---|---|---|
//! | PBM | `P1` | `P4` | a bit, 1 is black; as bytes the leftmost in the highest, and each row begins a byte |
//! | PGM | `P2` | `P5` | a sample from 0, black, to `most`, white |
//! | PPM | `P3` | `P6` | red, green, blue |
//!
//! Bits have no `most`. A sample takes two bytes, the higher one first, where `most` is more than 255; it is rounded to 8 bits. A `#` begins a comment up to the end of its line, in front of the samples and among those of text.
//! Of several pictures in a file the first is read. The layouts are those of Netpbm's manuals of pbm, pgm and ppm.

use super::{Format, claim};
use crate::image::{ImageProblem, Picture};
use crate::memory::reserved;

pub(super) const FORMAT: Format = Format {
    name: "PNM",
    endings: &["pnm", "pbm", "pgm", "ppm"],
    is: |bytes| matches!(bytes, [b'P', b'1'..=b'6', next, ..] if next.is_ascii_whitespace() || *next == b'#'),
    decode,
};

fn decode(bytes: &[u8]) -> Result<Picture, ImageProblem> {
    let kind = bytes[1];
    let mut text = Text { bytes, at: 2 };
    let width = text.number("its width")? as usize;
    let height = text.number("its height")? as usize;
    claim(width, height, usize::MAX)?;
    let most = match kind {
        b'1' | b'4' => 1,
        _ => text.number("its largest value")?,
    };
    if !(1..=u32::from(u16::MAX)).contains(&most) {
        let why = format!("its largest value is {most}, where 1 to 65535 are possible");
        return Err(ImageProblem::Damaged(why));
    }
    let channels = match kind {
        b'3' | b'6' => 3,
        _ => 1,
    };
    let per = channels * if most > 255 { 2 } else { 1 };
    let rgb = match kind {
        b'1' => {
            claim(width, height, text.rest().len())?;
            let bits = (0..width * height).map(|_| text.bit());
            append(width, height, 1, 1, bits)?
        }
        b'2' | b'3' => {
            // A digit and what parts it from the next.
            claim(width, height, text.rest().len().div_ceil(2 * channels))?;
            let samples = (0..width * height * channels).map(|_| text.number("a sample"));
            append(width, height, channels, most, samples)?
        }
        b'4' => {
            let (data, row) = (text.behind_white_space()?, width.div_ceil(8));
            claim(width, height, width * (data.len() / row))?;
            let rows = data.chunks_exact(row).take(height);
            let bits = rows
                .flat_map(|row| (0..width).map(|x| Ok(u32::from(!row[x / 8] >> (7 - x % 8) & 1))));
            append(width, height, 1, 1, bits)?
        }
        _ => {
            let data = text.behind_white_space()?;
            claim(width, height, data.len() / per)?;
            let data = &data[..width * height * per];
            match per == channels {
                true => {
                    let samples = data.iter().map(|&byte| Ok(byte.into()));
                    append(width, height, channels, most, samples)?
                }
                false => {
                    let (pairs, _) = data.as_chunks::<2>();
                    let samples = pairs
                        .iter()
                        .map(|&pair| Ok(u16::from_be_bytes(pair).into()));
                    append(width, height, channels, most, samples)?
                }
            }
        }
    };
    Picture::from_rgb(width, height, rgb).ok_or(ImageProblem::Truncated)
}

/// Samples of one or three channels as 8-bit RGB, each the nearest.
fn append(
    width: usize,
    height: usize,
    channels: usize,
    most: u32,
    samples: impl Iterator<Item = Result<u32, ImageProblem>>,
) -> Result<Vec<u8>, ImageProblem> {
    let mut rgb = reserved(3 * width * height)?;
    for sample in samples {
        let sample = sample?;
        if sample > most {
            let why = format!("a sample is {sample}, more than the largest value, {most}");
            return Err(ImageProblem::Damaged(why));
        }
        let value = ((sample * 255 * 2 + most) / (2 * most)) as u8;
        rgb.extend(std::iter::repeat_n(value, 3 / channels));
    }
    Ok(rgb)
}

/// What is written as text.
struct Text<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Text<'b> {
    fn rest(&self) -> &'b [u8] {
        &self.bytes[self.at..]
    }

    /// The next byte that is neither white space nor part of a comment.
    fn next(&mut self) -> Result<u8, ImageProblem> {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'#' => {
                    let line = self.rest().iter();
                    self.at += line.take_while(|byte| !b"\r\n".contains(byte)).count();
                }
                byte if byte.is_ascii_whitespace() => self.at += 1,
                byte => return Ok(byte),
            }
        }
        Err(ImageProblem::Truncated)
    }

    /// A number in digits; of one that is too long the largest.
    fn number(&mut self, what: &str) -> Result<u32, ImageProblem> {
        let first = self.next()?;
        if !first.is_ascii_digit() {
            return Err(Text::wrong(what, first));
        }
        let mut number: u32 = 0;
        while let Some(digit) = self.bytes.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            number = number
                .saturating_mul(10)
                .saturating_add((digit - b'0').into());
            self.at += 1;
        }
        Ok(number)
    }

    /// A bit, of which several may stand together: 0 is white, 1 of what is returned.
    fn bit(&mut self) -> Result<u32, ImageProblem> {
        let byte = self.next()?;
        self.at += 1;
        match byte {
            b'0' => Ok(1),
            b'1' => Ok(0),
            other => Err(Text::wrong("a bit", other)),
        }
    }

    fn wrong(what: &str, byte: u8) -> ImageProblem {
        let shown = byte.escape_ascii();
        ImageProblem::Damaged(format!("{what} is no number: it begins with `{shown}`"))
    }

    /// The samples, which begin behind a single byte of white space.
    fn behind_white_space(&self) -> Result<&'b [u8], ImageProblem> {
        match self.rest() {
            [] => Err(ImageProblem::Truncated),
            [byte, data @ ..] if byte.is_ascii_whitespace() => Ok(data),
            [byte, ..] => {
                let shown = byte.escape_ascii();
                let why = format!("`{shown}` stands where white space ends its header");
                Err(ImageProblem::Damaged(why))
            }
        }
    }
}
