//! Folds a batch norm into the weights and bias of the convolution or dense layer before it.

use super::rewriter::rewrite;
use super::{Notes, Pass};
use crate::graph::Graph;
use crate::layer::Role;
use crate::layer::epilogue::{epilogue, with_epilogue};

pub(super) const PASS: Pass = Pass {
    name: "fold_batch_norm",
    doc: "Multiplies a batch norm into the weights and bias of the convolution before it, when the weights are packed.",
    run,
};

fn run(graph: &mut Graph, notes: &mut Notes) {
    rewrite(graph, notes, |at, id| {
        let node = at.node(id);
        let Role::BatchNorm(norm) = node.layer.role() else {
            return;
        };
        let label = node.label.clone();
        let before = at.maker(node.inputs[0]);
        let found = before.and_then(|id| Some((id, epilogue(&*at.node(id).layer)?)));
        let Some((conv, epilogue)) = found else {
            at.notes
                .refused(&label, "no convolution or dense layer makes its operand");
            return;
        };
        let conv_node = at.node(conv);
        let reason = if epilogue.norm.is_some() || epilogue.add || !epilogue.act.is_empty() {
            Some(format!(
                "`{}` already does something after its sums",
                conv_node.label
            ))
        } else if conv_node
            .params
            .iter()
            .any(|&param| at.graph().params[param].literal.is_some())
        {
            Some(format!(
                "the weights of `{}` are constants of the spec",
                conv_node.label
            ))
        } else {
            at.kept(node.inputs[0])
        };
        if let Some(reason) = reason {
            at.notes.refused(&label, reason);
            return;
        }
        let layer = with_epilogue(&*conv_node.layer, |epilogue| epilogue.norm = Some(norm))
            .expect("it has an epilogue");
        let params = [conv_node.params.clone(), node.params.clone()].concat();
        let inputs = conv_node.inputs.clone();
        let text = format!("folded into the weights of `{}`", conv_node.label);
        at.notes.applied(&label, text);
        at.replace(id, layer, inputs, params);
        at.remove(conv);
    });
}
