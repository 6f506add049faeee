//! Sheets that a judgement is looked at by: the confusion matrix, and the worst pictures.

use super::data::{DataError, Kept, Samples};
use super::judge::Judgement;
use super::sheet::{Anchor, Sheet};
use cnnc_runtime::answer::Colour;
use cnnc_runtime::image::{Picture, PreProcess};

const BLACK: Colour = [0; 3];
const GREY: Colour = [0x55; 3];
const RED: Colour = [0xb0, 0x20, 0x20];
/// Pixels of a letter, as far as room is concerned.
const LETTER: f64 = 8.0;

/// The confusion matrix: a row for each class, darker where more of its samples were taken for the column's. Counts are written where there is room.
pub fn matrix(name: &str, judgement: &Judgement, labels: &[String]) -> Sheet {
    let classes = judgement.confusion.len();
    let cell = (640.0 / classes as f64).clamp(3.0, 40.0);
    let side = cell * classes as f64;
    let written = cell >= 14.0;
    let longest = labels
        .iter()
        .map(|label| label.chars().count())
        .max()
        .unwrap_or(0);
    let names = if written {
        LETTER * longest.min(20) as f64
    } else {
        0.0
    };
    let (left, top) = (40.0 + names, 64.0);
    let mut sheet = Sheet::new(
        (left + side + 24.0).max(420.0),
        top + side + 24.0 + if written { 16.0 } else { 0.0 },
    );
    let title = format!(
        "{name}: {:.2} % of {} right",
        100.0 * judgement.accuracy(),
        judgement.samples()
    );
    sheet.text((16.0, 22.0), Anchor::Start, title, BLACK);
    sheet.text(
        (16.0, 42.0),
        Anchor::Start,
        "rows: what it is; columns: what it is taken for",
        GREY,
    );
    for (row, counts) in judgement.confusion.iter().enumerate() {
        let all: usize = counts.iter().sum();
        let y = top + cell * row as f64;
        for (column, &count) in counts.iter().enumerate() {
            let share = count as f64 / all.max(1) as f64;
            let corner = (left + cell * column as f64, y);
            let gap = if cell >= 8.0 { 1.0 } else { 0.0 };
            let colour = shade(share, row == column);
            sheet.rectangle(corner, (cell - gap, cell - gap), colour);
            let text = count.to_string();
            if count > 0 && LETTER * text.len() as f64 <= cell {
                let ink = if share > 0.5 { [255; 3] } else { BLACK };
                let at = (corner.0 + cell / 2.0, y + cell / 2.0 + 4.0);
                sheet.text(at, Anchor::Middle, text, ink);
            }
        }
        if written {
            let label = cut(&label(labels, row), 20);
            sheet.text(
                (left - 6.0, y + cell / 2.0 + 4.0),
                Anchor::End,
                &*label,
                GREY,
            );
            let fits = LETTER * label.chars().count() as f64 <= cell;
            // Where names have no room, a column is found by its place.
            let label = if fits { label } else { row.to_string() };
            let at = (left + cell * (row as f64 + 0.5), top + side + 16.0);
            sheet.text(at, Anchor::Middle, label, GREY);
        }
    }
    sheet
}

/// From white to blue where it is right, and to red where it is not.
fn shade(share: f64, right: bool) -> Colour {
    let full: [f64; 3] = if right {
        [0x1f, 0x6f, 0xb2].map(f64::from)
    } else {
        [0xc0, 0x30, 0x20].map(f64::from)
    };
    // What is rare is to be seen, too.
    let share = if share > 0.0 {
        0.12 + 0.88 * share
    } else {
        0.0
    };
    full.map(|full| (246.0 + (full - 246.0) * share).round() as u8)
}

/// The worst samples as the network sees them, with what they are and what they are taken for.
///
/// # Errors
/// A picture that is read when it is needed, and is not any more what it was.
pub fn contact_sheet(
    judgement: &Judgement,
    labels: &[String],
    pre: &PreProcess,
    samples: &Samples,
    name: impl Fn(usize) -> String,
) -> Result<Sheet, DataError> {
    const COLUMNS: usize = 5;
    const SIDE: usize = 160;
    let (wide, high) = (SIDE as f64 + 16.0, SIDE as f64 + 60.0);
    let rows = judgement.worst.len().div_ceil(COLUMNS);
    let mut sheet = Sheet::new(wide * COLUMNS as f64 + 16.0, high * rows as f64 + 12.0);
    for (index, miss) in judgement.worst.iter().enumerate() {
        let corner = (
            16.0 + wide * (index % COLUMNS) as f64,
            12.0 + high * (index / COLUMNS) as f64,
        );
        sheet.picture(corner, seen(pre, &samples.kept(miss.sample)?, SIDE));
        let letters = SIDE / 9;
        let below = corner.1 + SIDE as f64 + 14.0;
        let is = cut(&label(labels, miss.class), letters - 3);
        sheet.text((corner.0, below), Anchor::Start, format!("is {is}"), BLACK);
        let said = match miss.guess == miss.class {
            true => format!("right, {:.2}", miss.probability),
            false => format!("said {}", cut(&label(labels, miss.guess), letters - 5)),
        };
        let colour = if miss.guess == miss.class { GREY } else { RED };
        sheet.text((corner.0, below + 15.0), Anchor::Start, said, colour);
        sheet.text(
            (corner.0, below + 30.0),
            Anchor::Start,
            cut(&name(miss.sample), letters),
            GREY,
        );
    }
    Ok(sheet)
}

