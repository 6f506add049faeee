//! Where a network is cut in front of what learns: nothing before changes, so that it is computed once for each sample.
//!
//! ```text
//! input ──▶ frozen layers ──▶ value ──▶ layers that learn ──▶ raw
//!           └── trunk ──────────┘└── rest ──────────────────────┘
//! ```

use super::{Step, Untrainable};
use crate::graph::{Def, Graph, Input, Node, Param};
use crate::id::ValueId;
use crate::layer::dropout::Dropout;
use std::collections::{BTreeSet, HashSet};

/// A network in two parts.
#[derive(Clone, Debug)]
pub struct Cut {
    /// From the input to the value.
    pub trunk: Graph,
    /// From the value, which is its input, to the raw output.
    pub rest: Graph,
}

impl Cut {
    /// Cuts a network with one input at the last value, of so many elements at most, that all of what learns reads and nothing else of what is before it. There is
    /// none where nothing before would multiply anything.
    pub fn of(network: &Graph, frozen: &dyn Fn(&Param) -> bool, most: usize) -> Option<Cut> {
        let [input] = &network.inputs[..] else {
            return None;
        };
        let mut whole = network.clone();
        (whole.head, whole.names) = (None, Vec::new());
        whole.outputs.truncate(1);
        let passes = crate::pass::remove_dead();
        crate::pass::run(&passes, &mut whole, &mut Default::default());
        let stays = |node: &Node| {
            let dropout = node.layer.downcast::<Dropout>();
            dropout.is_none_or(|dropout| dropout.rate == 0.0)
                && node.params.iter().all(|id| {
                    let param = &network.params[*id];
                    param.literal.is_some() || frozen(param)
                })
        };
        let mut fixed: HashSet<ValueId> = HashSet::from([input.value]);
        for (_, node) in whole.live() {
            if stays(node) && node.inputs.iter().all(|value| fixed.contains(value)) {
                fixed.insert(node.output);
            }
        }
        // What crosses from the part that stays to that which learns.
        let crossing: HashSet<ValueId> = whole
            .live()
            .filter(|(_, node)| !fixed.contains(&node.output))
            .flat_map(|(_, node)| node.inputs.iter().copied())
            .filter(|value| fixed.contains(value))
            .collect();
        let of_size = |value: &ValueId| whole.values[*value].shape.elements() <= most;
        let nodes = whole.live().map(|(_, node)| node.output);
        let ends: Vec<ValueId> = nodes.filter(|value| fixed.contains(value)).collect();
        let mut ends = ends.into_iter().rev().filter(of_size);
        let end = ends.find(|&end| crossing.is_subset(&made_of(&whole, end, &fixed)))?;
        let trunk = trunk(&whole, end);
        (trunk.macs() > 0).then(|| Cut {
            rest: rest(network, &whole, &trunk, end),
            trunk,
        })
    }
}

/// What is made of one value and of nothing else, among the values that stay.
fn made_of(whole: &Graph, end: ValueId, fixed: &HashSet<ValueId>) -> HashSet<ValueId> {
    let mut made = HashSet::from([end]);
    for (_, node) in whole.live() {
        let inputs = &node.inputs;
        let of_it = !inputs.is_empty() && inputs.iter().all(|value| made.contains(value));
        if of_it && fixed.contains(&node.output) {
            made.insert(node.output);
        }
    }
    made
}

fn trunk(whole: &Graph, end: ValueId) -> Graph {
    let mut trunk = whole.clone();
    trunk.outputs[0].value = end;
    let passes = crate::pass::remove_dead();
    crate::pass::run(&passes, &mut trunk, &mut Default::default());
    trunk
}

fn rest(network: &Graph, whole: &Graph, trunk: &Graph, end: ValueId) -> Graph {
    let mut rest = whole.clone();
    // Which loss it has by itself, the head says.
    rest.head = network.head.clone();
    let name = whole.label_of(end).to_owned();
    let done: HashSet<_> = trunk.order.iter().copied().collect();
    rest.order.retain(|id| !done.contains(id));
    rest.values[end].def = Def::Input(0);
    rest.inputs = vec![Input {
        name,
        value: end,
        pre: None,
        frames: None,
        hearing: None,
    }];
    rest
}

impl Step {
    /// The raw output of a network as it is computed within a step none of whose tensors are trained: norms use their running statistics.
    ///
    /// # Errors
    /// A layer that no loops compute.
    pub fn forward(network: &Graph) -> Result<Step, Untrainable> {
        let mut graph = network.clone();
        (graph.head, graph.names) = (None, Vec::new());
        graph.outputs.truncate(1);
        let mut step = Step::of(graph, Vec::new(), &[]);
        step.keep(BTreeSet::new());
        step.has_loops()?;
        Ok(step)
    }
}
