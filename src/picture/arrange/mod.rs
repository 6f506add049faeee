//! From a diagram to places: sizes of boxes, frames within frames, columns side by side.

mod columns;
mod horseshoe;
pub(super) mod labels;

use super::diagram::{Diagram, Edge, Item, Kind};
use super::layout::{self, Plan};
use super::text::width;
use cnnc_compiler::id::ValueId;
use std::collections::HashMap;

/// Font sizes.
pub const TITLE: f64 = 12.0;
/// What a box does.
pub const LINE: f64 = 11.0;
/// What it costs.
pub const COST: f64 = 9.0;
/// Shapes beside arrows.
pub const SHAPE: f64 = 9.5;

/// From one line to the next.
pub const TITLE_STEP: f64 = 15.0;
/// From one line to the next.
pub const LINE_STEP: f64 = 14.0;
/// From one line to the next.
pub const COST_STEP: f64 = 12.5;

/// Between the text of a box and its outline.
pub const PAD: f64 = 9.0;
/// How far each of the two shadows of a repeated box sticks out.
pub const SHADOW: f64 = 4.0;
/// Between what is in a frame and its outline.
const FRAME: f64 = 16.0;

/// A box in its place.
#[derive(Clone, Debug)]
pub struct Placed<'d> {
    /// The box.
    pub item: &'d Item,
    /// Which one it is: indices of items, from the outside in.
    pub path: Vec<usize>,
    /// Left, top, width, height of its outline.
    pub rect: [f64; 4],
}

impl Placed<'_> {
    /// How far its shadows stick out below.
    pub fn shadow(&self) -> f64 {
        shadow(self.item)
    }
}

/// Room for the shadows of a box that stands for several.
fn shadow(item: &Item) -> f64 {
    match item.times {
        1 => 0.0,
        _ => 2.0 * SHADOW,
    }
}

/// A step of an arrow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Straight to there.
    Line(f64, f64),
    /// From vertical to vertical, in an S.
    Curve(f64, f64),
    /// From horizontal to horizontal, in an S.
    Across(f64, f64),
    /// Straight to there, with a rounded corner at it.
    Corner(f64, f64),
}

impl Step {
    /// Where it ends.
    pub fn end(self) -> (f64, f64) {
        match self {
            Step::Line(x, y) | Step::Curve(x, y) | Step::Across(x, y) | Step::Corner(x, y) => {
                (x, y)
            }
        }
    }
    /// The step, its end changed.
    fn map(self, change: impl Fn(f64, f64) -> (f64, f64)) -> Step {
        let (x, y) = self.end();
        let (x, y) = change(x, y);
        match self {
            Step::Line(..) => Step::Line(x, y),
            Step::Curve(..) => Step::Curve(x, y),
            Step::Across(..) => Step::Across(x, y),
            Step::Corner(..) => Step::Corner(x, y),
        }
    }
}

/// An arrow in its place.
#[derive(Clone, Debug)]
pub struct Arrow {
    /// The box it begins at.
    pub from: Vec<usize>,
    /// The box it ends at.
    #[cfg_attr(not(test), allow(dead_code))]
    pub to: Vec<usize>,
    /// Where it begins.
    pub start: (f64, f64),
    /// Its way.
    pub steps: Vec<Step>,
    /// Whether it has a head: it does not where it goes through a frame.
    pub head: bool,
}

/// A shape beside an arrow.
#[derive(Clone, Debug)]
pub struct Label {
    /// Where the arrow begins that it stands beside.
    pub foot: (f64, f64),
    /// Where the arrow goes from there: 1 down, -1 up; with 0 the text stays where it is.
    pub way: f64,
    /// Where its baseline begins, or ends.
    pub at: (f64, f64),
    /// Whether it ends there.
    pub left: bool,
    /// What it says.
    pub text: String,
}

/// Everything in its place.
#[derive(Clone, Debug, Default)]
pub struct Scene<'d> {
    /// Boxes, frames before what is in them.
    pub boxes: Vec<Placed<'d>>,
    /// Arrows.
    pub arrows: Vec<Arrow>,
    /// Shapes.
    pub labels: Vec<Label>,
    /// Size of it all.
    pub width: f64,
    /// Size of it all.
    pub height: f64,
}

