//! A figure like a face, with five points.

use super::canvas::{Canvas, Point, SIDE};
use super::random::Random;
use cnnc::rt::image::Picture;

/// Makes the numbers of these pictures others than those of another kind.
const KIND: u64 = 2;

/// The points in their order: left and right as they are seen in the picture of an upright face.
pub const NAMES: [&str; 5] = [
    "left eye",
    "right eye",
    "nose",
    "left of mouth",
    "right of mouth",
];

/// Lines that a mouth is drawn of.
const PIECES: usize = 8;

/// A frame: where its origin is, the direction of its x axis, and pixels of its unit.
struct Frame {
    origin: Point,
    right: Point,
    unit: [f64; 2],
}

impl Frame {
    /// A point of it in the picture.
    fn at(&self, [x, y]: Point) -> Point {
        let [x, y] = [x * self.unit[0], y * self.unit[1]];
        let [cos, sin] = self.right;
        [
            self.origin[0] + cos * x - sin * y,
            self.origin[1] + sin * x + cos * y,
        ]
    }

    /// A point of the picture in it.
    fn of(&self, [x, y]: Point) -> Point {
        let [x, y] = [x - self.origin[0], y - self.origin[1]];
        let [cos, sin] = self.right;
        [
            (cos * x + sin * y) / self.unit[0],
            (cos * y - sin * x) / self.unit[1],
        ]
    }
}

/// A picture of a seed, and where its points are, in pixels.
pub fn picture(seed: u64, number: usize) -> (Picture, [Point; 5]) {
    let random = &mut Random::new(seed, KIND, number);
    let mut canvas = Canvas::cluttered(random);
    let half = random.between(13.0, 20.0);
    let unit = [half, half * random.between(1.15, 1.4)];
    let room = |extent: f64| 0.9 * extent..SIDE as f64 - 0.9 * extent;
    let origin = [0, 1].map(|axis| {
        let room = room(unit[axis]);
        random.between(room.start, room.end)
    });
    let right = random.tilt(0.5);
    let frame = Frame {
        origin,
        right,
        unit,
    };
    // The skin is bright or dark, and what is on it the other way round.
    let skin = random.colour(95.0, 235.0);
    let dark = skin.map(|value| value * random.between(0.2, 0.5));
    oval(&mut canvas, &frame, [0.0; 2], [1.0; 2], skin);
    // A face that looks aside or down has its features there.
    let turned = [random.between(-0.22, 0.22), random.between(-0.12, 0.12)];
    let (apart, high) = (random.between(0.33, 0.46), random.between(0.2, 0.35));
    let (wide, low) = (random.between(0.22, 0.42), random.between(0.42, 0.58));
    let on = |x: f64, y: f64| [x + turned[0], y + turned[1]];
    let eyes = [on(-apart, -high), on(apart, -high)];
    let nose = [
        1.35 * turned[0],
        random.between(0.02, 0.16) + 1.2 * turned[1],
    ];
    let mouth = [on(-wide, low), on(wide, low)];
    let open = random.between(0.08, 0.14);
    for eye in eyes {
        oval(&mut canvas, &frame, eye, [open + 0.07, open], [245.0; 3]);
        let at = frame.at(eye);
        canvas.disc(at, 0.85 * open * unit[0], [random.between(5.0, 60.0); 3]);
    }
    let above = frame.at([0.6 * nose[0] + 0.4 * turned[0], nose[1] - 0.3]);
    let tip = frame.at(nose);
    canvas.stroke(&[above, tip], 0.05 * unit[0], dark);
    canvas.disc(tip, 0.1 * unit[0], dark);
    // A mouth goes up or down in its middle.
    let bend = random.between(-0.12, 0.2);
    let curve: Vec<Point> = (0..=PIECES)
        .map(|piece| {
            let share = piece as f64 / PIECES as f64;
            let along = |axis: usize| mouth[0][axis] + (mouth[1][axis] - mouth[0][axis]) * share;
            frame.at([along(0), along(1) + 4.0 * bend * share * (1.0 - share)])
        })
        .collect();
    let lips = [
        random.between(110.0, 200.0),
        random.between(10.0, 70.0),
        random.between(20.0, 80.0),
    ];
    canvas.stroke(&curve, random.between(0.055, 0.09) * unit[0], lips);
    let points = [eyes[0], eyes[1], nose, mouth[0], mouth[1]];
    (
        canvas.picture(random, 8.0),
        points.map(|point| frame.at(point)),
    )
}

fn oval(canvas: &mut Canvas, frame: &Frame, at: Point, radii: [f64; 2], colour: [f64; 3]) {
    let most = frame.unit[0].max(frame.unit[1]) * radii[0].max(radii[1]);
    let [x, y] = frame.at(at);
    let corners = [[x - most, y - most], [x + most, y + most]];
    canvas.fill(corners, colour, |point| {
        let of = frame.of(point);
        let share = |axis: usize| (of[axis] - at[axis]) / radii[axis];
        share(0) * share(0) + share(1) * share(1) <= 1.0
    });
}
