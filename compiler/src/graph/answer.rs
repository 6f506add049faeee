//! The head of a network, held against its outputs.

use super::Graph;
use crate::head::Entering;
use crate::shape::Shape;
use cnnc_runtime::answer;

impl Graph {
    /// Tensors of those shapes, as they enter a head of this network.
    pub fn entering<'a>(&self, shapes: &'a [Shape]) -> Entering<'a> {
        let input = self.inputs.first();
        Entering::new(input.map(|input| &self.values[input.value].shape), shapes)
    }

    /// What turns the network's outputs into an answer, with every default filled in; numbers without a head.
    pub fn answer_head(&self) -> answer::Head {
        let Some(head) = &self.head else {
            return answer::Head::default();
        };
        let labels = head.labels.iter().map(|label| label.clone().into());
        let shapes: Vec<Shape> = self
            .outputs
            .iter()
            .map(|output| self.values[output.value].shape.clone())
            .take(head.tensors.len().max(1))
            .collect();
        let entering = self.entering(&shapes);
        // The resolver has checked that it fits.
        let classes = head.fit(&entering).unwrap_or(0);
        answer::Head {
            labels: labels.collect(),
            task: (head.decl.task)(head, &entering, classes),
        }
    }
}
