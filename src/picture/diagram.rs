//! A network as boxes and arrows, before anybody knows where they stand.

use super::family::Family;
use cnnc_compiler::id::ValueId;

/// What a box is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// An input or output of the network.
    Port,
    /// A layer, with what follows it in place.
    Layer,
    /// Several layers that are not shown.
    Block,
    /// Several layers that are shown inside.
    Frame(Diagram),
    /// Where a tensor enters or leaves a frame.
    Gate,
}

/// A box.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// Its colour.
    pub family: Family,
    /// Name of its tensor, as far as somebody has written it; in bold; may be empty.
    pub title: String,
    /// The whole name, of several one behind the other the first and the last; none of a gate.
    pub names: Vec<String>,
    /// What it does, a line each.
    pub lines: Vec<String>,
    /// What it costs, in small print.
    pub cost: Vec<String>,
    /// How many of the kind stand one behind the other in this box.
    pub times: usize,
}

/// A tensor that goes from one box to another.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Index of the box that makes it.
    pub from: usize,
    /// Index of the box that reads it.
    pub to: usize,
    /// The tensor.
    pub value: ValueId,
    /// Its shape.
    pub shape: String,
}

/// Boxes, in the order of the spec, and arrows between them.
#[derive(Clone, Debug, Default)]
pub struct Diagram {
    /// The boxes.
    pub items: Vec<Item>,
    /// The arrows.
    pub edges: Vec<Edge>,
    /// In a frame: tensors from outside, and the gate of each.
    pub enters: Vec<(ValueId, usize)>,
    /// In a frame: tensors that are read outside, and the gate of each.
    pub leaves: Vec<(ValueId, usize)>,
}

impl Diagram {
    /// Names of all boxes, those in frames included.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for item in &self.items {
            names.extend(item.names.iter().map(String::as_str));
            if let Kind::Frame(inner) = &item.kind {
                names.extend(inner.names());
            }
        }
        names
    }

    /// Number of boxes, those in frames included.
    pub fn boxes(&self) -> usize {
        let inner = |item: &Item| match &item.kind {
            Kind::Frame(inner) => 1 + inner.boxes(),
            Kind::Gate => 0,
            _ => 1,
        };
        self.items.iter().map(inner).sum()
    }

    #[cfg(test)]
    /// Every box, frames before what is in them, with the indices that lead to it.
    pub fn walk<'d>(&'d self, path: &[usize], visit: &mut impl FnMut(&[usize], &'d Item)) {
        for (index, item) in self.items.iter().enumerate() {
            let path = [path, &[index]].concat();
            visit(&path, item);
            if let Kind::Frame(inner) = &item.kind {
                inner.walk(&path, visit);
            }
        }
    }

    /// All arrows between boxes that are no frames, as paths: arrows through gates become one.
    pub fn links(&self) -> Vec<Link> {
        let mut links = Vec::new();
        self.collect(&[], &mut links);
        links
    }

    fn collect(&self, path: &[usize], links: &mut Vec<Link>) {
        for edge in &self.edges {
            let gate = |index: usize| matches!(self.items[index].kind, Kind::Gate);
            if gate(edge.from) || gate(edge.to) {
                continue;
            }
            for from in self.sources(path, edge.from, edge.value) {
                for to in self.targets(path, edge.to, edge.value) {
                    links.push(Link {
                        from: from.clone(),
                        to,
                        shape: edge.shape.clone(),
                    });
                }
            }
        }
        for (index, item) in self.items.iter().enumerate() {
            if let Kind::Frame(inner) = &item.kind {
                inner.collect(&[path, &[index]].concat(), links);
            }
        }
    }

    /// The boxes behind an item that make the value.
    fn sources(&self, path: &[usize], item: usize, value: ValueId) -> Vec<Vec<usize>> {
        let path = [path, &[item]].concat();
        let Kind::Frame(inner) = &self.items[item].kind else {
            return vec![path];
        };
        let gates = inner.leaves.iter().filter(|(left, _)| *left == value);
        let made = gates.flat_map(|&(_, gate)| {
            let edges = inner.edges.iter().filter(move |edge| edge.to == gate);
            edges.flat_map(|edge| match inner.items[edge.from].kind {
                Kind::Gate => Vec::new(),
                _ => inner.sources(&path, edge.from, edge.value),
            })
        });
        made.collect()
    }

    /// The boxes in an item that read the value.
    fn targets(&self, path: &[usize], item: usize, value: ValueId) -> Vec<Vec<usize>> {
        let path = [path, &[item]].concat();
        let Kind::Frame(inner) = &self.items[item].kind else {
            return vec![path];
        };
        let gates = inner.enters.iter().filter(|(entered, _)| *entered == value);
        let read = gates.flat_map(|&(_, gate)| {
            let edges = inner.edges.iter().filter(move |edge| edge.from == gate);
            edges.flat_map(|edge| match inner.items[edge.to].kind {
                Kind::Gate => Vec::new(),
                _ => inner.targets(&path, edge.to, edge.value),
            })
        });
        read.collect()
    }
}

/// An arrow between two boxes, each named by the indices that lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The box that makes the tensor.
    pub from: Vec<usize>,
    /// The box that reads it.
    pub to: Vec<usize>,
    /// The tensor's shape.
    pub shape: String,
}
