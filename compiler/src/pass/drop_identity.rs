//! Removes layers that do nothing at inference (dropout).

use super::{Notes, Pass};
use crate::graph::Graph;
use crate::layer::Role;

pub(super) const PASS: Pass = Pass {
    name: "drop_identity",
    doc: "Removes layers that do nothing at inference, such as dropout.",
    run,
};

fn run(graph: &mut Graph, notes: &mut Notes) {
    for id in graph.order.clone() {
        let node = &graph.nodes[id];
        if node.layer.role() != Role::Identity {
            continue;
        }
        let (input, output, label) = (node.inputs[0], node.output, node.label.clone());
        graph.replace_uses(output, input);
        graph.order.retain(|&other| other != id);
        notes.applied(
            &label,
            format!(
                "`{}` does nothing at inference",
                graph.nodes[id].layer.attributes().0
            ),
        );
    }
}