impl<'d> Scene<'d> {
    fn add(&mut self, other: Scene<'d>, dx: f64, dy: f64) {
        for mut placed in other.boxes {
            placed.rect[0] += dx;
            placed.rect[1] += dy;
            self.boxes.push(placed);
        }
        for mut arrow in other.arrows {
            arrow.start = (arrow.start.0 + dx, arrow.start.1 + dy);
            arrow
                .steps
                .iter_mut()
                .for_each(|step| *step = step.map(|x, y| (x + dx, y + dy)));
            self.arrows.push(arrow);
        }
        for mut label in other.labels {
            label.foot = (label.foot.0 + dx, label.foot.1 + dy);
            label.at = (label.at.0 + dx, label.at.1 + dy);
            self.labels.push(label);
        }
    }
}

/// Width and height of a box's outline.
fn extent(item: &Item) -> (f64, f64) {
    let mut widest = width(&item.title, TITLE, true);
    for line in &item.lines {
        widest = widest.max(width(line, LINE, false));
    }
    for line in &item.cost {
        widest = widest.max(width(line, COST, false));
    }
    let rows = header(item);
    match item.kind {
        Kind::Gate => (0.0, 0.0),
        Kind::Port => (widest + 2.0 * PAD + 8.0, rows + 10.0),
        _ => ((widest + 2.0 * PAD).max(86.0), rows + 2.0 * PAD - 4.0),
    }
}

/// Height of a box's text.
pub fn header(item: &Item) -> f64 {
    let title = if item.title.is_empty() {
        0.0
    } else {
        TITLE_STEP
    };
    title + item.lines.len() as f64 * LINE_STEP + item.cost.len() as f64 * COST_STEP
}

/// A box, and where arrows meet it.
struct Sized<'d> {
    /// Outline.
    size: (f64, f64),
    /// From the left of the outline to where it is lined up with the others.
    anchor: f64,
    /// Tensors that come in and go out: how far from the left.
    enters: Vec<f64>,
    leaves: Vec<f64>,
    inner: Option<Scene<'d>>,
    /// Room on the right and below for shadows.
    shadow: f64,
}

/// A diagram that has been laid out.
struct Level<'d> {
    scene: Scene<'d>,
    /// Where the gates stand.
    gates: HashMap<usize, f64>,
    /// Where arrows begin and end: of each box, the ways in and out.
    ends: Vec<[(f64, f64); 2]>,
}

/// Lays a diagram out in as many columns as suit a screen; nothing if it is too large.
pub fn arrange(diagram: &Diagram) -> Option<Scene<'_>> {
    let all: Vec<usize> = (0..diagram.items.len()).collect();
    let whole = level(diagram, &all, &[])?;
    let mut best = whole.scene;
    let mut least = stretch(&best);
    let ranks = layout::ranks(&columns::plan(diagram));
    for count in 2..=6 {
        if least <= 1.0 {
            break;
        }
        let Some(scene) = columns::columns(diagram, &ranks, count) else {
            break;
        };
        // A column more has to be worth it.
        let price = 1.0 + 0.05 * (count as f64 - 1.0);
        if stretch(&scene) * price < least {
            least = stretch(&scene) * price;
            best = scene;
        }
    }
    // Tall still, because arrows run along all of it.
    if least > 1.8
        && let Some(scene) = horseshoe::horseshoe(diagram, &ranks)
        && stretch(&scene) < 0.75 * least
    {
        best = scene;
    }
    labels::place(&mut best);
    Some(best)
}

/// How far a scene is from the shape of a page: with 1 it needs no more columns.
fn stretch(scene: &Scene<'_>) -> f64 {
    (scene.height / 640.0).max(scene.width / 1200.0)
}

/// How far a scene is from fitting a screen: 1 fits.
pub fn strain(scene: &Scene<'_>) -> f64 {
    (scene.height / 860.0).max(scene.width / 1400.0)
}

