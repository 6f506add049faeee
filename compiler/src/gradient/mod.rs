//! Gradients as graphs.
//!
//! [`differentiate`] takes a network as it was resolved, before any pass, and walks it backwards: every layer's rule
//! ([`Layer::gradient`](crate::layer::Layer::gradient)) pushes nodes that make cotangents of its operands and gradients of its tensors from the
//! cotangent of its result. Where a value is read several times, what its readers give is added by an `add` node.
//!
//! ```text
//! x ──▶ conv ──▶ y            d(y) ──▶ conv_input  ──▶ d(x)
//!        ▲                     └─ x ──▶ conv_weight ──▶ d(conv.weight)
//!     weight                   └──────▶ pixel_sum   ──▶ d(conv.bias)
//! ```
//!
//! Rules reuse the layers of the language; what else they need stands in [`crate::op`]. [`crate::step`] makes a
//! training step of what [`differentiate`] returns.

mod adjoint;
pub mod check;
mod tape;

pub use adjoint::{Adjoint, NoGradient};

use crate::graph::{self, Graph, Output, Param};
use crate::id::ParamId;
use crate::id::ValueId;
use crate::reference;
use crate::span::Span;
use ndarray::{ArrayD, IxDyn};
use std::collections::{BTreeMap, HashMap, HashSet};
use tape::Tape;

/// What gradients are wanted of.
#[derive(Clone, Copy)]
pub struct Wanted<'w> {
    /// So many of the network's inputs, the first ones.
    pub inputs: usize,
    /// Which learned tensors.
    pub params: &'w dyn Fn(&Param) -> bool,
}

impl Wanted<'_> {
    /// Of all inputs and all learned tensors.
    pub fn all() -> Wanted<'static> {
        Wanted {
            inputs: usize::MAX,
            params: &|_| true,
        }
    }
}

/// A network with its gradients.
#[derive(Clone, Debug)]
pub struct Gradients {
    graph: Graph,
    inputs: Vec<Option<ValueId>>,
    params: Vec<(ParamId, ValueId)>,
}

/// What a network and its gradients came to.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The network's outputs.
    pub outputs: Vec<ArrayD<f64>>,
    /// The gradient of each input: `None` where none is wanted, or no output depends on it differentiably.
    pub inputs: Vec<Option<ArrayD<f64>>>,
    /// Name and gradient of each tensor that is wanted and that an output depends on, in its own shape.
    pub params: Vec<(String, ArrayD<f64>)>,
}

/// The gradients of a network that no pass has changed.
///
/// # Errors
/// A layer that has none.
pub fn differentiate(network: &Graph, wanted: &Wanted<'_>) -> Result<Gradients, NoGradient> {
    let mut tape = Tape {
        graph: network.clone(),
        wanted: HashSet::new(),
        wanted_params: HashSet::new(),
        given: HashMap::new(),
        given_params: BTreeMap::new(),
    };
    let inputs = network.inputs.iter().take(wanted.inputs);
    tape.wanted.extend(inputs.map(|input| input.value));
    for (_, node) in network.live() {
        let learned = |id: &&ParamId| {
            let param = &network.params[**id];
            param.learned && param.literal.is_none() && (wanted.params)(param)
        };
        let params: Vec<ParamId> = node.params.iter().filter(learned).copied().collect();
        if !params.is_empty() || node.inputs.iter().any(|value| tape.wanted.contains(value)) {
            tape.wanted.insert(node.output);
        }
        tape.wanted_params.extend(params);
    }
    for output in &network.outputs {
        let shape = network.values[output.value].shape.clone();
        let cotangent = tape.graph.push_input(format!("d({})", output.name), shape);
        tape.given.entry(output.value).or_default().push(cotangent);
    }
    for (_, node) in network.live().rev() {
        if !tape.wanted.contains(&node.output) {
            continue;
        }
        let Some(given) = tape.given.remove(&node.output) else {
            continue;
        };
        let dy = tape.sum(&given, &node.label, node.span);
        node.layer.gradient(&mut Adjoint {
            tape: &mut tape,
            node: node.clone(),
            dy,
        })?;
    }
    Ok(finish(network, wanted, tape))
}

/// Adds up what inputs and tensors were given, and makes outputs of it.
fn finish(network: &Graph, wanted: &Wanted<'_>, mut tape: Tape) -> Gradients {
    let mut inputs = Vec::new();
    for (number, input) in network.inputs.iter().enumerate() {
        let given = tape.given.remove(&input.value);
        let given = given.filter(|_| number < wanted.inputs);
        inputs.push(given.map(|given| tape.sum(&given, &input.name, Span::none())));
    }
    let mut params = Vec::new();
    for (id, given) in std::mem::take(&mut tape.given_params) {
        let Param { name, span, .. } = network.params[id].clone();
        params.push((id, tape.sum(&given, &name, span)));
    }
    let mut graph = tape.graph;
    graph.head = None;
    let named = network.inputs.iter().map(|input| &input.name).zip(&inputs);
    let named = named.filter_map(|(name, value)| Some((name, (*value)?)));
    let tensors = params
        .iter()
        .map(|(id, value)| (&network.params[*id].name, *value));
    for (name, value) in named.chain(tensors) {
        let name = format!("d({name})");
        graph.outputs.push(Output { name, value });
    }
    if let Err(problems) = graph::verify(&graph) {
        panic!(
            "the gradient of {} is broken: {}",
            graph.name,
            problems.join("; ")
        );
    }
    Gradients {
        graph,
        inputs,
        params,
    }
}

impl Gradients {
    /// The graph, and each tensor with its gradient: a vector in the order of the tensor's elements.
    pub(crate) fn into_parts(self) -> (Graph, Vec<(ParamId, ValueId)>) {
        (self.graph, self.params)
    }

    /// Inputs that have a gradient.
    pub(crate) fn of_inputs(&self) -> usize {
        self.inputs.iter().flatten().count()
    }

    /// The graph as text.
    pub fn dump(&self) -> String {
        graph::dump(&self.graph)
    }

    /// Keywords of all nodes, the network's included.
    pub fn keywords(&self) -> impl Iterator<Item = &'static str> {
        self.graph.live().map(|(_, node)| node.layer.keyword())
    }

    /// Bytes that an evaluation takes, as [`reference::memory`] says.
    pub fn memory(&self) -> u64 {
        reference::memory(&self.graph)
    }

    /// Outputs and gradients of one sample, in f64. Cotangents are those of the network's outputs.
    ///
    /// # Panics
    /// As [`reference::Reference::run`].
    pub fn evaluate(
        &self,
        params: &dyn Fn(&Param) -> ArrayD<f64>,
        inputs: &[ArrayD<f64>],
        cotangents: &[ArrayD<f64>],
    ) -> Evaluated {
        let all = [inputs, cotangents].concat();
        let values = reference::Reference::new(&self.graph, params).run(&all);
        let found = |value: ValueId| values[&value].clone();
        let gradient = |&(id, value): &(ParamId, ValueId)| {
            let Param { name, shape, .. } = &self.graph.params[id];
            let elements = values[&value].iter().copied().collect();
            let gradient = ArrayD::from_shape_vec(IxDyn(shape), elements);
            (name.clone(), gradient.expect("as many elements"))
        };
        let outputs = self.graph.outputs.iter().take(cotangents.len());
        Evaluated {
            outputs: outputs.map(|output| found(output.value)).collect(),
            inputs: self.inputs.iter().map(|value| value.map(found)).collect(),
            params: self.params.iter().map(gradient).collect(),
        }
    }
}
