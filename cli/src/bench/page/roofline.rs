//! The roofline: what arithmetic and memory allow, and where each layer is below that. After S. Williams, A. Waterman and D. Patterson, "Roofline: an
//! insightful visual performance model for multicore architectures", 2009.

use super::{KEY, Outcome, class, escaped};
use crate::print;
use cnnc::bench::Row;
use cnnc::compiler::words;

/// What a machine can do on so many threads.
pub struct Roof {
    pub threads: usize,
    /// Multiply-adds, two operations each, in 10⁹ a second.
    pub gflops: f64,
    /// What is read from memory, in 10⁹ bytes a second.
    pub gbs: f64,
}

impl Roof {
    /// Whether both were measured.
    fn is_known(&self) -> bool {
        self.gflops > 0.0 && self.gbs > 0.0
    }
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 470.0;
/// Where the axes are: left, right, top, bottom.
const FRAME: [f64; 4] = [64.0, 940.0, 24.0, 420.0];

/// A point: a layer with multiply-adds.
struct Point<'a> {
    row: &'a Row,
    /// Operations for each byte.
    intensity: f64,
}

/// The scales, both logarithmic.
struct Scale {
    x: [f64; 2],
    y: [f64; 2],
}

impl Scale {
    /// From the first power of two below what there is to the first above.
    fn new(points: &[Point<'_>], roofs: &[Roof]) -> Scale {
        let ends = |values: &mut dyn Iterator<Item = f64>| {
            let values = values.filter(|value| value.is_finite() && *value > 0.0);
            let ends = values.fold([f64::INFINITY, 0.0f64], |[least, most], value| {
                [least.min(value), most.max(value)]
            });
            match ends[1] > 0.0 {
                true => [ends[0].log2().floor(), (ends[1] * 1.1).log2().ceil()],
                false => [0.0, 1.0],
            }
        };
        let ridges = roofs.iter().map(|roof| roof.gflops / roof.gbs);
        let intensities = points.iter().map(|point| point.intensity);
        let x = ends(&mut intensities.chain(ridges));
        let tops = roofs.iter().map(|roof| roof.gflops);
        let rates = points.iter().map(|point| point.row.gflops);
        let y = ends(&mut rates.chain(tops));
        // A little of the slope is seen, whatever the layers are.
        Scale {
            x: [x[0].min(x[1] - 4.0), x[1]],
            y: [y[0].min(y[1] - 4.0), y[1]],
        }
    }

    fn at(&self, intensity: f64, gflops: f64) -> (f64, f64) {
        let [left, right, top, bottom] = FRAME;
        let part = |value: f64, [from, to]: [f64; 2]| {
            ((value.log2() - from) / (to - from)).clamp(0.0, 1.0)
        };
        let (x, y) = (part(intensity, self.x), part(gflops, self.y));
        (left + x * (right - left), bottom - y * (bottom - top))
    }
}

/// The picture, and the layers that have no multiply-adds beside it.
pub fn section(outcome: &Outcome, roofs: &[Roof]) -> String {
    let rows = &outcome.report.layers;
    let points = rows.iter().filter(|row| row.macs > 0 && row.bytes > 0);
    let points: Vec<Point<'_>> = points
        .map(|row| Point {
            row,
            intensity: 2.0 * row.macs as f64 / row.bytes as f64,
        })
        .collect();
    let threads = words::count(roofs[0].threads, "thread");
    let mut text = format!(
        "<h2>Roofline</h2>\n<p>Each circle is a layer on {threads}, as large as its share of the time: operations for each byte of operands, result and weights, and operations a second. \
         The level roof is the measured peak, the slope what memory gives; what lies in caches may be above the slope, and winograd, which does a quarter of the \
         multiplications that are counted, above the peak.</p>\n{KEY}{}",
        names(roofs)
    );
    text +=
        &format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Roofline\">\n");
    let scale = Scale::new(&points, roofs);
    text += &axes(&scale);
    // Where names of layers have no place.
    let mut taken = Vec::new();
    for (index, roof) in roofs.iter().enumerate() {
        text += &line(&scale, roof, index, &mut taken);
    }
    text += &circles(&scale, &points, &mut taken);
    text += "</svg>\n";
    text + &others(rows, roofs[0].gbs)
}

