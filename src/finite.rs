//! Outputs that are not finite, and the tensor with which that begins.

use crate::{Error, Input, Network, Outputs};
use cnnc_compiler::graph::Graph;
use cnnc_compiler::id::ValueId;
use cnnc_runtime::session::{RunError, elements};
use std::collections::HashSet;
use std::ops::ControlFlow;

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

impl Network {
    /// The outputs of a run that hold infinities or NaN. If there are any, the network runs once more on these inputs, layer by layer, to see which
    /// tensor is the first of that kind.
    ///
    /// ```
    /// use cnnc::{Options, Weights};
    /// let model = cnnc::compile_str("tiny", "cnn 1; model Tiny { input x: 1x4x4; tanh; large: scale 3e38 scale 10; relu }")?;
    /// let network = model.jit(&Weights::synthetic(), &Options::new())?;
    /// let (mut session, image) = (network.session()?, [1.0; 16]);
    /// let outputs = session.run(&[&image])?;
    /// let found = network.not_finite(&[&image], &outputs)?;
    /// assert_eq!((found[0].output.as_str(), found[0].count, found[0].of), ("raw", 16, 16));
    /// assert_eq!(found[0].first.as_deref(), Some("large"));
    /// # Ok::<(), cnnc::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Session::run`](crate::Session::run).
    pub fn not_finite(
        &self,
        inputs: &[&dyn Input],
        outputs: &Outputs<'_>,
    ) -> Result<Vec<NotFinite>, Error> {
        let counts = outputs.iter().map(|output| broken(output.data));
        let counts: Vec<usize> = counts.collect();
        if counts.iter().all(|&count| count == 0) {
            return Ok(Vec::new());
        }
        let made = self.0.graph.outputs.iter().zip(&counts);
        let made = made.filter(|(_, count)| **count > 0);
        let made: Vec<ValueId> = made.map(|(output, _)| output.value).collect();
        let firsts = match self.first_broken(inputs, &made) {
            Ok(firsts) => firsts,
            Err(Error::Run(RunError::Memory(_))) => vec![None; made.len()],
            Err(error) => return Err(error),
        };
        let found = outputs.iter().zip(counts).filter(|(_, count)| *count > 0);
        let found = found.zip(firsts);
        Ok(found
            .map(|((output, count), first)| NotFinite {
                output: output.name.to_owned(),
                count,
                of: output.data.len(),
                first,
            })
            .collect())
    }

    /// For each of these values, the first that is not finite of those that it is made of: an input, or the result of a layer.
    fn first_broken(
        &self,
        inputs: &[&dyn Input],
        values: &[ValueId],
    ) -> Result<Vec<Option<String>>, Error> {
        let graph = &self.0.graph;
        let behind = values.iter().map(|&value| behind(graph, value));
        let behind: Vec<HashSet<ValueId>> = behind.collect();
        let mut firsts = vec![None; values.len()];
        let mut found = |value: ValueId, name: &str| {
            for (first, behind) in firsts.iter_mut().zip(&behind) {
                if first.is_none() && behind.contains(&value) {
                    *first = Some(name.to_owned());
                }
            }
            match firsts.iter().all(Option::is_some) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let given = elements(self.inputs(), self.batch(), inputs)?;
        for (input, elements) in graph.inputs.iter().zip(&given) {
            if broken(elements) > 0 && found(input.value, &input.name).is_break() {
                return Ok(firsts);
            }
        }
        self.session()?
            .watch(inputs, &mut |value, mut elements| match Iterator::all(
                &mut elements,
                f32::is_finite,
            ) {
                true => ControlFlow::Continue(()),
                false => found(value, graph.label_of(value)),
            })?;
        Ok(firsts)
    }
}

/// How many numbers are not finite.
fn broken(numbers: &[f32]) -> usize {
    numbers.iter().filter(|number| !number.is_finite()).count()
}

/// The values that one is made of, itself too.
fn behind(graph: &Graph, value: ValueId) -> HashSet<ValueId> {
    let mut behind = HashSet::from([value]);
    for &id in graph.order.iter().rev() {
        let node = &graph.nodes[id];
        if behind.contains(&node.output) {
            behind.extend(&node.inputs);
        }
    }
    behind
}
