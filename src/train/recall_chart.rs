//! Curves of precision over recall, one a class.

use super::chart::COLOURS;
use super::contact::cut;
use super::precision::{Definition, Precision};
use super::sheet::{Anchor, Sheet};
use cnnc_runtime::answer::{Colour, class_colour};

/// Pixels of the plot's sides.
const SIDE: f64 = 400.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 72.0;
const BOTTOM: f64 = 52.0;
/// Pixels between the plot and the legend, and a column and a row of it.
const GAP: f64 = 28.0;
const COLUMN: f64 = 250.0;
const ROW: f64 = 19.0;
/// Rows of a column of the legend, beside the plot.
const ROWS: usize = 20;
/// Letters of a label.
const LETTERS: usize = 18;

const BLACK: Colour = [0; 3];
const GREY: Colour = [0x55; 3];
const PALE: Colour = [0xdd; 3];

/// A drawing of the precision over the recall of each class that there is, at an overlap of one half: what follows from each found box as a thin line, and the best precision at a recall or beyond, whose area is the average precision, as a thick one.
pub fn precision_recall(name: &str, precision: &Precision, labels: &[String]) -> Sheet {
    let there = |class: &usize| precision.there(*class) > 0;
    let classes: Vec<usize> = (0..precision.classes()).filter(there).collect();
    let columns = classes.len().div_ceil(ROWS).max(1) as f64;
    let mut sheet = Sheet::new(LEFT + SIDE + GAP + columns * COLUMN, TOP + SIDE + BOTTOM);
    let title = format!(
        "{name}: precision over recall at an overlap of .5, mAP {:.1} %",
        100.0 * precision.mean()
    );
    sheet.text((16.0, 24.0), Anchor::Start, title, BLACK);
    axes(&mut sheet);
    let heads = LEFT + SIDE + GAP;
    sheet.text(
        (heads, TOP - 12.0),
        Anchor::Start,
        "average precision",
        GREY,
    );
    let colour = |rank: usize, class: usize| match classes.len() <= COLOURS.len() {
        true => COLOURS[rank],
        false => class_colour(class),
    };
    for (rank, &class) in classes.iter().enumerate() {
        let curve = precision.curve(class);
        let points: Vec<(f64, f64)> = curve.iter().map(|&point| place(point)).collect();
        if !points.is_empty() {
            sheet.line(points, 0.5, pale(colour(rank, class)));
        }
    }
    for (rank, &class) in classes.iter().enumerate() {
        let curve = precision.curve(class);
        let line = steps(&curve).into_iter().map(place).collect::<Vec<_>>();
        let colour = colour(rank, class);
        if !line.is_empty() {
            sheet.line(line, 2.0, colour);
        }
        let x = LEFT + SIDE + GAP + COLUMN * (rank / ROWS) as f64;
        let y = TOP + 12.0 + ROW * (rank % ROWS) as f64;
        sheet.line(vec![(x, y - 4.0), (x + 18.0, y - 4.0)], 3.0, colour);
        let average = precision.average(class, Definition::Voc2010).unwrap_or(0.0);
        let label = labels
            .get(class)
            .cloned()
            .unwrap_or_else(|| class.to_string());
        sheet.text((x + 26.0, y), Anchor::Start, cut(&label, LETTERS), BLACK);
        let percent = format!("{:.1} %", 100.0 * average);
        sheet.text((x + COLUMN - 20.0, y), Anchor::End, percent, GREY);
    }
    sheet
}

/// A recall and a precision as a place on the sheet.
fn place((recall, precision): (f64, f64)) -> (f64, f64) {
    (LEFT + SIDE * recall, TOP + SIDE * (1.0 - precision))
}

fn axes(sheet: &mut Sheet) {
    for line in 0..=5 {
        let share = f64::from(line) / 5.0;
        let (across, down) = (place((0.0, share)), place((share, 0.0)));
        sheet.line(vec![across, place((1.0, share))], 1.0, PALE);
        sheet.line(vec![down, place((share, 1.0))], 1.0, PALE);
        let text = format!("{share:.1}");
        sheet.text(
            (across.0 - 8.0, across.1 + 4.0),
            Anchor::End,
            text.clone(),
            GREY,
        );
        sheet.text((down.0, down.1 + 18.0), Anchor::Middle, text, GREY);
    }
    let under = TOP + SIDE + 38.0;
    sheet.text((LEFT + SIDE, under), Anchor::End, "recall", GREY);
    sheet.text((16.0, TOP - 12.0), Anchor::Start, "precision", GREY);
}

/// The best precision at a recall or beyond, as a line that goes down in steps to the last recall.
fn steps(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let (mut line, mut best) = (Vec::new(), 0.0);
    let last = curve.last().map_or(0.0, |(recall, _)| *recall);
    for &(recall, precision) in curve.iter().rev() {
        if precision > best {
            // Read from the right: down to the old height, then up to the new one.
            line.push((recall, best));
            line.push((recall, precision));
            best = precision;
        }
    }
    if let Some(first) = line.first_mut() {
        *first = (last, 0.0);
        line.push((0.0, best));
    }
    line
}

/// A colour half way to white.
fn pale(colour: Colour) -> Colour {
    colour.map(|of| of / 2 + 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_go_down_at_the_recalls_of_the_envelope() {
        let curve = [(0.5, 1.0), (0.5, 0.5), (0.75, 0.6), (1.0, 0.7)];
        assert_eq!(
            steps(&curve),
            [(1.0, 0.0), (1.0, 0.7), (0.5, 0.7), (0.5, 1.0), (0.0, 1.0)]
        );
        assert_eq!(steps(&[]), []);
    }
}
