//! Colours in which pixels are compared, and the smoothing before that.

use cnnc_runtime::image::Picture;

/// Three numbers for a pixel, each from 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// Red, green and blue.
    Rgb,
    /// CIE L*a*b* of sRGB in daylight (D65): lightness times 2.55, the others plus 128.
    Lab,
    /// Hue (as a part of the circle), saturation and value.
    Hsv,
}

/// A picture in some colours, smoothed.
pub(super) struct Planes {
    pub width: usize,
    pub height: usize,
    /// Row by row.
    pub pixels: Vec<[f32; 3]>,
}

/// Deviation of the smoothing, in pixels: that of Felzenszwalb and Huttenlocher (section 6).
const SIGMA: f32 = 0.8;

/// A picture in these colours, smoothed by a Gaussian.
pub(super) fn planes(picture: &Picture, colours: Colours) -> Planes {
    let (width, height) = (picture.width(), picture.height());
    let linear = linear();
    let pixels = picture.rgb().as_chunks::<3>().0.iter();
    let pixels = pixels.map(|&rgb| match colours {
        Colours::Rgb => rgb.map(f32::from),
        Colours::Lab => lab(rgb.map(|value| linear[usize::from(value)])),
        Colours::Hsv => hsv(rgb.map(f32::from)),
    });
    let mut planes = Planes {
        width,
        height,
        pixels: pixels.collect(),
    };
    planes.smooth();
    planes
}

impl Planes {
    fn smooth(&mut self) {
        let reach = (4.0 * SIGMA).ceil() as i64;
        let weight = |at: i64| (-0.5 * (at as f32 / SIGMA).powi(2)).exp();
        let sum: f32 = (-reach..=reach).map(weight).sum();
        let weights: Vec<f32> = (-reach..=reach).map(|at| weight(at) / sum).collect();
        let (width, height) = (self.width as i64, self.height as i64);
        for (step, size, lines) in [(1, width, height), (width, height, width)] {
            let along = if step == 1 { width } else { 1 };
            let from = self.pixels.clone();
            for line in 0..lines {
                for at in 0..size {
                    let mut sums = [0.0; 3];
                    for (weight, near) in weights.iter().zip(at - reach..) {
                        // Outside of the picture lies its edge.
                        let near = near.clamp(0, size - 1);
                        let pixel = from[(line * along + near * step) as usize];
                        for (sum, value) in sums.iter_mut().zip(pixel) {
                            *sum += weight * value;
                        }
                    }
                    self.pixels[(line * along + at * step) as usize] = sums;
                }
            }
        }
    }
}

/// The linear intensity of each value of sRGB (IEC 61966-2-1).
fn linear() -> [f32; 256] {
    std::array::from_fn(|value| {
        let share = value as f32 / 255.0;
        match share <= 0.04045 {
            true => share / 12.92,
            false => ((share + 0.055) / 1.055).powf(2.4),
        }
    })
}

/// CIE L*a*b* (ISO 11664-4) of linear red, green and blue.
fn lab([red, green, blue]: [f32; 3]) -> [f32; 3] {
    let x = (0.412_456 * red + 0.357_576 * green + 0.180_437 * blue) / 0.950_47;
    let y = 0.212_673 * red + 0.715_152 * green + 0.072_175 * blue;
    let z = (0.019_334 * red + 0.119_192 * green + 0.950_304 * blue) / 1.088_83;
    let curve = |value: f32| match value > 216.0 / 24_389.0 {
        true => value.cbrt(),
        false => (24_389.0 / 27.0 * value + 16.0) / 116.0,
    };
    let [x, y, z] = [x, y, z].map(curve);
    [
        2.55 * (116.0 * y - 16.0),
        128.0 + 500.0 * (x - y),
        128.0 + 200.0 * (y - z),
    ]
}

/// Hue, saturation and value (A. R. Smith 1978), all from 0 to 255.
fn hsv([red, green, blue]: [f32; 3]) -> [f32; 3] {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let range = most - least;
    if range <= 0.0 {
        return [0.0, 0.0, most];
    }
    let sixth = if most == red {
        ((green - blue) / range).rem_euclid(6.0)
    } else if most == green {
        (blue - red) / range + 2.0
    } else {
        (red - green) / range + 4.0
    };
    [sixth * 255.0 / 6.0, 255.0 * range / most, most]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// White, and pure red as published: L* 53.24, a* 80.09, b* 67.20.
    #[test]
    fn textbook_colours() {
        let near = |found: [f32; 3], wanted: [f32; 3]| {
            for (found, wanted) in found.iter().zip(wanted) {
                assert!((found - wanted).abs() < 0.05, "{found} {wanted}");
            }
        };
        near(lab([1.0; 3]), [255.0, 128.0, 128.0]);
        near(
            lab([1.0, 0.0, 0.0]),
            [2.55 * 53.24, 128.0 + 80.09, 128.0 + 67.20],
        );
        near(hsv([255.0, 0.0, 0.0]), [0.0, 255.0, 255.0]);
        near(hsv([0.0, 0.0, 100.0]), [170.0, 255.0, 100.0]);
        near(hsv([9.0; 3]), [0.0, 0.0, 9.0]);
        assert!((linear()[188] - 0.502_886).abs() < 1e-4);
    }

    #[test]
    fn smoothing_keeps_what_is_even_and_the_sum() {
        let picture = Picture::from_grey(9, 7, &[77; 63]).expect("pixels");
        let even = planes(&picture, Colours::Rgb);
        assert!(
            even.pixels
                .iter()
                .flatten()
                .all(|x| (x - 77.0).abs() < 1e-3)
        );
        let mut dot = [0; 121];
        dot[60] = 200;
        let picture = Picture::from_grey(11, 11, &dot).expect("pixels");
        let smooth = planes(&picture, Colours::Rgb);
        let sum: f32 = smooth.pixels.iter().map(|pixel| pixel[0]).sum();
        assert!((sum - 200.0).abs() < 0.01, "{sum}");
        // The middle of a Gaussian in two dimensions: 1 / (2 π σ²), up to what a sum over pixels differs.
        let middle = smooth.pixels[60][0] / 200.0;
        assert!((middle - 1.0 / (std::f32::consts::TAU * SIGMA * SIGMA)).abs() < 0.002);
    }
}
