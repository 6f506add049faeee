//! Applies an activation to a layer's sums before they are stored.

use super::Pass;
use super::rewriter::rewrite;
use crate::graph::Graph;
use crate::layer::Role;
use crate::layer::epilogue::{Part, clamp};
use crate::note::Notes;

pub(super) const PASS: Pass = Pass {
    name: "fuse_activation",
    doc: "Applies an activation to the sums of a convolution or dense layer: in registers where it is a clamp (relu, relu6, leaky), \
          else in place, mostly on each block of pixels while it is in the cache.",
    run,
};

fn run(graph: &mut Graph, notes: &mut Notes) {
    rewrite(graph, notes, |at, id| {
        let node = at.node(id);
        let Role::Pointwise(steps) = node.layer.role() else {
            return;
        };
        let label = node.label.clone();
        let place = if clamp(&steps).is_some() {
            "in registers"
        } else {
            "in place"
        };
        let part = Part::Act(steps, node.layer.attributes());
        match at.fuse_into(id, 0, part) {
            Ok(into) => at
                .notes
                .applied(&label, format!("fused into `{into}`, {place}")),
            Err(reason) => at.notes.refused(&label, reason),
        }
    });
}
