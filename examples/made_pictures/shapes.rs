//! One shape on clutter, or nothing.

use super::canvas::{Canvas, Point, SIDE};
use super::random::Random;
use cnnc::rt::image::Picture;

/// Makes the numbers of these pictures others than those of another kind.
const KIND: u64 = 1;

/// The cosine and the sine of an eighth of a turn.
const HALF: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// What there is: its class, and its edges in pixels.
pub struct Thing {
    /// 0 a circle, 1 a square, 2 a triangle.
    pub class: usize,
    /// Left, top, right, bottom.
    pub edges: [f64; 4],
}

impl Thing {
    /// YOLO's row: the class, the centre and the size in fractions of the picture.
    pub fn row(&self) -> String {
        let [left, top, right, bottom] = self.edges.map(|edge| edge / SIDE as f64);
        format!(
            "{} {:.6} {:.6} {:.6} {:.6}\n",
            self.class,
            (left + right) / 2.0,
            (top + bottom) / 2.0,
            right - left,
            bottom - top
        )
    }
}

/// Corners of a shape around the origin, so far from it, one of them in that direction. Each next one is turned by the angle whose cosine and sine these are.
fn corners([x, y]: Point, radius: f64, count: usize, [cos, sin]: [f64; 2]) -> Vec<Point> {
    let mut at = [x, y];
    let mut corners = Vec::new();
    for _ in 0..count {
        corners.push(at.map(|along| radius * along));
        at = [cos * at[0] - sin * at[1], sin * at[0] + cos * at[1]];
    }
    corners
}

/// A picture of a seed: a circle, a square, a triangle or nothing, each as often.
pub fn picture(seed: u64, number: usize) -> (Picture, Option<Thing>) {
    let random = &mut Random::new(seed, KIND, number);
    let mut canvas = Canvas::cluttered(random);
    let class = random.below(4);
    let thing = (class < 3).then(|| draw(&mut canvas, class, random));
    (canvas.picture(random, 8.0), thing)
}

fn draw(canvas: &mut Canvas, class: usize, random: &mut Random) -> Thing {
    let radius = random.between(8.0, 20.0);
    // It stands, nearly: a square on a side, a triangle on its base.
    let [cos, sin] = random.tilt(0.2);
    let corners = match class {
        0 => Vec::new(),
        1 => corners(
            [(cos - sin) * HALF, (sin + cos) * HALF],
            radius,
            4,
            [0.0, 1.0],
        ),
        _ => corners([sin, -cos], radius, 3, [-0.5, 0.75_f64.sqrt()]),
    };
    let least = |axis: usize| {
        corners
            .iter()
            .map(|at| at[axis])
            .fold(f64::INFINITY, f64::min)
    };
    let most = |axis: usize| {
        corners
            .iter()
            .map(|at| at[axis])
            .fold(-f64::INFINITY, f64::max)
    };
    let reach = match class {
        0 => [[-radius; 2], [radius; 2]],
        _ => [[least(0), least(1)], [most(0), most(1)]],
    };
    // All of it is in the picture.
    let centre = [0, 1].map(|axis| {
        let room = 1.0 - reach[0][axis]..SIDE as f64 - 1.0 - reach[1][axis];
        random.between(room.start, room.end)
    });
    // It is brighter than what is around it.
    let around = canvas.mean();
    let colour = loop {
        let colour = random.colour(60.0, 255.0);
        let apart = [0, 1, 2].map(|of| colour[of] - around[of]);
        if apart.iter().sum::<f64>() > 200.0 {
            break colour;
        }
    };
    match class {
        0 => canvas.disc(centre, radius, colour),
        _ => {
            let moved = corners
                .iter()
                .map(|at| [at[0] + centre[0], at[1] + centre[1]]);
            canvas.polygon(&moved.collect::<Vec<_>>(), colour);
        }
    }
    let edge = |end: usize, axis: usize| centre[axis] + reach[end][axis];
    Thing {
        class,
        edges: [edge(0, 0), edge(0, 1), edge(1, 0), edge(1, 1)],
    }
}
