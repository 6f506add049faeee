//! What one node of ONNX's own operators becomes: numbers, layers, or a row of the table of what is not supported.

use super::ctx::{Call, Ctx, Item, pay, work};
use super::error::{OnnxError, Why};
use super::fold::{Folding, fold};
use super::net::{Hint, Net};
use super::node::Attrs;
use super::ops;
use super::proto::{GraphProto, NodeProto};
use super::read::Outside;
use super::refusals::{Refusals, path, remedy, show_long, wrong};
use super::scopes::domain;
use super::tensor::{self, Tensor};
use cnnc_compiler::limits;
use cnnc_compiler::words::grouped;
use prost::Message;
use std::collections::HashMap;

/// Most nodes, those of functions wherever they are called included.
const NODES: usize = 1 << 17;

/// How deep graphs stand within one another in which it is said what is not supported.
const DEPTH: usize = 8;

/// Characters of a name that a layer's label is made of, which every layer keeps.
const NAME: usize = 128;

/// What nodes are read with.
pub(super) struct Reader<'m> {
    pub ctx: Ctx,
    pub refusals: Refusals,
    pub outside: &'m Outside,
    /// Elements that the layers' parameters may still have: as f32, those of 16 bits are twice as large.
    layers: usize,
    nodes: usize,
    /// Nodes that are not constant so far, of which there may be as many as a network has layers.
    computed: usize,
}

