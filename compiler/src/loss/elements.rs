//! What losses have in common that are means over elements: of each image a target and a weight in the output's shape.

use super::{Batch, Misfit, Targets, Terms, fit_weights, sized};
use crate::id::ValueId;
use crate::op::deviation::Deviation;
use crate::recipe;
use crate::shape::Shape;

/// A loss that is a mean over elements.
#[derive(Debug)]
pub(super) struct Elements {
    pub layer: Deviation,
    /// A factor for each channel; none for all.
    pub weights: Vec<f64>,
}

impl Elements {
    pub fn new(layer: Deviation, loss: &recipe::Loss) -> Elements {
        Elements {
            layer,
            weights: loss.numbers("weights").to_vec(),
        }
    }

    pub fn fit(&self, output: &Shape) -> Result<(), Misfit> {
        fit_weights(&self.weights, output, "channels")
    }

    /// Pushes it behind a value.
    pub fn push(&self, terms: &mut Terms<'_>, value: ValueId) -> ValueId {
        let shape = terms.shape(value);
        let target = terms.target("target", shape.clone());
        let weight = terms.target("weight", shape);
        terms.push(self.layer.clone(), &[value, target, weight], "loss")
    }

    /// Writes numbers, and what they count; `check` says what a number may be.
    pub fn write(
        &self,
        batch: &Batch<'_>,
        into: &mut [Vec<f64>],
        check: impl Fn(f32) -> Result<(), String>,
    ) -> Result<f64, String> {
        let (numbers, weights) = match batch.targets {
            Targets::Numbers(numbers) => (numbers, None),
            Targets::Weighted(numbers, weights) => (numbers, Some(weights)),
            Targets::Classes(_) => {
                let each = batch.output.elements();
                return Err(format!(
                    "this loss learns from numbers, {each} for each sample, not from classes"
                ));
            }
        };
        let (channels, each) = (batch.output.channels(), batch.output.elements());
        sized("numbers", numbers.len(), batch.images, each)?;
        if let Some(weights) = weights {
            sized("weights", weights.len(), batch.images, each)?;
        }
        let [target, weight] = into else {
            unreachable!("two targets were pushed");
        };
        let places = target.iter_mut().zip(weight).zip(numbers).enumerate();
        for (index, ((target, weight), &number)) in places {
            check(number)?;
            let channel = index / (each / channels) % channels;
            *target = f64::from(number);
            *weight = self.weights.get(channel).copied().unwrap_or(1.0);
            if let Some(weights) = weights {
                *weight *= f64::from(weights[index]);
            }
        }
        Ok(batch.images as f64)
    }
}

/// Any number.
pub(super) fn finite(number: f32) -> Result<(), String> {
    match number.is_finite() {
        true => Ok(()),
        false => Err(format!("a target is {number}")),
    }
}
