//! The patches of photographs that excite a unit most (Zeiler and Fergus 2014): nine for each, a sheet a layer.

use super::photos::{Photos, cut, run};
use super::shown;
use crate::train::contact::cut as cut_text;
use crate::train::error::TrainError;
use crate::train::picture::resized;
use crate::train::sheet::{Anchor, Sheet};
use crate::{Model, Weights};
use cnnc_compiler::field::{Field, fields};
use cnnc_runtime::answer::Colour;
use cnnc_runtime::image::Picture;

/// Patches of a unit.
const NINE: usize = 9;
/// Two patches of a photograph that share more than this of what they cover are one.
const SHARED: f64 = 0.25;
/// Pixels of a patch on the sheet.
const TILE: usize = 64;
/// Letters above the nine.
const LETTERS: usize = 24;
const COLUMNS: usize = 4;
const GAP: f64 = 2.0;
const MARGIN: f64 = 20.0;
const HEAD: f64 = 34.0;
const NAME: f64 = 18.0;
/// What lies beyond a picture's edge.
const BEYOND: Colour = [0xe8; 3];
const BLACK: Colour = [0; 3];
const GREY: Colour = [0x55; 3];

/// Where a unit is excited most in a part of a photograph.
#[derive(Clone, Copy, Debug)]
struct Peak {
    value: f32,
    part: usize,
    /// Row and column of the map.
    at: [usize; 2],
}

/// A unit, and what excites it.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Its channel.
    pub channel: usize,
    /// Its nine largest activations, each of another place.
    pub values: Vec<f32>,
    /// What the network sees there.
    pub patches: Vec<Picture>,
    /// How far these are above what is usual: their mean over the median of all parts' largest.
    pub stands_out: f64,
}

/// A layer's units.
#[derive(Clone, Debug)]
pub struct Patches {
    /// The layer's label.
    pub label: String,
    /// All of its channels.
    pub channels: usize,
    /// Rows and columns of the picture that an element of the map sees.
    pub field: [usize; 2],
    /// The units that stand out most, in the order of their channels.
    pub units: Vec<Unit>,
}

impl Patches {
    /// What excites the units of these layers most, of so many units each.
    ///
    /// # Errors
    /// A layer that is not there or no map, weights that do not fit, too little memory.
    pub fn of(
        model: &Model,
        weights: &Weights,
        labels: &[String],
        photos: &Photos,
        units: usize,
        threads: usize,
    ) -> Result<Vec<Patches>, TrainError> {
        let graph = model.graph();
        let all = fields(graph);
        let mut layers = Vec::new();
        for label in labels {
            let value = shown(model, label)?;
            let shape = &graph.values[value].shape;
            let [rows, columns] = [shape.spatial()[0], shape.spatial()[1]];
            layers.push((all[&value], shape.channels(), rows, columns));
        }
        let mut peaks: Vec<Vec<Vec<Peak>>> = layers
            .iter()
            .map(|(_, channels, ..)| vec![Vec::new(); *channels])
            .collect();
        run(
            model,
            weights,
            labels,
            photos,
            threads,
            |part, layer, values| {
                let (_, _, rows, columns) = layers[layer];
                for (channel, plane) in values.chunks_exact(rows * columns).enumerate() {
                    let first = (0, plane[0]);
                    let (place, value) =
                        plane.iter().copied().enumerate().fold(first, |best, next| {
                            if next.1 > best.1 { next } else { best }
                        });
                    let at = [place / columns, place % columns];
                    peaks[layer][channel].push(Peak { value, part, at });
                }
            },
        )?;
        let found = labels.iter().zip(layers).zip(peaks);
        let found = found.map(|((label, (field, channels, ..)), peaks)| Patches {
            label: label.clone(),
            channels,
            field: [field[1], field[2]].map(|seen| seen.extent),
            units: outstanding(photos, &field, peaks, units),
        });
        Ok(found.collect())
    }

