//! A network, layer by layer.

use super::layer::{LayerError, layer, worse};
use crate::gradient::NoGradient;
use crate::graph::{Graph, Node};
use crate::layer::{Attributes, Layer, written};
use crate::shape::Shape;
use std::collections::HashMap;

/// A layer of a network, and how far its gradient is from differences.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its label.
    pub label: String,
    /// As a spec writes it.
    pub layer: String,
    /// Shapes of its operands in the network.
    pub operands: Vec<Shape>,
    /// Shapes that it was checked on.
    pub checked: Vec<Shape>,
    /// What was found of each operand and tensor, or why there is no gradient.
    pub found: Result<Vec<LayerError>, NoGradient>,
}

impl Row {
    /// The largest error of all; infinite without a gradient.
    pub fn error(&self) -> f64 {
        let Ok(found) = &self.found else {
            return f64::INFINITY;
        };
        let errors = found.iter().filter_map(|entry| entry.error);
        errors.fold(0.0, worse)
    }
}

/// Checks every layer of a network, and tells of each that is done. Layers that are alike in all but their names are checked once.
pub fn network(graph: &Graph, mut tell: impl FnMut(usize, usize)) -> Vec<Row> {
    type Alike = ((&'static str, Attributes), Vec<Shape>);
    let mut known: HashMap<Alike, Result<Vec<LayerError>, NoGradient>> = HashMap::new();
    let mut rows = Vec::new();
    let nodes = graph.order.len();
    for (index, (_, node)) in graph.live().enumerate() {
        tell(index, nodes);
        let operands = graph.operand_shapes(node);
        let checked = cut(&*node.layer, &operands);
        let alike = (node.layer.attributes(), checked.clone());
        let found = known.entry(alike).or_insert_with(|| {
            let names = names(graph, node);
            layer(&*node.layer, &checked, &names)
        });
        let found = found.clone().map_err(|error| NoGradient {
            label: node.label.clone(),
            ..error
        });
        rows.push(Row {
            label: node.label.clone(),
            layer: written(&*node.layer),
            operands,
            checked,
            found,
        });
    }
    tell(nodes, nodes);
    rows
}

fn names(graph: &Graph, node: &Node) -> Vec<String> {
    let params = node.params.iter();
    params.map(|&id| graph.params[id].name.clone()).collect()
}

/// Channels that large operands are cut to: those of a map, and those of a vector.
const CHANNELS: usize = 8;
const VECTOR: usize = 96;

/// Extents that the pixels of one, two and three dimensions are cut to: a least one, and what is left over by a period, which is a multiple of usual strides.
const PIXELS: [(usize, usize); 3] = [(20, 60), (6, 12), (4, 4)];

/// A smaller shape.
type Way<'w> = &'w dyn Fn(&Shape) -> Option<Shape>;

/// Operands that are no larger than they need to be, if the layer takes them.
fn cut(layer: &dyn Layer, operands: &[Shape]) -> Vec<Shape> {
    let vectors = operands.iter().all(|shape| shape.spatial().is_empty());
    // Vectors that go with maps have their channels.
    let most = if vectors { VECTOR } else { CHANNELS };
    let narrow = |shape: &Shape| shape.with_channels(shape.channels().min(most));
    let small = |shape: &Shape| {
        let (least, period) = PIXELS[shape.spatial().len().clamp(1, 3) - 1];
        let pixels = shape.spatial().iter();
        let pixels = pixels.map(|&n| n.min(least + n.saturating_sub(least) % period));
        let dims: Vec<usize> = [shape.channels()].into_iter().chain(pixels).collect();
        Shape::new(dims)
    };
    let ways: [Way; 3] = [&|shape| narrow(&small(shape)?), &small, &narrow];
    let found = ways.iter().find_map(|way| {
        let shapes: Option<Vec<Shape>> = operands.iter().map(way).collect();
        shapes.filter(|shapes| layer.infer(shapes).is_ok())
    });
    found.unwrap_or_else(|| operands.to_vec())
}