/// What is kept of an input as a picture that fits a square of that side.
pub(super) fn seen(pre: &PreProcess, kept: &Kept<'_>, side: usize) -> Picture {
    let (width, height) = (pre.width.max(1), pre.height.max(1));
    let scale = side as f64 / width.max(height) as f64;
    let size = |pixels: usize| ((pixels as f64 * scale).round() as usize).max(1);
    // Pixels of the input that a pixel shows: at least one.
    let range = |at: usize, of: usize, pixels: usize| {
        let (from, to) = (at * pixels / of, ((at + 1) * pixels).div_ceil(of));
        from..to.clamp(from + 1, pixels.max(from + 1))
    };
    let value = |channel: usize, x: usize, y: usize| {
        let at = (channel * height + y) * width + x;
        match kept {
            Kept::Bytes(bytes) => f32::from(bytes[at]),
            Kept::Numbers(numbers) => numbers[at],
        }
    };
    let (columns, rows) = (size(width), size(height));
    let mut rgb = Vec::with_capacity(3 * columns * rows);
    for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
        for colour in 0..3 {
            let channel = match (pre.channels, pre.bgr) {
                (1, _) => 0,
                (_, false) => colour,
                (_, true) => 2 - colour,
            };
            let (xs, ys) = (range(x, columns, width), range(y, rows, height));
            let count = (xs.len() * ys.len()) as f32;
            let pixels = ys.flat_map(|y| xs.clone().map(move |x| (x, y)));
            let sum: f32 = pixels.map(|(x, y)| value(channel, x, y)).sum();
            rgb.push((sum / count).round() as u8);
        }
    }
    Picture::from_rgb(columns, rows, rgb).expect("as many pixels")
}

pub(super) fn label(labels: &[String], class: usize) -> String {
    labels
        .get(class)
        .cloned()
        .unwrap_or_else(|| class.to_string())
}

/// A text of so many letters at most.
pub(super) fn cut(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(letters.saturating_sub(1)).collect();
    kept + "…"
}

/// The end of a text, of so many letters at most.
pub(super) fn cut_before(text: &str, letters: usize) -> String {
    let over = text.chars().count().saturating_sub(letters);
    match over {
        0 => text.to_owned(),
        over => "…".to_owned() + &text.chars().skip(over + 1).collect::<String>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    #[test]
    fn inputs_are_seen_as_they_were() {
        let pre = PreProcess {
            channels: 3,
            steps: Vec::new().into(),
            bgr: true,
            scale: 1.0,
            mean: Vec::new().into(),
            std: Vec::new().into(),
            width: 2,
            height: 1,
        };
        // Blue, green, red of both pixels.
        let input = Kept::Bytes(Cow::Borrowed(&[100, 200, 0, 110, 200, 0]));
        let small = seen(&pre, &input, 2);
        assert_eq!((small.width(), small.height()), (2, 1));
        assert_eq!(small.rgb(), [200, 0, 100, 0, 110, 200]);
        let large = seen(&pre, &input, 4);
        assert_eq!((large.width(), large.height()), (4, 2));
        assert_eq!(
            &large.rgb()[..12],
            [200, 0, 100, 200, 0, 100, 0, 110, 200, 0, 110, 200]
        );
        // Half the pixels: the mean of two.
        assert_eq!(seen(&pre, &input, 1).rgb(), [100, 55, 150]);
    }

    #[test]
    fn texts_are_cut_behind_and_before() {
        assert_eq!(cut("character", 5), "char…");
        assert_eq!(cut_before("character", 5), "…cter");
        assert_eq!(
            (cut("four", 4), cut_before("four", 4)),
            ("four".to_owned(), "four".to_owned())
        );
    }

    #[test]
    fn the_matrix_says_what_was_taken_for_what() {
        let judgement = Judgement {
            confusion: vec![vec![3, 1], vec![0, 4]],
            top5: 8,
            worst: Vec::new(),
            broken: Vec::new(),
        };
        let labels = ["no".to_owned(), "yes & no".to_owned()];
        let svg = matrix("Net", &judgement, &labels).to_svg();
        assert!(svg.contains(">Net: 87.50 % of 8 right</text>"), "{svg}");
        assert!(svg.contains(">yes &amp; no</text>"), "{svg}");
        for count in ["3", "1", "4"] {
            assert_eq!(
                svg.matches(&format!(">{count}</text>")).count(),
                if count == "1" { 2 } else { 1 },
                "{svg}"
            );
        }
    }
}
