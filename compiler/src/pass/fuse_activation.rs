//! Applies an activation to a convolution's sums before they are stored.

use super::{Notes, Pass, kept, maker, replace};
use crate::graph::Graph;
use crate::layer::Role;
use crate::layer::epilogue::{clamp, epilogue, with_epilogue};

pub(super) const PASS: Pass = Pass {
    name: "fuse_activation",
    doc: "Applies an activation to a convolution's or dense layer's sums: in registers where it is a clamp (relu, relu6, leaky), \
          else on each block of pixels while it is in the cache.",
    run,
};

fn run(graph: &mut Graph, notes: &mut Notes) {
    for id in graph.order.clone() {
        let node = &graph.nodes[id];
        let Role::Pointwise(steps) = node.layer.role() else {
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
        let reason = match epilogue.act.is_empty() {
            true => kept(graph, node.inputs[0]),
            false => Some(format!("`{}` already has an activation", conv_node.label)),
        };
        if let Some(reason) = reason {
            notes.refused(&label, reason);
            continue;
        }
        let place = if clamp(&steps).is_some() {
            "in registers"
        } else {
            "on blocks in the cache"
        };
        let layer = with_epilogue(&*conv_node.layer, |epilogue| epilogue.act = steps)
            .expect("it has an epilogue");
        let (inputs, params) = (conv_node.inputs.clone(), conv_node.params.clone());
        notes.applied(&label, format!("fused into `{}`, {place}", conv_node.label));
        replace(graph, id, layer, inputs, params, conv);
        graph.order.retain(|&other| other != conv);
    }
}
