//! A small picture on which figures are drawn with soft edges.

use super::random::Random;
use cnnc::rt::image::Picture;

/// Pixels of a side.
pub const SIDE: usize = 64;

/// Parts of a pixel's side that are looked at one by one.
const PARTS: usize = 4;

/// A point or a direction, in pixels: x and y.
pub type Point = [f64; 2];

/// Red, green, blue, each from 0 to 255.
pub type Colour = [f64; 3];

/// The pixels.
pub struct Canvas {
    pixels: Vec<Colour>,
}

/// The distance of a point from a line between two.
pub fn distance([x, y]: Point, [from, to]: [Point; 2]) -> f64 {
    let along = [to[0] - from[0], to[1] - from[1]];
    let length = along[0] * along[0] + along[1] * along[1];
    let to_it = [x - from[0], y - from[1]];
    let share = (to_it[0] * along[0] + to_it[1] * along[1]) / length.max(1e-9);
    let share = share.clamp(0.0, 1.0);
    let off = [to_it[0] - share * along[0], to_it[1] - share * along[1]];
    (off[0] * off[0] + off[1] * off[1]).sqrt()
}

impl Canvas {
    /// A dim one that fades from one colour to another, with a grain, and strokes and specks on it.
    pub fn cluttered(random: &mut Random) -> Canvas {
        let [one, other] = [(); 2].map(|()| random.colour(20.0, 120.0));
        let [right, down] = random.direction();
        let middle = SIDE as f64 / 2.0;
        let mut pixels = Vec::with_capacity(SIDE * SIDE);
        for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
            let along = (x as f64 - middle) * right + (y as f64 - middle) * down;
            let share = 0.5 + along / (3.0 * middle);
            let colour = |channel: usize| {
                let even = one[channel] + (other[channel] - one[channel]) * share;
                even + random.between(-12.0, 12.0)
            };
            pixels.push([0, 1, 2].map(colour));
        }
        let mut canvas = Canvas { pixels };
        let side = SIDE as f64;
        for _ in 0..4 + random.below(6) {
            let from = [(); 2].map(|()| random.between(-5.0, side + 5.0));
            let direction = random.direction();
            let length = random.between(6.0, 40.0);
            let to = [0, 1].map(|axis| from[axis] + length * direction[axis]);
            let (half, colour) = (random.between(0.4, 1.2), random.colour(0.0, 190.0));
            canvas.stroke(&[from, to], half, colour);
        }
        for _ in 0..4 + random.below(8) {
            let at = [(); 2].map(|()| random.between(0.0, side));
            let (radius, colour) = (random.between(0.8, 2.2), random.colour(0.0, 190.0));
            canvas.disc(at, radius, colour);
        }
        canvas
    }

    /// The mean colour of the pixels.
    pub fn mean(&self) -> Colour {
        let sum = |channel: usize| self.pixels.iter().map(|pixel| pixel[channel]).sum::<f64>();
        [0, 1, 2].map(|channel| sum(channel) / self.pixels.len() as f64)
    }

    /// Covers what is inside by a colour, between two corners.
    pub fn fill(&mut self, [from, to]: [Point; 2], colour: Colour, inside: impl Fn(Point) -> bool) {
        let range = |axis: usize| {
            let end = |edge: f64| edge.clamp(0.0, SIDE as f64) as usize;
            end(from[axis] - 1.0)..end(to[axis] + 2.0)
        };
        for (y, x) in range(1).flat_map(|y| range(0).map(move |x| (y, x))) {
            let part = |at: usize, of: usize| at as f64 + (of as f64 + 0.5) / PARTS as f64;
            let parts = (0..PARTS).flat_map(|j| (0..PARTS).map(move |i| (i, j)));
            let covered = parts.filter(|&(i, j)| inside([part(x, i), part(y, j)]));
            let share = covered.count() as f64 / (PARTS * PARTS) as f64;
            for (old, new) in self.pixels[y * SIDE + x].iter_mut().zip(colour) {
                *old += (new - *old) * share;
            }
        }
    }

    /// Draws a disc.
    pub fn disc(&mut self, [x, y]: Point, radius: f64, colour: Colour) {
        let corners = [[x - radius, y - radius], [x + radius, y + radius]];
        self.fill(corners, colour, |at| {
            let [right, down] = [at[0] - x, at[1] - y];
            right * right + down * down <= radius * radius
        });
    }

    /// Draws lines from point to point, of half a width.
    pub fn stroke(&mut self, points: &[Point], half: f64, colour: Colour) {
        let edge = |axis: usize, pick: fn(f64, f64) -> f64, start: f64| {
            let of_axis = points.iter().map(|point| point[axis]);
            of_axis.fold(start, pick)
        };
        let corner = |pick: fn(f64, f64) -> f64, start: f64, off: f64| {
            [0, 1].map(|axis| edge(axis, pick, start) + off)
        };
        let corners = [
            corner(f64::min, f64::INFINITY, -half),
            corner(f64::max, f64::NEG_INFINITY, half),
        ];
        self.fill(corners, colour, |at| {
            let mut lines = points.windows(2);
            lines.any(|line| distance(at, [line[0], line[1]]) <= half)
        });
    }

    /// Fills between corners that go round.
    pub fn polygon(&mut self, points: &[Point], colour: Colour) {
        let [left, top] =
            [0, 1].map(|axis| points.iter().map(|p| p[axis]).fold(f64::INFINITY, f64::min));
        let [right, bottom] = [0, 1].map(|axis| points.iter().map(|p| p[axis]).fold(0.0, f64::max));
        self.fill([[left, top], [right, bottom]], colour, |[x, y]| {
            let sides = points.iter().zip(points.iter().cycle().skip(1));
            let mut cross =
                sides.map(|(a, b)| (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]));
            cross.all(|cross| cross >= 0.0)
        });
    }

    /// The picture, with a grain of so much either way over everything.
    pub fn picture(&self, random: &mut Random, grain: f64) -> Picture {
        let mut rgb = Vec::with_capacity(3 * self.pixels.len());
        for value in self.pixels.iter().flatten() {
            let value = value + random.between(-grain, grain);
            rgb.push(value.clamp(0.0, 255.0) as u8);
        }
        Picture::from_rgb(SIDE, SIDE, rgb).expect("as many pixels")
    }
}
