//! Where nodes stand: in the graph, in a function in the place of its call, or in a branch of an `If`.

use super::ctx::Item;
use super::error::OnnxError;
use super::node::Attrs;
use super::proto::{AttributeProto, FunctionProto, GraphProto, NodeProto, OperatorSetIdProto};
use super::refusals::wrong;
use prost::Message;
use std::collections::{HashMap, HashSet};

/// How deep functions and branches may stand within one another.
const DEPTH: usize = 24;

/// Where a node stands: the graph, or a function with what its call gives.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    opsets: &'a HashMap<String, i64>,
    attrs: &'a [AttributeProto],
    /// Inputs of the function that its call leaves out.
    absent: Option<&'a HashSet<&'a str>>,
    depth: usize,
}

impl<'a> Scope<'a> {
    /// The graph itself.
    pub fn outermost(opsets: &'a HashMap<String, i64>) -> Scope<'a> {
        Scope {
            opsets,
            attrs: &[],
            absent: None,
            depth: 0,
        }
    }

    /// One more within this one; `endless` says what it means that there are too many.
    pub fn deeper(&self, node: &NodeProto, endless: &str) -> Result<Scope<'a>, OnnxError> {
        match self.depth < DEPTH {
            true => Ok(Scope {
                depth: self.depth + 1,
                ..*self
            }),
            false => Err(wrong(node, endless)),
        }
    }

    /// The version of ONNX's own operators that a node is of.
    pub fn opset(&self, node: &NodeProto) -> Result<i64, OnnxError> {
        let own = self.opsets.get("").copied();
        own.ok_or_else(|| wrong(node, "ONNX's operator set is not imported"))
    }

    /// What a node reads.
    pub fn inputs(&self, node: &NodeProto, names: &HashMap<String, Item>) -> Vec<Option<Item>> {
        let known = |name: &String| {
            let absent = self.absent.is_some_and(|all| all.contains(&**name));
            let left_out = name.is_empty() || absent;
            names.get(name).filter(|_| !left_out).cloned()
        };
        node.input.iter().map(known).collect()
    }

    /// A node's attributes, those that its function was given in their place.
    pub fn attrs(&self, node: &NodeProto) -> Attrs {
        let own = node.attribute.iter().filter_map(|attribute| {
            let given = &attribute.ref_attr_name;
            if given.is_empty() {
                return Some(attribute.clone());
            }
            let given = self.attrs.iter().find(|own| own.name == *given)?;
            Some(AttributeProto {
                name: attribute.name.clone(),
                ..given.clone()
            })
        });
        Attrs(own.collect())
    }
}

/// A function with what a call of it gives.
pub(super) struct Called<'f> {
    /// What its names stand for at first.
    pub names: HashMap<String, Item>,
    opsets: HashMap<String, i64>,
    attrs: Vec<AttributeProto>,
    absent: HashSet<&'f str>,
}

impl<'f> Called<'f> {
    pub fn new(function: &'f FunctionProto, inputs: Vec<Option<Item>>, given: &Attrs) -> Self {
        let mut names = HashMap::new();
        let mut absent: HashSet<&str> = HashSet::new();
        let mut inputs = inputs.into_iter();
        for name in &function.input {
            let item = inputs.next().flatten();
            if item.is_none() {
                absent.insert(name);
            }
            names.insert(name.clone(), item.unwrap_or(Item::Unknown));
        }
        let mut attrs = given.0.clone();
        for default in &function.attribute_proto {
            if !attrs.iter().any(|given| given.name == default.name) {
                attrs.push(default.clone());
            }
        }
        Called {
            names,
            opsets: opsets(&function.opset_import),
            attrs,
            absent,
        }
    }

    /// Where its nodes stand; `around` is one deeper than the call.
    pub fn scope<'a>(&'a self, around: &Scope<'_>) -> Scope<'a> {
        Scope {
            opsets: &self.opsets,
            attrs: &self.attrs,
            absent: Some(&self.absent),
            depth: around.depth,
        }
    }
}

/// The branch of an `If` that is taken.
pub(super) fn branch(node: &NodeProto, taken: bool) -> Result<GraphProto, OnnxError> {
    let name = match taken {
        true => "then_branch",
        false => "else_branch",
    };
    let found = node
        .attribute
        .iter()
        .find(|attribute| attribute.name == name);
    found
        .and_then(|attribute| GraphProto::decode(attribute.g.clone()).ok())
        .ok_or_else(|| wrong(node, &format!("it has no {name}")))
}

/// What a graph gives out.
pub(super) fn outputs(graph: &GraphProto) -> Vec<String> {
    let outputs = graph.output.iter();
    outputs.map(|output| output.name.clone()).collect()
}

/// Sets of operators, and their versions.
pub(super) fn opsets(sets: &[OperatorSetIdProto]) -> HashMap<String, i64> {
    let own = |set: &OperatorSetIdProto| (domain(&set.domain).to_owned(), set.version);
    sets.iter().map(own).collect()
}

/// The name of ONNX's own operator set is empty, too.
pub(super) fn domain(name: &str) -> &str {
    match name {
        "ai.onnx" => "",
        name => name,
    }
}
