//! Pictures as a network's numbers, and back.

use super::super::error::TrainError;
use cnnc_runtime::image::{Filter, ImageStep, Picture, PreProcess};

/// Levels of a pixel between black and white.
pub(in crate::train) const WHITE: f64 = 255.0;

/// The size that a picture gets, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Its longer side has so many; the proportions stay.
    Longer(usize),
    /// Width and height: scaled until it covers them, and what is over is cut off evenly.
    Exactly(usize, usize),
}

/// How a network sees pixels, whatever the size.
#[derive(Clone, Debug)]
pub(in crate::train) struct Pixels {
    pre: PreProcess,
}

impl Pixels {
    /// Of what the spec says of its input.
    pub fn new(pre: &PreProcess) -> Pixels {
        let pre = PreProcess {
            steps: Vec::new().into(),
            ..pre.clone()
        };
        Pixels { pre }
    }

    /// Channels of the network.
    pub fn channels(&self) -> usize {
        self.pre.channels
    }

    /// Numbers of a level in that channel, and the number of black.
    pub fn line(&self, channel: usize) -> (f64, f64) {
        let black = f64::from(self.pre.number(channel, 0.0));
        let white = f64::from(self.pre.number(channel, WHITE));
        ((white - black) / WHITE, black)
    }

    /// Numbers of a level, in the mean of the channels.
    pub fn level(&self) -> f64 {
        let channels = 0..self.channels();
        let sum: f64 = channels.map(|channel| self.line(channel).0.abs()).sum();
        sum / self.channels() as f64
    }

    /// A picture of that size in the network's numbers, with its height and width.
    pub fn apply(
        &self,
        picture: &Picture,
        size: Size,
        name: &str,
    ) -> Result<(Vec<f32>, [usize; 2]), TrainError> {
        let pre = self.sized(picture, size);
        let numbers = pre.apply(picture, name);
        let numbers = numbers.map_err(|error| TrainError::Network(error.to_string()))?;
        Ok((numbers, [pre.height, pre.width]))
    }

    /// A picture of that size as the network sees it, a byte for each of its numbers.
    pub fn see(&self, picture: &Picture, size: Size, name: &str) -> Result<Vec<u8>, TrainError> {
        let seen = self.sized(picture, size).see(picture, name);
        let seen = seen.map_err(|error| TrainError::Network(error.to_string()))?;
        Ok(seen.bytes)
    }

    /// The numbers of what is seen.
    pub fn numbers_of(&self, bytes: &[u8]) -> Vec<f32> {
        let plane = (bytes.len() / self.channels()).max(1);
        let tables = self.pre.tables();
        let planes = bytes.chunks(plane).zip(&tables);
        let numbers = planes.flat_map(|(plane, table)| {
            let numbers = plane.iter().map(|byte| table[usize::from(*byte)]);
            numbers.collect::<Vec<f32>>()
        });
        numbers.collect()
    }

    /// What brings a picture to a size.
    fn sized(&self, picture: &Picture, size: Size) -> PreProcess {
        let (width, height, steps) = placed((picture.width(), picture.height()), size);
        PreProcess {
            steps: steps.into(),
            width,
            height,
            ..self.pre.clone()
        }
    }

    /// The network's numbers as a picture, rounded and between black and white.
    pub fn picture(&self, numbers: &[f32], [height, width]: [usize; 2]) -> Picture {
        let plane = height * width;
        let level = |channel: usize, at: usize| {
            let (slope, black) = self.line(channel);
            ((f64::from(numbers[channel * plane + at]) - black) / slope).round() as u8
        };
        let pixel = |at: usize| match (self.channels(), self.pre.bgr) {
            (1, _) => [level(0, at); 3],
            (_, false) => [0, 1, 2].map(|channel| level(channel, at)),
            (_, true) => [2, 1, 0].map(|channel| level(channel, at)),
        };
        let rgb = (0..plane).flat_map(pixel).collect();
        Picture::from_rgb(width, height, rgb).expect("it was made of a picture")
    }

    /// The least and the largest number of a channel: black and white.
    pub fn ends(&self, channel: usize) -> [f32; 2] {
        let [black, white] = [0.0, WHITE].map(|value| self.pre.number(channel, value));
        [black.min(white), black.max(white)]
    }

