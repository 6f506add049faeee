//! From messages to layers: nodes in an order in which they can be read, functions and constant branches in their place.

use super::ctx::{Call, Ctx, Item, Val, pay};
use super::error::{OnnxError, Unsupported, Why, show};
use super::fold::{Folding, fold};
use super::net::{Hint, Net};
use super::node::Attrs;
use super::ops;
use super::proto::{AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, data_type};
use super::read::Outside;
use super::tensor::{self, ELEMENTS, Tensor};
use cnnc_compiler::limits::{self, INPUTS};
use cnnc_compiler::words::grouped;
use prost::Message;
use std::collections::{HashMap, HashSet};

/// Newest operator set that is known.
pub(super) const NEWEST: i64 = 24;

/// How deep functions and branches may stand within one another.
const DEPTH: usize = 24;

/// Most nodes, those of functions wherever they are called included.
const NODES: usize = 1 << 17;

/// Characters of a name that a layer's label is made of, which every layer keeps.
const NAME: usize = 128;

/// What the network is read with.
#[derive(Clone, Debug, Default)]
pub(super) struct Shapes {
    /// Extents of inputs by name, without the batch.
    pub given: Vec<(String, Vec<usize>)>,
    /// Extents of what the network will be run on, in the order of its inputs, batch included.
    pub samples: Vec<Vec<usize>>,
}

/// An input of the graph.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub name: String,
    /// Extents in the file, batch included.
    pub dims: Vec<usize>,
    pub id: usize,
}

/// An output of the graph.
#[derive(Clone)]
pub(super) struct Output {
    pub name: String,
    pub item: Item,
}

/// A graph that has been read.
pub(super) struct Graph {
    pub ctx: Ctx,
    pub inputs: Vec<Input>,
    pub outputs: Vec<Output>,
}

