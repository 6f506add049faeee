//! Computes equal layers of equal operands once.

use super::{Notes, Pass};
use crate::graph::{Graph, NodeId, ParamId, ValueId};
use std::collections::HashMap;

pub(super) const PASS: Pass = Pass {
    name: "merge_common",
    doc: "Computes equal layers with equal operands and equal parameters once.",
    run,
};

fn run(graph: &mut Graph, notes: &mut Notes) {
    type Key = (String, Vec<ValueId>, Vec<ParamId>);
    let mut seen: HashMap<Key, NodeId> = HashMap::new();
    for id in graph.order.clone() {
        let node = &graph.nodes[id];
        let key = (
            format!("{:?}", node.layer.attributes()),
            node.inputs.clone(),
            node.params.clone(),
        );
        let Some(&first) = seen.get(&key) else {
            seen.insert(key, id);
            continue;
        };
        let (old, new) = (node.output, graph.nodes[first].output);
        notes.applied(
            &node.label.clone(),
            format!("equals `{}`", graph.nodes[first].label),
        );
        graph.replace_uses(old, new);
        graph.order.retain(|&other| other != id);
    }
}
