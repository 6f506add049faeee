//! A contact sheet of samples as they are learned, each with its label.

use super::affine::Affine;
use super::augment::Augmenter;
use super::contact::{cut, cut_before, label};
use super::data::{DataError, Kept, Known, Samples};
use super::error::TrainError;
use super::loader::Loader;
use super::located::Located;
use super::located_sheet::{KNOWN, drawn};
use super::recipe::Recipe;
use super::sheet::{Anchor, Sheet};
use crate::Model;
use cnnc_compiler::loss::UNLABELLED;
use cnnc_runtime::answer::{Colour, class_colour};
use cnnc_runtime::image::Picture;

/// Most samples that are drawn.
const MOST: usize = 64;
/// Least pixels of a tile's sides.
const LEAST: usize = 72;
/// Pixels between tiles, and below each for its label.
const GAP: f64 = 6.0;
const CAPTION: f64 = 18.0;
const BLACK: Colour = [0; 3];
const PALE: Colour = [0xf4; 3];
const BLUE: Colour = [0x1f, 0x6f, 0xb2];

/// A drawing of samples as the first epoch sees them, the first 64 of these: pictures enlarged by whole numbers, with their targets beside them if these are pictures, and one box or points on them, and series as curves.
///
/// # Errors
/// Samples that are neither, augmentation that does not fit the network, and pictures that are not any more what they were.
pub fn batch_sheet(
    recipe: &Recipe,
    model: &Model,
    samples: &Samples,
    order: &[u32],
    labels: &[String],
) -> Result<Sheet, TrainError> {
    let augmenter = Augmenter::of(recipe, model)?;
    let input = &model.graph().inputs[0];
    let shape = &model.graph().values[input.value].shape;
    let together = samples.together();
    let order = &order[..order.len().min(MOST * together)];
    let (width, height) = match (&input.pre, shape.dims()) {
        (Some(pre), _) => {
            let zoom = LEAST.div_ceil(pre.width.min(pre.height).max(1)).max(1);
            (zoom * pre.width, zoom * pre.height)
        }
        (None, [_, _]) => (2 * LEAST, LEAST),
        _ => {
            let why = format!("samples of {shape} cannot be drawn; pictures and series can");
            return Err(TrainError::Network(why));
        }
    };
    let maps = samples.maps();
    let tile = if maps.is_some() {
        2 * width
    } else {
        together * width
    };
    let tiles = order.len() / together;
    // About as wide as it is high.
    let columns = (tiles * height).div_ceil(tile.max(1));
    let columns = columns.isqrt().clamp(1, tiles.max(1));
    let rows = tiles.div_ceil(columns);
    let size = (width as f64, height as f64);
    let (wide, high) = (tile as f64 + GAP, size.1 + CAPTION + GAP);
    let mut sheet = Sheet::new(columns as f64 * wide + GAP, rows as f64 * high + GAP);
    let located = Located::of(model.graph());
    let loader = Loader {
        samples,
        augmenter: augmenter.as_ref(),
        epoch: 1,
        batch: 1,
    };
    let mut seen = vec![0.0; shape.elements()];
    for (place, &sample) in order.iter().enumerate() {
        let sample = sample as usize;
        let (of_tile, side) = (place / together, place % together);
        let (column, row) = (of_tile % columns, of_tile / columns);
        let left = GAP + column as f64 * wide + side as f64 * size.0;
        let corner = (left, GAP + row as f64 * high);
        see(augmenter.as_ref(), samples, sample, place, &mut seen)?;
        match &input.pre {
            Some(pre) => {
                let mut tile = pixels((pre.width, pre.height), width / pre.width, pre.bgr, &seen);
                if let Some(located) = located.as_ref().filter(|_| samples.are_places()) {
                    let known = loader.batch(&[sample as u32])?.known;
                    tile = drawn(tile, &[(&located.known(&known.numbers), KNOWN)]);
                }
                sheet.picture(corner, tile);
            }
            None => curves(&mut sheet, corner, size, shape.channels(), &seen),
        }
        if let Some((extents, _)) = maps {
            let moved = augmenter.as_ref().map(|of| of.change(1, sample).affine);
            let mut known = Known::default();
            samples.tell(sample, moved.unwrap_or(Affine::IDENTITY), &mut known)?;
            let beside = (corner.0 + size.0, corner.1);
            sheet.picture(beside, target(extents, (width, height), &known));
        } else if samples.labels_each() == 1 {
            let class = samples.label(sample) as usize;
            let below = (corner.0, corner.1 + size.1 + 4.0);
            sheet.rectangle(below, (10.0, 10.0), class_colour(class));
            let name = match samples.identity(sample) {
                Some(name) if samples.are_identities() => name.to_owned(),
                _ => label(labels, class),
            };
            let room = (width - 14) / 8;
            let text = match samples.are_identities() {
                // What tells identities from one another often stands at the end.
                true => cut_before(&name, room),
                false => cut(&name, room),
            };
            sheet.text((below.0 + 14.0, below.1 + 10.0), Anchor::Start, text, BLACK);
        }
    }
    Ok(sheet)
}

