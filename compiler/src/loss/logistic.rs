//! `logistic`: several answers of yes or no.

use super::elements::Elements;
use super::{Batch, Loss, LossDecl, Measure, Misfit, Targets, Terms, before, ends_in, head};
use crate::graph::Graph;
use crate::id::ValueId;
use crate::op::deviation::Deviation;
use crate::op::total::Total;
use crate::shape::Shape;
use cnnc_runtime::kernel::Deviation as Of;

/// The row of [`LOSSES`](super::LOSSES).
pub static DECL: LossDecl = LossDecl {
    name: "logistic",
    doc: "Several answers of yes or no, each by itself: the mean of the binary cross-entropies, as PyTorch's `binary_cross_entropy_with_logits`. The output is logits, or the \
          `sigmoid` of them, and is computed from logits either way. Targets are 0 or 1 or between; of a single output they may be classes.",
    settings: &[super::WEIGHTS],
    usual: |network| {
        let single = network.values[network.outputs[0].value].shape.elements() == 1;
        single && head(network) == Some("verify") || ends_in(network, "sigmoid")
    },
    build: |loss, _| {
        let layer = Deviation {
            of: Of::Logistic,
            bend: 0.0,
            total: Total::Mean,
        };
        Box::new(Logistic(Elements::new(layer, loss)))
    },
    samples: &[
        "input x: 5; dense 3",
        "input x: 2x4x3; conv 3x3 2",
        "input x: 4; dense 3 sigmoid",
    ],
};

#[derive(Debug)]
struct Logistic(Elements);

impl Loss for Logistic {
    fn fit(&self, output: &Shape) -> Result<(), Misfit> {
        self.0.fit(output)
    }

    fn push(&self, terms: &mut Terms<'_>) -> ValueId {
        self.0.push(terms, terms.before("sigmoid"))
    }

    fn write(&self, batch: &Batch<'_>, into: &mut [Vec<f64>]) -> Result<f64, String> {
        // Of one answer, no and yes are classes.
        let numbers: Vec<f32>;
        let mut batch = *batch;
        if let Targets::Classes(labels) = batch.targets
            && batch.output.elements() == 1
        {
            if let Some(label) = labels.iter().find(|label| **label > 1) {
                return Err(format!("the class {label} is neither 0, no, nor 1, yes"));
            }
            numbers = labels.iter().map(|&label| label as f32).collect();
            batch.targets = Targets::Numbers(&numbers);
        }
        self.0
            .write(&batch, into, |number| match (0.0..=1.0).contains(&number) {
                true => Ok(()),
                false => Err(format!(
                    "a target of `logistic` is between 0 and 1, not {number}"
                )),
            })
    }

    fn measure(&self, network: &Graph) -> Measure {
        let raw = network.outputs[0].value;
        Measure::Labels(match before(network, raw, "sigmoid") {
            Some(_) => 0.5,
            None => 0.0,
        })
    }
}
