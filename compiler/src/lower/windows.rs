//! Which operands of concatenations are windows of one buffer.

use crate::graph::{Def, Graph};
use crate::id::ValueId;
use crate::layer::Role;
use crate::shape::Shape;
use std::collections::{HashMap, HashSet};

/// For every value that is written into a concatenation: the concatenation's value and the first channel there.
pub(super) fn concat_windows(graph: &Graph) -> HashMap<ValueId, (ValueId, usize)> {
    let mut windows = HashMap::new();
    each_operand(graph, |_, _, _, decision| {
        if let Ok((value, parent, from)) = decision {
            windows.insert(value, (parent, from));
        }
    });
    windows
}

/// The value, the concatenation's and the first channel there; or why it is copied.
pub(crate) type Decision = Result<(ValueId, ValueId, usize), &'static str>;

/// Shows every operand of every concatenation, by its label and number, and what becomes of it.
pub(crate) fn each_operand(graph: &Graph, mut see: impl FnMut(&str, usize, &Shape, Decision)) {
    let mut taken = HashSet::new();
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
