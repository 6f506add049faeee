//! What is drawn as one: layers with what follows them, and parts.

use super::parts::{Tree, follows};
use cnnc_compiler::graph::{Def, Graph};
use cnnc_compiler::head::Enters;
use cnnc_compiler::id::{Id, NodeId, ParamId, ValueId};
use std::collections::{HashMap, HashSet};

/// How much of a network is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// How many levels of parts are open.
    pub depth: usize,
    /// Whether repetitions become one box.
    pub fold: bool,
    /// Whether turns of a loop become one box even if the sizes of their tensors differ.
    pub loose: bool,
}

/// Layers that are drawn as one: a layer with what follows it, or a part.
#[derive(Clone, Debug)]
pub struct Unit<'t> {
    /// Indices of its live nodes, in order.
    pub nodes: Vec<usize>,
    /// The part, if it is one.
    pub part: Option<&'t Tree>,
    /// Tensors that it reads from outside, in order of need.
    pub reads: Vec<ValueId>,
    /// Tensors of its own that others read, or that are outputs.
    pub makes: Vec<ValueId>,
}

/// A graph, with what is asked of it often.
pub struct Context<'g> {
    /// The graph.
    pub graph: &'g Graph,
    /// Its live nodes.
    pub live: HashSet<usize>,
    /// Readers of each value.
    pub users: HashMap<ValueId, Vec<usize>>,
    /// The first node that has each parameter.
    pub owners: HashMap<ParamId, usize>,
    /// What the network gives, by name.
    pub outputs: Vec<(String, ValueId)>,
}

impl<'g> Context<'g> {
    /// The graph's.
    pub fn new(graph: &'g Graph) -> Context<'g> {
        let mut users: HashMap<ValueId, Vec<usize>> = HashMap::new();
        let mut owners = HashMap::new();
        for (id, node) in graph.live() {
            for &param in &node.params {
                owners.entry(param).or_insert(id.index());
            }
            for &value in &node.inputs {
                users.entry(value).or_default().push(id.index());
            }
        }
        let outputs = graph.outputs.iter();
        Context {
            graph,
            live: graph.order.iter().map(|id| id.index()).collect(),
            users,
            owners,
            outputs: outputs
                .map(|output| (output.name.clone(), output.value))
                .collect(),
        }
    }

    /// The graph's, without what a head computes of the tensors that it names: these are the ends, then.
    pub fn of_network(graph: &'g Graph) -> Context<'g> {
        let mut context = Context::new(graph);
        let head = graph.head.as_ref();
        let Some(head) = head.filter(|head| matches!(head.decl.enters, Enters::Made(_))) else {
            return context;
        };
        let mut open: Vec<ValueId> = head.tensors.iter().map(|(_, value)| *value).collect();
        let mut kept = HashSet::new();
        while let Some(value) = open.pop() {
            if let Def::Node(node) = graph.values[value].def
                && kept.insert(node.index())
            {
                open.extend(&graph.nodes[node].inputs);
            }
        }
        context.live.retain(|node| kept.contains(node));
        for users in context.users.values_mut() {
            users.retain(|user| kept.contains(user));
        }
        // The first are those of which there are Gram matrices.
        let grams = graph.outputs.iter();
        let grams = grams
            .filter(|output| output.name.starts_with("gram."))
            .count();
        let ends = head
            .tensors
            .iter()
            .enumerate()
            .map(|(index, (name, value))| {
                let name = match index < grams {
                    true => format!("gram.{name}"),
                    false => name.clone(),
                };
                (name, *value)
            });
        context.outputs = ends.collect();
        context
    }

    /// Whether the value is an end.
    pub fn is_output(&self, value: ValueId) -> bool {
        self.outputs.iter().any(|(_, output)| *output == value)
    }

    /// Indices of the nodes that read the value.
    pub fn users(&self, value: ValueId) -> &[usize] {
        self.users.get(&value).map_or(&[], Vec::as_slice)
    }

    /// The value that a node makes.
    pub fn output(&self, node: usize) -> ValueId {
        self.graph.nodes[NodeId::new(node)].output
    }

    /// The units of a part: its open parts are their own units' business.
    pub fn units<'t>(&self, tree: &'t Tree) -> Vec<Unit<'t>> {
        let mut units: Vec<(Vec<usize>, Option<&'t Tree>)> = Vec::new();
        let mut unit_of: HashMap<usize, usize> = HashMap::new();
        let mut parts = tree.children.iter().peekable();
        let nodes = tree.live(&self.live);
        let mut at = 0;
        while at < nodes.len() {
            let node = nodes[at];
            if let Some(part) = parts.next_if(|part| part.nodes.contains(&node)) {
                let inside = part.live(&self.live);
                at += inside.len();
                units.push((inside, Some(part)));
                continue;
            }
            let before = self.before(node).and_then(|maker| unit_of.get(&maker));
            let unit = match before {
                Some(&unit) => {
                    units[unit].0.push(node);
                    unit
                }
                None => {
                    units.push((vec![node], None));
                    units.len() - 1
                }
            };
            unit_of.insert(node, unit);
            at += 1;
        }
        let with_ends = |(nodes, part): (Vec<usize>, Option<&'t Tree>)| {
            let (reads, makes) = self.ends(&nodes);
            Unit {
                nodes,
                part,
                reads,
                makes,
            }
        };
        units.into_iter().map(with_ends).collect()
    }

    /// The node whose result this one goes over, if nobody else sees that result.
    fn before(&self, node: usize) -> Option<usize> {
        let operand = *self.graph.nodes[NodeId::new(node)].inputs.first()?;
        let Def::Node(maker) = self.graph.values[operand].def else {
            return None;
        };
        let alone = self.users(operand).len() == 1 && !self.is_output(operand);
        (follows(self.graph, node) && alone).then_some(maker.index())
    }

    /// What the nodes read from outside, and what of theirs is read outside.
    fn ends(&self, nodes: &[usize]) -> (Vec<ValueId>, Vec<ValueId>) {
        let inside: HashSet<usize> = nodes.iter().copied().collect();
        let own: HashSet<ValueId> = nodes.iter().map(|&node| self.output(node)).collect();
        let mut reads = Vec::new();
        let mut seen = HashSet::new();
        let mut makes = Vec::new();
        for &node in nodes {
            for &value in &self.graph.nodes[NodeId::new(node)].inputs {
                if !own.contains(&value) && seen.insert(value) {
                    reads.push(value);
                }
            }
            let value = self.output(node);
            let outside = self.users(value).iter().any(|user| !inside.contains(user));
            if outside || self.is_output(value) {
                makes.push(value);
            }
        }
        (reads, makes)
    }
}
