//! Removes layers whose result nobody reads.

use super::Pass;
use crate::graph::Graph;
use crate::id::ValueId;
use crate::note::Notes;
use std::collections::HashSet;

pub(super) const PASS: Pass = Pass {
    name: "remove_dead",
    doc: "Removes layers whose result neither a layer nor an output reads.",
    run,
};

fn run(graph: &mut Graph, notes: &mut Notes) {
    let outputs = graph.outputs.iter().map(|output| output.value);
    let stored = graph.stores.iter().map(|&(_, value)| value);
    let mut needed: HashSet<ValueId> = outputs.chain(stored).collect();
    let mut live = Vec::new();
    for &id in graph.order.iter().rev() {
        let node = &graph.nodes[id];
        if needed.contains(&node.output) {
            needed.extend(&node.inputs);
            live.push(id);
        } else {
            notes.applied(&node.label, "nobody reads its result");
        }
    }
    live.reverse();
    graph.order = live;
}
