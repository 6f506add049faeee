//! A drawing as pixels.

use super::drawing::{Anchor, Drawing, Mark, Piece, Point, Words};
use super::family::PAPER;
use super::svg::LINE;
use super::text::width;
use cnnc_runtime::answer::{Canvas, Colour};
use cnnc_runtime::image::{MAX_PIXELS, MAX_SIDE, Picture};

/// Straight pieces of a curve.
const PIECES: u32 = 24;

/// The picture, so many pixels for one of the drawing; fewer where that would be too large.
pub fn pixels(drawing: &Drawing, scale: f64) -> Option<Picture> {
    let fits = |scale: f64| {
        let (width, height) = (drawing.width * scale, drawing.height * scale);
        width.max(height) <= MAX_SIDE as f64 && width * height <= MAX_PIXELS as f64 / 2.0
    };
    let scale = [scale, 1.0].into_iter().find(|&scale| fits(scale))?;
    let [columns, rows] = [drawing.width, drawing.height].map(|side| (side * scale) as usize);
    let mut canvas = Canvas::blank(columns, rows, colour(PAPER))?;
    for mark in &drawing.marks {
        match mark {
            Mark::Rectangle {
                rect,
                round,
                fill,
                stroke,
                line,
            } => {
                let rect = rect.map(|value| (value * scale) as f32);
                let [round, line] = [round, line].map(|value| (value * scale) as f32);
                canvas.rounded(rect, round, (colour(fill), colour(stroke)), line);
            }
            Mark::Path {
                start,
                pieces,
                colour: name,
                filled,
            } => {
                let points = points(*start, pieces);
                let points = points
                    .iter()
                    .map(|(x, y)| ((x * scale) as f32, (y * scale) as f32));
                let points: Vec<(f32, f32)> = points.collect();
                match (filled, points.as_slice()) {
                    (true, &[a, b, c, ..]) => canvas.triangle([a, b, c], colour(name)),
                    _ => canvas.polyline(&points, (LINE * scale) as f32, colour(name)),
                }
            }
            Mark::Text(words) => text(&mut canvas, words, scale),
            // Pixels have no names.
            Mark::Named(_) => {}
        }
    }
    Picture::from_rgb(columns, rows, canvas.into_rgb())
}

/// Text about as wide as the layout takes it to be, in the one font that there is.
fn text(canvas: &mut Canvas, words: &Words, scale: f64) {
    // What the font lacks.
    let text = words.text.replace('…', "...").replace('–', "-");
    let letters = text.chars().count();
    if letters == 0 {
        return;
    }
    let room = width(&words.text, words.size, words.bold) * scale;
    // Letters of one size are alike, but where a line would not fit its box.
    let usual = if words.bold { 0.6 } else { 0.53 } * words.size * scale;
    let cell = usual.min(1.08 * room / letters as f64);
    let wide = cell * letters as f64;
    let (x, y) = (words.at.0 * scale, words.at.1 * scale);
    let left = match words.anchor {
        Anchor::Start => x,
        Anchor::Middle => x - wide / 2.0,
        Anchor::End => x - wide,
    };
    if let Some((halo, line)) = words.halo {
        let (line, high) = (line * scale / 2.0, 0.75 * words.size * scale);
        let rect = [
            left - line,
            y - high - line,
            wide + 2.0 * line,
            high + 2.0 * line,
        ];
        let halo = colour(halo);
        canvas.rounded(
            rect.map(|value| value as f32),
            line as f32,
            (halo, halo),
            0.0,
        );
    }
    canvas.letters(
        (left as f32, y as f32),
        cell as f32,
        &text,
        colour(words.colour),
    );
}

/// Places along a path.
fn points(start: Point, pieces: &[Piece]) -> Vec<Point> {
    let mut points = vec![start];
    for piece in pieces {
        let from = points[points.len() - 1];
        let controls = match *piece {
            Piece::Line(end) => {
                points.push(end);
                continue;
            }
            // A quadratic curve as a cubic one.
            Piece::Quadratic(a, end) => {
                let third =
                    |p: Point| (p.0 + (a.0 - p.0) * 2.0 / 3.0, p.1 + (a.1 - p.1) * 2.0 / 3.0);
                [from, third(from), third(end), end]
            }
            Piece::Cubic(a, b, end) => [from, a, b, end],
        };
        for step in 1..=PIECES {
            let t = f64::from(step) / f64::from(PIECES);
            let u = 1.0 - t;
            let weights = [u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t];
            let mix = |of: fn(&Point) -> f64| -> f64 {
                controls.iter().zip(weights).map(|(p, w)| of(p) * w).sum()
            };
            points.push((mix(|p| p.0), mix(|p| p.1)));
        }
    }
    points
}

/// `#rrggbb`
fn colour(name: &str) -> Colour {
    let value = u32::from_str_radix(name.trim_start_matches('#'), 16).unwrap_or(0);
    [16, 8, 0].map(|shift| (value >> shift) as u8)
}

#[cfg(test)]
mod tests {
    use super::super::View;
    use super::*;

    #[test]
    fn it_is_the_picture_of_the_svg() {
        let text =
            "cnn 1; model M { input x: 3x16x16; c: conv 3x3 8 relu; globalavgpool  dense 10 }";
        let picture = crate::compile_str("m", text)
            .unwrap()
            .picture(View::Auto)
            .unwrap();
        let (once, twice) = (
            picture.to_pixels(1.0).unwrap(),
            picture.to_pixels(2.0).unwrap(),
        );
        assert_eq!(twice.width(), 2 * once.width());
        let svg = picture.to_svg();
        let size = format!("width=\"{}\" height=\"{}\"", once.width(), once.height());
        assert!(svg.contains(&size), "{size}");
        // Every box has its colour where it stands.
        let mut boxes = 0;
        for line in svg.lines().filter(|line| line.starts_with("<rect x=")) {
            let number = |name: &str| -> f64 {
                let (_, rest) = line.split_once(&format!(" {name}=\"")).unwrap();
                rest.split('"').next().unwrap().parse().unwrap()
            };
            let (_, fill) = line.split_once("fill=\"").unwrap();
            let (x, y) = (number("x") + 4.0, number("y") + number("height") / 2.0);
            let (x, y) = ((2.0 * x) as usize, (2.0 * y) as usize);
            let pixel = &twice.rgb()[3 * (y * twice.width() + x)..][..3];
            assert_eq!(pixel, colour(&fill[..7]), "{line}");
            boxes += 1;
        }
        assert!(boxes > 5, "{boxes}");
    }

    #[test]
    fn what_is_too_large_is_drawn_smaller_or_not() {
        let drawing = |width: f64| Drawing {
            name: String::new(),
            width,
            height: 1000.0,
            marks: Vec::new(),
        };
        assert_eq!(pixels(&drawing(100.0), 2.0).unwrap().width(), 200);
        assert_eq!(pixels(&drawing(40_000.0), 2.0).unwrap().width(), 40_000);
        assert!(pixels(&drawing(80_000.0), 2.0).is_none());
    }
}
