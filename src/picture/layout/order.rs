//! The order within ranks: sweeps over the ranks put each vertex where its neighbours are, and the order with the
//! fewest crossings wins (Sugiyama's barycentres). Where that leaves a choice, the order of the spec stands.

use super::Layered;

/// Number of sweeps down and up.
const SWEEPS: usize = 12;

/// Orders the ranks.
pub fn order(layered: &mut Layered) {
    first(layered);
    let mut best = layered.ranks.clone();
    let mut fewest = crossings(layered);
    for sweep in 0..SWEEPS {
        if fewest == 0 {
            break;
        }
        match sweep % 2 {
            0 => (1..layered.ranks.len()).for_each(|rank| settle(layered, rank, true)),
            _ => {
                let count = layered.ranks.len();
                (0..count.saturating_sub(1))
                    .rev()
                    .for_each(|rank| settle(layered, rank, false));
            }
        }
        let now = crossings(layered);
        if now < fewest {
            fewest = now;
            best.clone_from(&layered.ranks);
        }
    }
    layered.ranks = best;
}

/// As a walk along the arrows, first arrow first, comes upon them.
fn first(layered: &mut Layered) {
    let mut seen = vec![false; layered.vertices.len()];
    let mut ranks = vec![Vec::new(); layered.ranks.len()];
    let mut rank_of = vec![0; layered.vertices.len()];
    for (rank, vertices) in layered.ranks.iter().enumerate() {
        for &vertex in vertices {
            rank_of[vertex] = rank;
        }
    }
    let starts: Vec<usize> = layered.ranks.iter().flatten().copied().collect();
    for start in starts {
        let mut stack = vec![start];
        while let Some(vertex) = stack.pop() {
            if std::mem::replace(&mut seen[vertex], true) {
                continue;
            }
            ranks[rank_of[vertex]].push(vertex);
            stack.extend(layered.vertices[vertex].below.iter().rev());
        }
    }
    layered.ranks = ranks;
}

/// Sorts one rank by where the neighbours above (or below) stand on average.
fn settle(layered: &mut Layered, rank: usize, down: bool) {
    let beside = if down { rank - 1 } else { rank + 1 };
    let positions = positions(layered, beside);
    let mut keyed: Vec<(f64, usize)> = Vec::new();
    for (at, &vertex) in layered.ranks[rank].iter().enumerate() {
        let vertex_ref = &layered.vertices[vertex];
        let neighbours = if down {
            &vertex_ref.above
        } else {
            &vertex_ref.below
        };
        let sum: f64 = neighbours.iter().map(|v| positions[*v] as f64).sum();
        // One without neighbours stays about where it is.
        let key = match neighbours.len() {
            0 => at as f64,
            count => sum / count as f64,
        };
        keyed.push((key, vertex));
    }
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    layered.ranks[rank] = keyed.into_iter().map(|(_, vertex)| vertex).collect();
}

/// Positions of the vertices of one rank; of all others zero.
fn positions(layered: &Layered, rank: usize) -> Vec<usize> {
    let mut positions = vec![0; layered.vertices.len()];
    for (at, &vertex) in layered.ranks[rank].iter().enumerate() {
        positions[vertex] = at;
    }
    positions
}

/// How many pairs of arrows cross.
pub(super) fn crossings(layered: &Layered) -> usize {
    let mut count = 0;
    let mut position = vec![0; layered.vertices.len()];
    for vertices in &layered.ranks {
        for (at, &vertex) in vertices.iter().enumerate() {
            position[vertex] = at;
        }
    }
    for (rank, vertices) in layered.ranks.iter().enumerate() {
        let Some(next) = layered.ranks.get(rank + 1) else {
            break;
        };
        // Inversions among the lower ends, in the order of the upper ones: a Fenwick tree counts them.
        let mut tree = vec![0usize; next.len() + 1];
        let mut seen = 0;
        for &vertex in vertices {
            let mut ends: Vec<usize> = layered.vertices[vertex]
                .below
                .iter()
                .map(|&v| position[v])
                .collect();
            ends.sort_unstable();
            for &end in &ends {
                let mut not_right = 0;
                let mut at = end + 1;
                while at > 0 {
                    not_right += tree[at];
                    at &= at - 1;
                }
                count += seen - not_right;
            }
            for &end in &ends {
                seen += 1;
                let mut at = end + 1;
                while at < tree.len() {
                    tree[at] += 1;
                    at += at & at.wrapping_neg();
                }
            }
        }
    }
    count
}
