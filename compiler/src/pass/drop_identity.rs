//! Removes layers that do nothing at inference (dropout).

use super::Pass;
use super::rewriter::rewrite;
use crate::graph::Graph;
use crate::layer::Role;
use crate::note::Notes;

pub(super) const PASS: Pass = Pass {
    name: "drop_identity",
    doc: "Removes layers that do nothing at inference, such as dropout.",
    run,
};

fn run(graph: &mut Graph, notes: &mut Notes) {
    rewrite(graph, notes, |at, id| {
        let node = at.node(id);
        if node.layer.role() != Role::Identity {
            return;
        }
        let (input, label) = (node.inputs[0], node.label.clone());
        let text = format!("`{}` does nothing at inference", node.layer.keyword());
        at.drop_for(id, input);
        at.notes.applied(&label, text);
    });
}