fn axes(scale: &Scale) -> String {
    let [left, right, top, bottom] = FRAME;
    let mut text = String::new();
    let number = |power: i32| match power {
        power if power >= 0 => format!("{}", 1u64 << power.min(62)),
        power => format!("1/{}", 1u64 << (-power).min(62)),
    };
    // As many powers of two as can be read.
    let step = |[from, to]: [f64; 2], most: f64| ((to - from) / most).ceil().max(1.0) as usize;
    for power in (scale.x[0] as i32..=scale.x[1] as i32).step_by(step(scale.x, 16.0)) {
        let (x, _) = scale.at(f64::from(power).exp2(), 1.0);
        text += &format!(
            "<path class=\"g\" d=\"M{x:.1} {top}V{bottom}\"/><text class=\"t\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
            bottom + 18.0,
            number(power)
        );
    }
    for power in (scale.y[0] as i32..=scale.y[1] as i32).step_by(step(scale.y, 12.0)) {
        let (_, y) = scale.at(1.0, f64::from(power).exp2());
        text += &format!(
            "<path class=\"g\" d=\"M{left} {y:.1}H{right}\"/><text class=\"t\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
            left - 8.0,
            y + 4.0,
            number(power)
        );
    }
    text += &format!(
        "<text class=\"t\" x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">operations for each byte</text><text class=\"t\" x=\"8\" y=\"15\">GFLOP/s</text>\n",
        bottom + 38.0
    );
    text
}

/// What the lines are, beside the picture, where no layer lies under it.
fn names(roofs: &[Roof]) -> String {
    let mut text = "<p class=\"key\">".to_owned();
    for (index, roof) in roofs.iter().enumerate() {
        if !roof.is_known() {
            continue;
        }
        text += &format!(
            "<b class=\"{}\"></b>{}: {:.0} GFLOP/s, {:.1} GB/s",
            class_of(index),
            words::count(roof.threads, "thread"),
            roof.gflops,
            roof.gbs
        );
    }
    text + "</p>\n"
}

/// The first roof is a line, others are dashes.
fn class_of(index: usize) -> &'static str {
    match index {
        0 => "roof",
        _ => "roof2",
    }
}

/// Left, top, right, bottom.
type Area = [f64; 4];

/// Pieces that a slope is divided into to see what it meets.
const PIECES: u32 = 32;

/// A roof.
fn line(scale: &Scale, roof: &Roof, index: usize, taken: &mut Vec<Area>) -> String {
    if !roof.is_known() {
        return String::new();
    }
    let ridge = roof.gflops / roof.gbs;
    // Where the slope enters the frame: at its left, or from below.
    let from = scale.x[0].exp2().max(scale.y[0].exp2() / roof.gbs);
    let (x0, y0) = scale.at(from, from * roof.gbs);
    let (x1, y1) = scale.at(ridge, roof.gflops);
    let (x2, _) = scale.at(scale.x[1].exp2(), roof.gflops);
    let class = class_of(index);
    taken.push([x1, y1, x2, y1]);
    for piece in 0..PIECES {
        let part = |at: u32| f64::from(at) / f64::from(PIECES);
        let at = |at: u32| (x0 + part(at) * (x1 - x0), y0 + part(at) * (y1 - y0));
        let (from, to) = (at(piece), at(piece + 1));
        taken.push([from.0, to.1, to.0, from.1]);
    }
    format!("<path class=\"{class}\" d=\"M{x0:.1} {y0:.1}L{x1:.1} {y1:.1}H{x2:.1}\"/>\n")
}

