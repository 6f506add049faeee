//! Where nodes stand: in the graph, in a function in the place of its call, or in a branch of an `If`.

use super::ctx::Item;
use super::error::OnnxError;
use super::node::Attrs;
use super::proto::{AttributeProto, FunctionProto, GraphProto, NodeProto, OperatorSetIdProto};
use super::refusals::wrong;
use prost::Message;
use prost::bytes::Bytes;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// How deep functions and branches may stand within one another.
const DEPTH: usize = 24;

/// What names stand for: those of a graph, and around a branch those of the graph that it stands in.
#[derive(Default)]
pub(super) struct Names<'a> {
    own: HashMap<String, Item>,
    around: Option<&'a Names<'a>>,
}

impl<'a> Names<'a> {
    /// Names of a branch, none so far.
    pub fn within(around: &'a Names<'a>) -> Names<'a> {
        Names {
            own: HashMap::new(),
            around: Some(around),
        }
    }

    pub fn get(&self, name: &str) -> Option<&Item> {
        let mut names = self;
        loop {
            match (names.own.get(name), names.around) {
                (Some(item), _) => return Some(item),
                (None, Some(around)) => names = around,
                (None, None) => return None,
            }
        }
    }

    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Names a tensor; in its place, not around it.
    pub fn insert(&mut self, name: &str, item: Item) {
        self.own.insert(name.to_owned(), item);
    }
}

/// Where a node stands: the graph, or a function with what its call gives.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    opsets: &'a HashMap<String, i64>,
    attrs: &'a [(&'a str, &'a AttributeProto)],
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
    pub fn inputs(&self, node: &NodeProto, names: &Names<'_>) -> Vec<Option<Item>> {
        let known = |name: &String| {
            let absent = self.absent.is_some_and(|all| all.contains(&**name));
            let left_out = name.is_empty() || absent;
            names.get(name).filter(|_| !left_out).cloned()
        };
        node.input.iter().map(known).collect()
    }

    /// A node's attributes, those that its function was given in their place.
    pub fn attrs<'n>(&self, node: &'n NodeProto) -> Attrs<'n>
    where
        'a: 'n,
    {
        let own = node.attribute.iter().filter_map(|attribute| {
            let given = &*attribute.ref_attr_name;
            let meant = match given.is_empty() {
                true => attribute,
                false => self.attrs.iter().find(|(own, _)| *own == given)?.1,
            };
            Some((&*attribute.name, meant))
        });
        Attrs(own.collect())
    }

    /// Whether it is a function's, whose nodes are read again by every call.
    pub fn is_called(&self) -> bool {
        self.absent.is_some()
    }
}

/// A function with what a call of it gives.
pub(super) struct Called<'f> {
    /// What its names stand for at first.
    pub names: Names<'f>,
    opsets: HashMap<String, i64>,
    attrs: Vec<(&'f str, &'f AttributeProto)>,
    absent: HashSet<&'f str>,
}

impl<'f> Called<'f> {
    pub fn new(function: &'f FunctionProto, inputs: Vec<Option<Item>>, given: Attrs<'f>) -> Self {
        let mut names = Names::default();
        let mut absent: HashSet<&str> = HashSet::new();
        let mut inputs = inputs.into_iter();
        for name in &function.input {
            let item = inputs.next().flatten();
            if item.is_none() {
                absent.insert(name);
            }
            names.insert(name, item.unwrap_or(Item::Unknown));
        }
        let mut attrs = given.0;
        for default in &function.attribute_proto {
            if !attrs.iter().any(|(given, _)| *given == default.name) {
                attrs.push((&default.name, default));
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

/// Branches of functions by where they lie in the file: they are decoded once, not by every call.
#[derive(Default)]
pub(super) struct Branches(HashMap<(usize, usize), Rc<GraphProto>>);

impl Branches {
    /// The branch of an `If` that is taken.
    pub fn taken(
        &mut self,
        node: &NodeProto,
        attrs: &Attrs<'_>,
        taken: bool,
        scope: &Scope<'_>,
    ) -> Result<Rc<GraphProto>, OnnxError> {
        let name = match taken {
            true => "then_branch",
            false => "else_branch",
        };
        let none = || wrong(node, &format!("it has no {name}"));
        let bytes: &Bytes = &attrs.get(name).ok_or_else(none)?.g;
        let place = (bytes.as_ptr() as usize, bytes.len());
        if let Some(known) = self.0.get(&place) {
            return Ok(known.clone());
        }
        let graph = GraphProto::decode(bytes.clone()).map_err(|_| none())?;
        let graph = Rc::new(graph);
        if scope.is_called() {
            self.0.insert(place, graph.clone());
        }
        Ok(graph)
    }
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
