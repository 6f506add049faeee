//! Which values are used: layers that no output needs, inputs that nothing reads, values that a chain drops.

use super::{Dropped, Resolver, Tensor};
use crate::diagnostic::{Diagnostic, codes};
use crate::graph::Def;
use crate::id::{Id, NodeId, ValueId};
use crate::span::Span;
use std::collections::{HashMap, HashSet};

impl Resolver<'_> {
    /// The value so far, which a chain goes on from.
    pub(super) fn value_so_far(&mut self) -> Option<Tensor> {
        if let Some(Tensor::Known(value)) = self.current {
            self.chained.insert(value);
        }
        self.current
    }

    /// Remembers that a statement begins with a call of a layer on named tensors, behind that value.
    pub(super) fn note_dropped(&mut self, before: Option<Tensor>, span: Span, open: bool) {
        if let Some(Tensor::Known(value)) = before
            && matches!(self.graph.values[value].def, Def::Node(_))
            && !self.chained.contains(&value)
        {
            let next = self.next_node();
            self.dropped.push(Dropped {
                value,
                span,
                open,
                next,
            });
        }
    }

    /// Takes layers that no output needs out of the schedule, with a warning.
    pub(super) fn prune(&mut self) {
        let outputs = self.graph.outputs.iter().map(|output| output.value);
        let mut needed: HashSet<ValueId> = outputs.collect();
        let mut dropped = self.dropped_values(&needed);
        let mut live: HashSet<NodeId> = HashSet::new();
        for &id in self.graph.order.iter().rev() {
            let node = &self.graph.nodes[id];
            if needed.contains(&node.output) {
                live.insert(id);
                needed.extend(&node.inputs);
            }
        }
        let inputs = self.graph.live().flat_map(|(_, node)| &node.inputs);
        let used: HashSet<ValueId> = inputs.copied().collect();
        let unused = |id: &NodeId| !used.contains(&self.graph.nodes[*id].output);
        let order = self.graph.order.iter().copied();
        let ends: Vec<NodeId> = order
            .filter(|id| !live.contains(id))
            .filter(unused)
            .collect();
        for id in ends {
            let node = &self.graph.nodes[id];
            let message = format!("nothing uses `{}`", node.label);
            let mut problem = Diagnostic::new(codes::UNUSED, node.span, message);
            if let Some(dropped) = dropped.remove(&node.output) {
                problem = problem.also(dropped.span, "the value before this is dropped");
            }
            self.warn(problem.help("join it, `tap` it, or remove it"));
        }
        let unused: Vec<(String, ValueId)> = self
            .graph
            .inputs
            .iter()
            .filter(|input| !needed.contains(&input.value))
            .map(|input| (input.name.clone(), input.value))
            .collect();
        for (name, value) in unused {
            let message = format!("nothing uses the input `{name}`");
            let span = self.maker(value);
            self.warn(Diagnostic::new(codes::UNUSED, span, message));
        }
        let mut dropped: Vec<Dropped> = dropped.into_values().collect();
        dropped.sort_by_key(|dropped| dropped.next.index());
        for dropped in dropped {
            self.warn_of_dropped(&dropped);
        }
        self.graph.order.retain(|id| live.contains(id));
        // A name must not keep what is gone.
        self.graph.names.retain(|(_, value)| needed.contains(value));
    }

    /// The dropped values that no chain went on from, that are no outputs, and that no layer before or in the call reads.
    fn dropped_values(&mut self, outputs: &HashSet<ValueId>) -> HashMap<ValueId, Dropped> {
        let mut readers: HashMap<ValueId, NodeId> = HashMap::new();
        for (id, node) in self.graph.live() {
            for &input in &node.inputs {
                readers.entry(input).or_insert(id);
            }
        }
        let dropped = std::mem::take(&mut self.dropped).into_iter();
        let lost = dropped.filter(|Dropped { value, next, .. }| {
            let reader = readers.get(value);
            let early = reader.is_some_and(|id| id.index() < next.index());
            !early && !outputs.contains(value) && !self.chained.contains(value)
        });
        let mut first = HashMap::new();
        for dropped in lost {
            first.entry(dropped.value).or_insert(dropped);
        }
        first
    }

    /// `c: conv …` and then `add(a, b)`, which looks as if it added to `c`.
    fn warn_of_dropped(&mut self, dropped: &Dropped) {
        let Def::Node(node) = self.graph.values[dropped.value].def else {
            return;
        };
        let label = self.graph.nodes[node].label.clone();
        let call = self.quoted(dropped.span);
        let message = format!("`{call}` drops the value before it, `{label}`");
        let mut problem = Diagnostic::new(codes::DROPPED, dropped.span, message)
            .label("it is not among these operands")
            .also(self.maker(dropped.value), "this value");
        if let Some(all) = call.strip_suffix(')').filter(|_| dropped.open) {
            problem = problem.help(format!("to use it too, name it: `{all}, {label})`"));
        }
        if let Some((start, operands)) = call.split_once('(')
            && let Some((first, others)) = operands.split_once(',')
        {
            let anew = format!("route {first} {start}({}", others.trim_start());
            problem = problem.help(format!(
                "if it is for something else, say where this begins: `{anew}`"
            ));
        }
        self.warn(problem);
    }
}
