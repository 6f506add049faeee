//! Lets a dense layer read its spatial operand directly: a dense layer on a spatial tensor is a convolution.

use super::{Notes, Pass, kept, maker, replace};
use crate::graph::Graph;
use crate::layer::Role;
use crate::layer::dense::Dense;

pub(super) const PASS: Pass = Pass {
    name: "fold_flatten",
    doc: "Lets a dense layer read a spatial tensor as a convolution whose kernel covers it: `flatten` then moves no data.",
    run,
};

fn run(graph: &mut Graph, notes: &mut Notes) {
    for id in graph.order.clone() {
        let node = &graph.nodes[id];
        let Some(dense) = node
            .layer
            .downcast::<Dense>()
            .filter(|dense| dense.flatten.is_none())
        else {
            continue;
        };
        let Some(flatten) = maker(graph, node.inputs[0]) else {
            continue;
        };
        let Role::Flatten(order) = graph.nodes[flatten].layer.role() else {
            continue;
        };
        let label = node.label.clone();
        if let Some(reason) = kept(graph, node.inputs[0]) {
            notes.refused(&label, reason);
            continue;
        }
        let layer = Box::new(Dense {
            flatten: Some(order),
            ..dense.clone()
        });
        let mut inputs = node.inputs.clone();
        inputs[0] = graph.nodes[flatten].inputs[0];
        let params = node.params.clone();
        let text = format!("reads {} directly", graph.values[inputs[0]].shape);
        replace(graph, id, layer, inputs, params, id);
        graph.order.retain(|&other| other != flatten);
        notes.applied(&label, text);
    }
}
