//! Resizing, cropping and placing pictures, 8 bits in and 8 bits out after every step.
//!
//! Libraries disagree on what "bilinear" means when a picture shrinks, and a network's accuracy depends on it,
//! so both meanings are here under their own names:
//!
//! | [`Filter`] | a pixel of the result is | as in |
//! |---|---|---|
//! | `Antialias` | the triangle-weighted mean of *all* source pixels that it covers | Pillow, torchvision: the same bits as Pillow 12 |
//! | `Bilinear` | interpolated between the *four* pixels around its centre | OpenCV, ncnn: within one grey level |
//! | `Nearest` | the pixel that its centre lies in | Pillow: the same bits |
//!
//! Rows are resized before columns, and rounded in between. Pillow 13 takes the columns first for some sizes, and
//! then differs by one grey level here and there.

use super::within_limits;
use super::{ImageProblem, Picture};
use crate::memory::{OutOfMemory, collect, reserved};

/// How pixels between pixels are found; see the module's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Triangle filter that widens when shrinking.
    Antialias,
    /// Two taps in each direction, whatever the scale.
    Bilinear,
    /// One tap.
    Nearest,
}

/// Bits after the point of a weight: Pillow's choice (src/libImaging/Resample.c). 255 times the sum of all
/// weights of a pixel still fits an i32.
const BITS: u32 = 22;

/// The source pixels of one result pixel along one axis, and their weights in [`BITS`]-bit fixed point.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

impl Filter {
    fn taps(self, from: usize, to: usize) -> Vec<Taps> {
        let scale = from as f64 / to as f64;
        (0..to)
            .map(|i| {
                let centre = (i as f64 + 0.5) * scale;
                match self {
                    Filter::Antialias => triangle(centre, scale.max(1.0), from),
                    Filter::Bilinear => {
                        let at = (centre - 0.5).clamp(0.0, (from - 1) as f64);
                        let first = (at as usize).min(from.saturating_sub(2));
                        let second = at - first as f64;
                        let weights = [1.0 - second, second];
                        let count = weights.len().min(from);
                        Taps {
                            first,
                            weights: weights[..count].iter().map(fixed).collect(),
                        }
                    }
                    Filter::Nearest => {
                        let first = (centre as usize).min(from - 1);
                        Taps {
                            first,
                            weights: vec![1 << BITS],
                        }
                    }
                }
            })
            .collect()
    }
}

/// Pillow's `precompute_coeffs` for its bilinear filter.
fn triangle(centre: f64, support: f64, from: usize) -> Taps {
    let first = (centre - support + 0.5).max(0.0) as usize;
    let end = ((centre + support + 0.5) as usize).min(from);
    let weight = |x: usize| {
        let distance = (x as f64 - centre + 0.5) * (1.0 / support);
        (1.0 - distance.abs()).max(0.0)
    };
    let weights: Vec<f64> = (first..end).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    Taps {
        first,
        weights: weights
            .iter()
            .map(|weight| fixed(&(weight / sum)))
            .collect(),
    }
}

fn fixed(weight: &f64) -> i32 {
    (weight * f64::from(1 << BITS) + 0.5) as i32
}

fn round(sum: i32) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}

const HALF: i32 = 1 << (BITS - 1);

impl Picture {
    /// This picture at another size.
    ///
    /// # Errors
    /// Sizes beyond the limits ([`MAX_SIDE`](super::MAX_SIDE), [`MAX_PIXELS`](super::MAX_PIXELS)), or too little memory.
    pub fn resized(
        &self,
        width: usize,
        height: usize,
        filter: Filter,
    ) -> Result<Picture, ImageProblem> {
        for (width, height) in [(width, self.height), (width, height)] {
            if !within_limits(width, height) {
                return Err(ImageProblem::TooLarge { width, height });
            }
        }
        let wide = (width != self.width).then(|| self.resized_rows(width, filter));
        let wide = wide.transpose()?;
        let picture = wide.as_ref().unwrap_or(self);
        if height != picture.height {
            return Ok(picture.resized_columns(height, filter)?);
        }
        Ok(match wide {
            Some(wide) => wide,
            None => self.copied()?,
        })
    }

    fn copied(&self) -> Result<Picture, OutOfMemory> {
        Ok(Picture {
            rgb: collect(self.rgb.iter().copied())?,
            ..*self
        })
    }

