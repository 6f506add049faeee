//! `contrastive`: a difference of two vectors that is short where they are alike, and longer than a margin where they are not.
//!
//! R. Hadsell, S. Chopra and Y. LeCun, "Dimensionality reduction by learning an invariant mapping", 2006: of the length d, ½ (y d² + (1 − y) max(margin − d, 0)²), and the mean over samples.

use super::{Batch, Loss, LossDecl, Measure, Misfit, Targets, Terms, sized};
use crate::args::{Kind, ParamDecl};
use crate::graph::Graph;
use crate::head::Head;
use crate::id::ValueId;
use crate::op::contrastive::Contrastive as Layer;
use crate::shape::Shape;

/// The row of [`LOSSES`](super::LOSSES).
pub static DECL: LossDecl = LossDecl {
    name: "contrastive",
    doc: "The difference of two vectors: half of its squared length where they are alike, half of the square of what it falls short of a margin where they are not.",
    settings: &[ParamDecl {
        name: "margin",
        kind: Kind::Float,
        positional: false,
        default: Some("1"),
        doc: "The length from which on a difference is long enough.",
    }],
    usual: |network| distance(network).is_some(),
    build: |loss, _| {
        Box::new(Contrastive {
            margin: loss.number("margin").unwrap_or(1.0),
        })
    },
    samples: &[
        "input a, b: 4; shared twin { dense 3 tanh }; head verify { measure distance; sub(twin(a), twin(b)) }",
    ],
};

/// The head, if it takes the length of a difference.
fn distance(network: &Graph) -> Option<&Head> {
    let head = network.head.as_ref()?;
    let lengths = head.decl.keyword == "verify" && head.word("measure") == Some("distance");
    lengths.then_some(head)
}

#[derive(Debug)]
struct Contrastive {
    margin: f64,
}

impl Loss for Contrastive {
    fn fit(&self, output: &Shape) -> Result<(), Misfit> {
        match output.spatial() {
            [] => Ok(()),
            _ => Err(Misfit {
                setting: None,
                message: format!("`contrastive` takes the length of a vector, not of {output}"),
            }),
        }
    }

    fn push(&self, terms: &mut Terms<'_>) -> ValueId {
        let alike = terms.target("alike", Shape::new([1]).expect("a number"));
        let layer = Layer {
            margin: self.margin,
        };
        terms.push(layer, &[terms.output(), alike], "loss")
    }

    fn write(&self, batch: &Batch<'_>, into: &mut [Vec<f64>]) -> Result<f64, String> {
        let alike: Vec<f64> = match batch.targets {
            Targets::Classes(labels) => labels.iter().map(|&label| label.into()).collect(),
            Targets::Numbers(numbers) => numbers.iter().map(|&x| x.into()).collect(),
            Targets::Weighted(..) => return Err("`contrastive` has no weights".to_owned()),
        };
        sized("labels", alike.len(), batch.images, 1)?;
        if let Some(other) = alike.iter().find(|x| **x != 0.0 && **x != 1.0) {
            return Err(format!(
                "two inputs are alike, 1, or not, 0, but {other} is neither"
            ));
        }
        into[0].copy_from_slice(&alike);
        Ok(batch.images as f64)
    }

    fn measure(&self, network: &Graph) -> Measure {
        let threshold = distance(network).and_then(|head| head.number("threshold"));
        Measure::Alike(threshold.unwrap_or(self.margin / 2.0) as f32)
    }
}
