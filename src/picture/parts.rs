//! The parts of a network as a tree, without what a reader would not count as a level.

use cnnc_compiler::graph::Graph;
use cnnc_compiler::id::{Id, NodeId};
use cnnc_compiler::layer::Role;
use cnnc_compiler::outline::{Kind, Outline};
use cnnc_compiler::span::Span;
use std::collections::HashSet;
use std::ops::Range;

/// A part with those in it.
#[derive(Clone, Debug)]
pub struct Tree {
    /// What made it; the whole network has none.
    pub kind: Option<Kind>,
    /// What is called, or a group's label; may be empty.
    pub name: String,
    /// Where it is written: turns of one loop have one span.
    pub span: Span,
    /// Indices of its node ids.
    pub nodes: Range<usize>,
    /// The parts directly in it.
    pub children: Vec<Tree>,
}

impl Tree {
    /// The parts that have live layers.
    pub fn new(graph: &Graph, outline: &Outline) -> Tree {
        let live: HashSet<usize> = graph.order.iter().map(|id| id.index()).collect();
        // Children come behind their parents, so that going backwards finds them complete.
        let mut trees: Vec<Option<Tree>> = outline
            .parts
            .iter()
            .map(|part| {
                Some(Tree {
                    kind: Some(part.kind),
                    name: part.name.clone(),
                    span: part.span,
                    nodes: part.nodes.clone(),
                    children: Vec::new(),
                })
            })
            .collect();
        let mut root = Tree {
            kind: None,
            name: String::new(),
            span: Span::none(),
            nodes: 0..graph.nodes.len(),
            children: Vec::new(),
        };
        for index in (0..trees.len()).rev() {
            let Some(mut tree) = trees[index].take() else {
                continue;
            };
            tree.children.reverse();
            let Some(tree) = tree.simplified(graph, &live) else {
                continue;
            };
            let parent = outline.parts[index].parent;
            match parent.and_then(|parent| trees[parent].as_mut()) {
                Some(parent) => parent.children.push(tree),
                None => root.children.push(tree),
            }
        }
        root.children.reverse();
        root.without_hull(&live).opened(false)
    }

    /// The live nodes in it.
    pub fn live(&self, live: &HashSet<usize>) -> Vec<usize> {
        self.nodes
            .clone()
            .filter(|node| live.contains(node))
            .collect()
    }

    /// Without live layers it is nothing; with one part inside that is all of it, both are one.
    fn simplified(mut self, graph: &Graph, live: &HashSet<usize>) -> Option<Tree> {
        let nodes = self.live(live);
        let (first, last) = (*nodes.first()?, *nodes.last()?);
        self.nodes = first..last + 1;
        if self.children.len() == 1 && self.children[0].nodes == self.nodes {
            let child = self.children.remove(0);
            // What a turn of a loop calls says more than that it is one.
            self.name = if self.name.is_empty() {
                child.name
            } else {
                self.name
            };
            self.children = child.children;
            if self.kind != Some(Kind::Turn) {
                self.kind = child.kind;
            }
        }
        let main = nodes.iter().filter(|&&node| !follows(graph, node)).count();
        (main > 1).then_some(self)
    }

    /// A block that is nearly all of the network (`resnet(3, 4, 6, 3)`) is no part of it.
    fn without_hull(mut self, live: &HashSet<usize>) -> Tree {
        while let Some(hull) = self.children.iter().position(|child| {
            let called = matches!(child.kind, Some(Kind::Block | Kind::Group));
            called && 5 * child.live(live).len() > 3 * live.len()
        }) {
            let inner = self.children.remove(hull).children;
            self.children.splice(hull..hull, inner);
        }
        self
    }

    /// Residuals and branches within a block are how the block looks, not parts of it.
    fn opened(mut self, inside: bool) -> Tree {
        let inside = inside
            || matches!(
                self.kind,
                Some(Kind::Block | Kind::Shared | Kind::Residual | Kind::Branch)
            )
            || !self.name.is_empty();
        let mut children = Vec::new();
        for child in std::mem::take(&mut self.children) {
            let child = child.opened(inside);
            let transparent = inside && matches!(child.kind, Some(Kind::Residual | Kind::Branch));
            match transparent {
                true => children.extend(child.children),
                false => children.push(child),
            }
        }
        self.children = children;
        self
    }

    /// Number of levels of parts in it.
    pub fn depth(&self) -> usize {
        let levels = self.children.iter().map(|child| 1 + child.depth());
        levels.max().unwrap_or(0)
    }
}

/// Whether the layer only goes over what the one before it made (an activation, a normalisation, an identity, a
/// flattening), so that both stand in one box if nobody else reads what is between.
pub fn follows(graph: &Graph, node: usize) -> bool {
    let node = &graph.nodes[NodeId::new(node)];
    let keyword = node.layer.keyword();
    node.inputs.len() == 1
        && (matches!(
            node.layer.role(),
            Role::Pointwise(_) | Role::BatchNorm(_) | Role::Flatten(_) | Role::Identity
        ) || matches!(keyword, "prelu" | "softmax" | "lrn"))
}