    /// Keeps numbers between black and white.
    pub fn clamp(&self, numbers: &mut [f32]) {
        let plane = numbers.len() / self.channels();
        for (channel, plane) in numbers.chunks_exact_mut(plane.max(1)).enumerate() {
            let [low, high] = self.ends(channel);
            plane.iter_mut().for_each(|x| *x = x.clamp(low, high));
        }
    }

    /// What levels become in every channel: those that a function gives for each element.
    pub fn numbers(&self, elements: usize, mut level: impl FnMut() -> f64) -> Vec<f32> {
        let plane = elements / self.channels();
        let number = |at: usize| self.pre.number(at / plane, level());
        (0..elements).map(number).collect()
    }
}

/// Width, height and steps that bring a picture to a size.
fn placed((width, height): (usize, usize), size: Size) -> (usize, usize, Vec<ImageStep>) {
    let filter = Filter::Antialias;
    let scaled = |side: usize, of: usize, by: usize| {
        ((side * of) as f64 / by as f64).round().max(1.0) as usize
    };
    let resize = |width: usize, height: usize| ImageStep::Resize {
        width: width as u32,
        height: height as u32,
        filter,
    };
    match size {
        Size::Longer(side) => {
            let longer = width.max(height);
            let (width, height) = (scaled(side, width, longer), scaled(side, height, longer));
            (width, height, vec![resize(width, height)])
        }
        Size::Exactly(to_width, to_height) => {
            let (wide, high) = match width * to_height >= to_width * height {
                true => (scaled(to_height, width, height).max(to_width), to_height),
                false => (to_width, scaled(to_width, height, width).max(to_height)),
            };
            let crop = ImageStep::CenterCrop {
                width: to_width as u32,
                height: to_height as u32,
            };
            (to_width, to_height, vec![resize(wide, high), crop])
        }
    }
}

/// A picture at another size.
///
/// # Panics
/// On sizes that no picture has.
pub(in crate::train) fn resized(picture: &Picture, width: usize, height: usize) -> Picture {
    let resized = picture.resized(width, height, Filter::Antialias);
    resized.expect("a size that pictures have")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnc_runtime::image::Normalize;

    fn pixels(normalize: Normalize) -> Pixels {
        Pixels::new(&PreProcess {
            channels: 3,
            steps: Vec::new().into(),
            bgr: normalize.bgr,
            scale: normalize.scale,
            mean: normalize.mean.to_vec().into(),
            std: normalize.std.to_vec().into(),
            width: 1,
            height: 1,
        })
    }

    #[test]
    fn numbers_lead_back_to_the_picture() {
        let rgb: Vec<u8> = (0..3 * 12 * 7).map(|i| (i * 37 % 256) as u8).collect();
        let picture = Picture::from_rgb(12, 7, rgb).unwrap();
        for (_, normalize) in Normalize::PRESETS {
            let pixels = pixels(*normalize);
            let (numbers, extents) = pixels.apply(&picture, Size::Exactly(12, 7), "it").unwrap();
            assert_eq!(extents, [7, 12]);
            assert_eq!(pixels.picture(&numbers, extents), picture);
            for size in [Size::Exactly(12, 7), Size::Exactly(5, 6)] {
                let seen = pixels.see(&picture, size, "it").unwrap();
                let numbers = pixels.apply(&picture, size, "it").unwrap().0;
                assert_eq!(pixels.numbers_of(&seen), numbers);
            }
            let mut clamped = numbers.clone();
            pixels.clamp(&mut clamped);
            assert_eq!(clamped, numbers);
            // A level is a level: two pixels that differ by 10 differ by ten of them.
            let (slope, black) = pixels.line(1);
            let number = f64::from(pixels.numbers(3, || 10.0)[1]);
            assert!(
                (number - black - 10.0 * slope).abs() < 1e-5,
                "{normalize:?}"
            );
        }
    }

    #[test]
    fn sizes_keep_proportions_or_cover() {
        assert_eq!(placed((400, 300), Size::Longer(200)).1, 150);
        for (from, to) in [
            ((400, 300), (256, 256)),
            ((300, 401), (256, 256)),
            ((7, 900), (30, 20)),
        ] {
            let (width, height, steps) = placed(from, Size::Exactly(to.0, to.1));
            assert_eq!((width, height), to);
            let ImageStep::Resize { width, height, .. } = steps[0] else {
                panic!("it is scaled first");
            };
            assert!(width as usize >= to.0 && height as usize >= to.1);
            assert!(width as usize == to.0 || height as usize == to.1);
        }
    }
}
