//! Pictures made pixel by pixel.

use std::ops::{Index, IndexMut};

/// Rows of red, green, blue; a pixel is `raster[(x, y)]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Raster {
    width: usize,
    pixels: Vec<[u8; 3]>,
}

impl Raster {
    /// A picture of that width and height.
    pub fn of(width: usize, height: usize, colour: impl Fn(usize, usize) -> [u8; 3]) -> Raster {
        let places = (0..width * height).map(|at| (at % width, at / width));
        let pixels = places.map(|(x, y)| colour(x, y)).collect();
        Raster { width, pixels }
    }

    /// A picture from the bytes of its pixels.
    pub fn from_rgb(width: usize, rgb: &[u8]) -> Raster {
        let (pixels, rest) = rgb.as_chunks::<3>();
        assert!(rest.is_empty() && pixels.len().is_multiple_of(width));
        let pixels = pixels.to_vec();
        Raster { width, pixels }
    }

    /// The bytes of its pixels.
    pub fn rgb(&self) -> &[u8] {
        self.pixels.as_flattened()
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.pixels.len() / self.width
    }

    fn place(&self, (x, y): (usize, usize)) -> usize {
        assert!(x < self.width, "{x} is not in rows of {}", self.width);
        y * self.width + x
    }
}

impl Index<(usize, usize)> for Raster {
    type Output = [u8; 3];

    fn index(&self, place: (usize, usize)) -> &[u8; 3] {
        &self.pixels[self.place(place)]
    }
}

impl IndexMut<(usize, usize)> for Raster {
    fn index_mut(&mut self, place: (usize, usize)) -> &mut [u8; 3] {
        let place = self.place(place);
        &mut self.pixels[place]
    }
}
