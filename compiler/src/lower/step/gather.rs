//! What layers that add up over images take of each image as soon as it is there: while it is in the cache, and in the same loop.
//!
//! ```text
//! section c3         for each image      c3   numbers of c3~variance        the image is read where it was written
//! section c3~mean    mean ← numbers of all images
//! ```

use crate::graph::{Def, Node};
use crate::id::NodeId;
use crate::layer::NO_HALO;
use crate::lower::{Lower, Storage};
use std::collections::HashMap;

/// The numbers that are taken of each image.
#[derive(Default)]
pub(super) struct Gathered {
    /// Where those of a node are.
    places: HashMap<NodeId, Storage>,
    /// Behind which node they are taken, or behind the inputs.
    behind: HashMap<Option<NodeId>, Vec<NodeId>>,
    /// The nodes of which they have been.
    done: Vec<NodeId>,
}

impl<'a> Lower<'a> {
    /// Gives what nodes take of images a place for each of them, and decides where it is taken: behind the last node that makes what is read.
    pub(super) fn place_gathered(&mut self) {
        let count = self.count();
        let graph = self.graph;
        let order: HashMap<NodeId, usize> = graph.live().map(|(id, _)| id).zip(0..).collect();
        let mut found = Gathered::default();
        for (id, node) in graph.live() {
            let gathers = node
                .layer
                .lowering()
                .and_then(|lowering| lowering.gathers());
            let Some((operands, numbers)) = gathers else {
                continue;
            };
            let makers =
                operands
                    .iter()
                    .map(|&operand| match graph.values[node.inputs[operand]].def {
                        Def::Node(maker) => Some(maker),
                        _ => None,
                    });
            let last = makers
                .max_by_key(|maker| maker.map(|id| order[&id]))
                .flatten();
            let channels = numbers * graph.values[node.inputs[0]].shape.channels();
            let name = format!("{}.gathered", node.label);
            let one = self.allocate(&name, channels, [1; 3], NO_HALO);
            let image = self.widen(one.buffer);
            let place = Storage {
                images: count,
                image,
                ..one
            };
            found.places.insert(id, place);
            found.behind.entry(last).or_default().push(id);
        }
        let images = self.images.as_mut().expect("a training step is lowered");
        images.gathered = found;
    }

    /// Emits what is taken of an image behind that node, or behind the inputs.
    pub(super) fn gather_behind(&mut self, maker: Option<NodeId>) {
        let images = self.images.as_mut().expect("a training step is lowered");
        let takers = images.gathered.behind.remove(&maker).unwrap_or_default();
        for taker in takers {
            let (node, padded) = (self.node.replace(taker), std::mem::take(&mut self.padded));
            let lowering = self.node().layer.lowering().expect("it gathers");
            lowering.gather(self);
            (self.node, self.padded) = (node, padded);
            let images = self.images.as_mut().expect("a training step is lowered");
            images.gathered.done.push(taker);
        }
    }

    /// Where the numbers are that the node takes of each image.
    ///
    /// # Panics
    /// Outside a training step, or of a node that takes none.
    pub fn gathered(&self) -> Storage {
        let id = self.node.expect("a node is lowered");
        self.images().gathered.places[&id].clone()
    }

    /// A node that has taken numbers of operand `index`, as its first one, and where these are.
    pub fn gathered_of(&self, index: usize) -> Option<(&'a Node, Storage)> {
        let graph = self.graph;
        let gathered = &self.images.as_ref()?.gathered;
        let value = self.node().inputs[index];
        let of_it = |id: &&NodeId| graph.nodes[**id].inputs[0] == value;
        let id = gathered.done.iter().find(of_it)?;
        Some((&graph.nodes[*id], gathered.places[id].clone()))
    }
}

impl Storage {
    /// The tensor of the image that is lowered, where that of all is known.
    #[must_use]
    pub fn of_one(&self) -> Storage {
        Storage {
            images: 1,
            image: 0,
            ..self.clone()
        }
    }
}
