//! Drawings of what comparisons came to: curves, the hardest triplets, what one-shot runs got wrong.

use super::one_shot::Tried;
use super::{Hard, Likeness, OfGallery, Roc};
use crate::train::contact::{cut, seen};
use crate::train::data::{DataError, Kept, Samples};
use crate::train::error::TrainError;
use crate::train::sheet::{Anchor, Sheet};
use cnnc_runtime::answer::Colour;
use cnnc_runtime::image::{Picture, PreProcess, Seen};
use std::borrow::Cow;
use std::path::Path;

const BLACK: Colour = [0; 3];
const GREY: Colour = [0x55; 3];
const PALE: Colour = [0xdd; 3];
const BLUE: Colour = [0x1f, 0x6f, 0xb2];
const ORANGE: Colour = [0xc8, 0x55, 0x1b];
const RED: Colour = [0xb0, 0x20, 0x20];

/// Side of a panel, and where the first begins.
const SIDE: f64 = 300.0;
const LEFT: f64 = 58.0;
const TOP: f64 = 56.0;
const GAP: f64 = 84.0;

/// A panel whose height is a share.
struct Panel {
    left: f64,
}

impl Panel {
    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.left + SIDE * x, TOP + SIDE * (1.0 - y))
    }

    /// Lines at each fifth, and marks below.
    fn draw(&self, sheet: &mut Sheet, title: &str, below: &str, marks: &[(f64, String)]) {
        sheet.text((self.left, 20.0), Anchor::Start, title, BLACK);
        for fifth in 0..=5 {
            let share = f64::from(fifth) / 5.0;
            let (start, end) = (self.at(0.0, share), self.at(1.0, share));
            sheet.line(vec![start, end], 1.0, PALE);
            let text = format!("{:.0} %", 100.0 * share);
            sheet.text((start.0 - 6.0, start.1 + 4.0), Anchor::End, text, GREY);
        }
        for (x, text) in marks {
            let (x, floor) = self.at(*x, 0.0);
            sheet.line(vec![(x, floor), (x, floor + 4.0)], 1.0, GREY);
            sheet.text((x, floor + 18.0), Anchor::Middle, text, GREY);
        }
        let end = self.at(1.0, 0.0);
        sheet.text((end.0, end.1 + 36.0), Anchor::End, below, GREY);
    }
}

fn named(sheet: &mut Sheet, (x, y): (f64, f64), name: &str, colour: Colour) {
    let dot = (x + 4.0, y - 4.0);
    sheet.line(vec![dot, dot], 8.0, colour);
    sheet.text((x + 13.0, y), Anchor::Start, name, BLACK);
}

/// The curve of true accepts over false accepts, and, if there are any, what became of galleries.
pub fn curves(name: &str, roc: &Roc, galleries: &[OfGallery]) -> Sheet {
    let panels = if galleries.len() > 1 { 2.0 } else { 1.0 };
    let width = LEFT + SIDE * panels + GAP * (panels - 1.0) + 28.0;
    let mut sheet = Sheet::new(width, TOP + SIDE + 48.0);
    let panel = Panel { left: LEFT };
    let marks: Vec<(f64, String)> = (0..=5)
        .map(|fifth| f64::from(fifth) / 5.0)
        .map(|share| (share, format!("{:.0} %", 100.0 * share)))
        .collect();
    let title = format!("{name}: area {:.4}", roc.area());
    panel.draw(&mut sheet, &title, "unlike pairs accepted", &marks);
    sheet.text((LEFT, 40.0), Anchor::Start, "alike pairs accepted", GREY);
    sheet.line(vec![panel.at(0.0, 1.0), panel.at(1.0, 0.0)], 1.0, PALE);
    let steps = roc.steps.iter();
    let points = steps.map(|step| panel.at(step.false_accepts, step.true_accepts));
    sheet.line(points.collect(), 2.0, BLUE);
    let (rate, _) = roc.equal_error();
    let dot = panel.at(rate, 1.0 - rate);
    sheet.line(vec![dot, dot], 7.0, ORANGE);
    let beside = (dot.0 + 10.0, dot.1 + 14.0);
    let text = format!("equal errors {:.1} %", 100.0 * rate);
    sheet.text(beside, Anchor::Start, text, BLACK);
    if galleries.len() < 2 {
        return sheet;
    }
    let panel = Panel {
        left: LEFT + SIDE + GAP,
    };
    let most = galleries.iter().map(|of| of.size).max().unwrap_or(2);
    let x = |size: usize| (size as f64).ln() / (most as f64).ln();
    // The last two may be close to each other.
    let mut marks: Vec<(f64, String)> = Vec::new();
    for of in galleries.iter().rev() {
        if marks
            .last()
            .is_none_or(|(last, _)| last - x(of.size) > 0.08)
        {
            marks.push((x(of.size), of.size.to_string()));
        }
    }
    panel.draw(&mut sheet, "one among K", "K known identities", &marks);
    named(&mut sheet, (panel.left, 40.0), "nearest is right", BLUE);
    let second = (panel.left + 150.0, 40.0);
    named(&mut sheet, second, "strangers accepted", ORANGE);
    for (colour, share) in [
        (BLUE, (|of: &OfGallery| of.rank1) as fn(&OfGallery) -> f64),
        (ORANGE, |of| of.false_accepts),
    ] {
        let points = galleries.iter().map(|of| panel.at(x(of.size), share(of)));
        let points: Vec<(f64, f64)> = points.collect();
        for &point in &points {
            sheet.line(vec![point, point], 5.0, colour);
        }
        sheet.line(points, 2.0, colour);
    }
    sheet
}