/// Reads a model's graph.
pub(super) fn read(
    model: &ModelProto,
    outside: &Outside,
    shapes: &Shapes,
    file: usize,
) -> Result<Graph, OnnxError> {
    let invalid = |why: &str| Err(OnnxError::Invalid(why.to_owned()));
    let Some(graph) = &model.graph else {
        return invalid("the file has no graph");
    };
    if graph.output.is_empty() {
        return invalid("the graph has no outputs");
    }
    if graph.node.is_empty() && graph.input.is_empty() {
        return invalid("the graph has neither nodes nor inputs");
    }
    let mut opsets = HashMap::new();
    for set in &model.opset_import {
        opsets.insert(domain(&set.domain).to_owned(), set.version);
    }
    let opset = *opsets.entry(String::new()).or_insert(1);
    if !(1..=NEWEST).contains(&opset) {
        return Err(OnnxError::Invalid(format!(
            "operator set {opset} is not known; the newest one that is read is {NEWEST}"
        )));
    }
    let mut constants: HashMap<String, Item> = HashMap::new();
    for proto in &graph.initializer {
        let bytes = outside.bytes(proto).map_err(OnnxError::Invalid)?;
        let item = match tensor::read(proto, bytes) {
            Ok(tensor) => Item::Const(tensor),
            Err(Why::Invalid(why)) => return Err(OnnxError::Invalid(why)),
            // Refused where it is read.
            Err(Why::Unsupported(_)) => Item::Unknown,
        };
        if constants.insert(proto.name.clone(), item).is_some() {
            return Err(OnnxError::Invalid(format!(
                "two tensors are called `{}`",
                show(&proto.name)
            )));
        }
    }
    // What lies in other files is the network's as well.
    let file = file.saturating_add(outside.held());
    let inputs = match inputs(graph, &constants, shapes) {
        Ok(inputs) => inputs,
        // What is not supported is so whatever the shapes.
        Err(error @ OnnxError::Open { .. }) => {
            let mut walker = Walker::new(None, model, outside, file);
            let mut names = constants;
            for input in &graph.input {
                names.entry(input.name.clone()).or_insert(Item::Unknown);
            }
            let scope = Scope {
                opsets: &opsets,
                attrs: &[],
                absent: &HashSet::new(),
                depth: 0,
            };
            walker.graph(&graph.node, &mut names, &outputs_of(graph), &scope)?;
            return Err(match walker.refused.is_empty() {
                true => error,
                false => OnnxError::Unsupported(walker.refused),
            });
        }
        Err(error) => return Err(error),
    };
    let first: HashSet<usize> = inputs
        .iter()
        .map(|(_, dims, _)| dims.first().copied().unwrap_or(1))
        .collect();
    let several = (first.len() == 1)
        .then(|| *first.iter().next().expect("one"))
        .filter(|&n| n > 1);
    let run = |batch: Option<usize>| -> Result<Graph, OnnxError> {
        let mut walker = Walker::new(batch, model, outside, file);
        let mut names = constants.clone();
        let mut all = Vec::new();
        for (name, dims, float) in &inputs {
            let lang = walker.ctx.lang(dims);
            let id = walker.ctx.net.input(lang);
            let val = Val {
                id,
                dims: dims.clone(),
            };
            let item = if *float {
                Item::Val(val)
            } else {
                Item::Whole(val)
            };
            if names.insert(name.clone(), item).is_some() {
                return Err(OnnxError::Invalid(format!(
                    "two tensors are called `{}`",
                    show(name)
                )));
            }
            all.push(Input {
                name: name.clone(),
                dims: dims.clone(),
                id,
            });
        }
        for bytes in &graph.sparse_initializer {
            let _ = bytes;
            walker.refuse(
                "SparseTensor",
                "a sparse initialiser",
                "write it out as a dense one",
            );
        }
        let scope = Scope {
            opsets: &opsets,
            attrs: &[],
            absent: &HashSet::new(),
            depth: 0,
        };
        walker.graph(&graph.node, &mut names, &outputs_of(graph), &scope)?;
        let mut outputs = Vec::new();
        for output in &graph.output {
            match names.get(&output.name) {
                Some(Item::Const(tensor))
                    if walker.ctx.pay(tensor.len() + tensor.unwidened()).is_err() =>
                {
                    return Err(OnnxError::Invalid(format!(
                        "the output `{}` is constant, and larger than the file",
                        show(&output.name)
                    )));
                }
                Some(item) => outputs.push(Output {
                    name: output.name.clone(),
                    item: item.clone(),
                }),
                None => {
                    return Err(OnnxError::Invalid(format!(
                        "nothing makes the output `{}`",
                        show(&output.name)
                    )));
                }
            }
        }
        walker.finish(&outputs)?;
        Ok(Graph {
            ctx: walker.ctx,
            inputs: all,
            outputs,
        })
    };
    match several {
        None => run(None),
        // Each image by itself, or all of them as one tensor.
        Some(batch) => match run(Some(batch)) {
            Err(OnnxError::Unsupported(rows)) => run(None).map_err(|error| match error {
                OnnxError::Unsupported(_) => OnnxError::Unsupported(rows),
                other => other,
            }),
            other => other,
        },
    }
}

fn outputs_of(graph: &GraphProto) -> Vec<String> {
    graph
        .output
        .iter()
        .map(|output| output.name.clone())
        .collect()
}

