//! The reference evaluation: a graph computed in f64 by the layers' plain definitions.
//!
//! It is the oracle that every backend is compared with. Results of layers are not rounded to f32, but have its range: what is beyond is infinite, and
//! what is below its normal numbers is zero. It knows nothing of passes, storage or kernels, and takes a graph as it
//! was resolved or after any pass.

use crate::graph::{Graph, Node, Param};
use crate::id::ValueId;
use crate::limits::ranged;
use ndarray::{ArrayD, IxDyn};
use std::collections::HashMap;

/// Called before each node with its index and the number of nodes.
pub type Progress = dyn FnMut(usize, usize, &Node);

/// Called with each node and its result.
pub type Visitor<'v> = dyn FnMut(&Node, &ArrayD<f64>) + 'v;

/// What an evaluation needs beside the graph.
pub struct Reference<'a> {
    graph: &'a Graph,
    params: &'a dyn Fn(&Param) -> ArrayD<f64>,
    keep: &'a [ValueId],
    progress: Option<&'a mut Progress>,
    visitor: Option<&'a mut Visitor<'a>>,
}

impl<'a> Reference<'a> {
    /// An evaluation of `graph`, which gets the tensors that are not written in the spec from `params`.
    pub fn new(graph: &'a Graph, params: &'a dyn Fn(&Param) -> ArrayD<f64>) -> Reference<'a> {
        Reference {
            graph,
            params,
            keep: &[],
            progress: None,
            visitor: None,
        }
    }

    /// Keeps these values too; all others but the network's outputs are freed after their last use.
    #[must_use]
    pub fn keep(mut self, values: &'a [ValueId]) -> Reference<'a> {
        self.keep = values;
        self
    }

    /// Calls `progress(index, nodes, node)` before each node.
    #[must_use]
    pub fn progress(mut self, progress: &'a mut Progress) -> Reference<'a> {
        self.progress = Some(progress);
        self
    }

    /// Calls `visitor(node, result)` after each node, in order.
    #[must_use]
    pub fn visitor(mut self, visitor: &'a mut Visitor<'a>) -> Reference<'a> {
        self.visitor = Some(visitor);
        self
    }

    /// Evaluates the graph and returns its outputs and the values that are kept.
    ///
    /// # Panics
    /// When inputs or parameters do not have the graph's shapes: check what a user gives before.
    pub fn run(mut self, inputs: &[ArrayD<f64>]) -> HashMap<ValueId, ArrayD<f64>> {
        let graph = self.graph;
        assert_eq!(
            inputs.len(),
            graph.inputs.len(),
            "reference: number of inputs"
        );
        let mut values: HashMap<ValueId, ArrayD<f64>> = HashMap::new();
        for (input, tensor) in graph.inputs.iter().zip(inputs) {
            let shape = graph.values[input.value].shape.dims();
            assert_eq!(tensor.shape(), shape, "reference: input `{}`", input.name);
            values.insert(input.value, tensor.mapv(ranged));
        }
        let mut uses: HashMap<ValueId, usize> = HashMap::new();
        let leaving = graph.outputs.iter().map(|output| output.value);
        let reads = graph
            .live()
            .flat_map(|(_, node)| node.inputs.iter().copied());
        for value in reads.chain(leaving).chain(self.keep.iter().copied()) {
            *uses.entry(value).or_default() += 1;
        }
        let nodes = graph.order.len();
        for (index, (_, node)) in graph.live().enumerate() {
            if let Some(progress) = &mut self.progress {
                progress(index, nodes, node);
            }
            let mut result = self.evaluate(node, &values);
            result.mapv_inplace(ranged);
            if let Some(visitor) = &mut self.visitor {
                visitor(node, &result);
            }
            values.insert(node.output, result);
            for value in &node.inputs {
                let left = uses.get_mut(value).expect("counted above");
                *left -= 1;
                if *left == 0 {
                    values.remove(value);
                }
            }
            if !uses.contains_key(&node.output) {
                values.remove(&node.output);
            }
        }
        values
    }

    fn evaluate(&self, node: &Node, values: &HashMap<ValueId, ArrayD<f64>>) -> ArrayD<f64> {
        let operands: Vec<&ArrayD<f64>> = node.inputs.iter().map(|value| &values[value]).collect();
        let params: Vec<ArrayD<f64>> = node
            .params
            .iter()
            .map(|&id| self.param(&self.graph.params[id]))
            .collect();
        let params: Vec<&ArrayD<f64>> = params.iter().collect();
        node.layer.evaluate(&operands, &params)
    }

    fn param(&self, param: &Param) -> ArrayD<f64> {
        let mut tensor = match param.constants() {
            None => (self.params)(param),
            Some(values) => {
                let values = values.map(f64::from).collect();
                ArrayD::from_shape_vec(IxDyn(&param.shape), values)
                    .expect("as many as the shape has room for")
            }
        };
        assert_eq!(tensor.shape(), param.shape, "reference: `{}`", param.name);
        tensor.mapv_inplace(ranged);
        tensor
    }
}

/// Bytes that an evaluation takes at most at a time, or a little less: values that are still read, and for a node its tensors, and
/// as much again for what is made of them on the way.
pub fn memory(graph: &Graph) -> u64 {
    const ELEMENT: u64 = size_of::<f64>() as u64;
    let elements = |value: ValueId| graph.values[value].shape.elements() as u64;
    let mut last: HashMap<ValueId, usize> = HashMap::new();
    for (index, (_, node)) in graph.live().enumerate() {
        last.extend(node.inputs.iter().map(|&value| (value, index)));
    }
    let leaving = graph
        .outputs
        .iter()
        .map(|output| (output.value, usize::MAX));
    last.extend(leaving);
    let mut held: u64 = graph.inputs.iter().map(|input| elements(input.value)).sum();
    let mut most = held;
    for (index, (_, node)) in graph.live().enumerate() {
        let params = node.params.iter().map(|&id| &graph.params[id].shape);
        let params: u64 = params
            .map(|shape| shape.iter().product::<usize>() as u64)
            .sum();
        let operands: u64 = node.inputs.iter().map(|&value| elements(value)).sum();
        let result = elements(node.output);
        most = most.max(held + operands + 2 * (result + params));
        held += result;
        let mut inputs = node.inputs.clone();
        inputs.sort_unstable();
        inputs.dedup();
        let read = inputs.iter().filter(|value| last[value] == index);
        held -= read.map(|&value| elements(value)).sum::<u64>();
        if !last.contains_key(&node.output) {
            held -= result;
        }
    }
    most * ELEMENT
}

/// Evaluates a graph and returns its outputs, in order; see [`Reference`] for more.
///
/// # Panics
/// As [`Reference::run`].
pub fn evaluate(
    graph: &Graph,
    params: &dyn Fn(&Param) -> ArrayD<f64>,
    inputs: &[ArrayD<f64>],
) -> Vec<ArrayD<f64>> {
    let values = Reference::new(graph, params).run(inputs);
    graph
        .outputs
        .iter()
        .map(|output| values[&output.value].clone())
        .collect()
}