/// Pixels of a picture's side on a sheet of triplets, between them, and below each.
const TILE: usize = 112;
const BETWEEN: f64 = 8.0;
const CAPTION: f64 = 40.0;

/// Pictures in threes, two columns of them: each with two lines below.
type Three = [(Picture, [String; 2], Colour); 3];

fn in_threes(all: Vec<Three>) -> Sheet {
    let tile = TILE as f64;
    let (wide, high) = (3.0 * (tile + BETWEEN) + 24.0, tile + CAPTION + BETWEEN);
    let columns = all.len().clamp(1, 2);
    let rows = all.len().div_ceil(columns);
    let size = (columns as f64 * wide, rows as f64 * high + 12.0);
    let mut sheet = Sheet::new(size.0, size.1);
    for (index, three) in all.into_iter().enumerate() {
        let left = 16.0 + wide * (index % columns) as f64;
        let top = 12.0 + high * (index / columns) as f64;
        for (place, (picture, lines, colour)) in three.into_iter().enumerate() {
            let left = left + (tile + BETWEEN) * place as f64;
            // Pictures that are wider than high stand on one line.
            let below = tile - picture.height() as f64;
            sheet.picture((left, top + below), picture);
            for (line, text) in lines.into_iter().enumerate() {
                let at = (left, top + tile + 15.0 * (line + 1) as f64);
                let ink = if line == 0 { GREY } else { colour };
                sheet.text(at, Anchor::Start, cut(&text, TILE / 8), ink);
            }
        }
    }
    sheet
}

/// Triplets: a picture, the farthest of its identity and the nearest of the others, with their distances, or scores.
///
/// # Errors
/// A picture that is read when it is needed, and is not any more what it was.
pub fn hardest_sheet(
    likeness: &Likeness,
    hardest: &[Hard],
    pre: &PreProcess,
    samples: &Samples,
    name: impl Fn(usize) -> String,
) -> Result<Sheet, DataError> {
    let tile = |sample: u32, what: String, colour: Colour| {
        let sample = sample as usize;
        let picture = seen(pre, &samples.kept(sample)?, TILE);
        Ok((picture, [name(sample), what], colour))
    };
    let said = |distance: f32| likeness.said(distance);
    let threes = hardest.iter().map(|of| -> Result<Three, DataError> {
        let wrong = if of.alike.1 >= of.unlike.1 {
            RED
        } else {
            BLACK
        };
        Ok([
            tile(of.anchor, "anchor".to_owned(), BLACK)?,
            tile(of.alike.0, format!("alike {:.3}", said(of.alike.1)), BLACK)?,
            tile(
                of.unlike.0,
                format!("unlike {:.3}", said(of.unlike.1)),
                wrong,
            )?,
        ])
    });
    Ok(in_threes(threes.collect::<Result<_, _>>()?))
}

/// What one-shot runs got wrong: the picture, what it was taken for, and the right one.
///
/// # Errors
/// A picture that is not any more what it was.
pub fn missed_sheet(
    missed: &[&Tried],
    pre: &PreProcess,
    folder: &Path,
) -> Result<Sheet, TrainError> {
    let tile = |path: &Path, what: &str, colour: Colour| -> Result<_, TrainError> {
        let picture = Picture::open(path).map_err(DataError::Picture)?;
        let input = pre.see(&picture, &path.display().to_string());
        let Seen { bytes, .. } = input.map_err(DataError::Picture)?;
        let name = path.strip_prefix(folder).unwrap_or(path);
        let picture = seen(pre, &Kept::Bytes(Cow::Owned(bytes)), TILE);
        let name = name.with_extension("");
        let name: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
        let name = match name.as_slice() {
            [first, .., last] => format!("{first} {last}"),
            all => all.concat(),
        };
        Ok((picture, [name, what.to_owned()], colour))
    };
    let threes = missed.iter().map(|tried| -> Result<Three, TrainError> {
        Ok([
            tile(&tried.picture, "is asked", BLACK)?,
            tile(&tried.said, "was said", RED)?,
            tile(&tried.right, "is right", BLACK)?,
        ])
    });
    Ok(in_threes(threes.collect::<Result<_, _>>()?))
}