/// Lays some of the items out, with the arrows between them.
fn level<'d>(diagram: &'d Diagram, items: &[usize], path: &[usize]) -> Option<Level<'d>> {
    let index: HashMap<usize, usize> = items
        .iter()
        .enumerate()
        .map(|(at, &item)| (item, at))
        .collect();
    let mut sized = Vec::new();
    for &item in items {
        sized.push(size(&diagram.items[item], &[path, &[item]].concat())?);
    }
    let edges: Vec<_> = diagram
        .edges
        .iter()
        .filter(|edge| index.contains_key(&edge.from) && index.contains_key(&edge.to))
        .collect();
    let mut plan = Plan::default();
    for (at, sized) in sized.iter().enumerate() {
        let mut half = sized.anchor.max(sized.size.0 + sized.shadow - sized.anchor);
        // Room for the shape beside the arrow that leaves.
        for edge in edges.iter().filter(|edge| index[&edge.from] == at) {
            if !matches!(diagram.items[edge.from].kind, Kind::Gate) {
                half = half.max(width(&edge.shape, SHAPE, false) + 8.0);
            }
        }
        plan.sizes.push((2.0 * half, sized.size.1 + sized.shadow));
    }
    plan.edges = edges
        .iter()
        .map(|edge| (index[&edge.from], index[&edge.to]))
        .collect();
    plan.last = diagram
        .leaves
        .iter()
        .filter_map(|(_, gate)| index.get(gate).copied())
        .collect();
    let layout = layout::layout(&plan)?;
    let mut level = Level {
        scene: Scene {
            width: layout.width,
            height: layout.height,
            ..Scene::default()
        },
        gates: HashMap::new(),
        ends: Vec::new(),
    };
    // Where tensors meet each box: from the left for frames, in the middle for all others.
    let mut ways: Vec<[Vec<f64>; 2]> = Vec::new();
    for (at, (&item, sized)) in items.iter().zip(sized).enumerate() {
        let (centre, top) = layout.nodes[at];
        let left = centre - sized.anchor;
        let bottom = top + sized.size.1 + sized.shadow;
        let moved = |xs: &[f64]| xs.iter().map(|x| x + left).collect::<Vec<_>>();
        let (enters, leaves) = (moved(&sized.enters), moved(&sized.leaves));
        let middle = |xs: &[f64]| xs.first().copied().unwrap_or(centre);
        level
            .ends
            .push([(middle(&enters), top), (middle(&leaves), bottom)]);
        ways.push([enters, leaves]);
        match diagram.items[item].kind {
            Kind::Gate => {
                level.gates.insert(item, centre);
            }
            _ => level.scene.boxes.push(Placed {
                item: &diagram.items[item],
                path: [path, &[item]].concat(),
                rect: [left, top, sized.size.0, sized.size.1],
            }),
        }
        if let Some(inner) = sized.inner {
            level.scene.add(inner, left, top);
        }
    }
    for (bends, edge) in layout.bends.iter().zip(&edges) {
        let (from, to) = (index[&edge.from], index[&edge.to]);
        let way = |item: usize, at: usize, out: usize| {
            let gates = match &diagram.items[item].kind {
                Kind::Frame(inner) if out == 1 => &inner.leaves,
                Kind::Frame(inner) => &inner.enters,
                _ => return layout.nodes[at].0,
            };
            let gate = gates.iter().position(|(value, _)| *value == edge.value);
            gate.map_or(layout.nodes[at].0, |gate| ways[at][out][gate])
        };
        let (start, end) = (way(edge.from, from, 1), way(edge.to, to, 0));
        let mut steps = vec![Step::Line(start, layout.bands[layout.ranks[from]].1)];
        for (bend, rank) in bends.iter().zip(layout.ranks[from] + 1..) {
            let (top, bottom) = layout.bands[rank];
            steps.push(Step::Curve(*bend, top));
            steps.push(Step::Line(*bend, bottom));
        }
        steps.push(Step::Curve(end, layout.bands[layout.ranks[to]].0));
        steps.push(Step::Line(end, layout.nodes[to].1));
        level.scene.arrows.push(Arrow {
            from: [path, &[edge.from]].concat(),
            to: [path, &[edge.to]].concat(),
            start: (start, level.ends[from][1].1),
            steps,
            head: !matches!(diagram.items[edge.to].kind, Kind::Frame(_) | Kind::Gate),
        });
    }
    level.label(diagram, &edges, path);
    Some(level)
}