impl<'m> Reader<'m> {
    pub fn new(batch: Option<usize>, outside: &'m Outside, file: usize) -> Reader<'m> {
        Reader {
            ctx: Ctx {
                net: Net::default(),
                batch,
                budget: file / 4 + (1 << 20),
                work: file.saturating_mul(2).saturating_add(1 << 30),
            },
            refusals: Refusals::default(),
            outside,
            layers: file / 2 + (1 << 21),
            nodes: 0,
            computed: 0,
        }
    }

    /// Counts nodes; whether there may be as many.
    pub fn count(&mut self, nodes: usize) -> bool {
        self.nodes = self.nodes.saturating_add(nodes);
        self.nodes <= NODES
    }

    /// What a node makes; `uses` says how often each name is read.
    pub fn operator(
        &mut self,
        node: &NodeProto,
        opset: i64,
        inputs: Vec<Option<Item>>,
        attrs: &Attrs<'_>,
        uses: &HashMap<&str, usize>,
    ) -> Result<Vec<Item>, OnnxError> {
        let op = &*node.op_type;
        if op == "Constant" {
            // A function's is made again by every call.
            return match self.constant(attrs).and_then(|tensor| self.paid(tensor)) {
                Ok(tensor) => Ok(vec![Item::Const(tensor)]),
                Err(why) => self.failed(node, why),
            };
        }
        let known = ops::find(op).is_some() || ops::FOLDED.contains(&op);
        let mut operands = inputs.iter().flatten();
        if operands.any(|item| matches!(item, Item::Unknown)) {
            if training(op, &inputs, attrs) {
                self.refusals.add(
                    op,
                    &path(node),
                    "it is in training mode: export the network behind `model.eval()`",
                );
            } else if !known {
                return Ok(self.refuse(node, op, remedy("", op)));
            }
            return Ok(Vec::new());
        }
        if known || matches!(op, "NonZero" | "Xor") {
            for item in inputs.iter().flatten() {
                if let Item::Const(tensor) = item {
                    let read = work(&mut self.ctx.work, tensor.len());
                    let paid = read.and_then(|()| self.ctx.pay(tensor.unwidened()));
                    if let Err(why) = paid {
                        return self.failed(node, why);
                    }
                }
            }
        }
        match self.folded(node, attrs, &inputs) {
            Ok(Some(made)) => return Ok(made),
            Ok(None) => {}
            Err(why) => return self.failed(node, why),
        }
        let Some(row) = ops::find(op) else {
            let remedy = match known {
                true => {
                    "its operands are computed by the network; the language has no layer for it"
                }
                false => remedy("", op),
            };
            return Ok(self.refuse(node, op, remedy));
        };
        self.computed += 1;
        if self.computed > limits::NODES {
            return Err(OnnxError::Beyond(format!(
                "the network has more than {} layers",
                grouped(limits::NODES)
            )));
        }
        let weights = node.input.get(1).or(node.input.first());
        self.ctx.net.hint = Hint {
            weights: weights.map_or_else(String::new, |name| name.chars().take(NAME).collect()),
            node: path(node).chars().take(NAME).collect(),
        };
        let once = node.input.iter();
        let last = node.output.iter().rposition(|name| !name.is_empty());
        let call = Call {
            op,
            opset,
            attrs,
            once: once.map(|name| uses.get(&**name) == Some(&1)).collect(),
            inputs,
            outputs: last.map_or(0, |last| last + 1),
        };
        let before = self.ctx.net.values.len();
        let made = (row.run)(&mut self.ctx, &call).and_then(|made| {
            // A constant of the file may be in many layers, each with numbers of its own.
            let layers = self.ctx.net.values[before..].iter();
            let params = layers.filter_map(|value| value.layer.as_ref());
            let price = params.flat_map(|layer| &layer.params).map(|p| p.1.price());
            pay(&mut self.layers, price.sum())?;
            Ok(made)
        });
        made.or_else(|why| self.failed(node, why))
    }

    /// The numbers that a node makes of constants, or of the extents of a tensor; `None` if it is for layers to do.
    fn folded(
        &mut self,
        node: &NodeProto,
        attrs: &Attrs<'_>,
        inputs: &[Option<Item>],
    ) -> Result<Option<Vec<Item>>, Why> {
        let op = &*node.op_type;
        // Shapes are known, whatever the elements.
        let shape = match (op, inputs.first()) {
            ("Shape" | "Size", Some(Some(Item::Val(val) | Item::Whole(val)))) => Some(Tensor {
                dims: val.dims.clone(),
                data: tensor::Data::Float(Vec::new().into()),
            }),
            _ => None,
        };
        if let (Some(shape), "Size") = (&shape, op) {
            let count = shape.dims.iter().product::<usize>() as i64;
            let count = Tensor::ints(Vec::new(), vec![count]);
            return Ok(Some(vec![Item::Const(count)]));
        }
        let mut operands: Vec<Option<&Tensor>> = Vec::new();
        match &shape {
            Some(shape) => operands.push(Some(shape)),
            None => {
                for item in inputs {
                    operands.push(match item {
                        None => None,
                        Some(Item::Const(tensor)) => Some(tensor),
                        Some(_) => return Ok(None),
                    });
                }
            }
        }
        if operands.is_empty() {
            return Ok(None);
        }
        let made = fold(Folding {
            op,
            attrs,
            inputs: &operands,
            outputs: node.output.len(),
            budget: &mut self.ctx.budget,
            work: &mut self.ctx.work,
        })?;
        Ok(made.map(|made| made.into_iter().map(Item::Const).collect()))
    }

    /// A tensor that is made, within what may be.
    pub fn paid(&mut self, tensor: Tensor) -> Result<Tensor, Why> {
        self.ctx.pay(tensor.price())?;
        Ok(tensor)
    }

    fn constant(&self, attrs: &Attrs<'_>) -> Result<Tensor, Why> {
        if let Some(proto) = attrs.tensor("value")? {
            let bytes = self.outside.bytes(proto).map_err(Why::Invalid)?;
            return tensor::read(proto, bytes);
        }
        if let Some(list) = attrs.ints("value_ints")? {
            return Ok(Tensor::ints(vec![list.len()], list.to_vec()));
        }
        if let Some(list) = attrs.floats("value_floats")? {
            return Ok(Tensor::listed(list));
        }
        if attrs.has("value_int") {
            return Ok(Tensor::ints(Vec::new(), vec![attrs.int("value_int", 0)?]));
        }
        if attrs.has("value_float") {
            return Ok(Tensor::floats(
                Vec::new(),
                vec![attrs.float("value_float", 0.0)?],
            ));
        }
        Err(Why::Unsupported(
            "a constant that is no tensor of numbers".to_owned(),
        ))
    }

    /// Goes on behind a node that is not supported, and ends with one that is wrong.
    pub fn failed(&mut self, node: &NodeProto, why: Why) -> Result<Vec<Item>, OnnxError> {
        match why {
            Why::Unsupported(why) => {
                self.refusals.add(&node.op_type, &path(node), &why);
                Ok(Vec::new())
            }
            Why::Invalid(why) => Err(wrong(node, &show_long(&why))),
        }
    }

    /// Refuses a node with what is not supported in its graphs; it makes nothing.
    pub fn refuse(&mut self, node: &NodeProto, operator: &str, remedy: &str) -> Vec<Item> {
        self.refusals.add(operator, &path(node), remedy);
        self.nested(node, 0);
        Vec::new()
    }

    /// Names what is not supported in the graphs of a node.
    fn nested(&mut self, node: &NodeProto, depth: usize) {
        if depth > DEPTH {
            return;
        }
        let graphs = node.attribute.iter().map(|attribute| &attribute.g);
        for graph in graphs.filter(|graph| !graph.is_empty()) {
            let Ok(graph) = GraphProto::decode(graph.clone()) else {
                continue;
            };
            for node in &graph.node {
                if !self.count(1) {
                    return;
                }
                let op = &*node.op_type;
                let set = domain(&node.domain);
                if !set.is_empty() {
                    let operator = format!("{set}.{op}");
                    self.refusals.add(&operator, &path(node), remedy(set, op));
                } else if ops::find(op).is_none() && !ops::FOLDED.contains(&op) {
                    self.refusals.add(op, &path(node), remedy("", op));
                }
                self.nested(node, depth + 1);
            }
        }
    }
}

/// Whether a node does what is done in training only.
fn training(op: &str, inputs: &[Option<Item>], attrs: &Attrs<'_>) -> bool {
    match op {
        "BatchNormalization" => attrs.int("training_mode", 0).unwrap_or(0) == 1,
        "Dropout" => {
            matches!(inputs.get(2), Some(Some(Item::Const(on))) if on.scalar().is_some_and(|on| on != 0.0))
        }
        _ => false,
    }
}
