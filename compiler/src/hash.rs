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
use crate::layer::attribute::{Attribute, Attributes, Exact, listed};
use crate::shape::Shape;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

/// The hash, as 64 hexadecimal digits.
pub fn architecture(graph: &Graph) -> String {
    digest(&canonical(graph))
}

/// The hash of the normal form of a graph that [`folded`](crate::pass::folded) has made: the same for all ways to write a network down, those
/// of other formats included. Paddings are numbers, operands of sums and products have no order, and what a last window reaches beyond the operand is one; a folded batch norm is a bias; numbers are of 32 bits;
/// probabilities of an output are none of their own, and an input that is handed on is no output; constant weights are one kernel where all kernels are alike.
pub fn normal(graph: &Graph) -> String {
    digest(&written(graph, true, true))
}

/// The hash of the normal form of a graph, as if every layer had parameters of its own.
pub fn unshared(graph: &Graph) -> String {
    digest(&written(graph, true, false))
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
    written(graph, false, true)
}

fn written(graph: &Graph, normal: bool, shares: bool) -> String {
    let mut writer = Writer {
        graph,
        normal,
        shares,
        out: "cnn 1\n".to_owned(),
        values: HashMap::new(),
        params: HashMap::new(),
        operands: HashMap::new(),
    };
    let outputs = graph.outputs.iter().map(|output| output.value);
    let mut outputs: Vec<ValueId> = match normal {
        true => outputs.filter(|&value| !is_share(graph, value)).collect(),
        false => outputs.collect(),
    };
    if normal {
        let aliases = aliases(graph);
        let (operands, keys) = sorted(graph, &aliases);
        writer.operands = operands;
        for value in &mut outputs {
            *value = aliases.get(value).copied().unwrap_or(*value);
        }
        outputs.retain(|&value| !matches!(graph.values[value].def, Def::Input(_)));
        outputs.sort_by_key(|value| keys.get(value).copied().unwrap_or_default());
        outputs.dedup();
    }
    for input in &graph.inputs {
        let number = writer.number(input.value);
        let shape = &graph.values[input.value].shape;
        let _ = writeln!(writer.out, "{number} = input {shape}");
    }
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
    /// Whether a tensor that two layers have is told from two.
    shares: bool,
    out: String,
    values: HashMap<ValueId, usize>,
    params: HashMap<ParamId, usize>,
    /// Operands without what does nothing, those of sums and products in an order of their own.
    operands: HashMap<NodeId, Vec<ValueId>>,
}

/// Extents without those of pixels where there is one pixel: `8x1x1` is a vector.
fn extents(shape: &Shape) -> &[usize] {
    let dims = shape.dims();
    match shape.spatial().iter().all(|&n| n == 1) {
        true => &dims[..1],
        false => dims,
    }
}

/// Whether a layer's result is its operand, in the normal form.
fn is_nothing(graph: &Graph, node: &Node) -> bool {
    let [input] = node.inputs[..] else {
        return false;
    };
    let (from, to) = (&graph.values[input].shape, &graph.values[node.output].shape);
    match node.layer.keyword() {
        "reshape" | "flatten" => extents(from) == extents(to),
        "adaptiveavgpool" | "crop" | "slice" | "upsample" | "subsample" => from == to,
        "avgpool" | "maxpool" => {
            let plain = |window: &crate::layer::window::Window| window.reach() == [1; 3];
            from == to && node.layer.window().is_some_and(plain)
        }
        "scale" => {
            let (_, attributes) = node.layer.attributes();
            [("factor", 1.0), ("shift", 0.0)]
                .into_iter()
                .all(|(name, number)| attributes.contains(&(name, number.into())))
        }
        _ => false,
    }
}

/// What each value is made of that is the same by another name.
fn aliases(graph: &Graph) -> HashMap<ValueId, ValueId> {
    let mut all = HashMap::new();
    for &id in &graph.order {
        let node = &graph.nodes[id];
        if is_nothing(graph, node) {
            let input = node.inputs[0];
            let source = all.get(&input).copied().unwrap_or(input);
            all.insert(node.output, source);
        }
    }
    all
}

