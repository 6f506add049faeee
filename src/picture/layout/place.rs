//! Where vertices stand in their rank: Brandes and Köpf 2001, "Fast and Simple Horizontal Coordinate Assignment".
//!
//! Vertices are chained to a median neighbour above or below, so that arrows become straight, and the chains are
//! pushed together; four times, from each corner, and what is drawn is the mean of the two middle answers. The bends of an arrow are
//! always one straight chain. Unlike the paper, a vertex that has the choice is chained to a box rather than to a
//! bend: the main path of a residual goes straight on, and its shortcut goes around.

use super::Layered;
use std::collections::HashSet;

/// Distance between boxes, between a box and an arrow, between arrows.
const BOX_BOX: f64 = 26.0;
const BOX_BEND: f64 = 20.0;
const BEND_BEND: f64 = 16.0;

/// Centres of all vertices.
pub fn place(layered: &Layered) -> Vec<f64> {
    let conflicts = conflicts(layered);
    let mut answers = Vec::new();
    for down in [true, false] {
        for left in [true, false] {
            answers.push((left, corner(layered, &conflicts, down, left)));
        }
    }
    balance(layered, answers)
}

/// Arrows that cross an arrow between bends: those do not become straight.
fn conflicts(layered: &Layered) -> HashSet<(usize, usize)> {
    let mut conflicts = HashSet::new();
    let mut position = vec![0; layered.vertices.len()];
    for vertices in &layered.ranks {
        for (at, &vertex) in vertices.iter().enumerate() {
            position[vertex] = at;
        }
    }
    for pair in layered.ranks.windows(2) {
        let (upper, lower) = (&pair[0], &pair[1]);
        let mut from = 0;
        let mut scanned = 0;
        for (at, &vertex) in lower.iter().enumerate() {
            let inner = inner_above(layered, vertex);
            if inner.is_none() && at + 1 < lower.len() {
                continue;
            }
            let to = inner.map_or(upper.len(), |above| position[above]);
            for &scan in &lower[scanned..=at] {
                for &above in &layered.vertices[scan].above {
                    let inner = layered.vertices[above].bend && layered.vertices[scan].bend;
                    if !inner && (position[above] < from || position[above] > to) {
                        conflicts.insert((above, scan));
                    }
                }
            }
            scanned = at + 1;
            from = to;
        }
    }
    conflicts
}

/// The bend above a bend.
fn inner_above(layered: &Layered, vertex: usize) -> Option<usize> {
    let vertex = &layered.vertices[vertex];
    let mut above = vertex.above.iter().copied();
    above.find(|&above| vertex.bend && layered.vertices[above].bend)
}

/// One of the four answers.
fn corner(
    layered: &Layered,
    conflicts: &HashSet<(usize, usize)>,
    down: bool,
    left: bool,
) -> Vec<f64> {
    let mut ranks = layered.ranks.clone();
    if !down {
        ranks.reverse();
    }
    if !left {
        ranks.iter_mut().for_each(|rank| rank.reverse());
    }
    let root = chains(layered, &ranks, conflicts, down);
    let mut xs = compact(layered, &ranks, &root);
    if !left {
        xs.iter_mut().for_each(|x| *x = -*x);
    }
    xs
}

/// The first vertex of the chain that each vertex is in.
fn chains(
    layered: &Layered,
    ranks: &[Vec<usize>],
    conflicts: &HashSet<(usize, usize)>,
    down: bool,
) -> Vec<usize> {
    let count = layered.vertices.len();
    let mut root: Vec<usize> = (0..count).collect();
    let mut taken = vec![false; count];
    let mut position = vec![0; count];
    for rank in ranks {
        for (at, &vertex) in rank.iter().enumerate() {
            position[vertex] = at;
        }
    }
    for rank in ranks {
        // Positions before this one in the rank beside are behind a chain already.
        let mut free = 0;
        for &vertex in rank {
            let info = &layered.vertices[vertex];
            let mut beside = if down {
                info.above.clone()
            } else {
                info.below.clone()
            };
            beside.sort_by_key(|&v| position[v]);
            for other in medians(layered, &beside) {
                // A box that has a box to go on with leaves the bends beside it.
                let box_beside = &layered.vertices[other];
                let facing = if down {
                    &box_beside.below
                } else {
                    &box_beside.above
                };
                if info.bend
                    && !box_beside.bend
                    && facing.iter().any(|&v| !layered.vertices[v].bend)
                {
                    continue;
                }
                let pair = if down {
                    (other, vertex)
                } else {
                    (vertex, other)
                };
                if position[other] >= free && !taken[other] && !conflicts.contains(&pair) {
                    taken[other] = true;
                    root[vertex] = root[other];
                    free = position[other] + 1;
                    break;
                }
            }
        }
    }
    root
}

