//! U-shaped pictures: the first half goes down, the second half up beside it, and skip connections go straight across.
//!
//! ```text
//! [e1] ──────────▶ [d1]
//!   │                ▲
//! [e2] ──────────▶ [d2]
//!   │                ▲
//!   └────────────────┘
//! ```

use super::super::diagram::{Diagram, Kind};
use super::columns::over;
use super::{Arrow, Label, Scene, Step, level};
use std::collections::HashMap;

/// Between the halves: room for the shapes beside the arrows.
const GUTTER: f64 = 120.0;
/// Between the lowest boxes and the arrow that joins them.
const TURN: f64 = 24.0;
/// Most arrows across.
const MOST: usize = 8;

/// The picture, if it can be drawn so: a cut with one arrow that goes on and others that skip, none of them through a box.
pub fn horseshoe<'d>(diagram: &'d Diagram, ranks: &[usize]) -> Option<Scene<'d>> {
    let over = over(diagram, ranks);
    let last = over.len() - 1;
    let fits = |rank: &usize| {
        let ends = |at: usize| ranks.iter().filter(|&&rank| rank == at).count() == 1;
        (2..=MOST).contains(&over[*rank]) && ends(*rank) && ends(*rank + 1)
    };
    // As near to the middle as may be.
    let cut = (0..last)
        .filter(fits)
        .min_by_key(|rank| (2 * rank + 1).abs_diff(last))?;
    let (left, right): (Vec<usize>, Vec<usize>) =
        (0..diagram.items.len()).partition(|&item| ranks[item] <= cut);
    let down = level(diagram, &left, &[])?;
    let up = level(diagram, &right, &[])?;
    let height = down.scene.height.max(up.scene.height);
    let mut scene = Scene {
        width: down.scene.width + GUTTER + up.scene.width,
        height: height + TURN,
        ..Scene::default()
    };
    let (lowered, shifted) = (height - down.scene.height, down.scene.width + GUTTER);
    let mut waist: HashMap<usize, (f64, f64)> = HashMap::new();
    for (&item, ends) in left.iter().zip(&down.ends) {
        waist.insert(item, (ends[1].0, ends[1].1 + lowered));
    }
    for (&item, ends) in right.iter().zip(&up.ends) {
        waist.insert(item, (ends[0].0 + shifted, height - ends[0].1));
    }
    scene.add(down.scene, 0.0, lowered);
    scene.add(mirrored(up.scene, height), shifted, 0.0);
    let crossing = diagram
        .edges
        .iter()
        .filter(|edge| ranks[edge.from] <= cut && ranks[edge.to] > cut);
    for edge in crossing {
        let (from, to) = (vec![edge.from], vec![edge.to]);
        let head = !matches!(diagram.items[edge.to].kind, Kind::Frame(_));
        let (start, steps, at) = if ranks[edge.from] == cut && ranks[edge.to] == cut + 1 {
            let ((x0, y0), (x1, y1)) = (waist[&edge.from], waist[&edge.to]);
            let low = y0.max(y1) + TURN - 4.0;
            let steps = vec![
                Step::Corner(x0, low),
                Step::Corner(x1, low),
                Step::Line(x1, y1),
            ];
            ((x0, y0), steps, (x0 + 6.0, y0 + 13.0))
        } else {
            let find = |path: &[usize]| scene.boxes.iter().find(|placed| placed.path == path);
            let (a, b) = (find(&from)?, find(&to)?);
            if [a, b]
                .iter()
                .any(|placed| matches!(placed.item.kind, Kind::Frame(_)))
            {
                return None;
            }
            let (x0, y0) = (a.rect[0] + a.rect[2], a.rect[1] + a.rect[3] / 2.0);
            let (x1, y1) = (b.rect[0], b.rect[1] + b.rect[3] / 2.0);
            // Straight on its own half, so only boxes at its height can be in the way.
            let blocked = scene.boxes.iter().any(|placed| {
                let [x, y, w, h] = placed.rect;
                let beside = |at: f64| y < at && at < y + h;
                (beside(y0) && x > x0 && x < shifted - GUTTER)
                    || (beside(y1) && x + w < x1 && x > shifted - GUTTER)
            });
            if blocked {
                return None;
            }
            let steps = vec![
                Step::Line(shifted - GUTTER + 8.0, y0),
                Step::Across(shifted - 12.0, y1),
                Step::Line(x1, y1),
            ];
            ((x0, y0), steps, (x0 + 6.0, y0 - 5.0))
        };
        scene.labels.push(Label {
            foot: start,
            way: 0.0,
            at,
            left: false,
            text: edge.shape.clone(),
        });
        scene.arrows.push(Arrow {
            from,
            to,
            start,
            steps,
            head,
        });
    }
    Some(scene)
}

/// The scene with its last rank at the top; boxes and text stay upright.
fn mirrored(mut scene: Scene<'_>, height: f64) -> Scene<'_> {
    for placed in &mut scene.boxes {
        placed.rect[1] = height - placed.rect[1] - placed.rect[3] - placed.shadow();
    }
    for arrow in &mut scene.arrows {
        arrow.start.1 = height - arrow.start.1;
        for step in &mut arrow.steps {
            *step = step.map(|x, y| (x, height - y));
        }
    }
    for label in &mut scene.labels {
        // From below the box to above it.
        label.at.1 = height - label.at.1 + 7.0;
        label.foot.1 = height - label.foot.1;
        label.way = -label.way;
    }
    scene
}