/// A layer's keyword in the normal form: one convolution of one pixel is `dense`.
fn keyword_of(graph: &Graph, node: &Node, keyword: &'static str) -> &'static str {
    let one = |value: ValueId| extents(&graph.values[value].shape).len() == 1;
    match keyword {
        "adaptiveavgpool" if one(node.output) => "globalavgpool",
        "conv" if one(node.inputs[0]) && one(node.output) => {
            let groups = node.layer.attributes().1.contains(&("groups", 1.into()));
            let small = node
                .layer
                .window()
                .is_some_and(|window| window.reach() == [1; 3]);
            if groups && small { "dense" } else { keyword }
        }
        _ => keyword,
    }
}

/// Layers whose operands have no order.
const COMMUTATIVE: [&str; 4] = ["add", "mul", "max", "min"];

/// Operands that are others than those of the graph, and what each value is made of: operands of sums and products are in the order of that. Equal
/// ones stay as they are.
fn sorted(
    graph: &Graph,
    aliases: &HashMap<ValueId, ValueId>,
) -> (HashMap<NodeId, Vec<ValueId>>, HashMap<ValueId, u64>) {
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
        let keyword = keyword_of(graph, node, keyword);
        let key = |value: &ValueId| keys.get(value).copied().unwrap_or_default();
        let source = |value: &ValueId| aliases.get(value).copied().unwrap_or(*value);
        let mut operands: Vec<ValueId> = node.inputs.iter().map(source).collect();
        if COMMUTATIVE.contains(&keyword) && node.params.is_empty() {
            operands.sort_by_key(key);
        }
        let own: Vec<u64> = operands.iter().map(key).collect();
        let shape = extents(&graph.values[node.output].shape);
        let text = format!(
            "{keyword} {own:?} {} {shape:?}",
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
    (all, keys)
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
        let keyword = match self.normal {
            true => keyword_of(graph, node, keyword),
            false => keyword,
        };
        let pixel = self.normal && keyword == "dense";
        for &param in &node.params[..own] {
            let next = self.params.len();
            let number = match self.shares {
                true => *self.params.entry(param).or_insert(next),
                false => 0,
            };
            let dims = &graph.params[param].shape;
            let rank = if pixel { dims.len().min(2) } else { dims.len() };
            let dims: Vec<String> = dims[..rank].iter().map(usize::to_string).collect();
            params.push(format!("{number} {}", dims.join("x")));
        }
        // One for the bias that a batch norm became, shared where the weights are.
        if own < node.params.len() {
            params.push("bias".to_owned());
        }
        let number = self.number(node.output);
        let shape = &graph.values[node.output].shape;
        let dims = match self.normal {
            true => extents(shape),
            false => shape.dims(),
        };
        let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
        let shape = dims.join("x");
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

/// Constant weights of a tensor of those extents: one kernel, where all are alike.
fn constants(keyword: &str, shape: &[usize], values: &Arc<[f32]>) -> Attribute {
    let whole = || Attribute::Constants(shape.to_vec(), Exact(Arc::clone(values)));
    let (Some(kernel), "conv") = (shape.get(2..), keyword) else {
        return whole();
    };
    let bits = |kernel: &[f32]| kernel.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    let mut kernels = values.chunks(kernel.iter().product::<usize>().max(1));
    let first = kernels.next().unwrap_or_default();
    match kernels.all(|kernel| bits(kernel) == bits(first)) {
        true => Attribute::Constants(kernel.to_vec(), Exact(first.into())),
        false => whole(),
    }
}

/// Brings what a layer is told into the normal form, and says how many of its tensors are counted: with a batch norm, its weights.
fn normalised(graph: &Graph, node: &Node, attributes: &mut Attributes) -> usize {
    match keyword_of(graph, node, node.layer.keyword()) {
        "dense" => attributes.retain(|(name, _)| matches!(*name, "out" | "bias" | "weight" | "bn")),
        "globalavgpool" => attributes.clear(),
        // One number for all axes is that of each.
        "subsample" => {
            let rank = graph.values[node.inputs[0]].shape.spatial().len();
            for (_, value) in attributes.iter_mut() {
                if let Attribute::Stride(list) | Attribute::Extents(list) = value
                    && let &[each] = &list[..]
                {
                    *list = vec![each; rank];
                }
            }
        }
        "slice" if attributes.iter().all(|(name, _)| *name != "to") => {
            let axis = attributes.iter().find_map(|(name, value)| match value {
                Attribute::Int(axis) if *name == "axis" => Some(*axis),
                _ => None,
            });
            let extent = graph.values[node.inputs[0]].shape.dims()[axis.unwrap_or(0)];
            attributes.push(("to", extent.into()));
        }
        _ => {}
    }
    let dense = keyword_of(graph, node, node.layer.keyword()) == "dense";
    if let Some(window) = node.layer.window().filter(|_| !dense) {
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
        if let Attribute::Constants(_, values) = value
            && let Some(&param) = node.params.first()
        {
            let shape = &graph.params[param].shape;
            *value = constants(node.layer.keyword(), shape, &values.0);
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
