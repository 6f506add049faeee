//! Computes equal layers of equal operands once.

use super::Pass;
use super::rewriter::rewrite;
use crate::graph::Graph;
use crate::id::{NodeId, ParamId, ValueId};
use crate::layer::Attributes;
use crate::note::Notes;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

pub(super) const PASS: Pass = Pass {
    name: "merge_common",
    doc: "Computes equal layers with equal operands and equal parameters once.",
    run,
};

fn run(graph: &mut Graph, notes: &mut Notes) {
    type Key = (&'static str, Vec<ValueId>, Vec<ParamId>);
    let mut first: HashMap<Key, NodeId> = HashMap::new();
    // There may be many constants: they are compared only where everything else is equal.
    let mut seen: HashMap<(Key, Attributes), NodeId> = HashMap::new();
    rewrite(graph, notes, |at, id| {
        let node = at.node(id);
        let key = (
            node.layer.keyword(),
            node.inputs.clone(),
            node.params.clone(),
        );
        let other = match first.entry(key.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(id);
                return;
            }
            Entry::Occupied(entry) => *entry.get(),
        };
        let attributes = |id| at.node(id).layer.attributes().1;
        seen.entry((key.clone(), attributes(other)))
            .or_insert(other);
        let equal = *seen.entry((key, attributes(id))).or_insert(id);
        if equal == id {
            return;
        }
        let (label, value) = (node.label.clone(), at.node(equal).output);
        let text = format!("equals `{}`", at.node(equal).label);
        at.notes.applied(&label, text);
        at.drop_for(id, value);
    });
}
