//! The definition of a step, in f64: layer by layer, image by image.

use super::Step;
use crate::graph::{Def, Param};
use crate::id::{ParamId, ValueId};
use ndarray::{ArrayD, IxDyn};
use std::collections::HashMap;

/// What a step comes to.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The outputs of each image.
    pub outputs: Vec<Vec<ArrayD<f64>>>,
    /// What each tensor that stays has become, in the order of [`Step::state`].
    pub state: Vec<ArrayD<f64>>,
}

/// A value: one for all images, or one of each.
type Value = Vec<ArrayD<f64>>;

impl Step {
    /// The step on what stays and on the inputs: each a tensor for all images, or one of each.
    ///
    /// # Panics
    /// On tensors of other shapes, or of another number of images.
    pub fn evaluate(&self, state: &[ArrayD<f64>], inputs: &[Vec<ArrayD<f64>>]) -> Evaluated {
        let graph = &self.graph;
        let tensors: HashMap<ParamId, &ArrayD<f64>> =
            self.state.iter().copied().zip(state).collect();
        let mut values: HashMap<ValueId, Value> = HashMap::new();
        for (id, value) in graph.values.iter() {
            if let Def::Param(param) = value.def
                && let Some(tensor) = tensors.get(&param)
            {
                let flat = ArrayD::from_shape_vec(
                    IxDyn(value.shape.dims()),
                    tensor.iter().copied().collect(),
                );
                values.insert(id, vec![flat.expect("as many elements")]);
            }
        }
        let images = inputs[0].len();
        for (input, given) in graph.inputs.iter().zip(inputs) {
            values.insert(input.value, given.clone());
        }
        for (_, node) in graph.live() {
            let params: Vec<&ArrayD<f64>> = node.params.iter().map(|id| tensors[id]).collect();
            let operands = |image: usize| -> Vec<&ArrayD<f64>> {
                let operands = node.inputs.iter().map(|value| {
                    let all = &values[value];
                    &all[if all.len() == 1 { 0 } else { image }]
                });
                operands.collect()
            };
            let of = |image: usize| node.layer.evaluate(&operands(image), &params);
            let single = self.single.contains(&node.output);
            let value = match (single, node.layer.reduces()) {
                (false, _) => (0..images).map(of).collect(),
                (true, false) => vec![of(0)],
                (true, true) => {
                    let all: Vec<Vec<&ArrayD<f64>>> = (0..images).map(operands).collect();
                    vec![node.layer.evaluate_all(&all, &params)]
                }
            };
            values.insert(node.output, value);
        }
        let outputs = graph
            .outputs
            .iter()
            .map(|output| values[&output.value].clone());
        let stored: HashMap<ParamId, ValueId> = graph.stores.iter().copied().collect();
        let became = self
            .state
            .iter()
            .zip(state)
            .map(|(id, old)| match stored.get(id) {
                None => old.clone(),
                Some(value) => {
                    let Param { shape, .. } = &graph.params[*id];
                    let elements = values[value][0].iter().copied().collect();
                    ArrayD::from_shape_vec(IxDyn(shape), elements).expect("as many elements")
                }
            });
        Evaluated {
            outputs: outputs.collect(),
            state: became.collect(),
        }
    }
}