    /// A block of nine patches for each unit. Where the layer has a channel for each class, they are called so.
    pub fn sheet(&self, name: &str, classes: &[String]) -> Sheet {
        let block = 3.0 * (TILE as f64 + GAP);
        let (wide, high) = (block + MARGIN, block + MARGIN + NAME);
        let rows = self.units.len().div_ceil(COLUMNS).max(1);
        let mut sheet = Sheet::new(wide * COLUMNS as f64 + MARGIN, HEAD + high * rows as f64);
        let [height, width] = self.field;
        let title = format!(
            "{name} {}: what excites {} of {} channels most; an element sees {width}x{height} pixels",
            self.label,
            self.units.len(),
            self.channels
        );
        sheet.text((MARGIN, 22.0), Anchor::Start, title, BLACK);
        for (index, unit) in self.units.iter().enumerate() {
            let left = MARGIN + wide * (index % COLUMNS) as f64;
            let top = HEAD + high * (index / COLUMNS) as f64;
            sheet.text(
                (left, top + 13.0),
                Anchor::Start,
                self.caption(unit, classes),
                GREY,
            );
            for (number, patch) in unit.patches.iter().enumerate() {
                let x = left + (TILE as f64 + GAP) * (number % 3) as f64;
                let y = top + NAME + (TILE as f64 + GAP) * (number / 3) as f64;
                sheet.picture((x, y), resized(patch, TILE, TILE));
            }
        }
        sheet
    }
}

impl Patches {
    /// Which unit it is, and how much its first and its last patch excite it.
    fn caption(&self, unit: &Unit, classes: &[String]) -> String {
        let (most, least) = (unit.values[0], unit.values[unit.values.len() - 1]);
        let range = format!(" {} to {}", short(most), short(least));
        let name = match classes.get(unit.channel) {
            Some(class) if classes.len() == self.channels => {
                class.split(',').next().unwrap_or(class).to_owned()
            }
            _ => format!("channel {}", unit.channel),
        };
        cut_text(&name, LETTERS - range.len()) + &range
    }
}

/// A number in three digits.
fn short(value: f32) -> String {
    match value.abs() {
        x if x >= 1e5 => format!("{value:.1e}"),
        x if x >= 100.0 => format!("{value:.0}"),
        x if x >= 10.0 => format!("{value:.1}"),
        x if x >= 0.01 => format!("{value:.2}"),
        _ => format!("{value:.1e}"),
    }
}

/// The units whose nine patches are most above what is usual for them.
fn outstanding(photos: &Photos, field: &Field, peaks: Vec<Vec<Peak>>, count: usize) -> Vec<Unit> {
    let mut units = Vec::new();
    for (channel, mut peaks) in peaks.into_iter().enumerate() {
        peaks.sort_by(|a, b| b.value.total_cmp(&a.value).then(a.part.cmp(&b.part)));
        let median = f64::from(peaks[peaks.len() / 2].value);
        let best = nine(photos, field, &peaks);
        if best.is_empty() {
            continue;
        }
        let mean = best.iter().map(|peak| f64::from(peak.value)).sum::<f64>() / best.len() as f64;
        units.push((
            best.len(),
            mean / (median.max(0.0) + 1e-3 * mean),
            channel,
            best,
        ));
    }
    // Those with nine before those with fewer.
    units.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
    units.truncate(count);
    units.sort_by_key(|unit| unit.2);
    let units = units
        .into_iter()
        .map(|(_, stands_out, channel, best)| Unit {
            channel,
            values: best.iter().map(|peak| peak.value).collect(),
            patches: best.iter().map(|peak| seen(photos, field, peak)).collect(),
            stands_out,
        });
    units.collect()
}

/// The largest, each of another place, and no more of one photograph than others leave room for.
fn nine(photos: &Photos, field: &Field, peaks: &[Peak]) -> Vec<Peak> {
    let each = NINE.div_ceil(photos.photographs()) + 1;
    let mut best: Vec<(Peak, [f64; 4])> = Vec::new();
    for peak in peaks {
        if best.len() == NINE || !peak.value.is_finite() || peak.value <= 0.0 {
            break;
        }
        let photo = photos.parts[peak.part].photo;
        let area = place(photos, field, peak);
        let same = || {
            best.iter()
                .filter(|(other, _)| photos.parts[other.part].photo == photo)
        };
        if same().count() < each && same().all(|(_, other)| shared(&area, other) <= SHARED) {
            best.push((*peak, area));
        }
    }
    best.into_iter().map(|(peak, _)| peak).collect()
}

