//! The architecture hash: which network it is, whatever its parts are called.
//!
//! It is the SHA-256 of the network's canonical form:
//!
//! ```text
//! cnn 1
//! 0 = input 1x28x28
//! 1 = conv(0){kernel=5x5,…}[0 6x1x5x5,1 6] 6x28x28
//! 2 = tanh(1){}[] 6x28x28
//! out 2
//! ```
//!
//! Values are numbered in the order in which a walk from the outputs first needs them (operands before
//! the nodes that read them), parameters in the order in which nodes first have them, so that two calls of a shared
//! network differ from two networks. Names, labels, comments, formatting, the order of independent statements and what no output
//! needs are not in it; constant weights are, as attributes.

use crate::graph::{Def, Graph, Node};
use crate::id::{NodeId, ParamId, ValueId};
use crate::layer::attribute::{Attribute, Attributes, listed};
use crate::shape::Shape;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write;

/// The hash, as 64 hexadecimal digits.
pub fn architecture(graph: &Graph) -> String {
    digest(&canonical(graph))
}

/// The hash of the normal form of a graph that [`folded`](crate::pass::folded) has made: the same for all ways to write a network down, those
/// of other formats included. Paddings are numbers, operands of sums and products have no order, and what a last window reaches beyond the operand is one; a folded batch norm is a bias; numbers are of 32 bits;
/// probabilities of an output are none of their own.
pub fn normal(graph: &Graph) -> String {
    digest(&written(graph, true))
}

fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The canonical form.
pub fn canonical(graph: &Graph) -> String {
    written(graph, false)
}

fn written(graph: &Graph, normal: bool) -> String {
    let mut writer = Writer {
        graph,
        normal,
        out: "cnn 1\n".to_owned(),
        values: HashMap::new(),
        params: HashMap::new(),
        operands: match normal {
            true => sorted(graph),
            false => HashMap::new(),
        },
    };
    for input in &graph.inputs {
        let number = writer.number(input.value);
        let shape = &graph.values[input.value].shape;
        let _ = writeln!(writer.out, "{number} = input {shape}");
    }
    let outputs = graph.outputs.iter().map(|output| output.value);
    let outputs: Vec<ValueId> = match normal {
        true => outputs.filter(|&value| !is_share(graph, value)).collect(),
        false => outputs.collect(),
    };
    for &value in &outputs {
        writer.reach(value);
    }
    for &value in &outputs {
        let number = writer.number(value);
        let _ = writeln!(writer.out, "out {number}");
    }
    writer.out
}

struct Writer<'g> {
    graph: &'g Graph,
    /// Whether ways of writing are left out, too.
    normal: bool,
    out: String,
    values: HashMap<ValueId, usize>,
    params: HashMap<ParamId, usize>,
    /// Operands of sums and products in an order of their own.
    operands: HashMap<NodeId, Vec<ValueId>>,
}

/// Layers whose operands have no order.
const COMMUTATIVE: [&str; 4] = ["add", "mul", "max", "min"];

/// The operands of sums and products, in the order of what they are made of. Equal ones stay as they are.
fn sorted(graph: &Graph) -> HashMap<NodeId, Vec<ValueId>> {
    let mut keys: HashMap<ValueId, u64> = HashMap::new();
    let mut all = HashMap::new();
    for (at, input) in graph.inputs.iter().enumerate() {
        keys.insert(input.value, at as u64);
    }
    for &id in &graph.order {
        let node = &graph.nodes[id];
        let (keyword, mut attributes) = node.layer.attributes();
        attributes.sort_by_key(|(name, _)| *name);
        normalised(graph, node, &mut attributes);
        let key = |value: &ValueId| keys.get(value).copied().unwrap_or_default();
        let mut operands = node.inputs.clone();
        if COMMUTATIVE.contains(&keyword) && node.params.is_empty() {
            operands.sort_by_key(key);
        }
        let own: Vec<u64> = operands.iter().map(key).collect();
        let shape = &graph.values[node.output].shape;
        let text = format!(
            "{keyword} {own:?} {} {shape}",
            listed(&attributes, "=", ",")
        );
        let digest = Sha256::digest(text.as_bytes());
        let first = digest.iter().take(8);
        keys.insert(
            node.output,
            first.fold(0, |key, &byte| key << 8 | u64::from(byte)),
        );
        if operands != node.inputs {
            all.insert(id, operands);
        }
    }
    all
}