impl Level<'_> {
    /// Writes the shape of each tensor once, where it leaves its box.
    fn label(&mut self, diagram: &Diagram, edges: &[&Edge], path: &[usize]) {
        let mut done: Vec<(usize, ValueId)> = Vec::new();
        for edge in edges {
            let gate = |item: usize| matches!(diagram.items[item].kind, Kind::Gate);
            let outside = edges
                .iter()
                .filter(|other| other.from == edge.from && other.value == edge.value)
                .all(|other| gate(other.to));
            // Outside the frame it is written too.
            if gate(edge.from) || outside || done.contains(&(edge.from, edge.value)) {
                continue;
            }
            done.push((edge.from, edge.value));
            let own: Vec<&Arrow> = self
                .scene
                .arrows
                .iter()
                .filter(|arrow| {
                    arrow.from.len() == path.len() + 1 && arrow.from.last() == Some(&edge.from)
                })
                .collect();
            let Some(first) = own.first() else {
                continue;
            };
            let (x, y) = first.start;
            let turns = |sign: f64| {
                own.iter().any(|arrow| {
                    let first = arrow.steps.iter().map(|step| step.end().0 - x);
                    first
                        .into_iter()
                        .find(|dx| dx.abs() > 1.0)
                        .is_some_and(|dx| dx * sign > 0.0)
                })
            };
            let left = turns(1.0) && !turns(-1.0);
            self.scene.labels.push(Label {
                foot: (x, y),
                way: 1.0,
                at: (if left { x - 6.0 } else { x + 6.0 }, y + 13.0),
                left,
                text: edge.shape.clone(),
            });
        }
    }
}

/// The size of a box; of a frame, after laying out what is in it.
fn size<'d>(item: &'d Item, path: &[usize]) -> Option<Sized<'d>> {
    let (width, height) = extent(item);
    let shadow = shadow(item);
    let Kind::Frame(diagram) = &item.kind else {
        return Some(Sized {
            size: (width, height),
            anchor: width / 2.0,
            enters: Vec::new(),
            leaves: Vec::new(),
            inner: None,
            shadow,
        });
    };
    let items: Vec<usize> = (0..diagram.items.len()).collect();
    let level = level(diagram, &items, path)?;
    let top = header(item) + 8.0;
    let mut outer = (level.scene.width + 2.0 * FRAME).max(width);
    let mut left = (outer - level.scene.width) / 2.0;
    // Its text stands to the left of the arrows that come in.
    let gates = diagram
        .enters
        .iter()
        .map(|(_, gate)| level.gates[gate] + left);
    let lacking = width - gates.fold(f64::INFINITY, f64::min);
    if lacking.is_finite() && lacking > 0.0 {
        outer += lacking;
        left += lacking;
    }
    let size = (outer, level.scene.height + top);
    let at = |list: &[(ValueId, usize)]| -> Vec<f64> {
        list.iter()
            .map(|(_, gate)| level.gates[gate] + left)
            .collect()
    };
    let (enters, leaves) = (at(&diagram.enters), at(&diagram.leaves));
    let mut inner = Scene::default();
    inner.add(level.scene, left, top);
    // From the frame's outline to the gates, which stand below its text.
    for arrow in &mut inner.arrows {
        let from_gate = arrow.from.len() == path.len() + 1
            && arrow
                .from
                .last()
                .is_some_and(|&item| matches!(diagram.items[item].kind, Kind::Gate));
        if from_gate {
            let (x, y) = arrow.start;
            arrow.start = (x, 0.0);
            arrow.steps.insert(0, Step::Line(x, y));
        }
    }
    Some(Sized {
        size,
        anchor: enters.first().copied().unwrap_or(outer / 2.0),
        enters,
        leaves,
        inner: Some(inner),
        shadow,
    })
}
