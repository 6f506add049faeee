//! The graph that grows on the way back, and what has been given to whom.

use crate::graph::Graph;
use crate::id::ParamId;
use crate::id::ValueId;
use crate::layer::Layer;
use crate::layer::add::Add;
use crate::span::Span;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The state of a differentiation.
pub(super) struct Tape {
    /// The network, and behind it what has been pushed.
    pub graph: Graph,
    /// Values whose cotangents something depends on.
    pub wanted: HashSet<ValueId>,
    /// Tensors whose gradients are wanted.
    pub wanted_params: HashSet<ParamId>,
    /// Cotangents so far.
    pub given: HashMap<ValueId, Vec<ValueId>>,
    /// Gradients so far.
    pub given_params: BTreeMap<ParamId, Vec<ValueId>>,
}

impl Tape {
    /// Adds a node, whose label is that of the layer it serves and a number behind `~`, which no spec can write.
    pub fn push(
        &mut self,
        layer: Box<dyn Layer>,
        inputs: &[ValueId],
        params: &[ParamId],
        of: &str,
        span: Span,
    ) -> ValueId {
        let label = format!("{of}~{}", self.graph.nodes.len());
        let shown = format!("{of}: {layer:?}");
        let node = self
            .graph
            .push(layer, inputs.to_vec(), params.to_vec(), label, span)
            .unwrap_or_else(|error| panic!("the gradient of {shown} does not fit: {error}"));
        self.graph.nodes[node].output
    }

    /// The sum of what has been given.
    pub fn sum(&mut self, given: &[ValueId], of: &str, span: Span) -> ValueId {
        match *given {
            [only] => only,
            _ => self.push(Box::new(Add::plain()), given, &[], of, span),
        }
    }
}
