//! Panels: axes, and curves between them.

use super::{BLACK, BOTTOM, GREY, HEIGHT, PALE, TOP};
use crate::train::sheet::{Anchor, Sheet};
use cnnc_runtime::answer::Colour;

/// An axis from left to right.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// Its unit.
    pub name: &'static str,
    low: f64,
    high: f64,
    /// Numbers that it shows.
    marks: Vec<usize>,
    /// Whether equal distances are equal factors.
    logarithmic: bool,
}

impl Axis {
    /// Epochs, from the first to the last.
    pub fn epochs(last: usize) -> Axis {
        let last = last.max(1);
        let shown = last.min(8);
        let mut marks: Vec<usize> = (0..shown)
            .map(|mark| 1 + mark * (last - 1) / (shown.max(2) - 1))
            .collect();
        marks.dedup();
        Axis {
            name: "epoch",
            low: 1.0,
            high: last.max(2) as f64,
            marks,
            logarithmic: false,
        }
    }

    /// Counts of pictures, each at least 1, as factors of one another.
    pub fn pictures(counts: &[usize]) -> Axis {
        let mut marks = counts.to_vec();
        marks.sort_unstable();
        let (low, high) = match (marks.first(), marks.last()) {
            (Some(&low), Some(&high)) if low < high => (low as f64, high as f64),
            (Some(&only), _) => (only as f64 * 0.5, only as f64 * 2.0),
            _ => (1.0, 10.0),
        };
        // What would stand closer than a tenth of the axis to its neighbour is left out.
        let least = (high / low).powf(0.1);
        let mut last = 0.0;
        marks.retain(|&mark| {
            let shown = mark as f64 >= last * least;
            if shown {
                last = mark as f64;
            }
            shown
        });
        Axis {
            name: "pictures to learn from",
            low,
            high,
            marks,
            logarithmic: true,
        }
    }

    /// How far along it a number is, from 0 to 1.
    fn share(&self, at: f64) -> f64 {
        match self.logarithmic {
            true => (at / self.low).ln() / (self.high / self.low).ln(),
            false => (at - self.low) / (self.high - self.low),
        }
    }
}

/// A panel: where its curves are, and the range of its upright axis.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    pub left: f64,
    pub width: f64,
    pub low: f64,
    pub high: f64,
    pub axis: Axis,
}

/// A name and its points, by the two axes.
pub(super) struct Curve<'n> {
    pub name: &'n str,
    pub colour: Colour,
    pub points: Vec<(f64, f64)>,
}

impl Panel {
    fn x(&self, at: f64) -> f64 {
        self.left + self.width * self.axis.share(at)
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - share.clamp(0.0, 1.0))
    }

    pub fn draw(
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
        for &mark in &self.axis.marks {
            let at = (self.x(mark as f64), floor + 16.0);
            sheet.text(at, Anchor::Middle, mark.to_string(), GREY);
        }
        sheet.text((right, floor + 32.0), Anchor::End, self.axis.name, GREY);
        for curve in curves {
            let points = curve.points.iter();
            let points: Vec<(f64, f64)> = points
                .map(|&(at, value)| (self.x(at), self.y(value)))
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
