//! Shapes beside arrows, where no arrow runs through them.

use super::{Arrow, Kind, Label, SHAPE, Scene, Step};
use crate::picture::text::width;

/// From a line to the text beside it.
const BESIDE: f64 = 6.0;
/// Base lines below the place where the arrow begins.
const DOWN: [f64; 9] = [13.0, 20.0, 9.5, 27.0, 23.5, 30.0, 32.0, 34.0, 41.0];

/// Left, top, right, bottom.
type Box4 = [f64; 4];

/// Puts every shape where least is in its way: beside the beginning of its arrow, to the right or left, or a little further along.
pub fn place(scene: &mut Scene<'_>) {
    let arrows: Vec<Vec<(f64, f64)>> = scene.arrows.iter().map(points).collect();
    let mut taken: Vec<Box4> = Vec::new();
    let boxes: Vec<Box4> = scene
        .boxes
        .iter()
        .filter(|placed| !matches!(placed.item.kind, Kind::Frame(_)))
        .map(|placed| {
            let [x, y, w, h] = placed.rect;
            // A little away, and not under the badge of a box that stands for several.
            let (shadow, badge) = match placed.shadow() {
                0.0 => (0.0, [2.0, 2.0]),
                shadow => (shadow, [12.0, 10.0]),
            };
            [
                x - 2.0,
                y - badge[1],
                x + w + shadow.max(badge[0]),
                y + h + shadow,
            ]
        })
        .collect();
    for label in &mut scene.labels {
        if label.way == 0.0 {
            taken.push(area_at(label, label.left, label.at));
            continue;
        }
        let own = if label.left { Side::Left } else { Side::Right };
        let other = if label.left { Side::Right } else { Side::Left };
        let sides = [own, other, Side::Middle];
        let places = DOWN
            .into_iter()
            .flat_map(|down| sides.map(|side| (side, down)));
        let cost = |(side, down): (Side, f64)| {
            let area = area(label, side, down);
            let within = area[0] >= 0.0 && area[2] <= scene.width && area[3] <= scene.height;
            let crossed = arrows.iter().filter(|points| crosses(points, area)).count();
            let over = boxes.iter().filter(|other| meet(area, **other)).count();
            let beside = taken.iter().filter(|other| meet(area, **other)).count();
            1000 * over + 100 * beside + 10 * crossed + 1000 * usize::from(!within)
        };
        // The first of those that cost least.
        let best = places
            .map(|place| (cost(place), place))
            .reduce(|best, other| match other.0 < best.0 {
                true => other,
                false => best,
            });
        let Some((_, (side, down))) = best else {
            continue;
        };
        taken.push(area(label, side, down));
        label.left = side == Side::Left;
        label.at = at(label, side, down);
    }
}

/// Where text stands: beside its arrow, or between two that part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
    Middle,
}

/// Where the base line begins, or ends if the text stands to the left, so far from the foot.
fn at(label: &Label, side: Side, down: f64) -> (f64, f64) {
    let (x, y) = label.foot;
    let x = match side {
        Side::Left => x - BESIDE,
        Side::Right => x + BESIDE,
        Side::Middle => x - width(&label.text, SHAPE, false) / 2.0,
    };
    // Upwards, letters stand on a line that is their height nearer.
    let y = if label.way > 0.0 {
        y + down
    } else {
        y - down + 7.0
    };
    (x, y)
}

/// What the text of a label would cover.
fn area(label: &Label, side: Side, down: f64) -> Box4 {
    area_at(label, side == Side::Left, at(label, side, down))
}

fn area_at(label: &Label, left: bool, (x, y): (f64, f64)) -> Box4 {
    let wide = width(&label.text, SHAPE, false);
    match left {
        true => [x - wide, y - 8.0, x, y + 1.0],
        false => [x, y - 8.0, x + wide, y + 1.0],
    }
}

fn meet(a: Box4, b: Box4) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

/// Whether a line through these points runs through the area, or touches it.
pub fn crosses(points: &[(f64, f64)], area: Box4) -> bool {
    let near = 1.0;
    points.iter().any(|&(x, y)| {
        area[0] - near < x && x < area[2] + near && area[1] - near < y && y < area[3] + near
    })
}

/// Places along an arrow, each a few points from the last, as it is drawn.
pub fn points(arrow: &Arrow) -> Vec<(f64, f64)> {
    let mut points = vec![arrow.start];
    for step in &arrow.steps {
        let (x0, y0) = points[points.len() - 1];
        let (x1, y1) = step.end();
        let count = ((x1 - x0).hypot(y1 - y0) / 3.0).ceil().clamp(1.0, 4000.0);
        for at in 1..=count as usize {
            let t = at as f64 / count;
            // Cubics whose control points lie halfway.
            let ease = 3.0 * t * t - 2.0 * t * t * t;
            let along = 1.5 * t - 1.5 * t * t + t * t * t;
            let (right, down) = match step {
                Step::Curve(..) => (ease, along),
                Step::Across(..) => (along, ease),
                _ => (t, t),
            };
            points.push((x0 + (x1 - x0) * right, y0 + (y1 - y0) * down));
        }
    }
    points
}