/// The one or two neighbours in the middle; of two the box, if only one is a box.
fn medians(layered: &Layered, beside: &[usize]) -> Vec<usize> {
    let middle = match beside.len() {
        0 => return Vec::new(),
        count if count % 2 == 1 => vec![beside[count / 2]],
        count => vec![beside[count / 2 - 1], beside[count / 2]],
    };
    let is_box = |v: &usize| !layered.vertices[*v].bend;
    match middle.iter().filter(|v| is_box(v)).count() {
        1 => middle.into_iter().filter(is_box).collect(),
        _ => middle,
    }
}

/// Pushes the chains together, to the left, then each to the right as far as its neighbours let it.
fn compact(layered: &Layered, ranks: &[Vec<usize>], root: &[usize]) -> Vec<f64> {
    let count = layered.vertices.len();
    let mut after: Vec<Vec<(usize, f64)>> = vec![Vec::new(); count];
    let mut open = vec![0usize; count];
    for rank in ranks {
        for pair in rank.windows(2) {
            let (a, b) = (root[pair[0]], root[pair[1]]);
            after[a].push((b, distance(layered, pair[0], pair[1])));
            open[b] += 1;
        }
    }
    let mut order: Vec<usize> = (0..count)
        .filter(|&v| root[v] == v && open[v] == 0)
        .collect();
    let mut xs = vec![0.0f64; count];
    let mut at = 0;
    while at < order.len() {
        let chain = order[at];
        at += 1;
        for &(next, distance) in &after[chain] {
            xs[next] = xs[next].max(xs[chain] + distance);
            open[next] -= 1;
            if open[next] == 0 {
                order.push(next);
            }
        }
    }
    for &chain in order.iter().rev() {
        let room = after[chain]
            .iter()
            .map(|&(next, distance)| xs[next] - distance);
        let room = room.fold(f64::INFINITY, f64::min);
        if room.is_finite() {
            xs[chain] = xs[chain].max(room);
        }
    }
    (0..count).map(|vertex| xs[root[vertex]]).collect()
}

/// How far apart the centres of neighbours must be.
pub(super) fn distance(layered: &Layered, a: usize, b: usize) -> f64 {
    let (a, b) = (&layered.vertices[a], &layered.vertices[b]);
    let gap = match (a.bend, b.bend) {
        (false, false) => BOX_BOX,
        (true, true) => BEND_BEND,
        _ => BOX_BEND,
    };
    (a.width + b.width) / 2.0 + gap
}

/// The mean of the two middle ones of the four answers, after each has been set against the narrowest.
fn balance(layered: &Layered, mut answers: Vec<(bool, Vec<f64>)>) -> Vec<f64> {
    let ends = |xs: &[f64]| {
        let sides = xs.iter().zip(&layered.vertices);
        sides.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (x, v)| {
            (low.min(x - v.width / 2.0), high.max(x + v.width / 2.0))
        })
    };
    let spans: Vec<(f64, f64)> = answers.iter().map(|(_, xs)| ends(xs)).collect();
    let narrowest = spans
        .iter()
        .copied()
        .min_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0)))
        .unwrap_or((0.0, 0.0));
    for ((left, xs), span) in answers.iter_mut().zip(&spans) {
        let shift = match left {
            true => narrowest.0 - span.0,
            false => narrowest.1 - span.1,
        };
        xs.iter_mut().for_each(|x| *x += shift);
    }
    (0..layered.vertices.len())
        .map(|vertex| {
            let mut four: Vec<f64> = answers.iter().map(|(_, xs)| xs[vertex]).collect();
            four.sort_by(f64::total_cmp);
            (four[1] + four[2]) / 2.0
        })
        .collect()
}
