//! What a detector learns of pictures: the grid, the boxes that are there, the cells of their centres, and the anchors that answer for them.

use super::contact::{cut, label, seen};
use super::data::Samples;
use super::error::TrainError;
use super::recipe::Recipe;
use super::sheet::{Anchor, Sheet};
use super::target_tile::{Tile, colour_of};
use super::targets::{loss_of, places};
use crate::{Model, Network, Options, Weights};
use cnnc_compiler::loss::Place;
use cnnc_runtime::answer::{Colour, class_colour};
use std::collections::BTreeMap;

/// Pixels of a tile's longer side.
const SIDE: usize = 384;
/// Most tiles beside one another.
const COLUMNS: usize = 4;
/// Pixels between tiles, below each for its caption, and of a row of the legend.
const GAP: f64 = 12.0;
const CAPTION: f64 = 22.0;
const ROW: f64 = 20.0;
/// Pixels of a letter, as far as room is concerned, and least ones of the sheet's width.
const LETTER: f64 = 8.0;
const LEAST: f64 = 640.0;
const BLACK: Colour = [0; 3];
const GREY: Colour = [0x55; 3];

/// Pictures with what is learned of them.
#[derive(Clone, Debug)]
pub struct Targeted {
    /// The drawing.
    pub sheet: Sheet,
    /// Pictures on it.
    pub pictures: usize,
    /// Boxes that are there.
    pub boxes: usize,
    /// Boxes of which nothing is learned, since another has their place.
    pub lost: usize,
}

/// A drawing of the first samples, so many at most, with the boxes that are there and the places that answer for them, by the loss that the network is trained by. YOLO's first version needs the weights for that: of a cell the predictor that overlaps a box most answers.
///
/// # Errors
/// A network that learns no boxes, samples that are no pictures, or weights that do not fit.
pub fn target_sheet(
    model: &Model,
    weights: &Weights,
    samples: &Samples,
    recipe: &Recipe,
    most: usize,
) -> Result<Targeted, TrainError> {
    let loss = loss_of(model, recipe)?;
    let refuse = |why: &str| TrainError::Network(format!("`{}` {why}", model.graph().name));
    let Some(pre) = samples.pre() else {
        return Err(refuse("learns from samples that are no pictures"));
    };
    // Predictors that have no anchors answer by what they make of a picture.
    let network = match loss.looks() && !has_anchors(model) {
        true => Some(model.jit(weights, &Options::new())?),
        false => None,
    };
    let mut session = network.as_ref().map(Network::session).transpose()?;
    let count = samples.len().min(most);
    let mut tiles = Vec::new();
    for sample in 0..count {
        let made = match &mut session {
            Some(session) => {
                let input = samples.input(sample)?;
                let outputs = session.run(&[&input])?;
                let raw = outputs.image(0).raw().iter();
                Some(vec![raw.copied().map(f64::from).collect()])
            }
            None => None,
        };
        let all = places(model, &*loss, samples, sample, made.as_deref())?;
        // The last part of a path tells pictures apart.
        let name = samples
            .name(sample)
            .and_then(|name| name.rsplit('/').next());
        let name = name.map_or_else(|| format!("sample {sample}"), str::to_owned);
        let picture = seen(pre, &samples.kept(sample)?, SIDE);
        let maps = loss.outputs().max(1);
        let mut of_maps = (0..maps)
            .filter(|map| all.iter().any(|place| place.map == *map))
            .peekable();
        // A picture without boxes is one, too.
        let first = of_maps.peek().copied().unwrap_or(0);
        for map in std::iter::once(first).chain(of_maps.skip(1)) {
            let of_map = all.iter().filter(|place| place.map == map);
            tiles.push(Tile {
                picture: picture.clone(),
                caption: name.clone(),
                places: of_map.copied().collect(),
            });
        }
    }
    let all = || tiles.iter().flat_map(|tile| &tile.places);
    if all().next().is_none() {
        return Err(refuse(
            "has no boxes to draw here: targets are those of `head boxes`, `head yolo1`, `head yolo2` and `head yolo3`",
        ));
    }
    Ok(Targeted {
        pictures: count,
        boxes: all().count(),
        lost: all().filter(|place| place.lost).count(),
        sheet: sheet(model, &tiles),
    })
}

/// Whether the sizes of the head's boxes are those of anchors.
fn has_anchors(model: &Model) -> bool {
    let head = model.graph().head.as_ref();
    head.is_some_and(|head| head.decl.key("anchors").is_some())
}