/// What an element sees, in pixels of its photograph: left, top, width, height.
fn place(photos: &Photos, field: &Field, peak: &Peak) -> [f64; 4] {
    let area = photos.parts[peak.part].area;
    let scale = area[2] / photos.extents[1] as f64;
    let (rows, columns) = (field[1].of(peak.at[0]), field[2].of(peak.at[1]));
    let within = |range: std::ops::Range<i64>, all: usize| {
        (range.start.max(0) as f64, range.end.min(all as i64) as f64)
    };
    let (rows, columns) = (
        within(rows, photos.extents[0]),
        within(columns, photos.extents[1]),
    );
    [
        area[0] + scale * columns.0,
        area[1] + scale * rows.0,
        scale * (columns.1 - columns.0),
        scale * (rows.1 - rows.0),
    ]
}

/// What two areas share of what both cover.
fn shared(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    let along =
        |axis: usize| (a[axis] + a[axis + 2]).min(b[axis] + b[axis + 2]) - a[axis].max(b[axis]);
    let both = along(0).max(0.0) * along(1).max(0.0);
    both / (a[2] * a[3] + b[2] * b[3] - both)
}

/// What an element sees, with grey beyond the picture's edges.
fn seen(photos: &Photos, field: &Field, peak: &Peak) -> Picture {
    let picture = photos.picture(peak.part);
    let (rows, columns) = (field[1].of(peak.at[0]), field[2].of(peak.at[1]));
    let (width, height) = (columns.clone().count(), rows.clone().count());
    let [high, wide] = photos.extents.map(|extent| extent as i64);
    if rows.start <= 0 && columns.start <= 0 && rows.end >= high && columns.end >= wide {
        return cut(&picture, [0.0, 0.0, wide as f64, high as f64]);
    }
    let mut rgb = Vec::with_capacity(3 * width * height);
    for (y, x) in rows.flat_map(|y| columns.clone().map(move |x| (y, x))) {
        let inside = (0..high).contains(&y) && (0..wide).contains(&x);
        let at = 3 * (y * wide + x).max(0) as usize;
        rgb.extend(if inside {
            picture.rgb()[at..][..3].try_into().expect("three")
        } else {
            BEYOND
        });
    }
    Picture::from_rgb(width, height, rgb).expect("no larger than the picture and its padding")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn the_patch_that_excites_an_edge_has_one() {
        // One channel looks for white on the left and black on the right, the other for the opposite.
        let model = crate::compile_str(
            "edges",
            "cnn 1; model Edges { input x: 3x24x24 { normalize unit }; e: conv 1x2 2 bias off weight [[[[1, -1]], [[1, -1]], [[1, -1]]], [[[-1, 1]], [[-1, 1]], [[-1, 1]]]] relu; globalavgpool }",
        )
        .unwrap();
        let folder = std::env::temp_dir().join(format!("cnnc-patches-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut files: Vec<PathBuf> = Vec::new();
        for number in 0..10 {
            // A white bar on black, at another place in each picture.
            let level = |at: usize| {
                if (4 + number..9 + number).contains(&(at % 24)) {
                    255
                } else {
                    0
                }
            };
            let grey: Vec<u8> = (0..24 * 24).map(level).collect();
            let path = folder.join(format!("{number}.png"));
            Picture::from_grey(24, 24, &grey)
                .unwrap()
                .write_png(&path)
                .unwrap();
            files.push(path);
        }
        let photos = Photos::read(&model, &files, Some(1), 1).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let found = Patches::of(
            &model,
            &crate::Weights::synthetic(),
            &["e".to_owned()],
            &photos,
            8,
            1,
        )
        .unwrap();
        let [layer] = &found[..] else {
            panic!("one layer")
        };
        assert_eq!(
            (layer.field, layer.channels, layer.units.len()),
            ([1, 2], 2, 2)
        );
        for unit in &layer.units {
            assert_eq!(unit.values, [3.0; 9]);
            let (left, right) = if unit.channel == 0 {
                (255, 0)
            } else {
                (0, 255)
            };
            assert!(
                unit.patches
                    .iter()
                    .all(|patch| patch.rgb() == [left, left, left, right, right, right])
            );
        }
        assert!(layer.sheet("Edges", &[]).to_picture().is_some());
    }

    #[test]
    fn areas_share_what_both_cover() {
        assert_eq!(
            shared(&[0.0, 0.0, 2.0, 2.0], &[1.0, 0.0, 2.0, 2.0]),
            2.0 / 6.0
        );
        assert_eq!(shared(&[0.0, 0.0, 2.0, 2.0], &[5.0, 5.0, 2.0, 2.0]), 0.0);
    }
}
