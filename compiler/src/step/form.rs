//! The form that a network is trained in: norms with the statistics of the batch, which move their running ones, and masks where dropout is.

use super::{Factors, Untrainable};
use crate::gradient::NoGradient;
use crate::graph::{Graph, Node, Param};
use crate::id::{NodeId, ParamId, ValueId};
use crate::layer::Layer;
use crate::layer::bn::BatchNorm;
use crate::layer::dropout::Dropout;
use crate::layer::elementwise::{Elementwise, Op};
use crate::op::batch_norm::{Moment, Normalise};

/// What became of a network.
pub(super) struct Form {
    pub graph: Graph,
    /// For each norm its running mean and variance, what they move towards, and how many pixels an image has there.
    pub moving: Vec<Moving>,
    /// How likely the elements of each mask are to be dropped; the masks are inputs behind those of the network.
    pub masks: Vec<f64>,
}

/// A running statistic, and what it moves towards.
pub(super) struct Moving {
    pub statistic: ParamId,
    pub towards: ValueId,
    pub factors: Factors,
}

impl Form {
    /// Rewrites a network. A norm none of whose tensors are trained stays as it is.
    pub fn of(network: &Graph, trained: &dyn Fn(&Param) -> bool) -> Result<Form, Untrainable> {
        let mut form = Form {
            graph: network.clone(),
            moving: Vec::new(),
            masks: Vec::new(),
        };
        for id in std::mem::take(&mut form.graph.order) {
            let node = form.graph.nodes[id].clone();
            if let Some(dropout) = node.layer.downcast::<Dropout>()
                && dropout.rate > 0.0
            {
                form.mask(&node, dropout.rate);
                let mask = form.graph.inputs.len() - 1;
                let inputs = vec![node.inputs[0], form.graph.inputs[mask].value];
                form.change(id, Elementwise(Op::Mul), inputs);
            }
            if let Some(BatchNorm { norm }) = node.layer.downcast::<BatchNorm>() {
                let params = node.params.iter().map(|id| &network.params[*id]);
                if params.clone().any(trained) {
                    if node
                        .params
                        .iter()
                        .any(|id| network.params[*id].literal.is_some())
                    {
                        return Err(Untrainable::Gradient(NoGradient {
                            label: node.label.clone(),
                            why: "a tensor of it is written in the spec".to_owned(),
                        }));
                    }
                    let statistics = form.statistics(&node);
                    let affine = if norm.affine { 2 } else { 0 };
                    form.graph.nodes[id].params.truncate(affine);
                    let inputs = [vec![node.inputs[0]], statistics].concat();
                    form.change(id, Normalise::new(*norm), inputs);
                }
            }
            form.graph.order.push(id);
        }
        Ok(form)
    }

    /// Makes the node another layer of other operands.
    fn change(&mut self, id: NodeId, layer: impl Layer, inputs: Vec<ValueId>) {
        let node = &mut self.graph.nodes[id];
        (node.layer, node.inputs) = (Box::new(layer), inputs);
        let inferred = self.graph.infer(id);
        inferred.unwrap_or_else(|error| panic!("{}: {error}", self.graph.nodes[id].label));
    }

    /// Adds the mask of a dropout, as the last input.
    fn mask(&mut self, node: &Node, rate: f64) {
        let shape = self.graph.values[node.output].shape.clone();
        self.graph.push_input(format!("{}~mask", node.label), shape);
        self.masks.push(rate);
    }

    /// Adds mean and variance of what a norm reads.
    fn statistics(&mut self, node: &Node) -> Vec<ValueId> {
        let x = node.inputs[0];
        let label = |what: &str| format!("{}~{what}", node.label);
        let mean = self.graph.apply(Moment::Mean, &[x], &label("mean"));
        let variance = self
            .graph
            .apply(Moment::Variance, &[x, mean], &label("variance"));
        let running = &node.params[node.params.len() - 2..];
        let shape = &self.graph.values[x].shape;
        let pixels = shape.elements() / shape.channels();
        self.moving.push(Moving {
            statistic: running[0],
            towards: mean,
            factors: Factors::Mean,
        });
        self.moving.push(Moving {
            statistic: running[1],
            towards: variance,
            factors: Factors::Variance { pixels },
        });
        vec![mean, variance]
    }
}
