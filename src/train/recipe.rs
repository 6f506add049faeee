//! How a network is trained: what its `train` section says, and the defaults of classifiers for the rest.

use super::error::TrainError;
use crate::Model;
use cnnc_compiler::recipe::{Augment, Clip, Loss, Method, Optimizer, Recipe as Section, Schedule};
use cnnc_compiler::tuning::Tuning;

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
    /// How long gradients may be, if anything limits them.
    pub clip: Option<Clip>,
    /// Samples of a step.
    pub batch: usize,
    /// Samples of each identity in a batch, where samples are of identities.
    pub each: usize,
    /// Share of the pairs that are alike, where samples are learned in pairs.
    pub alike: f64,
    /// How often all samples are seen.
    pub epochs: usize,
    /// What is made small; that of the head if nothing is said.
    pub loss: Option<Loss>,
    /// How samples are changed at random, if they are.
    pub augment: Option<Augment>,
    /// What all random numbers are made of.
    pub seed: u64,
    /// Threads.
    pub threads: usize,
    /// Where tensors begin, which stay as they are, what is kept.
    pub tuning: Tuning,
}

/// Steps between two changes of the rate that are not its curve.
struct Leg {
    first: u64,
    end: u64,
    rate: f64,
}

impl Default for Recipe {
    /// That of classifiers: gradient descent with Nesterov's momentum, a cosine and a short warm-up; weights decay, biases and norms do not.
    fn default() -> Recipe {
        Recipe {
            optimizer: usual(Method::Sgd),
            rate: usual_rate(Method::Sgd),
            schedule: Schedule::Cosine,
            warmup: 0.05,
            clip: None,
            batch: 64,
            each: 4,
            alike: 0.5,
            epochs: 5,
            loss: None,
            augment: None,
            seed: 1,
            threads: 1,
            tuning: Tuning::default(),
        }
    }
}

impl From<&Section> for Recipe {
    /// What the section says, and the defaults of classifiers for what it leaves open.
    fn from(section: &Section) -> Recipe {
        let rest = Recipe::default();
        let method = section
            .optimizer
            .as_ref()
            .map_or(Method::Sgd, |optimizer| optimizer.method);
        let epochs = section.epochs.unwrap_or(rest.epochs);
        Recipe {
            optimizer: section.optimizer.clone().unwrap_or(rest.optimizer),
            rate: section.rate.unwrap_or(usual_rate(method)),
            schedule: section.schedule.clone().unwrap_or(rest.schedule),
            warmup: section
                .warmup
                .map_or(rest.warmup, |warmup| warmup / epochs as f64),
            clip: section.clip,
            batch: section.batch.unwrap_or(rest.batch),
            each: section.each.unwrap_or(rest.each),
            alike: section.alike.unwrap_or(rest.alike),
            epochs,
            loss: section.loss.clone(),
            augment: section.augment,
            seed: section.seed.unwrap_or(rest.seed),
            threads: section.threads.unwrap_or(rest.threads),
            tuning: section.tuning.clone(),
        }
    }
}

/// The optimiser of a method that classifiers take where nothing else is said.
pub fn usual(method: Method) -> Optimizer {
    let optimizer = Optimizer {
        decay: 5e-4,
        ..Optimizer::new(method)
    };
    match method {
        Method::Sgd => Optimizer {
            momentum: 0.9,
            nesterov: true,
            ..optimizer
        },
        _ => optimizer,
    }
}

fn usual_rate(method: Method) -> f64 {
    match method {
        Method::Sgd => 0.05,
        _ => 1e-3,
    }
}