    fn resized_rows(&self, width: usize, filter: Filter) -> Result<Picture, OutOfMemory> {
        let taps = filter.taps(self.width, width);
        let mut rgb = reserved(3 * width * self.height)?;
        for row in self.rgb.chunks_exact(3 * self.width) {
            for Taps { first, weights } in &taps {
                let mut sums = [HALF; 3];
                let (pixels, _) = row[3 * first..][..3 * weights.len()].as_chunks::<3>();
                for (pixel, weight) in pixels.iter().zip(weights) {
                    for (sum, &value) in sums.iter_mut().zip(pixel) {
                        *sum += i32::from(value) * weight;
                    }
                }
                rgb.extend(sums.map(round));
            }
        }
        Ok(Picture {
            width,
            height: self.height,
            rgb,
        })
    }

    fn resized_columns(&self, height: usize, filter: Filter) -> Result<Picture, OutOfMemory> {
        let row_len = 3 * self.width;
        let mut rgb = reserved(row_len * height)?;
        let mut sums = vec![0; row_len];
        for Taps { first, weights } in filter.taps(self.height, height) {
            sums.fill(HALF);
            let rows = self.rgb[first * row_len..].chunks_exact(row_len);
            for (row, weight) in rows.zip(weights) {
                for (sum, &value) in sums.iter_mut().zip(row) {
                    *sum += i32::from(value) * weight;
                }
            }
            rgb.extend(sums.iter().map(|&sum| round(sum)));
        }
        Ok(Picture {
            width: self.width,
            height,
            rgb,
        })
    }

