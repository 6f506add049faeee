//! Adds a residual to a layer's sums while they are in registers.

use super::Pass;
use super::rewriter::rewrite;
use crate::graph::Graph;
use crate::layer::Role;
use crate::layer::epilogue::Part;
use crate::note::Notes;

pub(super) const PASS: Pass = Pass {
    name: "fuse_residual_add",
    doc: "Adds a residual to the sums of a convolution or dense layer while they are in registers, which saves writing and reading them once.",
    run,
};

fn run(graph: &mut Graph, notes: &mut Notes) {
    rewrite(graph, notes, |at, id| {
        let node = at.node(id);
        if node.layer.role() != Role::Add {
            return;
        }
        let label = node.label.clone();
        let reason = match node.inputs.as_slice() {
            [a, b] if a == b => Some("both operands are one tensor".to_owned()),
            [_, _] => None,
            more => Some(format!("{} operands; an epilogue adds one", more.len())),
        };
        if let Some(reason) = reason {
            at.notes.refused(&label, reason);
            return;
        }
        let shapes = at.graph().operand_shapes(node);
        if shapes[0] != shapes[1] {
            let text = format!("{} is repeated over {}", shapes[1], shapes[0]);
            at.notes.refused(&label, text);
            return;
        }
        let fused = at.fuse_into(id, 0, Part::Add).or_else(|first| {
            let second = at.fuse_into(id, 1, Part::Add);
            second.map_err(|second| format!("{first}; {second}"))
        });
        match fused {
            Ok(into) => at.notes.applied(&label, format!("fused into `{into}`")),
            Err(reasons) => at.notes.refused(&label, reasons),
        }
    });
}