impl Writer<'_> {
    fn number(&mut self, value: ValueId) -> usize {
        let next = self.values.len();
        *self.values.entry(value).or_insert(next)
    }

    /// Writes what the value needs, then its node. Networks are deep: no recursion.
    fn reach(&mut self, value: ValueId) {
        let mut stack = vec![(value, false)];
        while let Some((value, ready)) = stack.pop() {
            if self.values.contains_key(&value) {
                continue;
            }
            let Def::Node(node) = self.graph.values[value].def else {
                continue;
            };
            if ready {
                self.node(node);
                continue;
            }
            stack.push((value, true));
            let operands = self.operands_of(node);
            stack.extend(operands.iter().rev().map(|&operand| (operand, false)));
        }
    }

    fn operands_of(&self, id: NodeId) -> &[ValueId] {
        let own = &self.graph.nodes[id].inputs;
        self.operands.get(&id).unwrap_or(own)
    }

    fn node(&mut self, id: NodeId) {
        let graph = self.graph;
        let node = &graph.nodes[id];
        let (keyword, mut attributes) = node.layer.attributes();
        attributes.sort_by_key(|(name, _)| *name);
        let inputs = self.operands_of(id).to_vec();
        let operands: Vec<String> = inputs
            .iter()
            .map(|&value| self.number(value).to_string())
            .collect();
        let mut params = Vec::new();
        let own = match self.normal {
            true => normalised(graph, node, &mut attributes),
            false => node.params.len(),
        };
        for &param in &node.params[..own] {
            let next = self.params.len();
            let number = *self.params.entry(param).or_insert(next);
            let dims: Vec<String> = graph.params[param]
                .shape
                .iter()
                .map(usize::to_string)
                .collect();
            params.push(format!("{number} {}", dims.join("x")));
        }
        // One for the bias that a batch norm became, shared where the weights are.
        if own < node.params.len() {
            params.push("bias".to_owned());
        }
        let number = self.number(node.output);
        let shape: &Shape = &graph.values[node.output].shape;
        let _ = writeln!(
            self.out,
            "{number} = {keyword}({}){{{}}}[{}] {shape}",
            operands.join(","),
            listed(&attributes, "=", ","),
            params.join(",")
        );
    }
}

/// Whether a value is the softmax of an output: probabilities beside what they are made of, as classifiers have them.
fn is_share(graph: &Graph, value: ValueId) -> bool {
    let Def::Node(id) = graph.values[value].def else {
        return false;
    };
    let node = &graph.nodes[id];
    node.layer.keyword() == "softmax"
        && graph
            .outputs
            .iter()
            .any(|output| output.value == node.inputs[0])
}

/// Brings what a layer is told into the normal form, and says how many of its tensors are counted: with a batch norm, its weights.
fn normalised(graph: &Graph, node: &Node, attributes: &mut Attributes) -> usize {
    if let Some(window) = node.layer.window() {
        let shape = &graph.values[node.inputs[0]].shape;
        let clipped = attributes.iter().any(|(name, _)| *name == "rounding");
        let counted = attributes.contains(&("count_include_pad", Attribute::Flag(true)));
        if let Ok(placed) = window.place(shape) {
            let sides = (3 - window.rank..3).map(|axis| {
                let end = (placed.out[axis] - 1) * window.stride[axis] + window.reach()[axis];
                let reached = end.saturating_sub(placed.before[axis] + shape.dhw()[axis]);
                let after = if clipped && !counted {
                    reached
                } else {
                    placed.after[axis]
                };
                (placed.before[axis], after)
            });
            let sides: Vec<(usize, usize)> = sides.collect();
            attributes.retain(|(name, _)| *name != "pad" && (*name != "rounding" || counted));
            attributes.push(("pad", Attribute::sides(&sides)));
        }
    }
    for (_, value) in attributes.iter_mut() {
        if let Attribute::Float(number) = value {
            *value = f64::from(number.0 as f32).into();
        }
    }
    let folded = attributes.iter().any(|(name, _)| *name == "bn");
    let mut biased = false;
    for (name, value) in attributes.iter_mut() {
        if let ("bias", Attribute::Flag(own)) = (*name, &mut *value) {
            *own |= folded;
            biased = *own;
        }
    }
    attributes.retain(|(name, _)| *name != "bn");
    attributes.sort_by_key(|(name, _)| *name);
    match biased {
        true => 1,
        false => node.params.len(),
    }
}
