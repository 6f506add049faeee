//! Applies an activation to a convolution's sums before they are stored.

use super::rewriter::rewrite;
use super::{Notes, Pass};
use crate::graph::Graph;
use crate::layer::epilogue::{clamp, epilogue, with_epilogue};
use crate::layer::{Role, written};

pub(super) const PASS: Pass = Pass {
    name: "fuse_activation",
    doc: "Applies an activation to a convolution's or dense layer's sums: in registers where it is a clamp (relu, relu6, leaky), \
          else on each block of pixels while it is in the cache.",
    run,
};

fn run(graph: &mut Graph, notes: &mut Notes) {
    rewrite(graph, notes, |at, id| {
        let node = at.node(id);
        let Role::Pointwise(steps) = node.layer.role() else {
            return;
        };
        let label = node.label.clone();
        let written = written(&*node.layer);
        let before = at.maker(node.inputs[0]);
        let found = before.and_then(|id| Some((id, epilogue(&*at.node(id).layer)?)));
        let Some((conv, epilogue)) = found else {
            at.notes
                .refused(&label, "no convolution or dense layer makes its operand");
            return;
        };
        let conv_node = at.node(conv);
        let reason = match epilogue.act.is_empty() {
            true => at.kept(node.inputs[0]),
            false => Some(format!("`{}` already has an activation", conv_node.label)),
        };
        if let Some(reason) = reason {
            at.notes.refused(&label, reason);
            return;
        }
        let place = if clamp(&steps).is_some() {
            "in registers"
        } else {
            "on blocks in the cache"
        };
        let layer = with_epilogue(&*conv_node.layer, |epilogue| {
            epilogue.act = steps;
            epilogue.written = written;
        });
        let layer = layer.expect("it has an epilogue");
        let (inputs, params) = (conv_node.inputs.clone(), conv_node.params.clone());
        let text = format!("fused into `{}`, {place}", conv_node.label);
        at.notes.applied(&label, text);
        at.replace(id, layer, inputs, params);
        at.remove(conv);
    });
}
