//! A contact sheet: samples as they are learned, beside one another, each with its label.

use super::augment::Augmenter;
use super::data::{Kept, Samples};
use super::error::TrainError;
use super::recipe::Recipe;
use super::run::augmenter;
use crate::Model;
use cnnc_compiler::loss::Targets;
use cnnc_runtime::answer::{CAPTION, Canvas, class_colour};
use cnnc_runtime::image::Picture;
use cnnc_runtime::memory::filled;
use cnnc_runtime::session::RunError;

/// Most samples that are drawn.
const MOST: usize = 64;
/// Least pixels of a tile's sides.
const LEAST: usize = 72;
/// Pixels between tiles.
const GAP: usize = 4;
const PAPER: u8 = 245;
const INK: [u8; 3] = [31, 111, 178];

/// A picture of samples as the first epoch sees them, the first 64 of these: pictures enlarged by whole numbers, series as curves.
///
/// # Errors
/// Samples that are neither, augmentation that does not fit the network, and too little memory.
pub fn batch_sheet(
    recipe: &Recipe,
    model: &Model,
    samples: &Samples,
    order: &[u32],
    labels: &[String],
) -> Result<Picture, TrainError> {
    let augmenter = augmenter(recipe, model)?;
    let input = &model.graph().inputs[0];
    let shape = &model.graph().values[input.value].shape;
    let order = &order[..order.len().min(MOST)];
    let (width, height, zoom) = match (&input.pre, shape.dims()) {
        (Some(pre), _) => {
            let zoom = LEAST.div_ceil(pre.width.min(pre.height)).max(1);
            (zoom * pre.width, zoom * pre.height, zoom)
        }
        (None, [_, _]) => (2 * LEAST, LEAST, 1),
        _ => {
            let why = format!("samples of {shape} cannot be drawn; pictures and series can");
            return Err(TrainError::Network(why));
        }
    };
    let columns = (order.len() * height).div_ceil(width.max(1));
    let columns = columns.isqrt().clamp(1, order.len().max(1));
    let rows = order.len().div_ceil(columns);
    let across = columns * (width + GAP) + GAP;
    let down = rows * (height + CAPTION + GAP) + GAP;
    let mut paper = Paper {
        across,
        rgb: filled(3 * across * down, PAPER).map_err(RunError::from)?,
    };
    let mut tile = vec![0.0; shape.elements()];
    let corner = |place: usize| {
        let left = GAP + place % columns * (width + GAP);
        (left, GAP + place / columns * (height + CAPTION + GAP))
    };
    for (place, &sample) in order.iter().enumerate() {
        see(augmenter.as_ref(), samples, sample as usize, &mut tile);
        match &input.pre {
            Some(pre) => paper.pixels(corner(place), (pre.width, pre.height), zoom, pre.bgr, &tile),
            None => paper.curves(corner(place), (width, height), shape.channels(), &tile),
        }
    }
    let mut canvas = Canvas::new(across, down, paper.rgb).expect("as many bytes as pixels");
    for (place, &sample) in order.iter().enumerate() {
        let (left, top) = corner(place);
        let Targets::Classes(&[class]) = samples.targets(sample as usize) else {
            continue;
        };
        let class = class as usize;
        let label = labels
            .get(class)
            .map_or_else(|| class.to_string(), String::clone);
        canvas.caption((left, top + height), width, &label, class_colour(class));
    }
    let picture = Picture::from_rgb(across, down, canvas.into_rgb());
    picture.ok_or_else(|| TrainError::Network(format!("{across}x{down} pixels are no picture")))
}

/// What is learned of a sample, before it is normalised.
fn see(augmenter: Option<&Augmenter>, samples: &Samples, sample: usize, to: &mut [f32]) {
    match (augmenter, samples.kept(sample)) {
        (Some(augmenter), _) => augmenter.seen(samples, sample, 1, to),
        (None, Kept::Numbers(numbers)) => to.copy_from_slice(numbers),
        (None, Kept::Bytes(bytes)) => {
            for (to, &byte) in to.iter_mut().zip(bytes) {
                *to = byte.into();
            }
        }
    }
}

/// What tiles are drawn on.
struct Paper {
    across: usize,
    rgb: Vec<u8>,
}

impl Paper {
    fn dot(&mut self, x: usize, y: usize, colour: [u8; 3]) {
        let at = 3 * (y * self.across + x);
        self.rgb[at..at + 3].copy_from_slice(&colour);
    }

    /// Planes of colours or of grey, each pixel a square.
    fn pixels(
        &mut self,
        (left, top): (usize, usize),
        (width, height): (usize, usize),
        zoom: usize,
        bgr: bool,
        planes: &[f32],
    ) {
        let pixels = width * height;
        for (y, x) in (0..zoom * height).flat_map(|y| (0..zoom * width).map(move |x| (y, x))) {
            let at = y / zoom * width + x / zoom;
            let value = |plane: usize| planes[plane * pixels + at].round() as u8;
            let colour = match (planes.len() == pixels, bgr) {
                (true, _) => [value(0); 3],
                (_, false) => [value(0), value(1), value(2)],
                (_, true) => [value(2), value(1), value(0)],
            };
            self.dot(left + x, top + y, colour);
        }
    }

    /// A curve for each channel, between the least and the largest value of all.
    fn curves(
        &mut self,
        (left, top): (usize, usize),
        (width, height): (usize, usize),
        channels: usize,
        values: &[f32],
    ) {
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            self.dot(left + x, top + y, [255; 3]);
        }
        let least = values.iter().copied().fold(f32::INFINITY, f32::min);
        let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let row = |value: f32| {
            let share = (value - least) / (most - least).max(f32::MIN_POSITIVE);
            ((1.0 - share) * (height - 1) as f32).round() as usize
        };
        let length = values.len() / channels;
        for (channel, curve) in values.chunks_exact(length).enumerate() {
            let colour = if channels == 1 {
                INK
            } else {
                class_colour(channel)
            };
            let mut before = None;
            for x in 0..width {
                // Of a long series each column shows all that falls into it.
                let from = x * length / width;
                let to = ((x + 1) * length / width).clamp(from + 1, length);
                let rows = curve[from..to]
                    .iter()
                    .map(|&value| row(value))
                    .chain(before);
                let (mut high, mut low) = (height - 1, 0);
                for y in rows {
                    (high, low) = (high.min(y), low.max(y));
                }
                (high..=low).for_each(|y| self.dot(left + x, top + y, colour));
                before = Some(row(curve[to - 1]));
            }
        }
    }
}
