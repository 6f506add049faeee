//! `heatmaps`: where points are, as a share of each cell of a map.
//!
//! Each point has a map of logits, and its target is a Gaussian around the point, of `sigma` cells, at the middles of the cells, that adds up to 1. The loss is the cross-entropy of the softmax over all
//! cells of a map, its mean over the points: at best the entropy of the Gaussians, which is 2.12 for 0.7 cells far from the edges. What is known of a sample are x and y of each point, in fractions of the input; a point outside of it counts for nothing.

use super::{Batch, Loss, LossDecl, Measure, Misfit, Targets, Terms, head, sized};
use crate::args::{Kind, ParamDecl};
use crate::graph::Graph;
use crate::id::ValueId;
use crate::layer::permute::Permute;
use crate::layer::reshape::Reshape;
use crate::op::cross_entropy::CrossEntropy;
use crate::op::total::Total;
use crate::shape::Shape;

/// The row of [`LOSSES`](super::LOSSES).
pub static DECL: LossDecl = LossDecl {
    name: "heatmaps",
    doc: "Points by heat maps: the cross-entropy of the softmax over the cells of each map, whose target is a Gaussian around the point; the mean over the points. For `head keypoints`.",
    settings: &[ParamDecl {
        name: "sigma",
        kind: Kind::Float,
        positional: false,
        default: Some("0.7"),
        doc: "Standard deviation of the Gaussian, in cells of the map.",
    }],
    usual: |network| head(network) == Some("keypoints"),
    build: |loss, network| {
        Box::new(Heatmaps {
            known: head(network) == Some("keypoints"),
            sigma: loss.number("sigma").unwrap_or(0.7),
        })
    },
    samples: &[
        "input x: 2x5x4; conv 3x3 3 pad half; head keypoints",
        "input x: 2x6x9; conv 1x1 2 /2; head keypoints { around 1 }",
    ],
};

#[derive(Debug)]
struct Heatmaps {
    /// Whether a head says what the output is.
    known: bool,
    sigma: f64,
}

/// Rows and columns of the maps.
fn extents(output: &Shape) -> [usize; 2] {
    match *output.spatial() {
        [rows, columns] => [rows, columns],
        _ => unreachable!("the head has maps"),
    }
}

impl Loss for Heatmaps {
    fn fit(&self, _: &Shape) -> Result<(), Misfit> {
        if !self.known {
            return Err(Misfit {
                setting: None,
                message: "`heatmaps` is for networks with `head keypoints`".to_owned(),
            });
        }
        if !(self.sigma > 0.0 && self.sigma.is_finite()) {
            return Err(Misfit {
                setting: Some("sigma"),
                message: "`sigma` is more than 0".to_owned(),
            });
        }
        Ok(())
    }

    /// Cells are what the softmax is over, so they become channels, and points pixels.
    fn push(&self, terms: &mut Terms<'_>) -> ValueId {
        let shape = terms.shape(terms.output());
        let [rows, columns] = extents(&shape);
        let flat = Reshape {
            dims: vec![shape.channels(), rows * columns],
        };
        let flat = terms.push(flat, &[terms.output()], "raw.flat");
        let turned = Permute { axes: vec![1, 0] };
        let cells = terms.push(turned, &[flat], "raw.cells");
        let target = terms.target("target", terms.shape(cells));
        terms.push(CrossEntropy(Total::Mean), &[cells, target], "loss")
    }

    fn write(&self, batch: &Batch<'_>, into: &mut [Vec<f64>]) -> Result<f64, String> {
        let points = batch.output.channels();
        let [rows, columns] = extents(batch.output);
        let Targets::Numbers(known) = batch.targets else {
            return Err(format!(
                "`heatmaps` learns from {} numbers for each sample: x and y of each point, in fractions of the input",
                2 * points
            ));
        };
        sized("numbers", known.len(), batch.images, 2 * points)?;
        let target = &mut into[0];
        target.fill(0.0);
        let mut counted = 0;
        for (index, at) in known.chunks(2).enumerate() {
            super::elements::finite(at[0])?;
            super::elements::finite(at[1])?;
            if !at.iter().all(|along| (0.0..=1.0).contains(along)) {
                continue;
            }
            counted += 1;
            let (image, point) = (index / points, index % points);
            let along = [
                axis(at[0], columns, self.sigma),
                axis(at[1], rows, self.sigma),
            ];
            for (row, down) in along[1].iter().enumerate() {
                for (column, right) in along[0].iter().enumerate() {
                    let cell = row * columns + column;
                    target[(image * rows * columns + cell) * points + point] = down * right;
                }
            }
        }
        // Where nothing counts the loss is 0, whatever it is divided by.
        Ok(f64::from(counted.max(1)) / points as f64)
    }

    fn measure(&self, _: &Graph) -> Measure {
        Measure::Points
    }
}

/// Shares of the cells along an axis: a Gaussian around a fraction of it, which is the product of one along each axis.
fn axis(at: f32, cells: usize, sigma: f64) -> Vec<f64> {
    let centre = f64::from(at) * cells as f64;
    let squares: Vec<f64> = (0..cells)
        .map(|cell| (cell as f64 + 0.5 - centre).powi(2))
        .collect();
    // The nearest cell has something, however narrow it is.
    let least = squares.iter().copied().fold(f64::INFINITY, f64::min);
    let shares = squares
        .iter()
        .map(|square| ((least - square) / (2.0 * sigma * sigma)).exp());
    let shares: Vec<f64> = shares.collect();
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}
