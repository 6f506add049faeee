//! Saliency: which pixels of a photograph the score of a class depends on.
//!
//! Simonyan, Vedaldi and Zisserman 2013: the largest magnitude, over the channels, of the score's gradient. It is averaged over several copies of the photograph with noise (Smilkov et al. 2017,
//! SmoothGrad), since a single gradient of a piecewise linear network is rough.

use super::ascent::blurred;
use super::photos::Photos;
use crate::ramp::ramp;
use crate::train::error::TrainError;
use crate::train::picture::{PictureStep, WHITE};
use crate::train::random::{Purpose, Random};
use crate::train::{Sheet, side_by_side};
use crate::{Model, Weights};
use cnnc_compiler::step::{Cost, Method, Optimizer};
use cnnc_runtime::image::Picture;

/// Copies of the photograph.
const COPIES: usize = 24;
/// Deviation of the noise, in levels.
const NOISE: f64 = 0.1 * WHITE;
/// The share of pixels that are shown at full strength.
const BRIGHTEST: f64 = 0.01;

/// What a class depends on in a photograph.
#[derive(Clone, Debug)]
pub struct Saliency {
    /// The class.
    pub class: usize,
    /// Its score, before any softmax.
    pub score: f32,
    /// What the network sees.
    pub seen: Picture,
    /// A number for each pixel, row by row, smoothed over two neighbours.
    pub pixels: Vec<f32>,
}

/// What a class, or the one with the largest score, depends on in a photograph.
///
/// # Errors
/// A network that makes more than a number for each class, a class that is not there, weights that do not fit, too little memory.
pub fn saliency(
    model: &Model,
    weights: &Weights,
    photo: &Photos,
    class: Option<usize>,
    seed: u64,
    threads: usize,
) -> Result<Saliency, TrainError> {
    let graph = model.graph();
    let raw = graph.outputs[0].value;
    let shape = &graph.values[raw].shape;
    let classes = shape.elements();
    if classes != shape.channels() {
        return Err(TrainError::Network(format!(
            "`{}` answers with {shape}: there is no score of a class whose pixels could be shown",
            graph.name
        )));
    }
    if let Some(class) = class.filter(|class| *class >= classes) {
        return Err(TrainError::Recipe(format!(
            "there is no class {class}: `{}` has {classes}, from 0 on",
            graph.name
        )));
    }
    let costs = [Cost::Linear(raw)];
    let mut step = PictureStep::new(
        model,
        weights,
        &costs,
        photo.extents,
        &Optimizer::new(Method::Adam),
        threads,
    )?;
    let numbers = photo.numbers(0);
    step.picture_mut().copy_from_slice(&numbers);
    let scores = step.made()?.swap_remove(0);
    let largest = (1..classes).fold(
        0,
        |best, of| if scores[of] > scores[best] { of } else { best },
    );
    let class = class.unwrap_or(largest);
    step.weights_mut(0)[class] = 1.0;
    let mut random = Random::new(seed, Purpose::Picture, b"saliency");
    let channels = photo.pixels.channels();
    let plane = numbers.len() / channels;
    let mut pixels = vec![0.0; plane];
    for _ in 0..COPIES {
        for (index, (to, x)) in step.picture_mut().iter_mut().zip(&numbers).enumerate() {
            let level = photo.pixels.line(index / plane).0;
            *to = (f64::from(*x) + NOISE * level * random.normal()) as f32;
        }
        let (_, gradient) = step.gradient()?;
        for (at, to) in pixels.iter_mut().enumerate() {
            let all = (0..channels).map(|channel| gradient[channel * plane + at].abs());
            *to += all.fold(0.0, f32::max) / COPIES as f32;
        }
    }
    // Strides see every second pixel more often than its neighbours, which says nothing of the photograph.
    let extents = photo.extents;
    for _ in 0..2 {
        blurred(&mut pixels, extents, 0.25);
    }
    Ok(Saliency {
        class,
        score: scores[class],
        seen: photo.picture(0),
        pixels,
    })
}

impl Saliency {
    /// The photograph, what the class depends on, and both together.
    pub fn sheet(&self, label: &str) -> Sheet {
        let (width, height) = (self.seen.width(), self.seen.height());
        let mut sorted = self.pixels.clone();
        sorted.sort_by(f32::total_cmp);
        let place = ((1.0 - BRIGHTEST) * (sorted.len() - 1) as f64) as usize;
        let most = sorted[place].max(f32::MIN_POSITIVE);
        let share = |at: usize| (self.pixels[at] / most).min(1.0);
        let heated = (0..width * height).flat_map(|at| ramp(share(at)));
        let heated = Picture::from_rgb(width, height, heated.collect()).expect("as the photograph");
        let over = (0..width * height).flat_map(|at| {
            let pixel: [u8; 3] = self.seen.rgb()[3 * at..][..3].try_into().expect("three");
            let grey = (0.299 * f32::from(pixel[0])
                + 0.587 * f32::from(pixel[1])
                + 0.114 * f32::from(pixel[2]))
                * 0.6;
            let (share, colour) = (share(at).sqrt(), ramp(share(at)));
            colour.map(|colour| (grey + share * (f32::from(colour) - grey)).round() as u8)
        });
        let over = Picture::from_rgb(width, height, over.collect()).expect("as the photograph");
        let pictures = [
            (
                format!("{label} ({})", self.class),
                format!("score {:.2}", self.score),
                self.seen.clone(),
            ),
            (
                "what the score depends on".to_owned(),
                "gradient's magnitude".to_owned(),
                heated,
            ),
            ("on the photo".to_owned(), String::new(), over),
        ];
        side_by_side(&pictures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_depends_on_what_it_sees() {
        // The first class is the sum of the left half, the second that of the right one.
        let model = crate::compile_str(
            "halves",
            "cnn 1; model Halves { input x: 3x8x8 { normalize unit }; a: x crop 8x4 at (0, 0) globalavgpool; b: x crop 8x4 at (0, 4) globalavgpool; concat(a, b) }",
        )
        .unwrap();
        let picture = Picture::from_rgb(8, 8, vec![100; 192]).unwrap();
        let photo = Photos::one(&model, &picture, "photo").unwrap();
        let found = saliency(&model, &Weights::synthetic(), &photo, Some(4), 1, 1).unwrap();
        for (at, value) in found.pixels.iter().enumerate() {
            let want = if at % 8 < 4 { 0.0 } else { 1.0 / 32.0 };
            // What is smoothed reaches two pixels over the seam.
            if !(2..6).contains(&(at % 8)) {
                assert!((value - want).abs() < 1e-6, "{at}: {value}");
            }
        }
        let error = saliency(&model, &Weights::synthetic(), &photo, Some(6), 1, 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no class 6: `halves` has 6, from 0 on".replace("halves", "Halves")
        );
    }
}