/// Name, extents, and whether it is of floating point, of every input that has no value.
fn inputs(
    graph: &GraphProto,
    constants: &HashMap<String, Item>,
    shapes: &Shapes,
) -> Result<Vec<(String, Vec<usize>, bool)>, OnnxError> {
    let mut all = Vec::new();
    let fed = graph
        .input
        .iter()
        .filter(|input| !constants.contains_key(&input.name));
    let names: Vec<&str> = fed.clone().map(|input| &*input.name).collect();
    if names.len() > INPUTS {
        return Err(OnnxError::Beyond(format!(
            "the network has more than {} inputs",
            grouped(INPUTS)
        )));
    }
    let strange = shapes
        .given
        .iter()
        .find(|(name, _)| !names.contains(&&**name));
    if let Some((strange, _)) = strange {
        let known: Vec<String> = names.iter().map(|name| show(name)).collect();
        return Err(OnnxError::Invalid(format!(
            "there is no input `{}` to have a shape; inputs are `{}`",
            show(strange),
            known.join("`, `")
        )));
    }
    for (at, input) in fed.enumerate() {
        let name = show(&input.name);
        let ty = input.r#type.as_ref().and_then(|ty| ty.tensor_type.as_ref());
        let Some(ty) = ty else {
            return Err(OnnxError::Invalid(format!("input `{name}` is no tensor")));
        };
        if ty.elem_type == data_type::FLOAT16 || ty.elem_type == data_type::BFLOAT16 {
            return Err(OnnxError::Unsupported(vec![Unsupported {
                operator: "f16".to_owned(),
                count: 1,
                first: format!("input `{name}`"),
                remedy: "the network computes in 16 bits; export it in f32 (weights may be f16)"
                    .to_owned(),
            }]));
        }
        let given = shapes
            .given
            .iter()
            .find(|(given, _)| *given == input.name)
            .map(|(_, dims)| dims);
        let sample = shapes.samples.get(at);
        let written = ty.shape.as_ref().map(|shape| &shape.dim[..]);
        let shown = || match written {
            None => "a tensor of any shape".to_owned(),
            Some(dims) => dims
                .iter()
                .map(|dim| match (&dim.dim_value, &dim.dim_param) {
                    (Some(n), _) => n.to_string(),
                    (None, Some(param)) => show(param),
                    (None, None) => "?".to_owned(),
                })
                .collect::<Vec<_>>()
                .join("x"),
        };
        let rank = written
            .map(<[_]>::len)
            .or(sample.map(Vec::len))
            .or(given.map(|dims| dims.len() + 1));
        let open = || OnnxError::Open {
            input: name.clone(),
            shape: shown(),
        };
        let Some(rank) = rank else {
            return Err(open());
        };
        if rank > 16 {
            return Err(OnnxError::Invalid(format!(
                "input `{name}` has {rank} axes"
            )));
        }
        if let Some(given) = given {
            // With the batch, or without.
            let before = rank.saturating_sub(given.len());
            let fits = before <= 1
                && given.len() <= rank
                && written.is_none_or(|dims| {
                    dims[before..].iter().zip(given).all(|(dim, &n)| {
                        dim.dim_value
                            .is_none_or(|fixed| fixed <= 0 || usize::try_from(fixed) == Ok(n))
                    })
                });
            if !fits {
                return Err(OnnxError::Invalid(format!(
                    "input `{name}` is {} in the file, batch included: {} does not fit that",
                    shown(),
                    super::text::extents(given)
                )));
            }
        }
        let mut dims = Vec::new();
        for axis in 0..rank {
            let fixed = written.and_then(|dims| dims[axis].dim_value);
            // Some exporters write an open extent as 0 or -1.
            let fixed = fixed.filter(|&n| n > 0);
            let sampled = sample
                .filter(|sample| sample.len() == rank)
                .map(|sample| sample[axis]);
            let given = given.and_then(|given| match given.len() {
                n if n == rank => Some(given[axis]),
                n if n + 1 == rank && axis > 0 => Some(given[axis - 1]),
                _ => None,
            });
            let n = match (given, fixed, sampled) {
                (Some(n), None, _) => n,
                (_, Some(n), _) => match usize::try_from(n) {
                    Ok(n) if n <= ELEMENTS => n,
                    _ => return Err(OnnxError::Invalid(format!("input `{name}` is {}", shown()))),
                },
                (None, None, Some(n)) => n,
                (None, None, None) if axis == 0 => 1,
                (None, None, None) => return Err(open()),
            };
            dims.push(n);
        }
        match tensor::product(&dims) {
            None => {
                return Err(OnnxError::Invalid(format!(
                    "input `{name}` of {dims:?} is too large"
                )));
            }
            Some(0) => {
                return Err(OnnxError::Beyond(format!(
                    "input `{name}` of {dims:?} has no elements"
                )));
            }
            Some(_) => {}
        }
        let float = matches!(ty.elem_type, data_type::FLOAT | data_type::DOUBLE | 0);
        all.push((input.name.clone(), dims, float));
    }
    // An open batch that is the same in all inputs is run image by image.
    let open = |at: usize| {
        let input = graph
            .input
            .iter()
            .filter(|input| !constants.contains_key(&input.name))
            .nth(at);
        let dims =
            input.and_then(|input| input.r#type.as_ref()?.tensor_type.as_ref()?.shape.as_ref());
        dims.is_none_or(|shape| {
            shape
                .dim
                .first()
                .is_none_or(|dim| dim.dim_value.is_none_or(|n| n <= 0))
        })
    };
    let first = all.first().and_then(|(_, dims, _)| dims.first().copied());
    if let Some(first) = first
        && first > 1
        && all
            .iter()
            .enumerate()
            .all(|(at, (_, dims, _))| open(at) && dims.first() == Some(&first))
    {
        for (_, dims, _) in &mut all {
            dims[0] = 1;
        }
    }
    Ok(all)
}

/// The name of ONNX's own operator set is empty, too.
fn domain(name: &str) -> &str {
    match name {
        "ai.onnx" => "",
        name => name,
    }
}

/// Where a node stands: the graph, or a function with what its call gives.
struct Scope<'a> {
    opsets: &'a HashMap<String, i64>,
    attrs: &'a [AttributeProto],
    /// Inputs of the function that its call leaves out.
    absent: &'a HashSet<&'a str>,
    depth: usize,
}

