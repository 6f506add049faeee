//! Channels cut out of a number by masks.

use super::over_white;
use crate::image::ImageProblem;

/// Red, green, blue and alpha.
pub(super) struct Masks {
    colours: [Channel; 3],
    alpha: Channel,
    /// The mask of alpha itself; 0 where all is opaque.
    transparency: u32,
}

/// Neighbouring bits of a number.
struct Channel {
    /// Bits to the right of it.
    shift: u32,
    /// The 8-bit value of each of its values.
    values: Vec<u8>,
}

/// Bits of a channel that are looked at; wider ones lose their lowest.
const BITS: u32 = 16;

impl Masks {
    pub(super) fn new(colours: [u32; 3], alpha: u32) -> Result<Masks, ImageProblem> {
        let [red, green, blue] = colours;
        Ok(Masks {
            colours: [
                Channel::new(red)?,
                Channel::new(green)?,
                Channel::new(blue)?,
            ],
            alpha: Channel::new(alpha)?,
            transparency: alpha,
        })
    }

    /// Adds pixels as 8-bit RGB.
    pub(super) fn append(&self, rgb: &mut Vec<u8>, pixels: impl Iterator<Item = u32> + Clone) {
        let colour = |pixel: u32| self.colours.each_ref().map(|channel| channel.of(pixel));
        // Writers that know nothing of alpha leave its bits 0 everywhere.
        let mut seen = pixels.clone();
        if seen.any(|pixel| pixel & self.transparency != 0) {
            for pixel in pixels {
                rgb.extend_from_slice(&over_white(colour(pixel), self.alpha.of(pixel)));
            }
        } else {
            for pixel in pixels {
                rgb.extend_from_slice(&colour(pixel));
            }
        }
    }
}

impl Channel {
    fn new(mask: u32) -> Result<Channel, ImageProblem> {
        if mask == 0 {
            return Ok(Channel {
                shift: 0,
                values: vec![0],
            });
        }
        let width = mask.count_ones();
        if mask.leading_zeros() + width + mask.trailing_zeros() != 32 {
            let why = format!("the bits of a channel are apart: {mask:#x}");
            return Err(ImageProblem::Damaged(why));
        }
        let most = (1u32 << width.min(BITS)) - 1;
        // Rounded to nearest.
        let value = |value: u32| ((value * 255 + most / 2) / most) as u8;
        Ok(Channel {
            shift: mask.trailing_zeros() + width.saturating_sub(BITS),
            values: (0..=most).map(value).collect(),
        })
    }

    fn of(&self, pixel: u32) -> u8 {
        // As many values as a power of two: what is left of the channel is cut off.
        self.values[(pixel >> self.shift) as usize & (self.values.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_of_any_width_reach_from_0_to_255() {
        for width in 1..=32 {
            let most = u32::MAX >> (32 - width);
            for shift in 0..=32 - width {
                let channel = Channel::new(most << shift).unwrap();
                let value = |value: u32| channel.of(value << shift);
                let rounded =
                    |value: u32| (f64::from(value) * 255.0 / f64::from(most)).round() as u8;
                assert_eq!((value(0), value(most)), (0, 255), "{width} bits");
                let middle = most / 3;
                assert_eq!(value(middle), rounded(middle), "{width} bits");
            }
        }
        assert!(Channel::new(0b101).is_err());
        assert_eq!(Channel::new(0).unwrap().of(u32::MAX), 0);
    }
}
