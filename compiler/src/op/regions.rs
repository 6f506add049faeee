//! `roipool_input` and `roialign_input`: the adjoints of the layers on regions, in the map. Regions have no gradient.

use super::maxpool::first_largest;
use super::same_shape;
use crate::layer::roialign::RoiAlign;
use crate::layer::roipool::RoiPool;
use crate::layer::{Attributes, Inferred, Layer, Lowering, ShapeError, grid};
use crate::lower::Lower;
use crate::shape::Shape;
use cnnc_runtime::kernel::{RoiAlignInputCall, RoiPoolInputCall};
use ndarray::ArrayD;

/// Keyword of [`RoiPoolInput`].
pub const POOL: &str = "roipool_input";

/// Keyword of [`RoiAlignInput`].
pub const ALIGN: &str = "roialign_input";

/// What each bin got goes to the first of its largest elements, row by row. Of the operands map, regions and dy.
#[derive(Clone, Debug)]
pub struct RoiPoolInput(
    /// The layer.
    pub RoiPool,
);

/// What each bin got goes to the elements that its samples lie between, or to the first that counts for most. Of the operands map, regions and dy.
#[derive(Clone, Debug)]
pub struct RoiAlignInput(
    /// The layer.
    pub RoiAlign,
);

/// The map's shape, if the cotangent has the shape of the layer's result.
fn map(keyword: &str, layer: &dyn Layer, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
    let result = layer.infer(&inputs[..2])?.output;
    same_shape(keyword, &[result, inputs[2].clone()])?;
    Ok(Inferred::plain(inputs[0].clone()))
}

impl Layer for RoiPoolInput {
    fn attributes(&self) -> (&'static str, Attributes) {
        (POOL, self.0.attributes().1)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        map(POOL, &self.0, inputs)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let (x, extents) = (inputs[0], grid::shape(inputs[0]).dhw());
        let mut dx = ArrayD::zeros(x.raw_dim());
        for ((c, n, h, w), dy) in grid::view(inputs[2]).indexed_iter() {
            let Some([rows, columns]) = self.0.bins(inputs[1], n, [h, w], extents) else {
                continue;
            };
            let first = first_largest(|[_, y, x_at]| x[[c, y, x_at]], [0..1, rows, columns]);
            if let Some([_, y, x_at]) = first {
                dx[[c, y, x_at]] += dy;
            }
        }
        dx
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Layer for RoiAlignInput {
    fn attributes(&self) -> (&'static str, Attributes) {
        (ALIGN, self.0.attributes().1)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, ShapeError> {
        map(ALIGN, &self.0, inputs)
    }

    fn evaluate(&self, inputs: &[&ArrayD<f64>], _: &[&ArrayD<f64>]) -> ArrayD<f64> {
        let extents = grid::shape(inputs[0]).dhw();
        let mut dx = ArrayD::zeros(inputs[0].raw_dim());
        let samples = (self.0.samples * self.0.samples) as f64;
        for ((c, n, h, w), dy) in grid::view(inputs[2]).indexed_iter() {
            let Some(weights) = self.0.weights(inputs[1], n, [h, w], extents) else {
                continue;
            };
            if self.0.largest {
                let mut best = (f64::NEG_INFINITY, None);
                for one in RoiAlign::counted(&weights) {
                    let part = one.map_or(0.0, |([y, x], w)| w * inputs[0][[c, y, x]]);
                    if part > best.0 {
                        best = (part, one);
                    }
                }
                if let Some(([y, x], weight)) = best.1 {
                    dx[[c, y, x]] += weight * dy;
                }
                continue;
            }
            let [down, along] = weights;
            for (y, row) in down.iter().flatten() {
                for (x, column) in along.iter().flatten() {
                    dx[[c, *y, *x]] += row * column * dy / samples;
                }
            }
        }
        dx
    }

    fn lowering(&self) -> Option<&dyn Lowering> {
        Some(self)
    }
}

impl Lowering for RoiPoolInput {
    fn lower(&self, cx: &mut Lower<'_>) {
        let regions = &self.0.0;
        regions.lower_input(cx, |grid, map| RoiPoolInputCall { grid, map });
    }
}

impl Lowering for RoiAlignInput {
    fn lower(&self, cx: &mut Lower<'_>) {
        let regions = &self.0.regions;
        regions.lower_input(cx, |grid, map| RoiAlignInputCall {
            grid,
            map,
            samples: self.0.samples,
            aligned: self.0.aligned,
            largest: self.0.largest,
        });
    }
}