fn sheet(model: &Model, tiles: &[Tile]) -> Sheet {
    let (wide, high) = tiles.iter().fold((0, 0), |(wide, high), tile| {
        (
            wide.max(tile.picture.width()),
            high.max(tile.picture.height()),
        )
    });
    let (wide, high) = (wide as f64, high as f64);
    let columns = tiles.len().clamp(1, COLUMNS);
    let rows = tiles.len().div_ceil(columns);
    let width = (columns as f64 * (wide + GAP) + GAP).max(LEAST);
    let legend = legend(model, tiles, width);
    let top = GAP + ROW * legend.rows as f64;
    let mut sheet = Sheet::new(width, top + rows as f64 * (high + CAPTION + GAP));
    for (at, colour, text) in legend.entries {
        let mut left = at.0;
        if let Some(colour) = colour {
            sheet.rectangle((left, at.1 - 10.0), (12.0, 12.0), colour);
            left += 18.0;
        }
        sheet.text((left, at.1), Anchor::Start, text, BLACK);
    }
    for (index, tile) in tiles.iter().enumerate() {
        let corner = (
            GAP + (wide + GAP) * (index % columns) as f64,
            top + (high + CAPTION + GAP) * (index / columns) as f64,
        );
        sheet.picture(corner, tile.drawn());
        let lost = tile.places.iter().filter(|place| place.lost).count();
        let boxes = match tile.places.len() {
            1 => "1 box".to_owned(),
            count => format!("{count} boxes"),
        };
        let count = match (tile.places.first().map(|place| place.grid), lost) {
            (None, _) => "no box".to_owned(),
            (Some([rows, columns]), 0) => format!("{columns}x{rows}, {boxes}"),
            (Some([rows, columns]), _) => {
                format!("{columns}x{rows}, {boxes}, {lost} crossed out")
            }
        };
        let below = corner.1 + high + 15.0;
        let letters = (wide / LETTER) as usize;
        let name = cut(
            &tile.caption,
            letters.saturating_sub(count.len() + 2).max(8),
        );
        sheet.text((corner.0, below), Anchor::Start, name, BLACK);
        sheet.text((corner.0 + wide, below), Anchor::End, count, GREY);
    }
    sheet
}

/// Words above the pictures, each on its base line, behind a square of its colour if it has one.
struct Legend {
    entries: Vec<((f64, f64), Option<Colour>, String)>,
    rows: usize,
}

impl Legend {
    /// Adds entries beside one another, in as many rows as they need.
    fn row(&mut self, width: f64, entries: impl Iterator<Item = (Option<Colour>, String)>) {
        let mut left = GAP;
        for (colour, text) in entries {
            let square = if colour.is_some() { 18.0 } else { 0.0 };
            let wide = square + LETTER * (text.chars().count() + 2) as f64;
            if left > GAP && left + wide > width {
                (left, self.rows) = (GAP, self.rows + 1);
            }
            let at = (left, GAP + 14.0 + ROW * self.rows as f64);
            self.entries.push((at, colour, text));
            left += wide;
        }
        self.rows += usize::from(left > GAP);
    }
}

fn legend(model: &Model, tiles: &[Tile], width: f64) -> Legend {
    let graph = model.graph();
    let labels = graph.head.as_ref().map_or(&[][..], |head| &head.labels);
    let mut legend = Legend {
        entries: Vec::new(),
        rows: 0,
    };
    let all = || tiles.iter().flat_map(|tile| &tile.places);
    let mut classes: Vec<usize> = all().map(|place| place.class).collect();
    classes.sort_unstable();
    classes.dedup();
    let named = |class: &usize| (Some(class_colour(*class)), label(labels, *class));
    let frames = (None, "framed: what is there,".to_owned());
    legend.row(
        width,
        std::iter::once(frames).chain(classes.iter().map(named)),
    );
    // Sizes of anchors in pixels of the input; predictors of a cell have none of their own.
    let extents = match *graph.values[graph.inputs[0].value].shape.dims() {
        [.., rows, columns] => (columns as f64, rows as f64),
        _ => (1.0, 1.0),
    };
    let anchors = has_anchors(model);
    let answering = all().filter(|place| place.by.is_some());
    let answering: BTreeMap<usize, &Place> =
        answering.map(|place| (place.answers, place)).collect();
    if answering.is_empty() {
        return legend;
    }
    let (who, dashed) = match anchors {
        true => (
            "anchor",
            "dashed: that anchor, around the middle of the cell",
        ),
        false => ("predictor", "dashed: the box that it makes"),
    };
    let tinted = format!("tinted: the cell of a centre, as the {who} that answers;");
    legend.row(
        width,
        [(None, tinted), (None, dashed.to_owned())].into_iter(),
    );
    let entry = |(number, place): (&usize, &&Place)| {
        let size = match (anchors, place.by) {
            (true, Some([_, _, w, h])) => {
                format!(" {:.0}x{:.0}", w * extents.0, h * extents.1)
            }
            _ => String::new(),
        };
        (
            Some(colour_of(place)),
            format!("{who} {}{size}", number + 1),
        )
    };
    legend.row(width, answering.iter().map(entry));
    legend
}
