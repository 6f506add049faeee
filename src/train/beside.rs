//! Pictures beside one another, each with a line above and one below.

use super::sheet::{Anchor, Sheet};
use cnnc_runtime::answer::Colour;
use cnnc_runtime::image::Picture;

const BLACK: Colour = [0; 3];
const GREY: Colour = [0x55; 3];
const GAP: f64 = 16.0;
const LINE: f64 = 24.0;
/// Pictures in a row.
const COLUMNS: usize = 4;

/// A sheet of pictures: what stands above each, what stands below, and the picture.
pub fn side_by_side(pictures: &[(String, String, Picture)]) -> Sheet {
    let most = |side: fn(&Picture) -> usize| {
        pictures
            .iter()
            .map(|(_, _, picture)| side(picture))
            .max()
            .unwrap_or(1) as f64
    };
    let (wide, high) = (
        most(Picture::width).max(160.0) + GAP,
        most(Picture::height) + 2.0 * LINE,
    );
    let columns = pictures.len().clamp(1, COLUMNS);
    let rows = pictures.len().div_ceil(COLUMNS);
    let mut sheet = Sheet::new(wide * columns as f64 + GAP, high * rows as f64 + GAP);
    for (index, (above, below, picture)) in pictures.iter().enumerate() {
        let left = GAP + wide * (index % COLUMNS) as f64;
        let top = high * (index / COLUMNS) as f64 + GAP / 2.0;
        let letters = (wide / 9.0) as usize;
        sheet.text(
            (left, top + 14.0),
            Anchor::Start,
            super::contact::cut(above, letters),
            BLACK,
        );
        sheet.picture((left, top + LINE), picture.clone());
        let under = top + LINE + picture.height() as f64 + 16.0;
        sheet.text(
            (left, under),
            Anchor::Start,
            super::contact::cut(below, letters),
            GREY,
        );
    }
    sheet
}
