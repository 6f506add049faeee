//! A picture with the grid of a detector, the boxes that are there and what answers for them.

use super::chart::COLOURS;
use cnnc_compiler::loss::Place;
use cnnc_runtime::answer::{BBox, Canvas, Colour, class_colour};
use cnnc_runtime::image::Picture;
use std::collections::BTreeMap;

const BLACK: Colour = [0; 3];

/// A picture and its boxes of one map.
pub(super) struct Tile {
    pub picture: Picture,
    pub caption: String,
    pub places: Vec<Place>,
}

/// What answers, in its colour.
pub(super) fn colour_of(place: &Place) -> Colour {
    COLOURS[place.answers % COLOURS.len()]
}

impl Tile {
    /// The picture with its grid and boxes.
    pub fn drawn(&self) -> Picture {
        let (width, height) = (self.picture.width(), self.picture.height());
        let mut pixels = Pixels {
            width,
            rgb: self.picture.rgb().to_vec(),
        };
        if let Some(place) = self.places.first().filter(|place| place.grid != [1, 1]) {
            pixels.tint(&self.places, height);
            let [rows, columns] = place.grid;
            // Lines between cells of less than a pixel would cover everything.
            if rows <= height && columns <= width {
                pixels.grid(place.grid, height);
            }
        }
        let Some(mut canvas) = Canvas::new(width, height, pixels.rgb) else {
            return self.picture.clone();
        };
        let scaled = |[x, y, w, h]: [f64; 4]| {
            let (across, down) = (width as f64, height as f64);
            let [x, y, w, h] = [x * across, y * down, w * across, h * down].map(|of| of as f32);
            BBox::around(x, y, w, h)
        };
        for place in &self.places {
            if let Some(by) = place.by.filter(|_| !place.lost) {
                dashed(&mut canvas, &scaled(by), colour_of(place));
            }
        }
        for place in &self.places {
            let bbox = scaled(place.bbox);
            canvas.frame(&bbox, class_colour(place.class));
            if place.lost {
                let corners = [
                    ((bbox.left, bbox.top), (bbox.right, bbox.bottom)),
                    ((bbox.left, bbox.bottom), (bbox.right, bbox.top)),
                ];
                for (from, to) in corners {
                    canvas.line(from, to, 1.0, BLACK);
                }
            }
        }
        for place in &self.places {
            let colour = match place.by {
                Some(_) => colour_of(place),
                None => class_colour(place.class),
            };
            canvas.points(&[scaled(place.bbox).centre()], colour);
        }
        Picture::from_rgb(width, height, canvas.into_rgb()).expect("as many pixels")
    }
}

/// A dashed frame.
fn dashed(canvas: &mut Canvas, bbox: &BBox, colour: Colour) {
    const DASH: f32 = 7.0;
    const STEP: f32 = 12.0;
    if !bbox.is_finite() {
        return;
    }
    let (right, bottom) = (canvas.width() as f32, canvas.height() as f32);
    let mut side = |from: (f32, f32), to: (f32, f32)| {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.abs().max(dy.abs());
        // What lies outside of the picture is not seen, however long it is.
        let steps = (length.min(4.0 * (right + bottom)) / STEP) as usize;
        for step in 0..=steps {
            let start = step as f32 * STEP;
            let end = (start + DASH).min(length);
            let at = |along: f32| {
                let share = along / length.max(f32::MIN_POSITIVE);
                (from.0 + dx * share, from.1 + dy * share)
            };
            canvas.line(at(start), at(end), 2.0, colour);
        }
    };
    let BBox {
        left,
        top,
        right,
        bottom,
    } = *bbox;
    side((left, top), (right, top));
    side((left, bottom), (right, bottom));
    side((left, top), (left, bottom));
    side((right, top), (right, bottom));
}

/// Red, green, blue of rows of so many pixels.
struct Pixels {
    width: usize,
    rgb: Vec<u8>,
}

impl Pixels {
    /// Covers a pixel by that share of a colour.
    fn blend(&mut self, x: usize, y: usize, colour: Colour, share: f32) {
        let pixel = &mut self.rgb[3 * (y * self.width + x)..][..3];
        for (to, from) in pixel.iter_mut().zip(colour) {
            *to = (f32::from(*to) * (1.0 - share) + f32::from(from) * share).round() as u8;
        }
    }

    /// Tints the cells in which a centre lies; where several answer in one cell, each has a strip of it.
    fn tint(&mut self, places: &[Place], height: usize) {
        let mut cells: BTreeMap<usize, Vec<&Place>> = BTreeMap::new();
        for place in places.iter().filter(|place| !place.lost) {
            cells.entry(place.cell).or_default().push(place);
        }
        for (cell, answering) in cells {
            let [rows, columns] = answering[0].grid;
            let (row, column) = (cell / columns, cell % columns);
            let edge = |at: usize, of: usize, pixels: usize| at * pixels / of;
            let (left, right) = (
                edge(column, columns, self.width),
                edge(column + 1, columns, self.width),
            );
            let (top, bottom) = (edge(row, rows, height), edge(row + 1, rows, height));
            for (y, x) in (top..bottom).flat_map(|y| (left..right).map(move |x| (y, x))) {
                let strip = (x - left) * answering.len() / (right - left);
                self.blend(x, y, colour_of(answering[strip]), 0.45);
            }
        }
    }

    /// Draws the lines between cells: dark beside light, so that they are seen on any picture.
    fn grid(&mut self, [rows, columns]: [usize; 2], height: usize) {
        let width = self.width;
        for (dark, share) in [(true, 0.5), (false, 0.5)] {
            let colour = if dark { [0; 3] } else { [255; 3] };
            let shift = usize::from(!dark);
            for x in (1..columns).map(|column| column * width / columns - shift) {
                (0..height).for_each(|y| self.blend(x, y, colour, share));
            }
            for y in (1..rows).map(|row| row * height / rows - shift) {
                (0..width).for_each(|x| self.blend(x, y, colour, share));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cells of less than a pixel have no lines between them.
    #[test]
    fn a_picture_may_have_fewer_pixels_than_its_map_has_cells() {
        let drawn = |grid: [usize; 2]| {
            let place = Place {
                image: 0,
                row: 0,
                class: 0,
                bbox: [0.5, 0.5, 0.4, 0.4],
                map: 0,
                grid,
                cell: grid[0] * grid[1] / 2,
                answers: 0,
                by: None,
                overlap: None,
                lost: false,
            };
            let tile = Tile {
                picture: Picture::from_rgb(8, 6, vec![0; 3 * 8 * 6]).expect("pixels"),
                caption: String::new(),
                places: vec![place],
            };
            tile.drawn()
        };
        for grid in [[6, 8], [7, 8], [6, 9], [40, 50]] {
            let drawn = drawn(grid);
            assert_eq!((drawn.width(), drawn.height()), (8, 6), "{grid:?}");
        }
    }
}