/// What is learned of a sample at that place of the first epoch, before it is normalised.
fn see(
    augmenter: Option<&Augmenter>,
    samples: &Samples,
    sample: usize,
    place: usize,
    to: &mut [f32],
) -> Result<(), DataError> {
    if let Some(augmenter) = augmenter {
        let key = match samples.are_identities() {
            true => place,
            false => sample,
        };
        return augmenter.seen_changed(samples, sample, &augmenter.change(1, key), to);
    }
    match samples.kept(sample)? {
        // Regions stand behind the picture that they are of.
        Kept::Numbers(numbers) => to.copy_from_slice(&numbers[..to.len()]),
        Kept::Bytes(bytes) => {
            for (to, &byte) in to.iter_mut().zip(bytes.iter()) {
                *to = byte.into();
            }
        }
    }
    Ok(())
}

/// A target that is a picture, stretched to that size: classes in their colours, and white where nothing counts.
fn target((width, height): (usize, usize), to: (usize, usize), known: &Known) -> Picture {
    let mut rgb = Vec::with_capacity(3 * to.0 * to.1);
    for (y, x) in (0..to.1).flat_map(|y| (0..to.0).map(move |x| (y, x))) {
        let at = y * height / to.1 * width + x * width / to.0;
        let shade = |channel: usize| {
            let planes = known.numbers.len() / (width * height);
            let plane = channel.min(planes.saturating_sub(1));
            (255.0 * known.numbers[plane * width * height + at]).round() as u8
        };
        rgb.extend(match known.labels.get(at) {
            Some(&UNLABELLED) => [255; 3],
            Some(&class) => class_colour(class as usize),
            None => [shade(0), shade(1), shade(2)],
        });
    }
    Picture::from_rgb(to.0, to.1, rgb).expect("as many pixels")
}

/// Planes of colours or of grey as a picture, each pixel a square.
fn pixels((width, height): (usize, usize), zoom: usize, bgr: bool, planes: &[f32]) -> Picture {
    let pixels = width * height;
    let mut rgb = Vec::with_capacity(3 * pixels * zoom * zoom);
    for (y, x) in (0..zoom * height).flat_map(|y| (0..zoom * width).map(move |x| (y, x))) {
        let at = y / zoom * width + x / zoom;
        let value = |plane: usize| planes[plane * pixels + at].round() as u8;
        rgb.extend(match (planes.len() == pixels, bgr) {
            (true, _) => [value(0); 3],
            (_, false) => [value(0), value(1), value(2)],
            (_, true) => [value(2), value(1), value(0)],
        });
    }
    Picture::from_rgb(zoom * width, zoom * height, rgb).expect("as many pixels")
}

/// A curve for each channel, between the least and the largest value of all.
fn curves(
    sheet: &mut Sheet,
    (left, top): (f64, f64),
    (width, height): (f64, f64),
    channels: usize,
    values: &[f32],
) {
    sheet.rectangle((left, top), (width, height), PALE);
    let least = values.iter().copied().fold(f32::INFINITY, f32::min);
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let length = values.len() / channels;
    for (channel, curve) in values.chunks_exact(length).enumerate() {
        let colour = match channels {
            1 => BLUE,
            _ => class_colour(channel),
        };
        let points = curve.iter().enumerate().map(|(at, value)| {
            let share = (value - least) / (most - least).max(f32::MIN_POSITIVE);
            let x = left + width * at as f64 / (length - 1).max(1) as f64;
            (x, top + height * (1.0 - f64::from(share)))
        });
        sheet.line(points.collect(), 1.0, colour);
    }
}
