//! Pictures written as files, PNG or JPEG by the ending of the name.

use super::{ImageError, ImageProblem, Picture};
use crate::files::write_atomically;
use jpeg_encoder::{ImageBuffer, JpegColorType, rgb_to_ycbcr};
use png::{ColorType, Compression, Encoder, Filter};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Quality of JPEG files, of 100: no blocks to be seen, at a fifth of PNG's size.
const QUALITY: u8 = 92;

/// Whether a picture written to that file would be JPEG: by the ending of its name. Pipes and devices get PNG, whatever they are called.
///
/// # Errors
/// [`ImageProblem::Ending`] for a file of another ending, or of none.
pub fn is_jpeg(path: &Path) -> Result<bool, ImageError> {
    let ending = path.extension().unwrap_or_default();
    let ending = ending.to_string_lossy().to_lowercase();
    match ending.as_str() {
        "png" => Ok(false),
        "jpg" | "jpeg" => Ok(true),
        _ if is_device(path) => Ok(false),
        _ => Err(ImageProblem::Ending(ending).of(path.display().to_string())),
    }
}

/// Whether the path is that of a pipe or a device, `/dev/stdout` for one, wherever that goes: its name says nothing of formats.
pub fn is_device(path: &Path) -> bool {
    path.starts_with("/dev")
        || path
            .metadata()
            .is_ok_and(|of| !of.is_file() && !of.is_dir())
}

impl Picture {
    /// Writes this picture as PNG or JPEG, as the file's name says; see [`is_jpeg`].
    ///
    /// # Errors
    /// When the name ends in another way, or the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), ImageError> {
        let path = path.as_ref();
        match is_jpeg(path)? {
            true => self.write_jpeg(path),
            false => self.write_png(path),
        }
    }

    /// Writes this picture as JPEG.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_jpeg(&self, path: impl AsRef<Path>) -> Result<(), ImageError> {
        let path = path.as_ref();
        let written = write_atomically(path, |file| {
            let mut file = BufWriter::new(file);
            let encoder = jpeg_encoder::Encoder::new(&mut file, QUALITY);
            encoder.encode_image(Rows(self)).map_err(io::Error::other)?;
            file.flush()
        });
        written.map_err(|error| ImageProblem::Write(error).of(path.display().to_string()))
    }

    /// Writes this picture as PNG; see [`write_png`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_png(&self, path: impl AsRef<Path>) -> Result<(), ImageError> {
        write_png(path, self.width(), self.height(), 3, self.rgb())
    }

    /// The bytes of this picture as a PNG file; none of a picture without pixels.
    pub fn to_png(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let (Ok(width @ 1..), Ok(height @ 1..)) =
            (u32::try_from(self.width()), u32::try_from(self.height()))
        {
            let encoded = encode(&mut bytes, width, height, ColorType::Rgb, self.rgb());
            encoded.expect("there are as many pixels, and memory takes them");
        }
        bytes
    }
}

/// A picture as the encoder reads it. Its own readers are for every order of channels, with an encoder compiled for each.
struct Rows<'p>(&'p Picture);

impl ImageBuffer for Rows<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    // A side of a picture is at most what JPEG can say.
    fn width(&self) -> u16 {
        self.0.width() as u16
    }

    fn height(&self) -> u16 {
        self.0.height() as u16
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let row = 3 * self.0.width();
        let start = usize::from(y) * row;
        for &[red, green, blue] in self.0.rgb()[start..start + row].as_chunks().0 {
            let (luma, cb, cr) = rgb_to_ycbcr(red, green, blue);
            buffers[0].push(luma);
            buffers[1].push(cb);
            buffers[2].push(cr);
        }
    }
}

fn encode(
    mut to: &mut dyn Write,
    width: u32,
    height: u32,
    colour: ColorType,
    pixels: &[u8],
) -> io::Result<()> {
    let mut encoder = Encoder::new(&mut to, width, height);
    encoder.set_color(colour);
    encoder.set_compression(Compression::Fast);
    encoder.set_filter(Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(())
}

/// Writes rows of pixels as PNG, under a temporary name and then renamed: 1 channel is grey, 2 grey and alpha, 3 red, green,
/// blue, 4 those and alpha.
///
/// # Errors
/// When the file cannot be written, or `pixels` has not `width · height · channels` bytes.
pub fn write_png(
    path: impl AsRef<Path>,
    width: usize,
    height: usize,
    channels: usize,
    pixels: &[u8],
) -> Result<(), ImageError> {
    let path = path.as_ref();
    let colour = match channels {
        1 => Some(ColorType::Grayscale),
        2 => Some(ColorType::GrayscaleAlpha),
        3 => Some(ColorType::Rgb),
        4 => Some(ColorType::Rgba),
        _ => None,
    };
    let sizes = (u32::try_from(width), u32::try_from(height), colour);
    let count = width
        .checked_mul(height)
        .and_then(|n| n.checked_mul(channels));
    let result = match sizes {
        (Ok(width @ 1..), Ok(height @ 1..), Some(colour)) if count == Some(pixels.len()) => {
            write_atomically(path, |file| {
                let mut file = BufWriter::new(file);
                encode(&mut file, width, height, colour, pixels)?;
                file.flush()
            })
        }
        _ => {
            let bytes = pixels.len();
            let message =
                format!("{bytes} bytes are not {width}x{height} pixels of {channels} channels");
            Err(io::Error::new(io::ErrorKind::InvalidInput, message))
        }
    };
    result.map_err(|error| ImageProblem::Write(error).of(path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_the_format() {
        let folder = tempfile::tempdir().unwrap();
        // Smooth, with sides that are no whole blocks.
        let (width, height) = (45, 31);
        let pixels = (0..width * height).flat_map(|at| {
            let (x, y) = (at % width, at / width);
            [4 * x, 7 * y, 2 * x + 3 * y].map(|value| value as u8)
        });
        let picture = Picture::from_rgb(width, height, pixels.collect()).unwrap();
        for (name, begins, off) in [
            ("a.png", &b"\x89PNG"[..], 0.0),
            ("b.jpg", &b"\xff\xd8\xff"[..], 1.5),
            ("c.JPEG", &b"\xff\xd8\xff"[..], 1.5),
        ] {
            let path = folder.path().join(name);
            picture.write(&path).unwrap();
            assert!(std::fs::read(&path).unwrap().starts_with(begins), "{name}");
            let again = Picture::open(&path).unwrap();
            let pairs = again.rgb().iter().zip(picture.rgb());
            let all: f64 = pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
            assert!(all / picture.rgb().len() as f64 <= off, "{name}: {all}");
        }
        for name in ["d.gif", "d", "d.png.txt"] {
            let error = picture.write(folder.path().join(name)).unwrap_err();
            let text = error.to_string();
            assert!(
                text.contains(name) && text.ends_with(".png, .jpg and .jpeg are written"),
                "{text}"
            );
            assert!(!folder.path().join(name).exists());
        }
    }
}
