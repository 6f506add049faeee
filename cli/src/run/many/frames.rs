//! Raw frames of a video on standard input: rows of red, green and blue, frames of one size behind one another.

use crate::Failure;
use cnnc::rt::image::Picture;
use cnnc::rt::memory::reserved;
use std::io::Read;

/// The frames, each with its number as its name, until one is no whole frame.
pub struct Frames {
    width: usize,
    height: usize,
    count: usize,
    ended: bool,
}

impl Frames {
    /// Frames of that width and height.
    pub fn of((width, height): (usize, usize)) -> Frames {
        Frames {
            width,
            height,
            count: 0,
            ended: false,
        }
    }

    fn read(&mut self) -> Result<Option<(String, Picture)>, Failure> {
        let Frames { width, height, .. } = *self;
        self.count += 1;
        let rgb = frame(&mut std::io::stdin().lock(), 3 * width * height, self.count)?;
        let Some(rgb) = rgb else {
            return Ok(None);
        };
        let picture = Picture::from_rgb(width, height, rgb);
        let picture = picture.ok_or_else(|| {
            not_read(format!(
                "frames of {width} by {height} pixels are no pictures"
            ))
        })?;
        Ok(Some((format!("{:06}", self.count), picture)))
    }
}

impl Iterator for Frames {
    type Item = Result<(String, Picture), Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let frame = self.read().transpose();
        self.ended = !matches!(frame, Some(Ok(_)));
        frame
    }
}

/// Why a frame has no place in what standard output takes, which says nothing of sizes.
pub fn another_size(frame: &str, own: (usize, usize), first: (usize, usize)) -> Failure {
    let why = format!(
        "it has {} by {} pixels, and the first frame {} by {}: frames on standard output are of one size, and `--draw FOLDER` takes any",
        own.0, own.1, first.0, first.1
    );
    Failure::WriteFile {
        file: frame.to_owned(),
        error: std::io::Error::other(why),
    }
}

/// Why standard input is no video.
fn not_read(why: String) -> Failure {
    let file = "standard input".to_owned();
    Failure::Read { file, why }
}

/// So many bytes, or none where the video has ended.
fn frame(from: &mut impl Read, bytes: usize, number: usize) -> Result<Option<Vec<u8>>, Failure> {
    let mut rgb = reserved::<u8>(bytes)?;
    let read = from.take(bytes as u64).read_to_end(&mut rgb);
    let filled = read.map_err(|error| not_read(error.to_string()))?;
    match filled {
        0 => Ok(None),
        _ if filled == bytes => Ok(Some(rgb)),
        _ => Err(not_read(format!(
            "frame {number} ends behind {filled} of {bytes} bytes: is it another width or height, or not three bytes a pixel?"
        ))),
    }
}
