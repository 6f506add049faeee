//! Parts of a step: what the network makes of a batch; gradients, which others may be added to; what an optimiser makes of them. All work on the state of the whole step.

use super::Step;
use crate::graph::Output;
use crate::id::{ParamId, ValueId};
use std::collections::{HashMap, HashSet};

impl Step {
    /// The network alone, in the form that it learns in: its outputs are those that the loss reads. Nothing changes.
    #[must_use]
    pub fn up_to_outputs(&self) -> Step {
        let mut part = self.clone();
        part.graph.stores.clear();
        let outputs = self.made.iter().enumerate().map(|(index, &value)| Output {
            name: if index == 0 {
                "raw".to_owned()
            } else {
                format!("raw.{index}")
            },
            value,
        });
        part.graph.outputs = outputs.collect();
        part.prune();
        part
    }

    /// The step up to the gradients, which are outputs behind its own, in the order of [`Step::gradients`], as vectors. Running statistics move.
    #[must_use]
    pub fn up_to_gradients(&self) -> Step {
        let mut half = self.clone();
        let changed = self.changed();
        half.graph
            .stores
            .retain(|(param, _)| !changed.contains(param));
        let outputs = self.gradients.iter().map(|&(param, value)| Output {
            name: format!("d({})", self.graph.params[param].name),
            value,
        });
        half.graph.outputs.extend(outputs);
        half.prune();
        half
    }

    /// The step from the gradients on, which are inputs behind its own. A graph has an output, which is the smallest of them.
    #[must_use]
    pub fn from_gradients(&self) -> Step {
        let mut half = self.clone();
        let changed = self.changed();
        half.graph
            .stores
            .retain(|(param, _)| changed.contains(param));
        half.graph.outputs.clear();
        let mut given: HashMap<ValueId, ValueId> = HashMap::new();
        for &(param, value) in &self.gradients {
            let name = format!("d({})", self.graph.params[param].name);
            let shape = self.graph.values[value].shape.clone();
            let input = half.graph.push_input(name, shape);
            half.single.insert(input);
            given.insert(value, input);
        }
        for id in half.graph.order.clone() {
            for input in &mut half.graph.nodes[id].inputs {
                *input = given.get(input).copied().unwrap_or(*input);
            }
        }
        let inputs = given.values().copied();
        let smallest =
            inputs.min_by_key(|&value| (half.graph.values[value].shape.elements(), value));
        half.graph.outputs.extend(smallest.map(|value| Output {
            name: "raw".to_owned(),
            value,
        }));
        half.prune();
        half
    }

    /// Tensors that the optimiser changes: those that are trained, and what it keeps.
    fn changed(&self) -> HashSet<ParamId> {
        let trained = self.gradients.iter().map(|(param, _)| *param);
        trained
            .chain(self.state[self.tensors..].iter().copied())
            .collect()
    }

    fn prune(&mut self) {
        let passes = crate::pass::remove_dead();
        crate::pass::run(&passes, &mut self.graph, &mut Default::default());
    }
}
