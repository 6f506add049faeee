//! How far the numbers of a compiled network are from the exact ones, layer by layer.

use crate::reference::Reference;
use crate::{Error, Model, Network, Options};
use cnnc_compiler::graph::{Graph, Output};
use cnnc_compiler::layer::written;
use cnnc_compiler::pass;
use cnnc_runtime::input::Input;
use cnnc_runtime::session::elements;
use cnnc_runtime::weights::Weights;
use std::sync::Arc;
use std::time::Instant;

/// A layer of a compiled network, with what is fused into it, and how far its result is from the exact one: that of
/// the reference evaluation, in f64, of the same layers on the same inputs. What earlier layers have added is part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Accuracy {
    /// Its label.
    pub label: String,
    /// The layer and what is fused into it.
    pub layer: String,
    /// Shape of its result.
    pub shape: Vec<usize>,
    /// Largest distance of an element from the exact one.
    pub largest: f64,
    /// Root of the mean square of the distances.
    pub typical: f64,
    /// Standard deviation of the exact elements: what distances are to be compared with.
    pub deviation: f64,
    /// Elements that are not finite, or are not where they should be; they are left out of the rest.
    pub broken: usize,
}

impl Accuracy {
    fn new(label: String, layer: String, shape: &[usize]) -> Accuracy {
        Accuracy {
            label,
            layer,
            shape: shape.to_vec(),
            largest: 0.0,
            typical: 0.0,
            deviation: 0.0,
            broken: 0,
        }
    }

    /// Compares elements with the exact ones.
    fn compare<'a>(&mut self, found: &[f32], exact: impl Iterator<Item = &'a f64> + Clone) {
        let pairs = found.iter().map(|&x| f64::from(x)).zip(exact.copied());
        let finite = pairs.filter(|(x, y)| x.is_finite() && y.is_finite());
        let count = finite.clone().count();
        self.broken = found.len() - count;
        let count = count.max(1) as f64;
        let mean = finite.clone().map(|(_, y)| y).sum::<f64>() / count;
        let (mut squares, mut spread) = (0.0, 0.0);
        for (x, y) in finite {
            self.largest = self.largest.max((x - y).abs());
            squares += (x - y).powi(2);
            spread += (y - mean).powi(2);
        }
        self.typical = (squares / count).sqrt();
        self.deviation = (spread / count).sqrt();
    }

    /// A distance in deviations; `None` where all elements are equal.
    pub fn in_deviations(&self, distance: f64) -> Option<f64> {
        (self.deviation > 0.0).then(|| distance / self.deviation)
    }
}

impl Model {
    /// Runs the compiled network once and compares what each of its layers makes with the exact numbers. The reference
    /// evaluation takes most of the time, seconds for networks of some 10⁹ multiply-adds, and tells `options.progress`.
    ///
    /// ```
    /// use cnnc::{Options, Weights};
    /// let model = cnnc::compile_str("tiny", "cnn 1; model Tiny { input x: 1x8x8; c: conv 3x3 2 relu; globalavgpool }")?;
    /// let layers = model.accuracy(&Weights::synthetic(), &Options::new(), &[&[0.5; 64]])?;
    /// assert_eq!(layers[0].label, "c");
    /// assert!(layers.iter().all(|layer| layer.largest < 1e-6 && layer.broken == 0));
    /// # Ok::<(), cnnc::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::jit`] and [`Session::run`](crate::Session::run).
    pub fn accuracy(
        &self,
        weights: &Weights,
        options: &Options,
        inputs: &[&dyn Input],
    ) -> Result<Vec<Accuracy>, Error> {
        let (graph, _) = pass::optimize(self.graph());
        let network = self.observed(&graph, weights, options)?;
        let mut session = network.session()?;
        let outputs = session.run(inputs)?;
        let (reference, _) = Reference::new(Arc::new(graph), weights, options)?;
        let inputs = elements(network.inputs(), network.batch(), inputs)?;
        let mut found = outputs.iter();
        let mut layers = Vec::new();
        reference.visit(&inputs, &mut |node, exact| {
            let (label, layer) = (node.label.clone(), written(&*node.layer));
            let mut accuracy = Accuracy::new(label, layer, exact.shape());
            let output = found.next().expect("every node's result is an output");
            accuracy.compare(output.data, exact.iter());
            layers.push(accuracy);
        })?;
        Ok(layers)
    }

    /// The network of a graph, which has the results of all live nodes as outputs, in their order, and no others. No pass runs here,
    /// so this undoes no fusion.
    pub(crate) fn observed(
        &self,
        graph: &Graph,
        weights: &Weights,
        options: &Options,
    ) -> Result<Network, Error> {
        let start = Instant::now();
        let outputs = graph.live().map(|(_, node)| Output {
            name: node.label.clone(),
            value: node.output,
        });
        let graph = Graph {
            outputs: outputs.collect(),
            ..graph.clone()
        };
        self.bound(graph, options.chosen_isa()?, weights, options, start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(found: &[f32], exact: &[f64]) -> Accuracy {
        let mut accuracy = Accuracy::new("c".to_owned(), "conv".to_owned(), &[found.len()]);
        accuracy.compare(found, exact.iter());
        accuracy
    }

    #[test]
    fn distances_and_deviation() {
        let accuracy = compared(&[1.0, 2.5, 3.0, 4.0], &[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(accuracy.largest, 0.5);
        assert_eq!(accuracy.typical, 0.25);
        assert_eq!(accuracy.deviation, 1.25f64.sqrt());
        assert_eq!(accuracy.in_deviations(1.25f64.sqrt()), Some(1.0));
        assert_eq!(accuracy.broken, 0);
    }

    #[test]
    fn what_is_not_finite_is_counted() {
        let accuracy = compared(
            &[f32::NAN, 1.0, f32::INFINITY, 2.0],
            &[0.0, 1.0, 5.0, f64::INFINITY],
        );
        assert_eq!((accuracy.broken, accuracy.largest), (3, 0.0));
        assert_eq!(accuracy.in_deviations(0.0), None);
    }
}