fn circles(scale: &Scale, points: &[Point<'_>], taken: &mut Vec<Area>) -> String {
    let all: f64 = points.iter().map(|point| point.row.times.median).sum();
    // The largest first: small ones stay visible, and names go to those that matter.
    let mut order: Vec<&Point<'_>> = points.iter().collect();
    order.sort_by(|a, b| b.row.times.median.total_cmp(&a.row.times.median));
    let mut text = String::new();
    let mut placed = Vec::new();
    for point in order {
        let row = point.row;
        let (x, y) = scale.at(point.intensity, row.gflops);
        let share = if all > 0.0 {
            row.times.median / all
        } else {
            0.0
        };
        let radius = (60.0 * share.sqrt()).clamp(3.5, 26.0);
        text += &format!(
            "<circle class=\"p {}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"><title>{}: {}, {} ms, {:.1} GFLOP/s, {}</title></circle>\n",
            class(row.schedule.as_deref()),
            escaped(&row.label),
            escaped(&row.layer),
            print::ms(row.times.median),
            row.gflops,
            escaped(row.schedule.as_deref().unwrap_or("")),
        );
        taken.push([x - radius, y - radius, x + radius, y + radius]);
        placed.push((row, x, y, radius));
    }
    for (row, x, y, radius) in placed {
        let wide = 6.6 * row.label.chars().count() as f64;
        // Beside the circle, above or below it.
        let places = [
            (x + radius + 4.0, y + 4.0),
            (x - radius - 4.0 - wide, y + 4.0),
            (x - wide / 2.0, y - radius - 5.0),
            (x - wide / 2.0, y + radius + 14.0),
        ];
        let area = |(x, y): (f64, f64)| [x - 1.0, y - 10.0, x + wide + 1.0, y + 3.0];
        let free = |place: &(f64, f64)| {
            let [left, top, right, bottom] = area(*place);
            let inside =
                left > FRAME[0] && right < WIDTH - 4.0 && top > FRAME[2] && bottom < FRAME[3];
            let meets = |of: &Area| left < of[2] && of[0] < right && top < of[3] && of[1] < bottom;
            inside && !taken.iter().any(meets)
        };
        if let Some(place) = places.into_iter().find(free) {
            taken.push(area(place));
            text += &format!(
                "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
                place.0,
                place.1,
                escaped(&row.label)
            );
        }
    }
    text
}

/// Layers without multiply-adds: what they move.
fn others(rows: &[Row], gbs: f64) -> String {
    let moved = |row: &Row| row.bytes as f64 / row.times.median / 1e6;
    let others = rows
        .iter()
        .filter(|row| row.macs == 0 && row.bytes > 0 && row.times.median > 0.0);
    let others: Vec<&Row> = others.collect();
    if others.is_empty() {
        return String::new();
    }
    let most = others.iter().map(|row| moved(row)).fold(gbs, f64::max) * 1.05;
    let [left, right, ..] = FRAME;
    let x = |gbs: f64| left + gbs / most * (right - left);
    let mut text = format!(
        "<p>Layers without multiply-adds, by what they read and write: 10⁹ bytes a second. The line is what memory gives.</p>\n<svg viewBox=\"0 0 {WIDTH} 76\" role=\"img\" aria-label=\"Bandwidth of other layers\">\n<path class=\"g\" d=\"M{left} 40H{right}\"/>\n"
    );
    text += &format!(
        "<path class=\"roof\" d=\"M{0:.1} 16V54\"/><text class=\"t\" x=\"{0:.1}\" y=\"70\" text-anchor=\"middle\">{gbs:.1}</text><text class=\"t\" x=\"{left}\" y=\"70\">0</text>\n",
        x(gbs)
    );
    if most > 1.4 * gbs {
        let end = most / 1.05;
        text += &format!(
            "<text class=\"t\" x=\"{:.1}\" y=\"70\" text-anchor=\"middle\">{end:.1}</text>\n",
            x(end)
        );
    }
    for row in others {
        text += &format!(
            "<circle class=\"p\" cx=\"{:.1}\" cy=\"40\" r=\"7\"><title>{}: {}, {} ms, {:.1} GB/s</title></circle>\n",
            x(moved(row)),
            escaped(&row.label),
            escaped(&row.layer),
            print::ms(row.times.median),
            moved(row),
        );
    }
    text + "</svg>\n"
}
