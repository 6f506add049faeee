//! Folds a batch norm into the weights and bias of the layer before it.

use super::Pass;
use super::rewriter::rewrite;
use crate::graph::Graph;
use crate::layer::Role;
use crate::layer::epilogue::Part;
use crate::note::Notes;

pub(super) const PASS: Pass = Pass {
    name: "fold_batch_norm",
    doc: "Multiplies a batch norm into the weights and bias of the convolution or dense layer before it, when the weights are packed.",
    run,
};

fn run(graph: &mut Graph, notes: &mut Notes) {
    rewrite(graph, notes, |at, id| {
        let node = at.node(id);
        let Role::BatchNorm(norm) = node.layer.role() else {
            return;
        };
        let label = node.label.clone();
        match at.fuse_into(id, 0, Part::Norm(norm)) {
            Ok(into) => {
                let text = format!("folded into the weights of `{into}`");
                at.notes.applied(&label, text);
            }
            Err(reason) => at.notes.refused(&label, reason),
        }
    });
}
