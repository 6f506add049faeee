//! `squared`: numbers, as far off as the square of the distance.

use super::elements::{Elements, finite};
use super::{Batch, Loss, LossDecl, Measure, Misfit, Terms, head};
use crate::graph::Graph;
use crate::id::ValueId;
use crate::op::deviation::Deviation;
use crate::op::total::Total;
use crate::shape::Shape;
use cnnc_runtime::kernel::Deviation as Of;

/// The row of [`LOSSES`](super::LOSSES).
pub static DECL: LossDecl = LossDecl {
    name: "squared",
    doc: "Numbers: the mean of the squared distances, as PyTorch's `mse_loss`.",
    settings: &[super::WEIGHTS],
    usual: |network| head(network) == Some("image"),
    build: |loss, _| {
        let layer = Deviation {
            of: Of::Squared,
            bend: 0.0,
            total: Total::Mean,
        };
        Box::new(Squared(Elements::new(layer, loss)))
    },
    samples: &["input x: 5; dense 3", "input x: 2x4x3; conv 3x3 2"],
};

#[derive(Debug)]
struct Squared(Elements);

impl Loss for Squared {
    fn fit(&self, output: &Shape) -> Result<(), Misfit> {
        self.0.fit(output)
    }

    fn push(&self, terms: &mut Terms<'_>) -> ValueId {
        self.0.push(terms, terms.output())
    }

    fn write(&self, batch: &Batch<'_>, into: &mut [Vec<f64>]) -> Result<f64, String> {
        self.0.write(batch, into, finite)
    }

    fn measure(&self, _: &Graph) -> Measure {
        Measure::MeanError
    }
}
