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

use crate::graph::Graph;
use crate::note::Notes;

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

/// The pass that removes what nobody reads.
pub(crate) fn remove_dead() -> Pass {
    remove_dead::PASS
}

/// The graph without what does nothing at inference, batch norms folded into the layers before them: what networks are compared in that went
/// through another format.
pub fn folded(graph: &Graph) -> Graph {
    let mut graph = graph.clone();
    for pass in [
        drop_identity::PASS,
        fold_batch_norm::PASS,
        remove_dead::PASS,
    ] {
        run(&pass, &mut graph, &mut Notes::default());
    }
    graph
}

/// Fuses what a training step adds and activates into what makes it.
pub(crate) fn fuse(graph: &mut Graph) {
    for pass in [fuse_residual_add::PASS, fuse_activation::PASS] {
        run(&pass, graph, &mut Notes::default());
    }
}

/// Runs every pass on a copy of the graph.
///
/// # Panics
/// When a pass breaks the graph: a compiler bug, named with the pass.
pub fn optimize(graph: &Graph) -> (Graph, Notes) {
    optimized(graph.clone())
}

/// Runs every pass on the graph.
///
/// # Panics
/// As [`optimize`].
pub fn optimized(mut graph: Graph) -> (Graph, Notes) {
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
