//! One walk over the schedule, on which passes rewrite it.
//!
//! A pass looks back from a node: at what makes an operand, and at whether anybody else reads that. Both are known here without a
//! search, and what a rewrite changes further on in the schedule is changed when the walk gets there.

use crate::graph::{Def, Graph, Node};
use crate::id::{Id, NodeId, ParamId, ValueId};
use crate::layer::Layer;
use crate::layer::epilogue::Part;
use crate::note::Notes;
use std::collections::{HashMap, HashSet};

/// The graph while a pass rewrites it.
pub(super) struct Rewriter<'g> {
    graph: &'g mut Graph,
    /// What the pass says.
    pub notes: &'g mut Notes,
    /// How many operands of live nodes each value is.
    readers: Vec<usize>,
    /// Values that leave the network, or that tensors become.
    leaves: HashSet<ValueId>,
    /// What is read in place of a value that is no longer made.
    instead: HashMap<ValueId, ValueId>,
    /// Nodes that are no longer scheduled.
    gone: HashSet<NodeId>,
}

/// Calls `visit` with every live node, in order, its operands being those that earlier rewrites have left it.
pub(super) fn rewrite(
    graph: &mut Graph,
    notes: &mut Notes,
    mut visit: impl FnMut(&mut Rewriter<'_>, NodeId),
) {
    let mut readers = vec![0; graph.values.len()];
    for (_, node) in graph.live() {
        for value in &node.inputs {
            readers[value.index()] += 1;
        }
    }
    let outputs = graph.outputs.iter().map(|output| output.value);
    let leaves = outputs.chain(graph.stores.iter().map(|&(_, value)| value));
    let mut rewriter = Rewriter {
        leaves: leaves.collect(),
        readers,
        instead: HashMap::new(),
        gone: HashSet::new(),
        notes,
        graph,
    };
    for id in std::mem::take(&mut rewriter.graph.order) {
        let Rewriter { graph, instead, .. } = &mut rewriter;
        for input in &mut graph.nodes[id].inputs {
            *input = now(instead, *input);
        }
        visit(&mut rewriter, id);
        if !rewriter.gone.contains(&id) {
            rewriter.graph.order.push(id);
        }
    }
    let Rewriter {
        graph,
        instead,
        gone,
        ..
    } = rewriter;
    graph.order.retain(|id| !gone.contains(id));
    for output in &mut graph.outputs {
        output.value = now(&instead, output.value);
    }
    let named = graph.names.iter_mut().map(|(_, value)| value);
    for value in named.chain(graph.stores.iter_mut().map(|(_, value)| value)) {
        *value = now(&instead, *value);
    }
}

/// What is read in place of the value by now.
fn now(instead: &HashMap<ValueId, ValueId>, mut value: ValueId) -> ValueId {
    while let Some(&next) = instead.get(&value) {
        value = next;
    }
    value
}

impl Rewriter<'_> {
    /// The graph. Its schedule ends before the node that is visited.
    pub fn graph(&self) -> &Graph {
        self.graph
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.graph.nodes[id]
    }

    /// What makes a value, if a node does.
    pub fn maker(&self, value: ValueId) -> Option<NodeId> {
        match self.graph.values[value].def {
            Def::Node(id) => Some(id),
            Def::Input(_) | Def::Param(_) => None,
        }
    }

    /// Why a value cannot disappear into its only reader, if it cannot: what follows on what it is.
    pub fn kept(&self, value: ValueId) -> Option<String> {
        if self.leaves.contains(&value) {
            return Some("is also an output of the network".to_owned());
        }
        match self.readers[value.index()] {
            1 => None,
            readers => Some(format!("has {readers} readers")),
        }
    }

    /// Makes the visited node a part of the epilogue of the layer that makes its operand `side`, and gives that layer's label.
    ///
    /// The new node stands where the visited one stood: there all operands of both have been made.
    ///
    /// # Errors
    /// Why it cannot be: then nothing has changed.
    pub fn fuse_into(
        &mut self,
        visited: NodeId,
        side: usize,
        part: Part,
    ) -> Result<String, String> {
        let node = self.node(visited);
        let value = node.inputs[side];
        let operand = match node.inputs.len() {
            1 => "its operand".to_owned(),
            _ => format!("operand {}", side + 1),
        };
        let Some(maker) = self.maker(value) else {
            return Err(format!("{operand} is an input of the network"));
        };
        let into = self.node(maker);
        let mut layer = into.layer.clone();
        let Some(epilogue) = layer.epilogue_mut() else {
            let keyword = layer.keyword();
            return Err(format!(
                "{operand} is made by `{keyword}`, which has no epilogue"
            ));
        };
        let literal = |&param: &ParamId| self.graph.params[param].literal.is_some();
        if matches!(part, Part::Norm(_)) && into.params.iter().any(literal) {
            let label = &into.label;
            return Err(format!(
                "the weights of `{label}` are constants of the spec"
            ));
        }
        if let Err(there) = epilogue.append(part) {
            return Err(format!("`{}` already has {there}", into.label));
        }
        if let Some(reason) = self.kept(value) {
            return Err(format!("{operand} {reason}"));
        }
        let others = (0..node.inputs.len()).filter(|&other| other != side);
        let others = others.map(|other| node.inputs[other]);
        let inputs = into.inputs.iter().copied().chain(others).collect();
        let params = [into.params.clone(), node.params.clone()].concat();
        let label = into.label.clone();
        self.replace(visited, layer, inputs, params);
        self.remove(maker);
        Ok(label)
    }

    /// Takes a node out of the schedule: the one that is visited, or an earlier one whose result nobody reads any more.
    pub fn remove(&mut self, id: NodeId) {
        self.gone.insert(id);
        for input in &self.graph.nodes[id].inputs {
            self.readers[input.index()] -= 1;
        }
    }

    /// Removes the node; readers of its result read the other value.
    pub fn drop_for(&mut self, id: NodeId, value: ValueId) {
        self.remove(id);
        let old = self.graph.nodes[id].output;
        self.readers[value.index()] += self.readers[old.index()];
        if self.leaves.remove(&old) {
            self.leaves.insert(value);
        }
        self.instead.insert(old, value);
    }

    /// Puts `layer` with those operands and parameters in the place of the visited node: what makes a tensor has the tensor's label.
    pub fn replace(
        &mut self,
        visited: NodeId,
        layer: Box<dyn Layer>,
        inputs: Vec<ValueId>,
        params: Vec<ParamId>,
    ) {
        let named = &self.graph.nodes[visited];
        let (label, span) = (named.label.clone(), named.span);
        let made = self.graph.push(layer, inputs, params, label, span);
        let new = made.unwrap_or_else(|error| {
            let label = &self.graph.nodes[visited].label;
            panic!("pass: rewriting {visited} ({label}): {error}")
        });
        for input in &self.graph.nodes[new].inputs {
            self.readers[input.index()] += 1;
        }
        self.readers.push(0);
        let output = self.graph.nodes[new].output;
        self.drop_for(visited, output);
    }
}