impl Recipe {
    /// What the `train` section of a model says, and the defaults of classifiers for what it leaves open.
    ///
    /// ```
    /// use cnnc::train::Recipe;
    ///
    /// let model = cnnc::compile_str(
    ///     "tiny",
    ///     "cnn 1
    ///      model Tiny { input x: 2; dense 2; head classify; train { rate 0.1  epochs 20 } }",
    /// )?;
    /// let recipe = Recipe::of(&model);
    /// assert_eq!((recipe.rate, recipe.epochs, recipe.batch), (0.1, 20, 64));
    /// # Ok::<(), cnnc::Error>(())
    /// ```
    pub fn of(model: &Model) -> Recipe {
        model.recipe().map_or_else(Recipe::default, Recipe::from)
    }

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
        let smoothing = self.loss.as_ref().and_then(|loss| loss.number("smooth"));
        for (name, share) in [
            ("warm-up", self.warmup),
            ("smoothing", smoothing.unwrap_or(0.0)),
        ] {
            if !(0.0..1.0).contains(&share) {
                return refuse(format!(
                    "the {name} is a share of the whole, at least 0 and below 1, not {share}"
                ));
            }
        }
        if !(0.0..=1.0).contains(&self.alike) {
            return refuse(format!(
                "the pairs that are alike are a share of all, 0 to 1, not {}",
                self.alike
            ));
        }
        if let Some((of, most)) = self.clip.map(Clip::parts)
            && !(most > 0.0 && most.is_finite())
        {
            return refuse(format!(
                "the {of} that gradients may have is a number above 0, not {most}"
            ));
        }
        let decay = self.optimizer.decay;
        if !(decay >= 0.0 && decay.is_finite()) {
            return refuse(format!("the decay is 0 or more, not {decay}"));
        }
        match self.tuning.unfreeze.iter().find(|of| of.at >= self.epochs) {
            None => Ok(()),
            Some(late) => refuse(format!(
                "what is unfrozen behind epoch {} is never trained: there are {}",
                late.at, self.epochs
            )),
        }
    }

    /// The part of a run, in steps, with a curve of its own.
    fn leg(&self, step: u64, steps: u64) -> Leg {
        let mut leg = Leg {
            first: 0,
            end: steps,
            rate: self.rate,
        };
        for unfreeze in &self.tuning.unfreeze {
            let (at, of) = (unfreeze.at as u64, self.epochs as u64);
            let first = (u128::from(steps) * u128::from(at) / u128::from(of.max(1))) as u64;
            match unfreeze.rate {
                Some(_) if first > step => return Leg { end: first, ..leg },
                Some(rate) => (leg.first, leg.rate) = (first, rate),
                None => {}
            }
        }
        leg
    }

    /// The rate of a step, of so many in all.
    pub fn rate_of(&self, step: u64, steps: u64) -> f64 {
        let Leg { first, end, rate } = self.leg(step, steps);
        let warm = match first {
            0 => (self.warmup * steps as f64).floor().min(end as f64),
            _ => 0.0,
        };
        let at = (step - first) as f64;
        if at < warm {
            return rate * (at + 1.0) / warm;
        }
        let done = (at - warm) / ((end - first) as f64 - warm).max(1.0);
        // Epochs of steps are those of the whole run.
        let epochs = |step: u64| step as f64 * self.epochs as f64 / steps.max(1) as f64;
        let (begun, now) = (epochs(first), epochs(step));
        match &self.schedule {
            Schedule::Constant => rate,
            Schedule::Cosine => rate * 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
            Schedule::Polynomial { power } => rate * (1.0 - done).max(0.0).powf(*power),
            Schedule::At { epochs, by } => {
                let fallen = epochs.iter().filter(|at| begun < **at && **at <= now);
                rate * by.powi(fallen.count() as i32)
            }
            Schedule::Every { epochs, by } => {
                // A step at the very end of such a stretch is behind it, however the quotient is rounded.
                let fallen = |at: f64| (at / epochs + 1e-9).floor();
                rate * by.powf(fallen(now) - fallen(begun))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cnnc_compiler::tuning::Unfreeze;

    /// Rates of all steps of 10 epochs of 4 steps, without a warm-up.
    fn rates(schedule: Schedule, tuning: Tuning) -> Vec<f64> {
        let recipe = Recipe {
            rate: 0.8,
            warmup: 0.0,
            epochs: 10,
            schedule,
            tuning,
            ..Recipe::default()
        };
        (0..40).map(|step| recipe.rate_of(step, 40)).collect()
    }

    fn near(found: &[f64], want: &[f64]) {
        for (step, (found, want)) in found.iter().zip(want).enumerate() {
            assert!(
                (found - want).abs() < 1e-12,
                "{step}: {found} is not {want}"
            );
        }
        assert_eq!(found.len(), want.len());
    }

    /// γ to the number of milestones so far, as `MultiStepLR` has it, whose scheduler is asked once an epoch.
    #[test]
    fn steps_fall_behind_their_epochs() {
        let at = |epochs: &[f64]| Schedule::At {
            epochs: epochs.to_vec(),
            by: 0.25,
        };
        let found = rates(at(&[3.0, 7.0]), Tuning::default());
        let want = [[0.8; 12].as_slice(), &[0.2; 16], &[0.05; 12]].concat();
        near(&found, &want);
        // In the middle of an epoch, where somebody says so.
        let found = rates(at(&[0.5]), Tuning::default());
        near(&found, &[[0.8; 2].as_slice(), &[0.2; 38]].concat());
    }

    /// γ to ⌊epoch / size⌋, as `StepLR` has it.
    #[test]
    fn steps_fall_again_and_again() {
        let every = Schedule::Every {
            epochs: 4.0,
            by: 0.5,
        };
        let want = [[0.8; 16].as_slice(), &[0.4; 16], &[0.2; 8]].concat();
        near(&rates(every.clone(), Tuning::default()), &want);
        // Behind a change of what is frozen with a rate of its own, steps begin with that.
        let tuning = Tuning {
            unfreeze: vec![Unfreeze {
                patterns: vec!["a".to_owned()],
                at: 5,
                rate: Some(0.1),
            }],
            ..Tuning::default()
        };
        let want = [[0.8; 16].as_slice(), &[0.4; 4], &[0.1; 12], &[0.05; 8]].concat();
        near(&rates(every, tuning), &want);
    }

    /// (1 − t / T)^power, as `PolynomialLR` has it with a step each time.
    #[test]
    fn polynomials_fall_to_zero() {
        let polynomial = |power| Schedule::Polynomial { power };
        let found = rates(polynomial(1.0), Tuning::default());
        let want: Vec<f64> = (0..40).map(|step| 0.8 - 0.02 * f64::from(step)).collect();
        near(&found, &want);
        let found = rates(polynomial(2.0), Tuning::default());
        near(&[found[0], found[10], found[20]], &[0.8, 0.45, 0.2]);
        let warm = Recipe {
            rate: 0.8,
            warmup: 0.25,
            epochs: 2,
            schedule: polynomial(1.0),
            ..Recipe::default()
        };
        let found: Vec<f64> = (0..8).map(|step| warm.rate_of(step, 8)).collect();
        let of = [3.0, 6.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0];
        near(&found, &of.map(|sixths| 0.8 * sixths / 6.0));
    }
}
