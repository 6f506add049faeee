//! Nodes in an order in which they can be read, functions and branches that a constant chooses in their place.

use super::ctx::Item;
use super::error::{OnnxError, show};
use super::node::Attrs;
use super::operator::Reader;
use super::proto::{FunctionProto, ModelProto, NodeProto};
use super::read::Outside;
use super::refusals::{remedy, title};
use super::scopes::{self, Branches, Called, Names, Scope, domain};
use super::tensor;
use std::collections::{BTreeSet, HashMap};

/// Names of a function, or of a graph, that count as one node more.
const NAMES: usize = 16;

/// Reads graphs, and those within them.
pub(super) struct Walker<'m> {
    pub reader: Reader<'m>,
    /// By set of operators and name.
    functions: HashMap<(&'m str, &'m str), &'m FunctionProto>,
    branches: Branches,
}

impl<'m> Walker<'m> {
    pub fn new(
        batch: Option<usize>,
        model: &'m ModelProto,
        outside: &'m Outside,
        file: usize,
    ) -> Walker<'m> {
        let mut functions = HashMap::new();
        for own in &model.functions {
            functions
                .entry((domain(&own.domain), &*own.name))
                .or_insert(own);
        }
        Walker {
            reader: Reader::new(batch, outside, file),
            functions,
            branches: Branches::default(),
        }
    }

    /// Reads nodes in an order in which their operands are there.
    pub fn graph(
        &mut self,
        nodes: &[NodeProto],
        names: &mut Names<'_>,
        outputs: &[String],
        scope: &Scope<'_>,
    ) -> Result<(), OnnxError> {
        let mut made: HashMap<&str, usize> = HashMap::new();
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for (at, node) in nodes.iter().enumerate() {
            for output in node.output.iter().filter(|output| !output.is_empty()) {
                if made.insert(output, at).is_some() || names.contains(output) {
                    return Err(OnnxError::Invalid(format!(
                        "two nodes make `{}`",
                        show(output)
                    )));
                }
            }
            for input in &node.input {
                *uses.entry(input).or_default() += 1;
            }
        }
        for output in outputs {
            *uses.entry(output).or_default() += 1;
        }
        let mut waits: Vec<usize> = vec![0; nodes.len()];
        let mut readers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
        for (at, node) in nodes.iter().enumerate() {
            for input in node.input.iter().filter(|input| !input.is_empty()) {
                match made.get(&**input) {
                    Some(&maker) => {
                        waits[at] += 1;
                        readers[maker].push(at);
                    }
                    None if names.contains(input) => {}
                    None => {
                        return Err(OnnxError::Invalid(format!(
                            "{} reads `{}`, which nothing makes",
                            title(node),
                            show(input)
                        )));
                    }
                }
            }
        }
        // In the file's order, as far as it is one.
        let mut ready: BTreeSet<usize> = (0..nodes.len()).filter(|&at| waits[at] == 0).collect();
        let mut done = 0;
        while let Some(at) = ready.pop_first() {
            self.node(&nodes[at], names, &uses, scope)?;
            done += 1;
            for &reader in &readers[at] {
                waits[reader] -= 1;
                if waits[reader] == 0 {
                    ready.insert(reader);
                }
            }
        }
        if done < nodes.len() {
            let stuck = nodes
                .iter()
                .zip(&waits)
                .find(|(_, waits)| **waits > 0)
                .map_or_else(String::new, |(node, _)| title(node));
            return Err(OnnxError::Invalid(format!(
                "{stuck} needs its own result: the graph has a circle"
            )));
        }
        Ok(())
    }

    fn node(
        &mut self,
        node: &NodeProto,
        names: &mut Names<'_>,
        uses: &HashMap<&str, usize>,
        scope: &Scope<'_>,
    ) -> Result<(), OnnxError> {
        self.count(1)?;
        let inputs = scope.inputs(node, names);
        let attrs = scope.attrs(node);
        let op = &*node.op_type;
        let set = domain(&node.domain);
        let made = if let Some(&function) = self.functions.get(&(set, op)) {
            let more = function.input.len() + function.output.len();
            self.count((more + function.attribute_proto.len()) / NAMES)?;
            let called = Called::new(function, inputs, attrs);
            self.function(function, node, called, scope)?
        } else if !set.is_empty() {
            let operator = format!("{set}.{op}");
            self.reader.refuse(node, &operator, remedy(set, op))
        } else {
            let opset = scope.opset(node)?;
            match op {
                "If" => self.branch(node, &attrs, &inputs, names, scope)?,
                _ => self.reader.operator(node, opset, inputs, &attrs, uses)?,
            }
        };
        let mut made = made.into_iter();
        for output in &node.output {
            let item = made.next().unwrap_or(Item::Unknown);
            if !output.is_empty() {
                names.insert(output, item);
            }
        }
        Ok(())
    }

    /// Counts nodes, of which there may be so many.
    fn count(&mut self, nodes: usize) -> Result<(), OnnxError> {
        match self.reader.count(nodes) {
            true => Ok(()),
            false => Err(OnnxError::Invalid(
                "the network has more nodes than any, those of its functions included".to_owned(),
            )),
        }
    }

    /// A function's nodes in the place of its call.
    fn function(
        &mut self,
        function: &FunctionProto,
        node: &NodeProto,
        mut called: Called<'_>,
        scope: &Scope<'_>,
    ) -> Result<Vec<Item>, OnnxError> {
        let around = scope.deeper(node, "functions call one another without end")?;
        let mut names = std::mem::take(&mut called.names);
        let inner = called.scope(&around);
        self.graph(&function.node, &mut names, &function.output, &inner)?;
        let outputs = function.output.iter();
        let made = outputs.map(|name| names.get(name).cloned().unwrap_or(Item::Unknown));
        Ok(made.collect())
    }

    /// The branch that a constant chooses.
    fn branch(
        &mut self,
        node: &NodeProto,
        attrs: &Attrs<'_>,
        inputs: &[Option<Item>],
        names: &Names<'_>,
        scope: &Scope<'_>,
    ) -> Result<Vec<Item>, OnnxError> {
        let chosen = match inputs.first() {
            Some(Some(Item::Const(tensor))) => tensor.scalar(),
            _ => None,
        };
        let Some(chosen) = chosen else {
            return Ok(self.reader.refuse(node, "If", remedy("", "If")));
        };
        let graph = self.branches.taken(node, attrs, chosen != 0.0, scope)?;
        self.count((graph.initializer.len() + graph.output.len()) / NAMES)?;
        let within = scope.deeper(node, "branches stand within one another too deep")?;
        // Names of the branch are its own; those around it are known in it.
        let mut inner = Names::within(names);
        for proto in &graph.initializer {
            let bytes = self.reader.outside.bytes(proto);
            let bytes = bytes.map_err(OnnxError::Invalid)?;
            let tensor = tensor::read(proto, bytes).and_then(|tensor| self.reader.paid(tensor));
            match tensor {
                Ok(tensor) => inner.insert(&proto.name, Item::Const(tensor)),
                Err(why) => return self.reader.failed(node, why),
            };
        }
        let outputs = scopes::outputs(&graph);
        self.graph(&graph.node, &mut inner, &outputs, &within)?;
        let made = outputs.iter();
        let made = made.map(|name| inner.get(name).cloned().unwrap_or(Item::Unknown));
        Ok(made.collect())
    }
}
