//! What a style transfer is told, and which layers that is about.

use super::super::error::TrainError;
use super::pixels::Size;
use super::tensors::{Layer, map};
use crate::Model;

/// What a picture begins as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The content picture.
    Content,
    /// Every level equally likely.
    Noise,
}

/// What moves a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Adam, whose rate falls like half a cosine; pixels stay between black and white.
    Adam,
    /// L-BFGS, which finds its steps by itself, with pixels that are held at black and white.
    Lbfgs,
}

/// What a style transfer does.
#[derive(Clone, Debug)]
pub struct StyleOptions {
    /// Layers of the content, and what each weighs; none for the usual one.
    pub content: Vec<(String, f64)>,
    /// Layers of the style, and what each weighs of all; none for the usual ones, alike.
    pub style: Vec<(String, f64)>,
    /// What the content counts.
    pub alpha: f64,
    /// What the style counts.
    pub beta: f64,
    /// What squares of differences between neighbouring pixels count, in levels.
    pub variation: f64,
    /// Where the picture begins.
    pub from: From,
    /// How large it is.
    pub size: Size,
    /// Steps.
    pub steps: usize,
    /// What makes them.
    pub by: By,
    /// Adam's rate: levels by which a pixel moves in the first step; and what L-BFGS's first trial moves none by more than.
    pub rate: f64,
    /// Seed of the noise.
    pub seed: u64,
    /// Threads to run on.
    pub threads: usize,
    /// What errors call the picture of the content, and that of the style.
    pub names: [String; 2],
}

impl Default for StyleOptions {
    fn default() -> StyleOptions {
        StyleOptions {
            content: Vec::new(),
            style: Vec::new(),
            alpha: 1.0,
            beta: 1000.0,
            variation: 0.0,
            from: From::Content,
            size: Size::Longer(384),
            steps: 200,
            by: By::Adam,
            rate: 10.0,
            seed: 1,
            threads: 1,
            names: ["the content picture", "the style picture"].map(str::to_owned),
        }
    }
}

/// Refuses what makes nothing small, or cannot be.
pub(super) fn check(options: &StyleOptions) -> Result<(), TrainError> {
    let refuse = |why: &str| Err(TrainError::Recipe(why.to_owned()));
    let StyleOptions {
        alpha,
        beta,
        variation,
        rate,
        steps,
        size,
        ..
    } = *options;
    let weights = options
        .content
        .iter()
        .chain(&options.style)
        .map(|(_, weight)| *weight);
    let numbers = weights.chain([alpha, beta, variation]);
    if !numbers.clone().all(|x| x.is_finite() && x >= 0.0) {
        return refuse("weights are numbers from 0 on");
    }
    if options.style.iter().map(|(_, weight)| weight).sum::<f64>() == 0.0
        && !options.style.is_empty()
    {
        return refuse("with all weights of the style 0 it is nothing");
    }
    if alpha == 0.0 && beta == 0.0 && variation == 0.0 {
        return refuse("with alpha, beta and total variation 0 there is nothing to make small");
    }
    if !(rate.is_finite() && rate > 0.0) {
        return refuse("a rate is a number above 0");
    }
    if steps == 0 {
        return refuse("a picture changes in one step at least");
    }
    match size {
        Size::Longer(0) | Size::Exactly(0, _) | Size::Exactly(_, 0) => {
            refuse("a picture has one pixel at least")
        }
        _ => Ok(()),
    }
}

/// The layers that are named, or the usual ones.
pub(super) fn named(
    model: &Model,
    given: &[(String, f64)],
    usual: Option<&Vec<Layer>>,
) -> Result<Vec<Layer>, TrainError> {
    if given.is_empty() {
        let why = || {
            TrainError::Recipe(format!(
                "nothing says which layers of `{}` are compared: name them",
                model.graph().name
            ))
        };
        return usual
            .filter(|usual| !usual.is_empty())
            .cloned()
            .ok_or_else(why);
    }
    let layers = given.iter().map(|(label, weight)| {
        Ok(Layer {
            value: map(model, label)?,
            label: label.clone(),
            weight: *weight,
        })
    });
    layers.collect()
}
