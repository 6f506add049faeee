//! What a `train` section says. Nothing of it changes the network; what it leaves open is for those who train.

mod augment;
mod rate;
mod source;

pub use augment::Augment;
pub use rate::{Clip, Schedule};
pub use source::{DataKind, Source, Split};

use crate::tuning::Tuning;
use std::path::PathBuf;

/// What `expect { accuracy 0.98 on "data" }` asks of a network that has been trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// The least share of the samples that are right.
    pub accuracy: f64,
    /// The folder of the samples; any, if none is named.
    pub on: Option<PathBuf>,
}

/// What a `train` section says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recipe {
    /// How tensors are changed.
    pub optimizer: Option<Optimizer>,
    /// The rate, once it has warmed up.
    pub rate: Option<f64>,
    /// Epochs in which it rises from zero.
    pub warmup: Option<f64>,
    /// How it changes behind them.
    pub schedule: Option<Schedule>,
    /// How long gradients may be.
    pub clip: Option<Clip>,
    /// Samples of a step.
    pub batch: Option<usize>,
    /// Samples of each identity in a batch.
    pub each: Option<usize>,
    /// Share of the pairs that are alike.
    pub alike: Option<f64>,
    /// How often all samples are seen.
    pub epochs: Option<usize>,
    /// What all random numbers are made of.
    pub seed: Option<u64>,
    /// Threads that steps run on, of which the weights do not depend.
    pub threads: Option<usize>,
    /// How samples are changed at random.
    pub augment: Option<Augment>,
    /// Where samples lie.
    pub data: Option<Source>,
    /// What is made small.
    pub loss: Option<Loss>,
    /// Where tensors begin, which stay as they are, what is kept.
    pub tuning: Tuning,
}

/// A loss as it is written: the numbers of its settings, and what is not written is as the loss says.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// Its name.
    pub name: &'static str,
    /// What is said of it.
    pub settings: Vec<(&'static str, Vec<f64>)>,
}

impl Loss {
    /// Of which nothing is said.
    pub fn new(name: &'static str) -> Loss {
        Loss {
            name,
            settings: Vec::new(),
        }
    }

    /// The numbers of a setting; none where it is not written.
    pub fn numbers(&self, setting: &str) -> &[f64] {
        let mut settings = self.settings.iter();
        let found = settings.find(|(known, _)| *known == setting);
        found.map_or(&[], |(_, numbers)| numbers)
    }

    /// The number of a setting.
    pub fn number(&self, setting: &str) -> Option<f64> {
        self.numbers(setting).first().copied()
    }

    /// Says one number of it, in place of what is said.
    pub fn set(&mut self, setting: &'static str, number: f64) {
        self.settings.retain(|(known, _)| *known != setting);
        self.settings.push((setting, vec![number]));
    }
}

/// An optimiser with its constants; those that its method does not have mean nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimizer {
    /// Which.
    pub method: Method,
    /// Share of the velocity that stays.
    pub momentum: f64,
    /// Whether the gradient is looked at where the velocity leads.
    pub nesterov: bool,
    /// Share of the mean square that stays, of `rmsprop`.
    pub alpha: f64,
    /// Shares of both moments that stay, of `adam` and `adamw`.
    pub betas: [f64; 2],
    /// Added to the root.
    pub eps: f64,
    /// Decay of weights.
    pub decay: f64,
}

/// How an optimiser works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Gradient descent.
    Sgd,
    /// Gradients divided by the root of their mean square.
    RmsProp,
    /// Moments with their bias corrected.
    Adam,
    /// The same, with weights that decay by themselves.
    AdamW,
}

impl Method {
    /// All, as they are written.
    pub const NAMES: [&'static str; 4] = ["sgd", "rmsprop", "adam", "adamw"];

    const ALL: [Method; 4] = [Method::Sgd, Method::RmsProp, Method::Adam, Method::AdamW];

    /// As it is written.
    pub fn name(self) -> &'static str {
        Method::NAMES[self as usize]
    }

    /// The one of that name.
    pub fn find(name: &str) -> Option<Method> {
        let at = Method::NAMES.iter().position(|known| *known == name)?;
        Some(Method::ALL[at])
    }
}

impl Optimizer {
    /// With the constants that PyTorch gives it.
    pub const fn new(method: Method) -> Optimizer {
        Optimizer {
            method,
            momentum: 0.0,
            nesterov: false,
            alpha: 0.99,
            betas: [0.9, 0.999],
            eps: 1e-8,
            decay: match method {
                Method::AdamW => 0.01,
                _ => 0.0,
            },
        }
    }
}
