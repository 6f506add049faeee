//! What writes a layer as operators: names, constants and nodes.

use crate::onnx::proto::{AttributeProto, NodeProto, TensorProto, attribute_type, data_type};
use cnnc_compiler::graph::{Graph, Node};
use cnnc_compiler::layer::{Attribute, Attributes, Layer};
use cnnc_compiler::shape::Shape;
use prost::bytes::Bytes;
use std::collections::{BTreeMap, HashSet};

/// The graph that is being written.
pub(super) struct Writer<'a> {
    /// The values of a parameter, by its name in weights files.
    pub values: &'a dyn Fn(&str) -> Result<Vec<f32>, String>,
    pub nodes: Vec<NodeProto>,
    pub constants: Vec<TensorProto>,
    /// Names that are taken.
    names: HashSet<String>,
    /// Parameters that are written, by name and extents.
    written: BTreeMap<(String, Vec<usize>), String>,
}

impl<'a> Writer<'a> {
    pub fn new(values: &'a dyn Fn(&str) -> Result<Vec<f32>, String>) -> Writer<'a> {
        Writer {
            values,
            nodes: Vec::new(),
            constants: Vec::new(),
            names: HashSet::new(),
            written: BTreeMap::new(),
        }
    }

    /// Takes a name, or one like it where it is taken.
    pub fn name(&mut self, name: &str) -> String {
        let mut free = name.to_owned();
        let mut number = 2;
        while !self.names.insert(free.clone()) {
            free = format!("{name}_{number}");
            number += 1;
        }
        free
    }

    /// Adds a node.
    pub fn node(
        &mut self,
        op: &str,
        label: &str,
        inputs: &[&str],
        output: &str,
        attributes: Vec<AttributeProto>,
    ) {
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: vec![output.to_owned()],
            name: label.to_owned(),
            op_type: op.to_owned(),
            attribute: attributes,
            ..NodeProto::default()
        });
    }

    /// Adds a constant.
    fn constant(&mut self, name: &str, dims: &[usize], data_type: i32, bytes: Vec<u8>) -> String {
        let name = self.name(name);
        self.constants.push(TensorProto {
            dims: signed(dims),
            data_type,
            name: name.clone(),
            raw_data: Bytes::from(bytes),
            ..TensorProto::default()
        });
        name
    }
}

/// A layer that is being written.
pub(super) struct Cx<'w, 'a> {
    pub writer: &'w mut Writer<'a>,
    pub graph: &'w Graph,
    pub node: &'w Node,
    pub attributes: Attributes,
    /// Names of the operands,
    pub inputs: Vec<String>,
    /// and of the result.
    pub output: String,
}

impl Cx<'_, '_> {
    pub fn layer(&self) -> &dyn Layer {
        &*self.node.layer
    }

    fn get(&self, name: &str) -> Option<&Attribute> {
        let mut attributes = self.attributes.iter();
        attributes
            .find(|(other, _)| *other == name)
            .map(|(_, value)| value)
    }

    /// Whole numbers of a parameter, however it writes them; none where it is not given.
    pub fn numbers(&self, name: &str) -> Vec<usize> {
        match self.get(name) {
            Some(Attribute::Int(number)) => vec![*number],
            Some(
                Attribute::Extents(all)
                | Attribute::Stride(all)
                | Attribute::Sides(all)
                | Attribute::List(all),
            ) => all.clone(),
            _ => Vec::new(),
        }
    }

    /// A whole number; 0 where none is given.
    pub fn number(&self, name: &str) -> usize {
        self.numbers(name).first().copied().unwrap_or(0)
    }

