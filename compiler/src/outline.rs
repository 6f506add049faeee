//! The outline of a spec: which layers each block, loop, branch and shared network has made.
//!
//! A [`crate::graph::Graph`] is flat. Pictures and summaries show it as it is written, and this is what they
//! need for that. Expansion is nested and makes nodes in order, so a part is a range of node ids:
//!
//! ```text
//! Part { kind: Turn,  name: "" }                       nodes 4..36   a stage: a turn of the outer loop
//!   Part { kind: Turn,  name: "" }                     nodes 4..16   a turn of the inner loop
//!     Part { kind: Block, name: "bottleneck(64, 1)" }  nodes 4..16   what it calls
//! ```

use crate::span::Span;
use std::ops::Range;

/// What made a part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A call of a block.
    Block,
    /// A call of a shared network.
    Shared,
    /// One turn of a loop; turns of one loop have one span.
    Turn,
    /// A residual, with its join.
    Residual,
    /// Branches, with their join.
    Branch,
    /// Statements in `{ }` under a label.
    Group,
}

/// Layers that one piece of text has made.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// What made it.
    pub kind: Kind,
    /// What is called (`fire(16, 64)`), or the label of a group; empty for all others.
    pub name: String,
    /// Where the call, the loop, … is written.
    pub span: Span,
    /// Indices of the node ids in it; some of those nodes may be dead.
    pub nodes: Range<usize>,
    /// The part around it, if any: its index.
    pub parent: Option<usize>,
}

/// All parts of a network; a part comes before those in it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Outline {
    /// The parts.
    pub parts: Vec<Part>,
}

/// An outline while it is written.
#[derive(Default)]
pub(crate) struct Writer {
    outline: Outline,
    open: Vec<usize>,
}

/// Longest name of a part.
const MAX_NAME: usize = 80;

impl Writer {
    /// Begins a part, whose first node will be that one.
    pub(crate) fn open(&mut self, kind: Kind, mut name: String, span: Span, node: usize) {
        if name.chars().count() > MAX_NAME {
            name = name.chars().take(MAX_NAME - 1).chain(['…']).collect();
        }
        self.outline.parts.push(Part {
            kind,
            name,
            span,
            nodes: node..node,
            parent: self.open.last().copied(),
        });
        self.open.push(self.outline.parts.len() - 1);
    }

    /// Ends the part that was begun last, before that node; one without nodes is forgotten, so that the size of the
    /// outline is bounded by that of the network.
    pub(crate) fn close(&mut self, node: usize) {
        let Some(part) = self.open.pop() else {
            return;
        };
        self.outline.parts[part].nodes.end = node;
        if self.outline.parts[part].nodes.is_empty() {
            self.outline.parts.truncate(part);
        }
    }

    /// The outline.
    pub(crate) fn finish(self) -> Outline {
        self.outline
    }
}
