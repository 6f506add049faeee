//! Curves of runs: the loss, and what they are judged by.

mod panel;
mod sizes;

pub use sizes::by_pictures;

use super::epoch::Epoch;
use super::error::TrainError;
use super::sheet::{Anchor, Sheet};
use cnnc_compiler::loss::Measure;
use cnnc_runtime::answer::Colour;
use panel::{Axis, Curve, Panel};

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

/// What runs are drawn from.
#[derive(Clone, Debug)]
pub struct Ran {
    /// A name for the legend.
    pub name: String,
    /// What it is judged by: the [`Measure`]'s name.
    pub measure: &'static str,
    /// Its epochs.
    pub epochs: Vec<Epoch>,
    /// How many samples it learns from; `None` of runs that do not say so.
    pub samples: Option<usize>,
}

/// The drawing of one network's epochs, judged by the measure of that name.
pub fn chart(name: &str, epochs: &[Epoch], measure: &str) -> Sheet {
    let mut sheet = Sheet::new(WIDTH, HEIGHT);
    let (loss, accuracy) = panels(&[epochs], is_share(measure));
    let curve = |name, colour, of: fn(&Epoch) -> f64| Curve {
        name,
        colour,
        points: points(epochs, of),
    };
    let of_loss = [curve("training", COLOURS[0], |epoch| epoch.loss)];
    loss.draw(&mut sheet, &format!("{name}: loss"), &of_loss, |value| {
        format!("{value:.2}")
    });
    let mut both = vec![curve("test", COLOURS[1], |epoch| epoch.test)];
    if epochs.iter().all(|epoch| epoch.train.is_some()) {
        let seen = |epoch: &Epoch| epoch.train.unwrap_or_default();
        both.insert(0, curve("training", COLOURS[0], seen));
    }
    accuracy.draw(&mut sheet, &spoken(measure), &both, shown(measure));
    let right = accuracy.left + accuracy.width;
    for (index, curve) in both.iter().enumerate() {
        let x = right - 80.0 * (both.len() - index) as f64 + 10.0;
        named(&mut sheet, (x, 18.0), curve);
    }
    sheet
}

/// The drawing of the rates of one network's epochs, each of its last step.
pub fn rates(name: &str, epochs: &[Epoch]) -> Sheet {
    let width = WIDTH / 2.0;
    let mut sheet = Sheet::new(width, HEIGHT);
    let most = epochs.iter().map(|epoch| epoch.rate).fold(0.0, f64::max);
    let left = LEFT + 12.0;
    let panel = Panel {
        left,
        width: width - left - 16.0,
        low: 0.0,
        high: if most > 0.0 { most } else { 1.0 },
        axis: Axis::epochs(epochs.len()),
    };
    let curve = Curve {
        name: "rate",
        colour: COLOURS[0],
        points: points(epochs, |epoch| epoch.rate),
    };
    let show = |rate: f64| match rate {
        rate if rate == 0.0 || rate >= 0.01 => format!("{rate:.3}"),
        rate => format!("{rate:.1e}"),
    };
    panel.draw(&mut sheet, &format!("{name}: rate"), &[curve], show);
    sheet
}

/// Runs over one another: the loss of their training samples, and what they are judged by on their test samples.
///
/// # Errors
/// Runs that are judged by different measures.
pub fn overlaid(runs: &[Ran]) -> Result<Sheet, TrainError> {
    let measure = common_measure(runs)?;
    let mut sheet = Sheet::new(WIDTH, HEIGHT + LEGEND * runs.len() as f64 + 8.0);
    let all: Vec<&[Epoch]> = runs.iter().map(|ran| ran.epochs.as_slice()).collect();
    let (loss, accuracy) = panels(&all, is_share(measure));
    let curves = |of: fn(&Epoch) -> f64| -> Vec<Curve<'_>> {
        let curves = runs.iter().enumerate().map(|(index, run)| Curve {
            name: &run.name,
            colour: COLOURS[index % COLOURS.len()],
            points: points(&run.epochs, of),
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
                told(measure, last.test)
            );
            sheet.text((accuracy.left, y), Anchor::Start, text, GREY);
        }
    }
    Ok(sheet)
}

/// What all of these are judged by.
fn common_measure(runs: &[Ran]) -> Result<&'static str, TrainError> {
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
    Ok(measure)
}

/// A value of each epoch.
fn points(epochs: &[Epoch], of: fn(&Epoch) -> f64) -> Vec<(f64, f64)> {
    let epochs = epochs.iter();
    epochs
        .map(|epoch| (epoch.number as f64, of(epoch)))
        .collect()
}

fn named(sheet: &mut Sheet, (x, y): (f64, f64), curve: &Curve<'_>) {
    let dot = (x, y - 4.0);
    sheet.line(vec![dot, dot], 8.0, curve.colour);
    sheet.text((x + 8.0, y), Anchor::Start, curve.name, BLACK);
}

/// A number of a measure, as text has it.
fn told(measure: &str, value: f64) -> String {
    match measure {
        measure if is_share(measure) => format!("{:.2} %", 100.0 * value),
        measure if measure == Measure::Points.name() => Measure::Points.show(value),
        _ => format!("{value:.4}"),
    }
}

fn is_share(measure: &str) -> bool {
    ![Measure::MeanError, Measure::Points]
        .map(Measure::name)
        .contains(&measure)
}

fn spoken(measure: &str) -> String {
    measure.replace('_', " ")
}

/// How a scale shows a number of the measure.
fn shown(measure: &str) -> fn(f64) -> String {
    match is_share(measure) {
        true => |value| format!("{:.0} %", 100.0 * value),
        false if measure == Measure::Points.name() => |value| format!("{:.1} %", 100.0 * value),
        false => |value| format!("{value:.2}"),
    }
}

/// The panels of the loss and of the measure that all of these have room in.
fn panels(runs: &[&[Epoch]], share: bool) -> (Panel, Panel) {
    let all = || runs.iter().flat_map(|epochs| epochs.iter());
    let width = (WIDTH - LEFT - GAP - 16.0) / 2.0;
    let epochs = runs.iter().map(|epochs| epochs.len()).max().unwrap_or(0);
    let axis = Axis::epochs(epochs);
    let most = all().map(|epoch| epoch.loss).fold(0.0, f64::max);
    let loss = Panel {
        left: LEFT,
        width,
        low: 0.0,
        high: round_up(most),
        axis,
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
        ..loss.clone()
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