    /// A number, rounded as layers round it; 0 where none is given.
    pub fn float(&self, name: &str) -> f32 {
        match self.get(name) {
            Some(Attribute::Float(number)) => number.0 as f32,
            Some(Attribute::Int(number)) => *number as f32,
            _ => 0.0,
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some(&Attribute::Flag(true))
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A series of numbers.
    pub fn series(&self, name: &str) -> Option<Vec<f32>> {
        match self.get(name) {
            Some(Attribute::Series(numbers)) => Some(numbers.0.to_vec()),
            _ => None,
        }
    }

    pub fn word(&self, name: &str) -> &'static str {
        match self.get(name) {
            Some(Attribute::Word(word)) => word,
            _ => "",
        }
    }

    /// Name of an operand.
    pub fn x(&self, index: usize) -> String {
        self.inputs[index].clone()
    }

    /// Shape of an operand.
    pub fn shape(&self, index: usize) -> Shape {
        self.graph.values[self.node.inputs[index]].shape.clone()
    }

    /// Extents of an operand, without the batch.
    pub fn dims(&self, index: usize) -> Vec<usize> {
        self.shape(index).dims().to_vec()
    }

    /// Extents of the result, without the batch.
    pub fn result(&self) -> Vec<usize> {
        self.graph.values[self.node.output].shape.dims().to_vec()
    }

    /// A tensor of the layer as a constant under its name in weights files; of other extents where some are given.
    pub fn param(&mut self, index: usize, dims: Option<&[usize]>) -> Result<String, String> {
        let param = &self.graph.params[self.node.params[index]];
        let dims = dims.unwrap_or(&param.shape).to_vec();
        let key = (param.name.clone(), dims);
        if let Some(name) = self.writer.written.get(&key) {
            return Ok(name.clone());
        }
        let name = match param.constants() {
            Some(values) => self.listed(&param.name, &key.1, values.collect()),
            None => {
                let values = (self.writer.values)(&param.name)?;
                let bytes = bytes(&values);
                self.writer
                    .constant(&param.name, &key.1, data_type::FLOAT, bytes)
            }
        };
        self.writer.written.insert(key, name.clone());
        Ok(name)
    }

    /// Numbers that stand in the spec: a list in the graph, with extents.
    fn listed(&mut self, name: &str, dims: &[usize], values: Vec<f32>) -> String {
        let list = self.op("Constant", &[], vec![floats("value_floats", values)]);
        let shape = self.whole("weights", &signed(dims));
        let name = self.writer.name(name);
        let inputs = [&*list, &*shape];
        self.writer
            .node("Reshape", &name, &inputs, &name, Vec::new());
        name
    }

    /// How many tensors the layer has.
    pub fn params(&self) -> usize {
        self.node.params.len()
    }

    /// A constant of numbers.
    pub fn floats(&mut self, what: &str, dims: &[usize], values: &[f32]) -> String {
        let name = format!("{}/{what}", self.node.label);
        self.writer
            .constant(&name, dims, data_type::FLOAT, bytes(values))
    }

    /// A constant that is one number.
    pub fn scalar(&mut self, what: &str, value: f32) -> String {
        self.floats(what, &[], &[value])
    }

    /// A constant of whole numbers.
    pub fn whole(&mut self, what: &str, values: &[i64]) -> String {
        let name = format!("{}/{what}", self.node.label);
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.writer
            .constant(&name, &[values.len()], data_type::INT64, bytes)
    }

    /// A node on the way, and the name of its result.
    pub fn op(&mut self, op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> String {
        let label = format!("{}/{op}", self.node.label);
        let output = self.writer.name(&label);
        self.writer.node(op, &output, inputs, &output, attributes);
        output
    }

    /// The node that makes the result.
    pub fn end(&mut self, op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) {
        let output = self.output.clone();
        let label = self.node.label.clone();
        self.writer.node(op, &label, inputs, &output, attributes);
    }

    /// The value with these extents, behind the batch.
    pub fn reshape(&mut self, x: &str, dims: &[usize]) -> String {
        let shape = self.batched(dims);
        self.op("Reshape", &[x, &shape], Vec::new())
    }

    /// The result is the value with its own extents.
    pub fn end_reshape(&mut self, x: &str) {
        let dims = self.result();
        let shape = self.batched(&dims);
        self.end("Reshape", &[x, &shape], Vec::new());
    }

    fn batched(&mut self, dims: &[usize]) -> String {
        // 0 is the operand's own extent.
        let shape: Vec<i64> = std::iter::once(0).chain(signed(dims)).collect();
        self.whole("shape", &shape)
    }

    /// The value with its axes behind the batch in that order, which counts them from 1.
    pub fn transpose(&mut self, x: &str, order: &[usize]) -> String {
        self.op("Transpose", &[x], vec![permutation(order)])
    }

    /// A value as it combines with others of that rank, the batch not counted: axes of extent 1 are added.
    pub fn aligned(&mut self, index: usize, rank: usize) -> String {
        let (x, dims) = (self.x(index), self.dims(index));
        if dims.len() >= rank {
            return x;
        }
        let axes: Vec<i64> = (dims.len()..rank).map(|axis| axis as i64 + 1).collect();
        let axes = self.whole("axes", &axes);
        self.op("Unsqueeze", &[&x, &axes], Vec::new())
    }
}

/// `perm` of a transposition that leaves the batch where it is.
pub(super) fn permutation(order: &[usize]) -> AttributeProto {
    let order: Vec<usize> = std::iter::once(0).chain(order.iter().copied()).collect();
    ints("perm", &order)
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// Extents as the format has them.
pub(super) fn signed(dims: &[usize]) -> Vec<i64> {
    dims.iter().map(|&extent| extent as i64).collect()
}

/// An attribute that is a whole number.
pub(super) fn int(name: &str, value: usize) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        i: value as i64,
        r#type: attribute_type::INT,
        ..AttributeProto::default()
    }
}

/// An attribute that is whole numbers.
pub(super) fn ints(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        ints: signed(values),
        r#type: attribute_type::INTS,
        ..AttributeProto::default()
    }
}

/// An attribute that is a number.
pub(super) fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        f: value,
        r#type: attribute_type::FLOAT,
        ..AttributeProto::default()
    }
}

/// An attribute that is numbers.
fn floats(name: &str, values: Vec<f32>) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        floats: values,
        r#type: attribute_type::FLOATS,
        ..AttributeProto::default()
    }
}

/// An attribute that is a word.
pub(super) fn word(name: &str, value: &'static str) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        s: Bytes::from_static(value.as_bytes()),
        r#type: attribute_type::STRING,
        ..AttributeProto::default()
    }
}
