//! Adds a residual to a convolution's sums while they are in registers.

use super::{Notes, Pass, kept, maker, replace};
use crate::graph::{Graph, NodeId};
use crate::layer::Role;
use crate::layer::conv::Conv;
use crate::layer::epilogue::{epilogue, with_epilogue};

pub(super) const PASS: Pass = Pass {
    name: "fuse_residual_add",
    doc: "Adds a residual to a convolution's sums while they are in registers, which saves writing and reading them once.",
    run,
};

fn run(graph: &mut Graph, notes: &mut Notes) {
    for id in graph.order.clone() {
        let node = &graph.nodes[id];
        if node.layer.role() != Role::Add
            || node.inputs.len() != 2
            || node.inputs[0] == node.inputs[1]
        {
            continue;
        }
        let label = node.label.clone();
        let shapes = graph.operand_shapes(node);
        if shapes[0] != shapes[1] {
            notes.refused(
                &label,
                format!("{} is repeated over {}", shapes[1], shapes[0]),
            );
            continue;
        }
        let mut reasons = Vec::new();
        let choice = (0..2).find_map(|side| match candidate(graph, id, side) {
            Ok(conv) => Some((conv, side)),
            Err(reason) => {
                reasons.push(reason);
                None
            }
        });
        let Some((conv, side)) = choice else {
            notes.refused(&label, reasons.join("; "));
            continue;
        };
        let conv_node = &graph.nodes[conv];
        let layer = with_epilogue(&*conv_node.layer, |epilogue| epilogue.add = true)
            .expect("it has an epilogue");
        let inputs = vec![conv_node.inputs[0], graph.nodes[id].inputs[1 - side]];
        let params = conv_node.params.clone();
        notes.applied(&label, format!("fused into `{}`", conv_node.label));
        // The new node stands where the addition stood: there both operands have been made.
        replace(graph, id, layer, inputs, params, conv);
        graph.order.retain(|&other| other != conv);
    }
}

/// The convolution that makes operand `side` of the addition, if the addition can move into it.
fn candidate(graph: &Graph, add: NodeId, side: usize) -> Result<NodeId, String> {
    let value = graph.nodes[add].inputs[side];
    let found = maker(graph, value).and_then(|id| Some((id, epilogue(&*graph.nodes[id].layer)?)));
    let Some((conv, epilogue)) = found else {
        return Err(format!("operand {} is not made by a convolution", side + 1));
    };
    let node = &graph.nodes[conv];
    if epilogue.add || !epilogue.act.is_empty() {
        return Err(format!(
            "`{}` already does something after its sums",
            node.label
        ));
    }
    if node
        .layer
        .downcast::<Conv>()
        .is_some_and(|conv| conv.groups > 1 && conv.groups == conv.out)
    {
        return Err(format!(
            "`{}` is depthwise, whose kernel adds nothing",
            node.label
        ));
    }
    match kept(graph, value) {
        Some(reason) => Err(reason),
        None => Ok(conv),
    }
}
