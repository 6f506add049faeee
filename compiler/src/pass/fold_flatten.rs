//! Lets a dense layer read its spatial operand directly: a dense layer on a spatial tensor is a convolution.

use super::Pass;
use super::rewriter::rewrite;
use crate::graph::Graph;
use crate::layer::Role;
use crate::layer::dense::Dense;
use crate::note::Notes;

pub(super) const PASS: Pass = Pass {
    name: "fold_flatten",
    doc: "Lets a dense layer read a spatial tensor as a convolution whose kernel covers it: `flatten` then moves no data.",
    run,
};

fn run(graph: &mut Graph, notes: &mut Notes) {
    rewrite(graph, notes, |at, id| {
        let node = at.node(id);
        let Some(dense) = node
            .layer
            .downcast::<Dense>()
            .filter(|dense| dense.flatten.is_none())
        else {
            return;
        };
        let Some(flatten) = at.maker(node.inputs[0]) else {
            return;
        };
        let Role::Flatten(order) = at.node(flatten).layer.role() else {
            return;
        };
        let label = node.label.clone();
        if let Some(reason) = at.kept(node.inputs[0]) {
            at.notes.refused(&label, format!("its operand {reason}"));
            return;
        }
        let layer = Box::new(Dense {
            flatten: Some(order),
            ..dense.clone()
        });
        let mut inputs = node.inputs.clone();
        inputs[0] = at.node(flatten).inputs[0];
        let params = node.params.clone();
        let text = format!("reads {} directly", at.graph().values[inputs[0]].shape);
        at.replace(id, layer, inputs, params);
        at.remove(flatten);
        at.notes.applied(&label, text);
    });
}
