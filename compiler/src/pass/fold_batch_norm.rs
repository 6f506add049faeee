//! Folds a batch norm into the weights and bias of the convolution or dense layer before it.

use super::{Notes, Pass, kept, maker, replace};
use crate::graph::Graph;
use crate::layer::Role;
use crate::layer::epilogue::{epilogue, with_epilogue};

pub(super) const PASS: Pass = Pass {
    name: "fold_batch_norm",
    doc: "Multiplies a batch norm into the weights and bias of the convolution before it, when the weights are packed.",
    run,
};

fn run(graph: &mut Graph, notes: &mut Notes) {
    for id in graph.order.clone() {
        let node = &graph.nodes[id];
        let Role::BatchNorm(norm) = node.layer.role() else {
            continue;
        };
        let label = node.label.clone();
        let before = maker(graph, node.inputs[0]);
        let found = before.and_then(|id| Some((id, epilogue(&*graph.nodes[id].layer)?)));
        let Some((conv, epilogue)) = found else {
            notes.refused(&label, "no convolution or dense layer makes its operand");
            continue;
        };
        let conv_node = &graph.nodes[conv];
        let reason = if epilogue.norm.is_some() || epilogue.add || !epilogue.act.is_empty() {
            Some(format!(
                "`{}` already does something after its sums",
                conv_node.label
            ))
        } else if conv_node
            .params
            .iter()
            .any(|&param| graph.params[param].literal.is_some())
        {
            Some(format!(
                "the weights of `{}` are constants of the spec",
                conv_node.label
            ))
        } else {
            kept(graph, node.inputs[0])
        };
        if let Some(reason) = reason {
            notes.refused(&label, reason);
            continue;
        }
        let layer = with_epilogue(&*conv_node.layer, |epilogue| epilogue.norm = Some(norm))
            .expect("it has an epilogue");
        let params = [conv_node.params.clone(), node.params.clone()].concat();
        let inputs = conv_node.inputs.clone();
        notes.applied(&label, format!("folded into `{}`", conv_node.label));
        replace(graph, id, layer, inputs, params, conv);
        graph.order.retain(|&other| other != conv);
    }
}
