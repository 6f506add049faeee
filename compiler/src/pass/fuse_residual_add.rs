//! Adds a residual to a convolution's sums while they are in registers.

use super::rewriter::{Rewriter, rewrite};
use super::{Notes, Pass};
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
    rewrite(graph, notes, |at, id| {
        let node = at.node(id);
        if node.layer.role() != Role::Add
            || node.inputs.len() != 2
            || node.inputs[0] == node.inputs[1]
        {
            return;
        }
        let label = node.label.clone();
        let shapes = at.graph().operand_shapes(node);
        if shapes[0] != shapes[1] {
            let text = format!("{} is repeated over {}", shapes[1], shapes[0]);
            at.notes.refused(&label, text);
            return;
        }
        let mut reasons = Vec::new();
        let choice = (0..2).find_map(|side| match candidate(at, id, side) {
            Ok(conv) => Some((conv, side)),
            Err(reason) => {
                reasons.push(reason);
                None
            }
        });
        let Some((conv, side)) = choice else {
            at.notes.refused(&label, reasons.join("; "));
            return;
        };
        let conv_node = at.node(conv);
        let layer = with_epilogue(&*conv_node.layer, |epilogue| epilogue.add = true)
            .expect("it has an epilogue");
        let inputs = vec![conv_node.inputs[0], node.inputs[1 - side]];
        let params = conv_node.params.clone();
        let text = format!("fused into `{}`", conv_node.label);
        at.notes.applied(&label, text);
        // The new node stands where the addition stood: there both operands have been made.
        at.replace(id, layer, inputs, params);
        at.remove(conv);
    });
}

/// The convolution that makes operand `side` of the addition, if the addition can move into it.
fn candidate(at: &Rewriter<'_>, add: NodeId, side: usize) -> Result<NodeId, String> {
    let value = at.node(add).inputs[side];
    let found = at
        .maker(value)
        .and_then(|id| Some((id, epilogue(&*at.node(id).layer)?)));
    let Some((conv, epilogue)) = found else {
        return Err(format!("operand {} is not made by a convolution", side + 1));
    };
    let node = at.node(conv);
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
    match at.kept(value) {
        Some(reason) => Err(reason),
        None => Ok(conv),
    }
}
