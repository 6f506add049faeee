//! `cross_entropy`: one class out of several, of an image or of each of its pixels.
//!
//! As PyTorch's `cross_entropy` with `weight` and `label_smoothing` has it: of a class y of K, with smoothing s and weights w, −Σ w·t·log-softmax(z) with t = (1 − s)·onehot(y) + s / K, and the
//! mean over images and pixels is weighted: the sum divided by the sum of w of the classes. Targets of numbers, a distribution for each pixel, are smoothed and weighted too, and divided by
//! how many there are.

use super::{
    Batch, Loss, LossDecl, Measure, Misfit, Targets, Terms, UNLABELLED, ends_in, fit_weights, head,
    sized,
};
use crate::args::{Kind, ParamDecl};
use crate::graph::Graph;
use crate::id::ValueId;
use crate::op::cross_entropy::CrossEntropy as Layer;
use crate::op::total::Total;
use crate::shape::Shape;

/// The row of [`LOSSES`](super::LOSSES).
pub static DECL: LossDecl = LossDecl {
    name: "cross_entropy",
    doc: "One class out of several: of the sample, or of each pixel of a map. The output is logits, a channel for each class, or the `softmax` of them.",
    settings: &[
        ParamDecl {
            name: "smooth",
            kind: Kind::Float,
            positional: false,
            default: Some("0"),
            doc: "Share of each label that is spread over all classes.",
        },
        super::WEIGHTS,
    ],
    usual: |network| {
        matches!(head(network), Some("classify" | "segment")) || ends_in(network, "softmax")
    },
    build: |loss, _| {
        Box::new(CrossEntropy {
            smooth: loss.number("smooth").unwrap_or(0.0),
            weights: loss.numbers("weights").to_vec(),
        })
    },
    samples: &[
        "input x: 5; dense 7",
        "input x: 2x4x3; conv 3x3 4",
        "input x: 3x5; conv 3 2 softmax",
    ],
};

#[derive(Debug)]
struct CrossEntropy {
    smooth: f64,
    weights: Vec<f64>,
}

impl CrossEntropy {
    fn weight(&self, class: usize) -> f64 {
        self.weights.get(class).copied().unwrap_or(1.0)
    }

    /// What becomes of a target of one of so many classes.
    fn softened(&self, target: f64, class: usize, classes: usize) -> f64 {
        self.weight(class) * ((1.0 - self.smooth) * target + self.smooth / classes as f64)
    }
}

impl Loss for CrossEntropy {
    fn fit(&self, output: &Shape) -> Result<(), Misfit> {
        if output.channels() < 2 {
            return Err(Misfit {
                setting: None,
                message: format!(
                    "`cross_entropy` needs an output for each class, not {output}: of a single one `logistic` is the loss"
                ),
            });
        }
        fit_weights(&self.weights, output, "classes")
    }

    fn push(&self, terms: &mut Terms<'_>) -> ValueId {
        let logits = terms.before("softmax");
        let target = terms.target("target", terms.shape(logits));
        terms.push(Layer(Total::Mean), &[logits, target], "loss")
    }

    fn write(&self, batch: &Batch<'_>, into: &mut [Vec<f64>]) -> Result<f64, String> {
        let classes = batch.output.channels();
        let pixels = batch.output.elements() / classes;
        let target = &mut into[0];
        let labels = match batch.targets {
            Targets::Classes(labels) => labels,
            Targets::Numbers(numbers) => {
                sized("numbers", numbers.len(), batch.images, classes * pixels)?;
                for (index, (to, &number)) in target.iter_mut().zip(numbers).enumerate() {
                    let class = index / pixels % classes;
                    *to = self.softened(f64::from(number), class, classes);
                }
                return Ok(batch.images as f64);
            }
            Targets::Weighted(..) => {
                return Err("`cross_entropy` takes classes or numbers without weights".to_owned());
            }
        };
        sized("labels", labels.len(), batch.images, pixels)?;
        target.fill(0.0);
        let mut total = 0.0;
        for (index, &label) in labels.iter().enumerate() {
            if label == UNLABELLED {
                continue;
            }
            let label = label as usize;
            if label >= classes {
                return Err(format!(
                    "the class {label} is none of the network's {classes}"
                ));
            }
            let (image, pixel) = (index / pixels, index % pixels);
            for class in 0..classes {
                let hot = if class == label { 1.0 } else { 0.0 };
                target[(image * classes + class) * pixels + pixel] =
                    self.softened(hot, class, classes);
            }
            total += self.weight(label);
        }
        // Where nothing counts the loss is 0, whatever it is divided by.
        Ok(if total > 0.0 {
            total / pixels as f64
        } else {
            1.0
        })
    }

    fn measure(&self, network: &Graph) -> Measure {
        let output = &network.values[network.outputs[0].value].shape;
        match output.elements() == output.channels() {
            true => Measure::Accuracy,
            false => Measure::MeanIou,
        }
    }
}
