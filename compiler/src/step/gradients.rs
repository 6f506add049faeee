//! The gradients of a network for cotangents of its outputs, as a step that learns nothing.

use super::form::{Form, Moving};
use super::{Step, Untrainable};
use crate::gradient::{Wanted, differentiate};
use crate::graph::{Graph, Output};
use crate::id::ValueId;

impl Step {
    /// The gradients of a network, as outputs behind its own: of the inputs, then of the tensors that are wanted, of the whole batch and as vectors.
    /// Behind the network's inputs are the cotangents of its outputs.
    ///
    /// # Errors
    /// A layer that has no gradient, or none that loops compute.
    pub fn gradients(network: &Graph, wanted: &Wanted<'_>) -> Result<Step, Untrainable> {
        Step::derive(network, wanted, Vec::new(), Vec::new())
    }

    /// The same of the form in which a network is trained: norms have the statistics of the batch, and move their running ones. Masks stand before the
    /// cotangents, factors behind them.
    ///
    /// # Errors
    /// As [`Step::gradients`].
    pub fn gradients_in_training(
        network: &Graph,
        wanted: &Wanted<'_>,
    ) -> Result<Step, Untrainable> {
        let form = Form::of(network, wanted.params)?;
        Step::derive(&form.graph, wanted, form.masks, form.moving)
    }

    fn derive(
        network: &Graph,
        wanted: &Wanted<'_>,
        masks: Vec<f64>,
        moving: Vec<Moving>,
    ) -> Result<Step, Untrainable> {
        let gradients = differentiate(network, wanted)?;
        let outputs = network.outputs.len() + gradients.of_inputs();
        let (mut graph, gradients) = gradients.into_parts();
        graph.outputs.truncate(outputs);
        graph.names.clear();
        let given = graph.inputs.len();
        let mut step = Step::of(graph, masks, &[]);
        let running = moving.iter().map(|moving| moving.statistic);
        step.keep(running.collect());
        for (param, gradient) in gradients {
            let value = step.of_batch(gradient);
            let name = format!("d({})", step.graph.params[param].name);
            step.graph.outputs.push(Output { name, value });
        }
        step.move_statistics(moving);
        let factors = step.graph.inputs[given..].iter();
        let factors: Vec<ValueId> = factors.map(|input| input.value).collect();
        step.sort_values(&factors);
        step.has_loops()?;
        Ok(step)
    }
}
