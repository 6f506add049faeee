//! Curves of runs: the loss, and what they are judged by.

use super::epoch::Epoch;
use super::error::TrainError;
use super::sheet::{Anchor, Sheet};
use cnnc_compiler::loss::Measure;
use cnnc_runtime::answer::Colour;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 52.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 40.0;
const GAP: f64 = 70.0;
/// A line of the legend of several runs.
const LEGEND: f64 = 18.0;

const BLACK: Colour = [0; 3];
const GREY: Colour = [0x55; 3];
const PALE: Colour = [0xdd; 3];
/// Colours of curves that can be told from one another.
pub(super) const COLOURS: [Colour; 8] = [
    [0x1f, 0x6f, 0xb2],
    [0xc8, 0x55, 0x1b],
    [0x2e, 0x8b, 0x57],
    [0x8e, 0x44, 0xad],
    [0xb0, 0x8a, 0x00],
    [0xc2, 0x18, 0x5b],
    [0x00, 0x8b, 0x9a],
    [0x5d, 0x40, 0x37],
];

/// A panel: where its curves are, and the range of its axis.
struct Panel {
    left: f64,
    width: f64,
    low: f64,
    high: f64,
    epochs: usize,
}

/// A name and its values, one an epoch.
struct Curve<'n> {
    name: &'n str,
    colour: Colour,
    values: Vec<f64>,
}

impl Panel {
    fn x(&self, epoch: usize) -> f64 {
        let steps = (self.epochs.max(2) - 1) as f64;
        self.left + self.width * (epoch - 1) as f64 / steps
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - share.clamp(0.0, 1.0))
    }

    fn draw(
        &self,
        sheet: &mut Sheet,
        title: &str,
        curves: &[Curve<'_>],
        show: impl Fn(f64) -> String,
    ) {
        let (right, floor) = (self.left + self.width, HEIGHT - BOTTOM);
        sheet.text((self.left, 18.0), Anchor::Start, title, BLACK);
        for line in 0..=5 {
            let value = self.low + (self.high - self.low) * f64::from(line) / 5.0;
            let y = self.y(value);
            sheet.line(vec![(self.left, y), (right, y)], 1.0, PALE);
            sheet.text((self.left - 6.0, y + 4.0), Anchor::End, show(value), GREY);
        }
        let marks = self.epochs.clamp(1, 8);
        let mut epochs: Vec<usize> = (0..marks)
            .map(|mark| 1 + mark * (self.epochs.max(1) - 1) / (marks.max(2) - 1))
            .collect();
        epochs.dedup();
        for epoch in epochs {
            sheet.text(
                (self.x(epoch), floor + 16.0),
                Anchor::Middle,
                epoch.to_string(),
                GREY,
            );
        }
        sheet.text((right, floor + 32.0), Anchor::End, "epoch", GREY);
        for curve in curves {
            let points = curve.values.iter().enumerate();
            let points: Vec<(f64, f64)> = points
                .map(|(at, value)| (self.x(at + 1), self.y(*value)))
                .collect();
            if points.len() <= 60 {
                for &point in &points {
                    sheet.line(vec![point, point], 5.0, curve.colour);
                }
            }
            sheet.line(points, 2.0, curve.colour);
        }
    }
}

/// What runs are drawn from.
#[derive(Clone, Debug)]
pub struct Ran {
    /// A name for the legend.
    pub name: String,
    /// What it is judged by: the [`Measure`]'s name.
    pub measure: &'static str,
    /// Its epochs.
    pub epochs: Vec<Epoch>,
}

/// The drawing of one network's epochs, judged by the measure of that name.
pub fn chart(name: &str, epochs: &[Epoch], measure: &str) -> Sheet {
    let mut sheet = Sheet::new(WIDTH, HEIGHT);
    let (loss, accuracy) = panels(&[epochs], is_share(measure));
    let curve = |name, colour, of: fn(&Epoch) -> f64| Curve {
        name,
        colour,
        values: epochs.iter().map(of).collect(),
    };
    let of_loss = [curve("training", COLOURS[0], |epoch| epoch.loss)];
    loss.draw(&mut sheet, &format!("{name}: loss"), &of_loss, |value| {
        format!("{value:.2}")
    });
    let mut both = vec![curve("test", COLOURS[1], |epoch| epoch.test)];
    let seen: Option<Vec<f64>> = epochs.iter().map(|epoch| epoch.train).collect();
    if let Some(values) = seen {
        let (name, colour) = ("training", COLOURS[0]);
        both.insert(
            0,
            Curve {
                name,
                colour,
                values,
            },
        );
    }
    accuracy.draw(&mut sheet, &spoken(measure), &both, shown(measure));
    let right = accuracy.left + accuracy.width;
    for (index, curve) in both.iter().enumerate() {
        let x = right - 80.0 * (both.len() - index) as f64 + 10.0;
        named(&mut sheet, (x, 18.0), curve);
    }
    sheet
}

