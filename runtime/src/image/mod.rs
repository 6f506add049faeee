//! Pictures: from a file to the input of a network, and from an output map to a file.
//!
//! With the feature `images`, picture files are read and written:
//!
//! ```text
//! PNG/JPEG/BMP/PNM/GIF/WebP ──open──▶ Picture ──PreProcess::apply──▶ f32, channels first
//! f32 map ──Picture::of_map──▶ Picture ──write──▶ PNG/JPEG
//! ```

#[cfg(feature = "images")]
mod decode;
mod display;
#[cfg(feature = "images")]
mod encode;
mod error;
#[cfg(feature = "images")]
mod formats;
mod letterbox;
mod placement;
mod preprocess;
mod resize;

pub use display::Show;
#[cfg(feature = "images")]
pub use encode::{is_device, is_jpeg, write_png};
pub use error::{ImageError, ImageProblem};
#[cfg(feature = "images")]
pub use formats::{FORMATS, Format, is_called_a_picture};
pub use letterbox::{Place, Rounding};
pub use placement::Placement;
pub use preprocess::{Border, ImageStep, Normalize, PreProcess, Seen};
pub use resize::Filter;

use std::fmt;

/// Most pixels in a row or column that are read: JPEG can say no more.
pub const MAX_SIDE: usize = 65_535;

/// Most pixels that are read, or come out of a step. Decoding one takes 12 bytes at most, beside the file, and nothing is
/// allocated for pixels that a file claims to have and has not the bytes for; GIF and WebP, where a picture of one colour takes next to none, may
/// claim 16 million.
pub const MAX_PIXELS: usize = 1 << 27;

/// The formats that are read, for messages.
const KINDS: &str = "PNG, JPEG, BMP, PNM, GIF or WebP";

fn within_limits(width: usize, height: usize) -> bool {
    (1..=MAX_SIDE).contains(&width)
        && (1..=MAX_SIDE).contains(&height)
        && width * height <= MAX_PIXELS
}

/// A picture in 8-bit RGB, upright.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    /// A picture from its rows of red, green, blue; `None` unless there is at least one pixel, within the
    /// limits ([`MAX_SIDE`], [`MAX_PIXELS`]), and three bytes for each.
    pub fn from_rgb(width: usize, height: usize, rgb: Vec<u8>) -> Option<Picture> {
        let fits = within_limits(width, height) && rgb.len() == 3 * width * height;
        fits.then_some(Picture { width, height, rgb })
    }

    /// A picture from rows of grey values; `None` as in [`Picture::from_rgb`].
    pub fn from_grey(width: usize, height: usize, grey: &[u8]) -> Option<Picture> {
        let fits = within_limits(width, height) && grey.len() == width * height;
        let rgb = || grey.iter().flat_map(|&value| [value; 3]).collect();
        fits.then(|| Picture {
            width,
            height,
            rgb: rgb(),
        })
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Red, green, blue of every pixel, row by row.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({}x{})", self.width, self.height)
    }
}