    /// A picture of that size with this one's pixel (0, 0) at `(left, top)`, which may lie outside; what it does not
    /// cover has the colour `fill`. Negative coordinates cut a part out.
    ///
    /// # Errors
    /// As [`Picture::resized`].
    pub fn placed(
        &self,
        (width, height): (usize, usize),
        (left, top): (i64, i64),
        fill: [u8; 3],
    ) -> Result<Picture, ImageProblem> {
        if !within_limits(width, height) {
            return Err(ImageProblem::TooLarge { width, height });
        }
        let mut rgb = reserved(3 * width * height)?;
        rgb.extend(fill.iter().cycle().take(3 * width * height));
        // In the result: the columns and rows that this picture covers.
        let covered = |at: i64, size: usize, limit: usize| {
            let clamp = |edge: i64| edge.clamp(0, limit as i64) as usize;
            clamp(at)..clamp(at + size as i64)
        };
        let columns = covered(left, self.width, width);
        for y in covered(top, self.height, height) {
            let from =
                (y as i64 - top) as usize * self.width + (columns.start as i64 - left) as usize;
            let to = 3 * (y * width + columns.start);
            let count = 3 * columns.len();
            rgb[to..][..count].copy_from_slice(&self.rgb[3 * from..][..count]);
        }
        Ok(Picture { width, height, rgb })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fixed pattern without symmetries: red, green and blue of (x, y).
    fn pattern(width: usize, height: usize) -> Picture {
        let pixel = |i: usize| {
            let (x, y) = (i % width, i / width);
            [x * 37 + y * 11, x * x * 5 + y * 53, x * 91 + y * y * 7].map(|v| (v % 256) as u8)
        };
        Picture::from_rgb(width, height, (0..width * height).flat_map(pixel).collect()).unwrap()
    }

    /// Hashes of what Pillow 12.3 makes of the pattern with `BILINEAR` and with `NEAREST`.
    #[test]
    fn the_same_bits_as_pillow() {
        for (width, height, to_width, to_height, bilinear, nearest) in [
            (7, 5, 4, 3, 0x93ab19f36ce17abb, 0x50a29d7b6d4e3975),
            (7, 5, 13, 9, 0xb8e5074aa128eb8a, 0xc0b089fab2b92910),
            (301, 203, 64, 48, 0x2fc4bc6f3307ad02, 0x24ca1b7296529b85),
            (301, 203, 64, 203, 0x2421f53ed783daca, 0xeb2e37e76ab0d2df),
            (33, 40, 33, 7, 0xaa042a5e98f6254f, 0x690bac457cedb380),
            (97, 61, 200, 30, 0x15eb302f4d668340, 0x5cab908d2503f275),
            (2, 2, 5, 5, 0xe97d515a1c076dfc, 0x95d784e029549877),
            (1, 9, 3, 4, 0x76d0a199509b0349, 0xde1869127b3868c1),
            (1000, 3, 2, 3, 0xbd04f5088cf22c38, 0xe0f2605cd30a6423),
        ] {
            for (filter, expected) in [(Filter::Antialias, bilinear), (Filter::Nearest, nearest)] {
                let result = pattern(width, height)
                    .resized(to_width, to_height, filter)
                    .unwrap();
                assert_eq!((result.width, result.height), (to_width, to_height));
                let size = (width, height, to_width, to_height);
                assert_eq!(
                    cnnc_testing::fnv(result.rgb),
                    expected,
                    "{filter:?} {size:?}"
                );
            }
        }
    }

    /// What OpenCV 5.0 makes of the pattern with `INTER_LINEAR`; it computes with 11 bits.
    #[test]
    fn within_one_level_of_opencv() {
        #[rustfmt::skip]
        let shrunk = [17, 19, 36, 82, 41, 164, 147, 93, 99, 212, 177, 98, 36, 108, 62, 101, 129, 189, 165, 182, 125, 230, 105, 124, 54, 196, 130, 119, 196, 108, 184, 99, 192, 142, 98, 95];
        #[rustfmt::skip]
        let grown = [0, 0, 0, 25, 3, 61, 53, 11, 131, 82, 26, 145, 111, 45, 17, 140, 72, 88, 168, 105, 158, 197, 143, 144, 222, 180, 34, 5, 23, 3, 29, 26, 64, 58, 35, 134, 87, 49, 148, 116, 68, 20, 144, 95, 91, 173, 128, 161, 202, 166, 147, 227, 203, 37, 12, 56, 8, 36, 60, 69, 65, 68, 140, 94, 82, 154, 123, 101, 25, 151, 128, 96, 180, 161, 167, 209, 194, 152, 234, 220, 42, 18, 89, 21, 43, 93, 82, 72, 101, 153, 101, 115, 167, 129, 134, 38, 158, 162, 109, 187, 194, 180, 216, 174, 165, 241, 93, 55, 25, 122, 39, 50, 126, 99, 79, 134, 170, 108, 148, 184, 136, 168, 56, 165, 195, 127, 194, 183, 153, 223, 127, 129, 247, 46, 73, 32, 156, 61, 57, 159, 121, 86, 167, 192, 115, 181, 206, 143, 201, 78, 172, 228, 148, 201, 127, 86, 229, 53, 45, 254, 80, 95, 39, 189, 91, 64, 192, 151, 93, 200, 158, 121, 182, 124, 150, 90, 108, 179, 117, 178, 208, 88, 107, 188, 76, 64, 117, 113, 124, 44, 212, 112, 69, 215, 173, 97, 223, 130, 126, 181, 58, 155, 1, 129, 184, 28, 200, 212, 61, 128, 156, 99, 85, 10, 136, 146];
        for (width, height, expected) in [(4, 3, &shrunk[..]), (9, 8, &grown[..])] {
            let result = pattern(7, 5)
                .resized(width, height, Filter::Bilinear)
                .unwrap();
            assert_eq!(result.rgb.len(), expected.len());
            for (ours, &theirs) in result.rgb.iter().zip(expected) {
                assert!(i32::from(*ours).abs_diff(theirs) <= 1, "{ours} {theirs}");
            }
        }
    }

    #[test]
    fn sizes_beyond_the_limits_are_refused() {
        for (width, height) in [(0, 1), (1, 0), (70_000, 1), (60_000, 60_000)] {
            let result = pattern(3, 3).resized(width, height, Filter::Antialias);
            assert!(
                matches!(result, Err(ImageProblem::TooLarge { .. })),
                "{width}x{height}"
            );
        }
        // The rows are resized first, and the picture in between has to fit too.
        let tall = Picture::from_grey(1, 60_000, &[0; 60_000]).unwrap();
        let result = tall.resized(10_000, 1, Filter::Antialias);
        let found = matches!(
            result,
            Err(ImageProblem::TooLarge {
                width: 10_000,
                height: 60_000
            })
        );
        assert!(found, "{result:?}");
    }

    #[test]
    fn placing_crops_and_pads() {
        let picture = Picture::from_grey(3, 2, &[1, 2, 3, 4, 5, 6]).unwrap();
        let grey =
            |picture: Picture| -> Vec<u8> { picture.rgb.iter().copied().step_by(3).collect() };
        assert_eq!(
            grey(picture.placed((1, 2), (-1, 0), [9; 3]).unwrap()),
            [2, 5]
        );
        assert_eq!(
            grey(picture.placed((5, 3), (1, 1), [9; 3]).unwrap()),
            [9, 9, 9, 9, 9, 9, 1, 2, 3, 9, 9, 4, 5, 6, 9]
        );
        assert_eq!(
            grey(picture.placed((2, 2), (1, -1), [9; 3]).unwrap()),
            [9, 4, 9, 9]
        );
        assert_eq!(
            grey(picture.placed((2, 1), (50, -50), [9; 3]).unwrap()),
            [9, 9]
        );
    }
}
