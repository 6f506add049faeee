//! The feature maps that a network makes of one photograph.

use super::photos::{Photos, run};
use super::shown;
use crate::ramp::ramp;
use crate::train::error::TrainError;
use crate::train::picture::resized;
use crate::train::sheet::{Anchor, Sheet};
use crate::{Model, Weights};
use cnnc_runtime::answer::Colour;
use cnnc_runtime::image::Picture;

const TILE: usize = 112;
const COLUMNS: usize = 8;
/// Maps of a sheet, beside the photograph.
const MAPS: usize = 31;
const GAP: f64 = 10.0;
const NAME: f64 = 18.0;
const HEAD: f64 = 34.0;
const BLACK: Colour = [0; 3];
const GREY: Colour = [0x55; 3];

/// A sheet for each layer: the photograph as the network sees it, and the 31 maps that reach highest, each from its own least to its own most.
///
/// # Errors
/// A layer that is not there or no map, weights that do not fit, too little memory.
pub fn feature_maps(
    model: &Model,
    weights: &Weights,
    labels: &[String],
    photo: &Photos,
    threads: usize,
) -> Result<Vec<Sheet>, TrainError> {
    let name = &model.graph().name;
    let mut sheets = Vec::new();
    let mut shapes = Vec::new();
    for label in labels {
        let shape = &model.graph().values[shown(model, label)?].shape;
        shapes.push([shape.channels(), shape.spatial()[0], shape.spatial()[1]]);
    }
    let seen = photo.picture(0);
    run(
        model,
        weights,
        labels,
        photo,
        threads,
        |_, layer, values| {
            sheets.push(sheet(name, &labels[layer], shapes[layer], values, &seen));
        },
    )?;
    Ok(sheets)
}

fn sheet(
    name: &str,
    label: &str,
    [channels, rows, columns]: [usize; 3],
    values: &[f32],
    seen: &Picture,
) -> Sheet {
    let planes: Vec<&[f32]> = values.chunks_exact(rows * columns).collect();
    let most = |channel: usize| {
        planes[channel]
            .iter()
            .copied()
            .fold(f32::NEG_INFINITY, f32::max)
    };
    let mut order: Vec<usize> = (0..channels).collect();
    order.sort_by(|&a, &b| most(b).total_cmp(&most(a)).then(a.cmp(&b)));
    order.truncate(MAPS);
    order.sort_unstable();
    // Tiles have the photograph's proportions.
    let scale = TILE as f64 / seen.width().max(seen.height()) as f64;
    let side = |pixels: usize| ((pixels as f64 * scale).round() as usize).max(1);
    let (width, height) = (side(seen.width()), side(seen.height()));
    let (wide, high) = (width as f64 + GAP, height as f64 + GAP + NAME);
    let all = order.len() + 1;
    let mut sheet = Sheet::new(
        (wide * COLUMNS as f64 + GAP).max(480.0),
        HEAD + high * all.div_ceil(COLUMNS) as f64,
    );
    let title = format!(
        "{name} {label}: {} of {channels} maps of {columns}x{rows}",
        order.len()
    );
    sheet.text((GAP, 22.0), Anchor::Start, title, BLACK);
    let first = std::iter::once((String::new(), resized(seen, width, height)));
    let maps = order.into_iter().map(|channel| {
        let title = channel.to_string();
        (
            title,
            resized(&of_plane(planes[channel], rows, columns), width, height),
        )
    });
    for (index, (title, picture)) in first.chain(maps).enumerate() {
        let at = (
            GAP + wide * (index % COLUMNS) as f64,
            HEAD + high * (index / COLUMNS) as f64,
        );
        let title = if index == 0 {
            "the photo".to_owned()
        } else {
            title
        };
        sheet.text((at.0, at.1 + 13.0), Anchor::Start, title, GREY);
        sheet.picture((at.0, at.1 + NAME), picture);
    }
    sheet
}

/// A map in colours from its least to its most.
pub(super) fn of_plane(plane: &[f32], rows: usize, columns: usize) -> Picture {
    let finite = || plane.iter().copied().filter(|x| x.is_finite());
    let (low, high) = (
        finite().fold(f32::INFINITY, f32::min),
        finite().fold(f32::NEG_INFINITY, f32::max),
    );
    let colour = |&x: &f32| {
        ramp(if high > low {
            (x - low) / (high - low)
        } else {
            0.0
        })
    };
    Picture::from_rgb(columns, rows, plane.iter().flat_map(colour).collect()).expect("a map")
}
