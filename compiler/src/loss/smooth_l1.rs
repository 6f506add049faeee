//! `smooth_l1`: numbers, with less said of those that are far off.

use super::elements::{Elements, finite};
use super::{Batch, Loss, LossDecl, Measure, Misfit, Terms};
use crate::args::{Kind, ParamDecl};
use crate::graph::Graph;
use crate::id::ValueId;
use crate::op::deviation::Deviation;
use crate::op::total::Total;
use crate::shape::Shape;
use cnnc_runtime::kernel::Deviation as Of;

/// The row of [`LOSSES`](super::LOSSES).
pub static DECL: LossDecl = LossDecl {
    name: "smooth_l1",
    doc: "Numbers: the mean of ½ d² / beta where the distance d is smaller than beta, and of d − ½ beta beyond, as PyTorch's `smooth_l1_loss`; with `beta 0` the mean distance.",
    settings: &[BETA, super::WEIGHTS],
    usual: |_| false,
    build: |loss, _| {
        let layer = Deviation {
            of: Of::SmoothL1,
            bend: loss.number("beta").unwrap_or(1.0),
            total: Total::Mean,
        };
        Box::new(SmoothL1(Elements::new(layer, loss)))
    },
    samples: &["input x: 5; dense 3", "input x: 2x4x3; conv 3x3 2"],
};

const BETA: ParamDecl = ParamDecl {
    name: "beta",
    kind: Kind::Float,
    positional: false,
    default: Some("1"),
    doc: "The distance at which a parabola becomes a line.",
};

#[derive(Debug)]
struct SmoothL1(Elements);

impl Loss for SmoothL1 {
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
