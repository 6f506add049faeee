//! Decides which operands of a concatenation are written straight into its buffer.
//!
//! It rewrites nothing: the memory planner asks [`concat_windows`] the same question.

use super::{Notes, Pass};
use crate::graph::{Def, Graph, ValueId};
use crate::layer::Role;
use std::collections::HashMap;

pub(super) const PASS: Pass = Pass {
    name: "place_concat",
    doc: "Makes layers write their result straight into the buffer of the concatenation that reads it.",
    run,
};

/// For every value that is written into a concatenation: the concatenation's value and the first channel there.
pub fn concat_windows(graph: &Graph) -> HashMap<ValueId, (ValueId, usize)> {
    let mut windows = HashMap::new();
    each_operand(graph, |_, _, _, decision| {
        if let Ok((value, parent, from)) = decision {
            windows.insert(value, (parent, from));
        }
    });
    windows
}

fn run(graph: &mut Graph, notes: &mut Notes) {
    each_operand(graph, |concat, operand, shape, decision| match decision {
        Ok(_) => notes.applied(
            concat,
            format!("operand {operand} ({shape}) is written in place"),
        ),
        Err(reason) => notes.refused(
            concat,
            format!("operand {operand} ({shape}) is copied: {reason}"),
        ),
    });
}

type Decision = Result<(ValueId, ValueId, usize), &'static str>;

fn each_operand(graph: &Graph, mut see: impl FnMut(&str, usize, &crate::graph::Shape, Decision)) {
    let mut taken = std::collections::HashSet::new();
    for (_, node) in graph.live() {
        let Role::Concat(axis) = node.layer.role() else {
            continue;
        };
        let mut from = 0;
        for (index, &value) in node.inputs.iter().enumerate() {
            let shape = &graph.values[value].shape;
            // Rows behind one another would have each other's rows where a halo is zero.
            let decision = if axis != 0 {
                Err("only along the channels can operands stand in place")
            } else if matches!(graph.values[value].def, Def::Input(_)) {
                Err("it is an input of the network")
            } else if shape.dhw() != graph.values[node.output].shape.dhw() {
                Err("its extent is not the result's")
            } else if !taken.insert(value) {
                Err("it already stands in a concatenation")
            } else {
                Ok((value, node.output, from))
            };
            see(&node.label, index + 1, shape, decision);
            from += shape.channels();
        }
    }
}
