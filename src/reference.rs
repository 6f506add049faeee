//! The reference evaluation as a backend: a graph and its tensors, f32 in and out.

use crate::Options;
use crate::bound::{Read, bind};
use crate::options::Progress;
use cnnc_compiler::graph::{Graph, Param};
use cnnc_compiler::id::ValueId;
use cnnc_compiler::reference;
use cnnc_runtime::memory::{self, OutOfMemory, collect};
use cnnc_runtime::weights::{Weights, WeightsError};
use ndarray::{ArrayD, IxDyn};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// A graph as it is written, with its tensors.
pub(crate) struct Reference {
    graph: Arc<Graph>,
    tensors: HashMap<String, Vec<f32>>,
    progress: Option<Progress>,
}

impl Reference {
    /// Binds the graph's tensors.
    pub fn new(
        graph: Arc<Graph>,
        weights: &Weights,
        options: &Options,
    ) -> Result<(Reference, Read), WeightsError> {
        let sources = graph.sources();
        let bound = bind(weights, &sources, options)?;
        bound.check_finite()?;
        let mut tensors = HashMap::new();
        for (index, source) in sources.iter().enumerate() {
            let values = match bound.values(index)? {
                Cow::Borrowed(values) => collect(values.iter().copied())?,
                Cow::Owned(values) => values,
            };
            tensors.insert(source.name.to_string(), values);
        }
        let read = Read::of(&bound);
        let reference = Reference {
            graph,
            tensors,
            progress: options.progress.clone(),
        };
        Ok((reference, read))
    }

    /// Evaluates the graph on inputs of the right lengths.
    pub fn run(&self, inputs: &[Cow<'_, [f32]>]) -> Result<Vec<Vec<f32>>, OutOfMemory> {
        let values = self.visit(inputs, &mut |_, _| {})?;
        let outputs = self.graph.outputs.iter();
        outputs
            .map(|output| collect(values[&output.value].iter().map(|&value| value as f32)))
            .collect()
    }

    /// The same, with a look at the result of every node on the way; gives the outputs.
    pub fn visit(
        &self,
        inputs: &[Cow<'_, [f32]>],
        visitor: &mut reference::Visitor<'_>,
    ) -> Result<HashMap<ValueId, ArrayD<f64>>, OutOfMemory> {
        // Arrays of f64 are made by the layers, which cannot fail.
        memory::ask(reference::memory(&self.graph))?;
        let params = |param: &Param| array(&param.shape, &self.tensors[&param.name]);
        let inputs: Vec<_> = self
            .graph
            .inputs
            .iter()
            .zip(inputs)
            .map(|(input, values)| array(self.graph.values[input.value].shape.dims(), values))
            .collect();
        let evaluation = reference::Reference::new(&self.graph, &params).visitor(visitor);
        Ok(match self.progress.clone() {
            None => evaluation.run(&inputs),
            Some(tell) => {
                let told = Arc::clone(&tell);
                let mut progress = move |done: usize, all: usize, _: &_| told(done, all);
                let values = evaluation.progress(&mut progress).run(&inputs);
                tell(self.graph.order.len(), self.graph.order.len());
                values
            }
        })
    }
}

fn array(shape: &[usize], values: &[f32]) -> ArrayD<f64> {
    let values = values.iter().map(|&value| f64::from(value)).collect();
    ArrayD::from_shape_vec(IxDyn(shape), values).expect("the lengths were checked")
}
