//! Outputs that are not finite, and the tensor with which that begins.

use crate::{Backend, Error, Input, Model, Options, Outputs, Weights};
use cnnc_compiler::graph::Graph;
use cnnc_compiler::id::ValueId;
use cnnc_compiler::pass;
use cnnc_runtime::session::{RunError, elements};
use std::collections::HashSet;

/// An output with numbers that are infinite or NaN: an answer that is made of them means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFinite {
    /// Its name.
    pub output: String,
    /// How many of its numbers are not finite.
    pub count: usize,
    /// How many it has.
    pub of: usize,
    /// Name of the first tensor that is not finite, of those that the output is made of: an input or what a layer makes. `None` where there is no
    /// memory for looking.
    pub first: Option<String>,
}

impl Model {
    /// The outputs of a run that hold infinities or NaN. If there are any, the network runs once more, to see which tensor is the first of
    /// that kind; weights, options and inputs are those of the run.
    ///
    /// ```
    /// use cnnc::{Options, Weights};
    /// let model = cnnc::compile_str("tiny", "cnn 1; model Tiny { input x: 1x4x4; tanh; large: scale 3e38 scale 10; relu }")?;
    /// let (weights, options) = (Weights::synthetic(), Options::new());
    /// let network = model.jit(&weights, &options)?;
    /// let (mut session, image) = (network.session()?, [1.0; 16]);
    /// let outputs = session.run(&[&image])?;
    /// let found = model.not_finite(&weights, &options, &[&image], &outputs)?;
    /// assert_eq!((found[0].output.as_str(), found[0].count, found[0].of), ("raw", 16, 16));
    /// # Ok::<(), cnnc::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::jit`] and [`Session::run`](crate::Session::run).
    pub fn not_finite(
        &self,
        weights: &Weights,
        options: &Options,
        inputs: &[&dyn Input],
        outputs: &Outputs<'_>,
    ) -> Result<Vec<NotFinite>, Error> {
        let counts = outputs.iter().map(|output| broken(output.data));
        let counts: Vec<usize> = counts.collect();
        if counts.iter().all(|&count| count == 0) {
            return Ok(Vec::new());
        }
        let mut graph = self.tapped(&options.taps)?;
        if options.backend != Backend::Reference {
            graph = pass::optimize(&graph).0;
        }
        let broken = match self.broken_values(&graph, weights, options, inputs) {
            Ok(values) => values,
            Err(Error::Run(RunError::Memory(_))) => HashSet::new(),
            Err(error) => return Err(error),
        };
        let found = outputs.iter().zip(&graph.outputs).zip(counts);
        let found = found.filter(|(_, count)| *count > 0);
        Ok(found
            .map(|((output, made), count)| NotFinite {
                output: output.name.to_owned(),
                count,
                of: output.data.len(),
                first: first(&graph, made.value, &broken),
            })
            .collect())
    }

    /// The values of a graph that are not finite.
    fn broken_values(
        &self,
        graph: &Graph,
        weights: &Weights,
        options: &Options,
        inputs: &[&dyn Input],
    ) -> Result<HashSet<ValueId>, Error> {
        let network = self.observed(graph, weights, options)?;
        let mut session = network.session()?;
        let given = elements(network.inputs(), network.batch(), inputs)?;
        let given = graph.inputs.iter().zip(&given);
        let given = given.filter(|(_, elements)| broken(elements) > 0);
        let mut found: HashSet<ValueId> = given.map(|(input, _)| input.value).collect();
        let outputs = session.run(inputs)?;
        let made = graph.live().map(|(_, node)| node.output);
        let made = made.zip(outputs.iter());
        let made = made.filter(|(_, output)| broken(output.data) > 0);
        found.extend(made.map(|(value, _)| value));
        Ok(found)
    }
}

/// How many numbers are not finite.
fn broken(numbers: &[f32]) -> usize {
    numbers.iter().filter(|number| !number.is_finite()).count()
}

/// The first of these values that an output is made of: an input, or the result of a layer.
fn first(graph: &Graph, output: ValueId, values: &HashSet<ValueId>) -> Option<String> {
    let mut behind = HashSet::from([output]);
    for &id in graph.order.iter().rev() {
        let node = &graph.nodes[id];
        if behind.contains(&node.output) {
            behind.extend(&node.inputs);
        }
    }
    let of = |value: ValueId| behind.contains(&value) && values.contains(&value);
    let mut inputs = graph.inputs.iter();
    if let Some(input) = inputs.find(|input| of(input.value)) {
        return Some(input.name.clone());
    }
    let mut nodes = graph.live();
    let (_, node) = nodes.find(|(_, node)| of(node.output))?;
    Some(node.label.clone())
}
