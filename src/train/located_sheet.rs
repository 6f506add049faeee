//! Places drawn on pictures: what is there in green, what was found in red.

use super::contact::{cut, seen};
use super::data::{DataError, Samples};
use super::located::Place;
use super::sheet::{Anchor, Sheet};
use super::whereabouts::Whereabouts;
use cnnc_runtime::answer::{BBox, Canvas, Colour};
use cnnc_runtime::image::{Picture, PreProcess};

const BLACK: Colour = [0; 3];
const GREY: Colour = [0x55; 3];
/// What is there.
pub(super) const KNOWN: Colour = [0x20, 0xc0, 0x40];
/// What was found.
const FOUND: Colour = [0xe8, 0x30, 0x30];

/// A picture with places on it, in fractions of it, each in its colour.
pub(super) fn drawn(picture: Picture, places: &[(&Place, Colour)]) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    let (wide, tall) = (width as f32, height as f32);
    let Some(mut canvas) = Canvas::new(width, height, picture.rgb().to_vec()) else {
        return picture;
    };
    for (place, colour) in places {
        match place {
            Place::Nothing => {}
            Place::Box(_, of) => {
                let edges = (
                    of.left * wide,
                    of.top * tall,
                    of.right * wide,
                    of.bottom * tall,
                );
                canvas.frame(&BBox::new(edges.0, edges.1, edges.2, edges.3), *colour);
            }
            Place::Points(points) => {
                let points = points.iter().map(|(x, y)| (x * wide, y * tall));
                canvas.points(&points.collect::<Vec<_>>(), *colour);
            }
        }
    }
    Picture::from_rgb(width, height, canvas.into_rgb()).unwrap_or(picture)
}

/// The worst samples as the network sees them, with what is there and what was found.
///
/// # Errors
/// A picture that is read when it is needed, and is not any more what it was.
pub fn worst_places(
    found: &Whereabouts,
    pre: &PreProcess,
    samples: &Samples,
    name: impl Fn(usize) -> String,
) -> Result<Sheet, DataError> {
    const COLUMNS: usize = 5;
    const SIDE: usize = 192;
    const TOP: f64 = 30.0;
    let (wide, high) = (SIDE as f64 + 16.0, SIDE as f64 + 60.0);
    let rows = found.worst.len().div_ceil(COLUMNS);
    let mut sheet = Sheet::new(
        wide * COLUMNS as f64 + 16.0,
        TOP + high * rows as f64 + 12.0,
    );
    for (x, colour, text) in [
        (16.0, KNOWN, "what is there"),
        (150.0, FOUND, "what was found"),
    ] {
        sheet.rectangle((x, 14.0), (10.0, 10.0), colour);
        sheet.text((x + 16.0, 24.0), Anchor::Start, text, BLACK);
    }
    let names = found.located.names();
    for (index, one) in found.worst.iter().enumerate() {
        let corner = (
            16.0 + wide * (index % COLUMNS) as f64,
            TOP + 12.0 + high * (index / COLUMNS) as f64,
        );
        let picture = seen(pre, &samples.kept(one.sample)?, SIDE);
        let places = [(&one.known, KNOWN), (&one.found, FOUND)];
        sheet.picture(corner, drawn(picture, &places));
        let letters = SIDE / 8;
        let label = |place: &Place| names.get(found.located.name_of(place)).cloned();
        let said = match (label(&one.known), label(&one.found)) {
            (Some(known), Some(found)) if known != found => format!("{known}, said {found}"),
            (Some(known), _) => known,
            (None, _) => String::new(),
        };
        let far = match (&one.known, one.worth.number) {
            (Place::Box(..), Some(overlap)) => format!("IoU {overlap:.2}"),
            (_, Some(distance)) => format!("{:.2} % off", 100.0 * distance),
            _ => String::new(),
        };
        let lines = [said, far, name(one.sample)];
        let lines = lines.iter().filter(|line| !line.is_empty()).enumerate();
        for (line, text) in lines {
            let below = corner.1 + SIDE as f64 + 14.0 + 15.0 * line as f64;
            let colour = if line == 0 { BLACK } else { GREY };
            sheet.text((corner.0, below), Anchor::Start, cut(text, letters), colour);
        }
    }
    Ok(sheet)
}
