//! Layered layout of a graph whose arrows all go down (Sugiyama, Tagawa and Toda 1981).
//!
//! ```text
//! rank 0        [a]            1. ranks: as far down as the longest way there
//!              /   \           2. arrows over several ranks get a bend in each rank between
//! rank 1     [b]    ·          3. order in the ranks: few crossings       (`order`)
//!             |     |          4. where things stand in their rank        (`place`)
//! rank 2     [c]    ·          5. heights of ranks
//!              \   /
//! rank 3        [d]
//! ```
//!
//! Nothing here knows what the boxes are.

mod order;
mod place;

/// What is to be laid out. Nodes are numbered so that arrows go from lower to higher numbers.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Width and height of each node.
    pub sizes: Vec<(f64, f64)>,
    /// From which node to which.
    pub edges: Vec<(usize, usize)>,
    /// Nodes that stand in the last rank.
    pub last: Vec<usize>,
}

/// Where everything stands.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Horizontal centre and top of each node.
    pub nodes: Vec<(f64, f64)>,
    /// Rank of each node.
    pub ranks: Vec<usize>,
    /// Top and bottom of each rank.
    pub bands: Vec<(f64, f64)>,
    /// Of each edge, where it crosses each of the ranks between its ends.
    pub bends: Vec<Vec<f64>>,
    /// Width of it all.
    pub width: f64,
    /// Height of it all.
    pub height: f64,
}

/// Distance between ranks.
pub const GAP: f64 = 34.0;
/// Most vertices, bends included, that are laid out.
pub const MAX_VERTICES: usize = 60_000;

/// A node, or the bend of an edge, in the layered graph.
#[derive(Clone, Debug, Default)]
struct Vertex {
    width: f64,
    bend: bool,
    above: Vec<usize>,
    below: Vec<usize>,
}

/// The layered graph: every arrow goes from one rank to the next.
#[derive(Clone, Debug, Default)]
struct Layered {
    vertices: Vec<Vertex>,
    /// The vertices of each rank, from left to right.
    ranks: Vec<Vec<usize>>,
}

/// The rank of each node: as far down as the longest way there.
pub fn ranks(plan: &Plan) -> Vec<usize> {
    let mut ranks = vec![0; plan.sizes.len()];
    let mut edges = plan.edges.clone();
    // By the end that is read, so that its rank is final before it is used.
    edges.sort_unstable();
    for (from, to) in edges {
        debug_assert!(from < to, "arrows go down");
        ranks[to] = ranks[to].max(ranks[from] + 1);
    }
    let deepest = ranks.iter().copied().max().unwrap_or(0);
    for &node in &plan.last {
        ranks[node] = deepest;
    }
    ranks
}

/// Lays the graph out, unless it is too large.
pub fn layout(plan: &Plan) -> Option<Layout> {
    let ranks = ranks(plan);
    let bends: usize = plan
        .edges
        .iter()
        .map(|&(from, to)| ranks[to] - ranks[from] - 1)
        .sum();
    if plan.sizes.len() + bends > MAX_VERTICES {
        return None;
    }
    let (mut layered, paths) = layered(plan, &ranks);
    order::order(&mut layered);
    let xs = place::place(&layered);
    let mut result = Layout {
        ranks,
        ..Layout::default()
    };
    // The left edge is zero.
    let left = xs
        .iter()
        .zip(&layered.vertices)
        .map(|(x, v)| x - v.width / 2.0);
    let left = left.fold(f64::INFINITY, f64::min);
    let left = if left.is_finite() { left } else { 0.0 };
    let right = xs
        .iter()
        .zip(&layered.vertices)
        .map(|(x, v)| x + v.width / 2.0);
    result.width = right.fold(left, f64::max) - left;
    let mut heights = vec![0.0f64; layered.ranks.len()];
    for (node, &(_, height)) in plan.sizes.iter().enumerate() {
        let rank = result.ranks[node];
        heights[rank] = heights[rank].max(height);
    }
    let mut top = 0.0;
    for (rank, height) in heights.iter().enumerate() {
        result.bands.push((top, top + height));
        top += height + gap(&layered, rank, &xs);
    }
    result.height = result.bands.last().map_or(0.0, |band| band.1);
    for (node, &(_, height)) in plan.sizes.iter().enumerate() {
        let (top, bottom) = result.bands[result.ranks[node]];
        let slack = bottom - top - height;
        result.nodes.push((xs[node] - left, top + slack / 2.0));
    }
    result.bends = paths
        .iter()
        .map(|path| path.iter().map(|&vertex| xs[vertex] - left).collect())
        .collect();
    Some(result)
}

/// Arrows that go far to the side get more height to do so.
fn gap(layered: &Layered, rank: usize, xs: &[f64]) -> f64 {
    let vertices = layered.ranks[rank].iter();
    let far = vertices.flat_map(|&v| layered.vertices[v].below.iter().map(move |&w| (v, w)));
    let far = far.map(|(v, w)| (xs[v] - xs[w]).abs()).fold(0.0, f64::max);
    GAP + (far / 10.0).min(26.0)
}

/// Nodes first, then the bends; also the bends of each edge.
fn layered(plan: &Plan, ranks: &[usize]) -> (Layered, Vec<Vec<usize>>) {
    let mut layered = Layered::default();
    let count = ranks.iter().max().map_or(0, |last| last + 1);
    layered.ranks = vec![Vec::new(); count];
    for (node, &(width, _)) in plan.sizes.iter().enumerate() {
        layered.vertices.push(Vertex {
            width,
            ..Vertex::default()
        });
        layered.ranks[ranks[node]].push(node);
    }
    let mut paths = Vec::new();
    for &(from, to) in &plan.edges {
        let mut path = Vec::new();
        let mut before = from;
        for rank in &mut layered.ranks[ranks[from] + 1..ranks[to]] {
            let vertex = layered.vertices.len();
            rank.push(vertex);
            layered.vertices.push(Vertex {
                bend: true,
                ..Vertex::default()
            });
            layered.vertices[before].below.push(vertex);
            layered.vertices[vertex].above.push(before);
            path.push(vertex);
            before = vertex;
        }
        layered.vertices[before].below.push(to);
        layered.vertices[to].above.push(before);
        paths.push(path);
    }
    (layered, paths)
}

#[cfg(test)]
mod tests;