/// Runs over one another: the loss of their training samples, and what they are judged by on their test samples.
///
/// # Errors
/// Runs that are judged by different measures.
pub fn overlaid(runs: &[Ran]) -> Result<Sheet, TrainError> {
    let measure = runs
        .first()
        .map_or(Measure::Accuracy.name(), |ran| ran.measure);
    if let Some(other) = runs.iter().find(|ran| ran.measure != measure) {
        let message = format!(
            "`{}` is judged by {} and `{}` by {}: they have no scale in common",
            runs[0].name,
            spoken(measure),
            other.name,
            spoken(other.measure)
        );
        return Err(TrainError::Recipe(message));
    }
    let mut sheet = Sheet::new(WIDTH, HEIGHT + LEGEND * runs.len() as f64 + 8.0);
    let all: Vec<&[Epoch]> = runs.iter().map(|ran| ran.epochs.as_slice()).collect();
    let (loss, accuracy) = panels(&all, is_share(measure));
    let curves = |of: fn(&Epoch) -> f64| -> Vec<Curve<'_>> {
        let curves = runs.iter().enumerate().map(|(index, run)| Curve {
            name: &run.name,
            colour: COLOURS[index % COLOURS.len()],
            values: run.epochs.iter().map(of).collect(),
        });
        curves.collect()
    };
    let of_loss = curves(|epoch| epoch.loss);
    loss.draw(&mut sheet, "training loss", &of_loss, |value| {
        format!("{value:.2}")
    });
    accuracy.draw(
        &mut sheet,
        &format!("test {}", spoken(measure)),
        &curves(|epoch| epoch.test),
        shown(measure),
    );
    for (index, curve) in of_loss.iter().enumerate() {
        let y = HEIGHT + 4.0 + LEGEND * index as f64;
        named(&mut sheet, (LEFT, y), curve);
        if let Some(last) = runs[index].epochs.last() {
            let text = format!(
                "{} epochs, loss {:.4}, test {}",
                last.number,
                last.loss,
                match is_share(measure) {
                    true => format!("{:.2} %", 100.0 * last.test),
                    false => format!("{:.4}", last.test),
                }
            );
            sheet.text((accuracy.left, y), Anchor::Start, text, GREY);
        }
    }
    Ok(sheet)
}

fn named(sheet: &mut Sheet, (x, y): (f64, f64), curve: &Curve<'_>) {
    let dot = (x, y - 4.0);
    sheet.line(vec![dot, dot], 8.0, curve.colour);
    sheet.text((x + 8.0, y), Anchor::Start, curve.name, BLACK);
}

fn is_share(measure: &str) -> bool {
    measure != Measure::MeanError.name()
}

fn spoken(measure: &str) -> String {
    measure.replace('_', " ")
}

/// How a scale shows a number of the measure.
fn shown(measure: &str) -> fn(f64) -> String {
    match is_share(measure) {
        true => |value| format!("{:.0} %", 100.0 * value),
        false => |value| format!("{value:.2}"),
    }
}

/// The panels of the loss and of the measure that all of these have room in.
fn panels(runs: &[&[Epoch]], share: bool) -> (Panel, Panel) {
    let all = || runs.iter().flat_map(|epochs| epochs.iter());
    let width = (WIDTH - LEFT - GAP - 16.0) / 2.0;
    let epochs = runs.iter().map(|epochs| epochs.len()).max().unwrap_or(0);
    let most = all().map(|epoch| epoch.loss).fold(0.0, f64::max);
    let loss = Panel {
        left: LEFT,
        width,
        low: 0.0,
        high: round_up(most),
        epochs,
    };
    let both = || all().flat_map(|epoch| epoch.train.into_iter().chain([epoch.test]));
    let least = both().fold(1.0, f64::min);
    let low = if !share {
        0.0
    } else if least > 0.9 {
        0.9
    } else if least > 0.5 {
        0.5
    } else {
        0.0
    };
    let accuracy = Panel {
        left: LEFT + width + GAP,
        low,
        high: match share {
            true => 1.0,
            false => round_up(both().fold(0.0, f64::max)),
        },
        ..loss
    };
    (loss, accuracy)
}

/// The next of 1, 2, 5, 10, 20 … tenths.
fn round_up(most: f64) -> f64 {
    let mut step = 0.1;
    loop {
        for factor in [1.0, 2.0, 5.0] {
            if most <= step * factor {
                return step * factor;
            }
        }
        if step > 1e12 {
            return most;
        }
        step *= 10.0;
    }
}
