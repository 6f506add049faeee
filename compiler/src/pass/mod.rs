//! Passes: rewrites of the Graph, one file each, run in the order of [`PASSES`].
//!
//! A pass is pattern and rebuild, and says of every candidate what it did or why it did not: that is what
//! `cnnc explain` prints. The graph is verified after each.

mod drop_identity;
mod fold_batch_norm;
mod fold_flatten;
mod fuse_activation;
mod fuse_residual_add;
mod merge_common;
mod place_concat;
mod remove_dead;
mod rewriter;

pub use place_concat::concat_windows;

use crate::graph::Graph;

/// A pass.
pub struct Pass {
    /// Its name, a verb.
    pub name: &'static str,
    /// What it does and what is gained.
    pub doc: &'static str,
    /// The rewrite.
    pub run: fn(&mut Graph, &mut Notes),
}

/// Every pass, in order.
pub static PASSES: &[Pass] = &[
    drop_identity::PASS,
    merge_common::PASS,
    fold_flatten::PASS,
    fold_batch_norm::PASS,
    fuse_residual_add::PASS,
    fuse_activation::PASS,
    remove_dead::PASS,
    place_concat::PASS,
];

/// What a pass did to a candidate, or why it left it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Name of the pass.
    pub pass: &'static str,
    /// Label of the candidate.
    pub label: String,
    /// Whether the rewrite was done.
    pub applied: bool,
    /// What was done, or why not.
    pub text: String,
}

/// The notes of a run.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    pass: &'static str,
    /// In the order in which they were made.
    pub list: Vec<Note>,
}

impl Notes {
    fn applied(&mut self, label: &str, text: impl Into<String>) {
        self.list.push(Note {
            pass: self.pass,
            label: label.to_owned(),
            applied: true,
            text: text.into(),
        });
    }
    fn refused(&mut self, label: &str, text: impl Into<String>) {
        self.list.push(Note {
            pass: self.pass,
            label: label.to_owned(),
            applied: false,
            text: text.into(),
        });
    }
}

/// Runs every pass on a copy of the graph.
///
/// # Panics
/// When a pass breaks the graph: a compiler bug, named with the pass.
pub fn optimize(graph: &Graph) -> (Graph, Notes) {
    let mut graph = graph.clone();
    let mut notes = Notes::default();
    for pass in PASSES {
        run(pass, &mut graph, &mut notes);
    }
    (graph, notes)
}

/// Runs one pass and verifies the graph.
///
/// # Panics
/// When the pass breaks the graph: a compiler bug.
pub fn run(pass: &Pass, graph: &mut Graph, notes: &mut Notes) {
    notes.pass = pass.name;
    (pass.run)(graph, notes);
    if let Err(problems) = crate::graph::verify(graph) {
        panic!(
            "pass {} broke {}: {}",
            pass.name,
            graph.name,
            problems.join("; ")
        );
    }
}
