//! Columns: a long picture is cut where a single arrow goes on, and its pieces stand side by side.

use super::super::diagram::{Diagram, Kind};
use super::super::layout::{self, Plan};
use super::super::text;
use super::{Arrow, Label, SHAPE, Scene, Step, extent, level};
use std::collections::HashMap;

/// Between columns.
const GUTTER: f64 = 56.0;
/// Between a box at the end of a column and the arrow that goes to the next.
const TURN: f64 = 24.0;

/// The picture in that many columns, if it can be cut so often.
pub fn columns<'d>(diagram: &'d Diagram, ranks: &[usize], count: usize) -> Option<Scene<'d>> {
    beside(diagram, &split(diagram, ranks, count)?)
}

/// A diagram as far as ranks depend on it.
pub fn plan(diagram: &Diagram) -> Plan {
    Plan {
        sizes: vec![(0.0, 0.0); diagram.items.len()],
        edges: diagram
            .edges
            .iter()
            .map(|edge| (edge.from, edge.to))
            .collect(),
        last: diagram.leaves.iter().map(|&(_, gate)| gate).collect(),
    }
}

/// How many arrows go on below each rank.
pub fn over(diagram: &Diagram, ranks: &[usize]) -> Vec<usize> {
    let last = ranks.iter().copied().max().unwrap_or(0);
    let mut over = vec![0usize; last + 1];
    for edge in &diagram.edges {
        over[ranks[edge.from]..ranks[edge.to]]
            .iter_mut()
            .for_each(|count| *count += 1);
    }
    over
}

/// The items in that many columns of about equal height.
fn split(diagram: &Diagram, ranks: &[usize], count: usize) -> Option<Vec<Vec<usize>>> {
    let last = ranks.iter().copied().max()?;
    let over = over(diagram, ranks);
    let mut heights = vec![0.0f64; last + 1];
    for (item, &rank) in diagram.items.iter().zip(ranks) {
        let height = match &item.kind {
            // About: what is in it is not laid out yet.
            Kind::Frame(inner) => 70.0 * inner.boxes() as f64,
            _ => extent(item).1,
        };
        heights[rank] = heights[rank].max(height + layout::GAP);
    }
    // The smallest height that so many columns can have, by halving.
    let (mut low, mut high) = (0.0, heights.iter().sum::<f64>());
    let within = |limit: f64| {
        let mut ends: Vec<usize> = Vec::new();
        let mut filled = 0.0;
        let mut candidate = None;
        for rank in 0..=last {
            filled += heights[rank];
            if filled > limit {
                let cut = candidate.take()?;
                ends.push(cut);
                filled = heights[cut + 1..=rank].iter().sum();
                if filled > limit {
                    return None;
                }
            }
            if over[rank] == 1 {
                candidate = Some(rank);
            }
        }
        (ends.len() < count).then_some(ends)
    };
    for _ in 0..24 {
        let middle = (low + high) / 2.0;
        match within(middle) {
            Some(_) => high = middle,
            None => low = middle,
        }
    }
    let ends = within(high)?;
    if ends.len() + 1 != count {
        return None;
    }
    let mut columns = vec![Vec::new(); count];
    for (item, &rank) in ranks.iter().enumerate() {
        columns[ends.iter().filter(|&&end| end < rank).count()].push(item);
    }
    Some(columns)
}

/// The columns side by side, each end joined to the next beginning.
fn beside<'d>(diagram: &'d Diagram, columns: &[Vec<usize>]) -> Option<Scene<'d>> {
    let mut scene = Scene::default();
    let mut ends: HashMap<usize, [(f64, f64); 2]> = HashMap::new();
    let mut column_of = HashMap::new();
    let mut rights = Vec::new();
    let mut left = 0.0;
    for (column, items) in columns.iter().enumerate() {
        let level = level(diagram, items, &[])?;
        for (&item, [enter, leave]) in items.iter().zip(&level.ends) {
            let moved = |point: &(f64, f64)| (point.0 + left, point.1 + TURN);
            ends.insert(item, [moved(enter), moved(leave)]);
            column_of.insert(item, column);
        }
        // Shapes beside arrows that leave the column stand in it, too.
        let mut width = level.scene.width;
        for edge in diagram
            .edges
            .iter()
            .filter(|edge| items.contains(&edge.from))
        {
            if !items.contains(&edge.to) {
                let from = ends[&edge.from][1].0 - left;
                width = width.max(from + 8.0 + text::width(&edge.shape, SHAPE, false));
            }
        }
        rights.push(left + width);
        let height = level.scene.height;
        scene.add(level.scene, left, TURN);
        scene.height = scene.height.max(height + 2.0 * TURN);
        scene.width = left + width;
        left += width + GUTTER;
    }
    for edge in &diagram.edges {
        let (a, b) = (column_of[&edge.from], column_of[&edge.to]);
        if a == b {
            continue;
        }
        let ((x0, y0), (x1, y1)) = (ends[&edge.from][1], ends[&edge.to][0]);
        let gutter = rights[a] + GUTTER / 2.0;
        scene.arrows.push(Arrow {
            from: vec![edge.from],
            to: vec![edge.to],
            start: (x0, y0),
            steps: vec![
                Step::Corner(x0, y0 + TURN - 4.0),
                Step::Corner(gutter, y0 + TURN - 4.0),
                Step::Corner(gutter, y1 - TURN + 4.0),
                Step::Corner(x1, y1 - TURN + 4.0),
                Step::Line(x1, y1),
            ],
            head: !matches!(diagram.items[edge.to].kind, Kind::Frame(_)),
        });
        scene.labels.push(Label {
            foot: (x0, y0),
            way: 0.0,
            at: (x0 + 6.0, y0 + 12.0),
            left: false,
            text: edge.shape.clone(),
        });
    }
    Some(scene)
}
