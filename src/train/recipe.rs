//! How a network is trained.

use super::error::TrainError;
use cnnc_compiler::step::Optimizer;

/// How the rate changes while a network is trained.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Not at all.
    Constant,
    /// Half a cosine from the rate down to zero.
    Cosine,
}

/// How a network is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// How tensors are changed.
    pub optimizer: Optimizer,
    /// The rate, once it has warmed up.
    pub rate: f64,
    /// How it changes.
    pub schedule: Schedule,
    /// Share of all steps in which the rate rises from zero.
    pub warmup: f64,
    /// Samples of a step.
    pub batch: usize,
    /// How often all samples are seen.
    pub epochs: usize,
    /// Share of a target that is spread over all classes.
    pub smoothing: f64,
    /// What all random numbers are made of.
    pub seed: u64,
    /// Threads.
    pub threads: usize,
}

impl Default for Recipe {
    /// Gradient descent with Nesterov's momentum, a cosine and a short warm-up; weights decay, biases and norms do not.
    fn default() -> Recipe {
        Recipe {
            optimizer: Optimizer::Sgd {
                momentum: 0.9,
                nesterov: true,
                decay: 5e-4,
            },
            rate: 0.05,
            schedule: Schedule::Cosine,
            warmup: 0.05,
            batch: 64,
            epochs: 5,
            smoothing: 0.0,
            seed: 1,
            threads: 1,
        }
    }
}

impl Recipe {
    /// Checks that it can be followed.
    ///
    /// # Errors
    /// The first number that makes no sense.
    pub(super) fn check(&self) -> Result<(), TrainError> {
        let refuse = |why: String| Err(TrainError::Recipe(why));
        if !(self.rate > 0.0 && self.rate.is_finite()) {
            return refuse(format!("a rate is a number above 0, not {}", self.rate));
        }
        if self.batch == 0 || self.epochs == 0 {
            return refuse("a batch and the epochs are 1 at least".to_owned());
        }
        for (name, share) in [("warm-up", self.warmup), ("smoothing", self.smoothing)] {
            if !(0.0..1.0).contains(&share) {
                return refuse(format!(
                    "the {name} is a share, at least 0 and below 1, not {share}"
                ));
            }
        }
        let decay = self.optimizer.decay();
        match decay >= 0.0 && decay.is_finite() {
            true => Ok(()),
            false => refuse(format!("the decay is 0 or more, not {decay}")),
        }
    }

    /// The rate of a step, of so many in all.
    pub fn rate_of(&self, step: u64, steps: u64) -> f64 {
        let warm = (self.warmup * steps as f64).floor();
        let at = step as f64;
        if at < warm {
            return self.rate * (at + 1.0) / warm;
        }
        match self.schedule {
            Schedule::Constant => self.rate,
            Schedule::Cosine => {
                let done = (at - warm) / (steps as f64 - warm).max(1.0);
                self.rate * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
        }
    }
}
