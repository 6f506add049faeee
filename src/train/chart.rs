//! Curves of a run as SVG: the loss, and what the network is judged by on both sets.

use super::run::Epoch;
use cnnc_compiler::loss::Measure;
use std::fmt::Write;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 52.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 40.0;
const GAP: f64 = 70.0;

/// A panel: where its curves are, and the range of its axis.
struct Panel {
    left: f64,
    width: f64,
    low: f64,
    high: f64,
    epochs: usize,
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
}

/// The drawing of a network's epochs.
pub fn chart(name: &str, epochs: &[Epoch], measure: Measure) -> String {
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">"
    );
    let _ = writeln!(
        svg,
        "<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>"
    );
    let width = (WIDTH - LEFT - GAP - 16.0) / 2.0;
    let most = epochs.iter().map(|epoch| epoch.loss).fold(0.0, f64::max);
    let high = round_up(most);
    let loss = Panel {
        left: LEFT,
        width,
        low: 0.0,
        high,
        epochs: epochs.len(),
    };
    let both = || epochs.iter().flat_map(|epoch| [epoch.train, epoch.test]);
    let least = both().fold(1.0, f64::min);
    let low = if !measure.is_share() {
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
        high: match measure.is_share() {
            true => 1.0,
            false => round_up(both().fold(0.0, f64::max)),
        },
        ..loss
    };
    let first = epochs.iter().map(|epoch| epoch.loss).collect::<Vec<_>>();
    panel(
        &mut svg,
        &loss,
        &format!("{name}: loss"),
        &[("training", "#1f6fb2", &first)],
        |value| format!("{value:.2}"),
    );
    let (seen, unseen): (Vec<f64>, Vec<f64>) =
        epochs.iter().map(|epoch| (epoch.train, epoch.test)).unzip();
    let curves: [(&str, &str, &[f64]); 2] =
        [("training", "#1f6fb2", &seen), ("test", "#c8551b", &unseen)];
    let title = measure.name().replace('_', " ");
    panel(
        &mut svg,
        &accuracy,
        &title,
        &curves,
        |value| match measure.is_share() {
            true => format!("{:.0} %", 100.0 * value),
            false => format!("{value:.2}"),
        },
    );
    svg.push_str("</svg>\n");
    svg
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

fn panel(
    svg: &mut String,
    panel: &Panel,
    title: &str,
    curves: &[(&str, &str, &[f64])],
    show: impl Fn(f64) -> String,
) {
    let (right, floor) = (panel.left + panel.width, HEIGHT - BOTTOM);
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"18\" font-weight=\"bold\">{}</text>",
        panel.left,
        escaped(title)
    );
    for line in 0..=5 {
        let value = panel.low + (panel.high - panel.low) * f64::from(line) / 5.0;
        let y = panel.y(value);
        let _ = writeln!(
            svg,
            "<path d=\"M{:.1} {y:.1}H{right:.1}\" stroke=\"#dddddd\"/>",
            panel.left
        );
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#555555\">{}</text>",
            panel.left - 6.0,
            y + 4.0,
            show(value)
        );
    }
    let marks = panel.epochs.clamp(1, 8);
    let mut epochs: Vec<usize> = (0..marks)
        .map(|mark| 1 + mark * (panel.epochs.max(1) - 1) / (marks.max(2) - 1))
        .collect();
    epochs.dedup();
    for epoch in epochs {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555555\">{epoch}</text>",
            panel.x(epoch),
            floor + 16.0
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{right:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#555555\">epoch</text>",
        floor + 32.0
    );
    for (index, (name, colour, values)) in curves.iter().enumerate() {
        let points = values.iter().enumerate();
        let points: Vec<String> = points
            .map(|(at, value)| format!("{:.1},{:.1}", panel.x(at + 1), panel.y(*value)))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            points.join(" ")
        );
        for point in &points {
            let (x, y) = point.split_once(',').expect("two coordinates");
            let _ = writeln!(
                svg,
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"2.5\" fill=\"{colour}\"/>"
            );
        }
        if curves.len() > 1 {
            let x = right - 70.0 * (curves.len() - index) as f64 + 10.0;
            let _ = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"14\" r=\"4\" fill=\"{colour}\"/><text x=\"{:.1}\" y=\"18\">{name}</text>",
                x + 8.0
            );
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