struct Walker<'m> {
    ctx: Ctx,
    functions: &'m [FunctionProto],
    outside: &'m Outside,
    /// The same for the layers' parameters: as f32, those of 16 bits are twice as large.
    layers: usize,
    nodes: usize,
    /// Nodes that are not constant so far, of which there may be as many as a network has layers.
    computed: usize,
    refused: Vec<Unsupported>,
    /// Where an operator stands among those that were refused.
    rows: HashMap<String, usize>,
}

impl<'m> Walker<'m> {
    fn new(
        batch: Option<usize>,
        model: &'m ModelProto,
        outside: &'m Outside,
        file: usize,
    ) -> Walker<'m> {
        Walker {
            ctx: Ctx {
                net: Net::default(),
                batch,
                budget: file / 4 + (1 << 20),
            },
            functions: &model.functions,
            outside,
            layers: file / 2 + (1 << 21),
            nodes: 0,
            computed: 0,
            refused: Vec::new(),
            rows: HashMap::new(),
        }
    }

    fn refuse(&mut self, operator: &str, first: &str, remedy: &str) {
        let operator = show(operator);
        match self.rows.get(&operator) {
            Some(&at) => self.refused[at].count += 1,
            None => {
                self.rows.insert(operator.clone(), self.refused.len());
                self.refused.push(Unsupported {
                    operator,
                    count: 1,
                    first: show(first),
                    remedy: show_long(remedy),
                });
            }
        }
    }

    /// Reads nodes in an order in which their operands are there.
    fn graph(
        &mut self,
        nodes: &[NodeProto],
        names: &mut HashMap<String, Item>,
        outputs: &[String],
        scope: &Scope<'_>,
    ) -> Result<(), OnnxError> {
        let mut made: HashMap<&str, usize> = HashMap::new();
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for (at, node) in nodes.iter().enumerate() {
            for output in node.output.iter().filter(|output| !output.is_empty()) {
                if made.insert(output, at).is_some() || names.contains_key(output) {
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
                    None if names.contains_key(input) => {}
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
        let mut ready: std::collections::BTreeSet<usize> =
            (0..nodes.len()).filter(|&at| waits[at] == 0).collect();
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
        names: &mut HashMap<String, Item>,
        uses: &HashMap<&str, usize>,
        scope: &Scope<'_>,
    ) -> Result<(), OnnxError> {
        self.nodes += 1;
        if self.nodes > NODES {
            return Err(OnnxError::Invalid(
                "the network has more nodes than any, those of its functions included".to_owned(),
            ));
        }
        let inputs: Vec<Option<Item>> = node
            .input
            .iter()
            .map(|name| {
                let left_out = name.is_empty() || scope.absent.contains(&**name);
                names.get(name).filter(|_| !left_out).cloned()
            })
            .collect();
        let mut attrs = Vec::with_capacity(node.attribute.len());
        for attribute in &node.attribute {
            if attribute.ref_attr_name.is_empty() {
                attrs.push(attribute.clone());
            } else if let Some(given) = scope
                .attrs
                .iter()
                .find(|given| given.name == attribute.ref_attr_name)
            {
                attrs.push(AttributeProto {
                    name: attribute.name.clone(),
                    ..given.clone()
                });
            }
        }
        let attrs = Attrs(attrs);
        let set = domain(&node.domain);
        let function = self
            .functions
            .iter()
            .find(|function| function.name == node.op_type && domain(&function.domain) == set);
        let made = match function {
            Some(function) => self.function(function, node, inputs, &attrs, scope)?,
            None if !set.is_empty() => {
                let op = format!("{set}.{}", node.op_type);
                self.refuse(&op, &path(node), remedy(set, &node.op_type));
                self.nested(node, 0);
                Vec::new()
            }
            None => self.operator(node, inputs, &attrs, names, uses, scope)?,
        };
        let mut made = made.into_iter();
        for output in &node.output {
            let item = made.next().unwrap_or(Item::Unknown);
            if !output.is_empty() {
                names.insert(output.clone(), item);
            }
        }
        Ok(())
    }

    fn operator(
        &mut self,
        node: &NodeProto,
        inputs: Vec<Option<Item>>,
        attrs: &Attrs,
        names: &mut HashMap<String, Item>,
        uses: &HashMap<&str, usize>,
        scope: &Scope<'_>,
    ) -> Result<Vec<Item>, OnnxError> {
        let op = &*node.op_type;
        let Some(&opset) = scope.opsets.get("") else {
            return Err(OnnxError::Invalid(format!(
                "{}: ONNX's operator set is not imported",
                title(node)
            )));
        };
        if op == "If" {
            return self.branch(node, &inputs, names, scope);
        }
        if op == "Constant" {
            return match self.constant(attrs) {
                // A function's is made again by every call.
                Ok(tensor) => match self.ctx.pay(tensor.price()) {
                    Ok(()) => Ok(vec![Item::Const(tensor)]),
                    Err(why) => self.failed(node, why),
                },
                Err(why) => self.failed(node, why),
            };
        }
        let known = ops::find(op).is_some() || ops::FOLDED.contains(&op);
        if inputs
            .iter()
            .flatten()
            .any(|item| matches!(item, Item::Unknown))
        {
            let training = match op {
                "BatchNormalization" => attrs.int("training_mode", 0).unwrap_or(0) == 1,
                "Dropout" => {
                    matches!(inputs.get(2), Some(Some(Item::Const(on))) if on.scalar().is_some_and(|on| on != 0.0))
                }
                _ => false,
            };
            if training {
                self.refuse(
                    op,
                    &path(node),
                    "it is in training mode: export the network behind `model.eval()`",
                );
            } else if !known {
                self.refuse(op, &path(node), remedy("", op));
                self.nested(node, 0);
            }
            return Ok(Vec::new());
        }
        if known || matches!(op, "NonZero" | "Xor") {
            for item in inputs.iter().flatten() {
                if let Item::Const(tensor) = item
                    && let Err(why) = self.ctx.pay(tensor.unwidened())
                {
                    return self.failed(node, why);
                }
            }
        }
        // Shapes are known, whatever the elements.
        let constants: Vec<Option<&Tensor>> = inputs
            .iter()
            .map(|item| match item {
                Some(Item::Const(tensor)) => Some(tensor),
                _ => None,
            })
            .collect();
        let shape = match (op, inputs.first()) {
            ("Shape" | "Size", Some(Some(Item::Val(val) | Item::Whole(val)))) => Some(Tensor {
                dims: val.dims.clone(),
                data: tensor::Data::Float(Vec::new().into()),
            }),
            _ => None,
        };
        let all = inputs
            .iter()
            .all(|item| matches!(item, None | Some(Item::Const(_))))
            && !inputs.is_empty();
        if all || shape.is_some() {
            let operands = match &shape {
                Some(shape) => vec![Some(shape)],
                None => constants,
            };
            if let (Some(shape), "Size") = (&shape, op) {
                let count = shape.dims.iter().product::<usize>() as i64;
                return Ok(vec![Item::Const(Tensor::ints(Vec::new(), vec![count]))]);
            }
            let folding = Folding {
                op,
                attrs,
                inputs: &operands,
                outputs: node.output.len(),
                budget: &mut self.ctx.budget,
            };
            match fold(folding) {
                Ok(Some(made)) => return Ok(made.into_iter().map(Item::Const).collect()),
                Ok(None) => {}
                Err(why) => return self.failed(node, why),
            }
        }
        let Some(row) = ops::find(op) else {
            let remedy = match known {
                true => {
                    "its operands are computed by the network; the language has no layer for it"
                }
                false => remedy("", op),
            };
            self.refuse(op, &path(node), remedy);
            self.nested(node, 0);
            return Ok(Vec::new());
        };
        self.computed += 1;
        if self.computed > limits::NODES {
            return Err(OnnxError::Beyond(format!(
                "the network has more than {} layers",
                grouped(limits::NODES)
            )));
        }
        let weights = node
            .input
            .get(1)
            .or(node.input.first())
            .map_or("", String::as_str);
        self.ctx.net.hint = Hint {
            weights: weights.chars().take(NAME).collect(),
            node: path(node).chars().take(NAME).collect(),
        };
        let call = Call {
            op,
            opset,
            attrs,
            once: node
                .input
                .iter()
                .map(|name| uses.get(&**name) == Some(&1))
                .collect(),
            inputs,
            outputs: node
                .output
                .iter()
                .rposition(|name| !name.is_empty())
                .map_or(0, |last| last + 1),
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
        match made {
            Ok(made) => Ok(made),
            Err(why) => self.failed(node, why),
        }
    }

    fn failed(&mut self, node: &NodeProto, why: Why) -> Result<Vec<Item>, OnnxError> {
        match why {
            Why::Unsupported(why) => {
                self.refuse(&node.op_type, &path(node), &why);
                Ok(Vec::new())
            }
            Why::Invalid(why) => Err(OnnxError::Invalid(format!(
                "{}: {}",
                title(node),
                show_long(&why)
            ))),
        }
    }

    fn constant(&self, attrs: &Attrs) -> Result<Tensor, Why> {
        if let Some(proto) = attrs.tensor("value")? {
            let bytes = self.outside.bytes(proto).map_err(Why::Invalid)?;
            return tensor::read(proto, bytes);
        }
        if let Some(list) = attrs.ints("value_ints")? {
            return Ok(Tensor::ints(vec![list.len()], list.to_vec()));
        }
        if let Some(list) = attrs.floats("value_floats")? {
            return Ok(Tensor::floats(vec![list.len()], list.to_vec()));
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

    /// A function's nodes in the place of its call.
    fn function(
        &mut self,
        function: &FunctionProto,
        node: &NodeProto,
        inputs: Vec<Option<Item>>,
        given: &Attrs,
        scope: &Scope<'_>,
    ) -> Result<Vec<Item>, OnnxError> {
        if scope.depth >= DEPTH {
            return Err(OnnxError::Invalid(format!(
                "{}: functions call one another without end",
                title(node)
            )));
        }
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
        let opsets = function
            .opset_import
            .iter()
            .map(|set| (domain(&set.domain).to_owned(), set.version))
            .collect();
        let mut attrs = given.0.clone();
        for default in &function.attribute_proto {
            if !attrs.iter().any(|given| given.name == default.name) {
                attrs.push(default.clone());
            }
        }
        let inner = Scope {
            opsets: &opsets,
            attrs: &attrs,
            absent: &absent,
            depth: scope.depth + 1,
        };
        let outputs = function.output.clone();
        self.graph(&function.node, &mut names, &outputs, &inner)?;
        Ok(function
            .output
            .iter()
            .map(|name| names.remove(name).unwrap_or(Item::Unknown))
            .collect())
    }

    /// The branch that a constant chooses.
    fn branch(
        &mut self,
        node: &NodeProto,
        inputs: &[Option<Item>],
        names: &mut HashMap<String, Item>,
        scope: &Scope<'_>,
    ) -> Result<Vec<Item>, OnnxError> {
        let chosen = match inputs.first() {
            Some(Some(Item::Const(tensor))) => tensor.scalar(),
            _ => None,
        };
        let Some(chosen) = chosen else {
            self.refuse("If", &path(node), remedy("", "If"));
            self.nested(node, 0);
            return Ok(Vec::new());
        };
        let name = if chosen != 0.0 {
            "then_branch"
        } else {
            "else_branch"
        };
        let found = node
            .attribute
            .iter()
            .find(|attribute| attribute.name == name);
        let graph = found.and_then(|attribute| GraphProto::decode(attribute.g.clone()).ok());
        let Some(graph) = graph else {
            return Err(OnnxError::Invalid(format!(
                "{}: it has no {name}",
                title(node)
            )));
        };
        if scope.depth >= DEPTH {
            return Err(OnnxError::Invalid(format!(
                "{}: branches stand within one another too deep",
                title(node)
            )));
        }
        // Names of the branch are its own; those around it are known in it.
        let mut inner = names.clone();
        for proto in &graph.initializer {
            let bytes = self.outside.bytes(proto).map_err(OnnxError::Invalid)?;
            let tensor = tensor::read(proto, bytes)
                .and_then(|tensor| self.ctx.pay(tensor.price()).map(|()| tensor));
            match tensor {
                Ok(tensor) => inner.insert(proto.name.clone(), Item::Const(tensor)),
                Err(why) => return self.failed(node, why),
            };
        }
        let within = Scope {
            depth: scope.depth + 1,
            ..*scope
        };
        self.graph(&graph.node, &mut inner, &outputs_of(&graph), &within)?;
        let made = graph
            .output
            .iter()
            .map(|output| inner.get(&output.name).cloned().unwrap_or(Item::Unknown));
        Ok(made.collect())
    }

    /// Names what is not supported in the graphs of a node.
    fn nested(&mut self, node: &NodeProto, depth: usize) {
        if depth > 8 {
            return;
        }
        for attribute in node
            .attribute
            .iter()
            .filter(|attribute| !attribute.g.is_empty())
        {
            let Ok(graph) = GraphProto::decode(attribute.g.clone()) else {
                continue;
            };
            for node in &graph.node {
                self.nodes += 1;
                if self.nodes > NODES {
                    return;
                }
                let op = &*node.op_type;
                let set = domain(&node.domain);
                if !set.is_empty() {
                    self.refuse(&format!("{set}.{op}"), &path(node), remedy(set, op));
                } else if ops::find(op).is_none() && !ops::FOLDED.contains(&op) {
                    self.refuse(op, &path(node), remedy("", op));
                }
                self.nested(node, depth + 1);
            }
        }
    }

    /// What was refused.
    fn finish(&mut self, outputs: &[Output]) -> Result<(), OnnxError> {
        if self.refused.is_empty()
            && outputs
                .iter()
                .any(|output| matches!(output.item, Item::Unknown))
        {
            self.refuse("graph", "an output", "what it is made of is not read");
        }
        match self.refused.is_empty() {
            true => Ok(()),
            false => Err(OnnxError::Unsupported(std::mem::take(&mut self.refused))),
        }
    }
}

/// What a node is called: by its name, or by what it makes.
fn path(node: &NodeProto) -> String {
    match node.name.is_empty() {
        false => node.name.clone(),
        true => node.output.first().cloned().unwrap_or_default(),
    }
}

/// A node, for a message.
fn title(node: &NodeProto) -> String {
    format!("{} `{}`", show(&node.op_type), show(&path(node)))
}

fn show_long(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .take(300)
        .collect()
}

/// What would help with an operator that is not supported.
fn remedy(set: &str, op: &str) -> &'static str {
    match (set, op) {
        ("com.microsoft" | "com.microsoft.nchwc" | "com.ms.internal.nhwc", _) => {
            "an operator of ONNX Runtime's optimiser: import the original file instead of the optimised one"
        }
        ("ai.onnx.ml", _) => "an operator of classical machine learning: cut the network before it",
        ("ai.onnx.preview.training" | "ai.onnx.training", _) => {
            "training is `cnnc train`'s: export the network itself"
        }
        (set, _) if !set.is_empty() => {
            "an operator of its own set: export the network without it, or cut it before"
        }
        (_, "LSTM" | "GRU" | "RNN") => "the language has no recurrent layers",
        (
            _,
            "QuantizeLinear"
            | "DequantizeLinear"
            | "DynamicQuantizeLinear"
            | "QLinearConv"
            | "QLinearMatMul"
            | "ConvInteger"
            | "MatMulInteger",
        ) => "a quantised network: export it in f32",
        (_, "NonMaxSuppression") => "cut the network before it: `head` does it",
        (_, "TopK" | "Unique" | "NonZero" | "Compress") => {
            "what it makes depends on the picture: cut the network before it"
        }
        (_, "If" | "Loop" | "Scan") => {
            "control flow that depends on the picture: export by tracing, not by scripting"
        }
        (_, op)
            if op.starts_with("Sequence")
                || op.ends_with("FromSequence")
                || op.starts_with("Optional") =>
        {
            "lists of tensors: export by tracing, not by scripting"
        }
        (_, op) if op.starts_with("String") || op == "RegexFullMatch" => {
            "texts are no tensors of a network"
        }
        (
            _,
            "Affine" | "Crop" | "ImageScaler" | "ParametricSoftplus" | "ScaledTanh" | "ATen"
            | "GRUUnit" | "GivenTensorFill" | "Scale",
        ) => "an experimental operator that ONNX dropped: export again with a newer exporter",
        (_, "GridSample" | "AffineGrid" | "DeformConv") => {
            "places that are computed: the language has no layer for it"
        }
        (_, "ArgMax" | "ArgMin") => {
            "cut the network before it: `head classify` and `head segment` do it"
        }
        _ => "no layer does this: cut the network before it, or export it in other terms",
    }
}
