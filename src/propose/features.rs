//! How alike two regions are (Uijlings et al. 2013, section 3.2): colour, texture, size and how well they fill a box, each from 0 to 1.

use super::colour::Planes;
use super::segment::Regions;

/// Bins of colour for each channel.
const COLOUR: usize = 25;
/// Directions of gradients.
const DIRECTIONS: usize = 8;
/// Bins of each direction and channel.
const TEXTURE: usize = 10;
/// From which gradient on it is the last bin, in units of colour for a pixel.
const STEEP: f32 = 30.0;

/// What is known of a region.
#[derive(Clone, Debug)]
pub(super) struct Region {
    pub pixels: usize,
    /// First column and row.
    pub first: [usize; 2],
    /// Last column and row.
    pub last: [usize; 2],
    /// Shares of its pixels by colour, a third for each channel.
    colour: Vec<f32>,
    /// The same by gradients.
    texture: Vec<f32>,
}

/// Each region of a picture.
pub(super) fn regions(image: &Planes, regions: &Regions) -> Vec<Region> {
    let empty = Region {
        pixels: 0,
        first: [usize::MAX; 2],
        last: [0; 2],
        colour: vec![0.0; 3 * COLOUR],
        texture: vec![0.0; 3 * DIRECTIONS * TEXTURE],
    };
    let mut all = vec![empty; regions.count];
    let around: [(f32, f32); DIRECTIONS] = std::array::from_fn(|of| {
        let angle = std::f32::consts::TAU * of as f32 / DIRECTIONS as f32;
        (angle.cos(), angle.sin())
    });
    let (width, height) = (image.width, image.height);
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            let region = &mut all[regions.labels[at] as usize];
            region.pixels += 1;
            region.first = [region.first[0].min(x), region.first[1].min(y)];
            region.last = [region.last[0].max(x), region.last[1].max(y)];
            let pixel = |x: usize, y: usize| image.pixels[y * width + x];
            let (left, right) = (
                pixel(x.saturating_sub(1), y),
                pixel((x + 1).min(width - 1), y),
            );
            let (above, below) = (
                pixel(x, y.saturating_sub(1)),
                pixel(x, (y + 1).min(height - 1)),
            );
            for channel in 0..3 {
                let share = image.pixels[at][channel] / 256.0;
                region.colour[channel * COLOUR + bin(share, COLOUR)] += 1.0;
                let (dx, dy) = (
                    (right[channel] - left[channel]) / 2.0,
                    (below[channel] - above[channel]) / 2.0,
                );
                for (of, (cosine, sine)) in around.iter().enumerate() {
                    let steep = (dx * cosine + dy * sine) / STEEP;
                    let place = (channel * DIRECTIONS + of) * TEXTURE;
                    region.texture[place + bin(steep, TEXTURE)] += 1.0;
                }
            }
        }
    }
    for region in &mut all {
        region.level();
    }
    all
}

/// The bin of a share of 1, whatever lies outside in the first or last one.
fn bin(share: f32, bins: usize) -> usize {
    ((share.max(0.0) * bins as f32) as usize).min(bins - 1)
}

impl Region {
    /// Counts become shares, whose sum is 1.
    fn level(&mut self) {
        for shares in [&mut self.colour, &mut self.texture] {
            let sum: f32 = shares.iter().sum();
            for share in shares {
                *share /= sum.max(1.0);
            }
        }
    }

    /// How alike this and another region are, of a picture of so many pixels: from 0 to 4.
    pub fn like(&self, other: &Region, picture: usize) -> f32 {
        let both = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a.min(*b)).sum::<f32>();
        let part = |pixels: usize| pixels as f32 / picture as f32;
        let pixels = self.pixels + other.pixels;
        let [width, height] = [0, 1].map(|axis| {
            self.last[axis].max(other.last[axis]) + 1 - self.first[axis].min(other.first[axis])
        });
        both(&self.colour, &other.colour)
            + both(&self.texture, &other.texture)
            + (1.0 - part(pixels))
            + (1.0 - part(width * height - pixels))
    }

    /// Both as one.
    pub fn join(&self, other: &Region) -> Region {
        let pixels = self.pixels + other.pixels;
        let share = self.pixels as f32 / pixels as f32;
        let mix = |a: &[f32], b: &[f32]| {
            let pairs = a.iter().zip(b);
            pairs.map(|(a, b)| a * share + b * (1.0 - share)).collect()
        };
        Region {
            pixels,
            first: [0, 1].map(|axis| self.first[axis].min(other.first[axis])),
            last: [0, 1].map(|axis| self.last[axis].max(other.last[axis])),
            colour: mix(&self.colour, &other.colour),
            texture: mix(&self.texture, &other.texture),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two halves of 4x2 pixels, 0 and 255. Colours share nothing; sizes: 1 − 8/8; the box has no gap, so fill is 1. Gradients are 127.5 across the
    /// middle, of half of the pixels of each: in the direction to the right they are in the last bin, in the others but its neighbours in the first one.
    #[test]
    fn likeness_is_worked_out_by_hand() {
        let value = |at: usize| if at % 4 < 2 { [0.0; 3] } else { [255.0; 3] };
        let image = Planes {
            width: 4,
            height: 2,
            pixels: (0..8).map(value).collect(),
        };
        let labels = (0..8).map(|at| u32::from(at % 4 >= 2)).collect();
        let of = regions(&image, &Regions { labels, count: 2 });
        assert_eq!((of[0].pixels, of[0].first, of[0].last), (4, [0, 0], [1, 1]));
        let like = of[0].like(&of[1], 8);
        // Texture is alike: both have the same gradients.
        assert!((like - (0.0 + 1.0 + 0.0 + 1.0)).abs() < 1e-5, "{like}");
        // To itself, in a picture of 80 pixels, were it another: size 1 − 8/80, the box of 4 pixels less 8.
        let joined = of[0].join(&of[1]);
        assert_eq!((joined.pixels, joined.last), (8, [3, 1]));
        assert!((joined.colour[0] - 1.0 / 6.0).abs() < 1e-6);
        assert!((joined.colour.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        // Far apart in a row of twenty pixels: the box has a gap.
        let at = |x: usize| Region {
            first: [x, 0],
            last: [x, 0],
            pixels: 1,
            ..of[0].clone()
        };
        let like = at(0).like(&at(9), 20);
        assert!(
            (like - (2.0 + (1.0 - 0.1) + (1.0 - 0.4))).abs() < 1e-5,
            "{like}"
        );
    }
}
