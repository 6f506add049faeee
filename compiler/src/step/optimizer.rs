//! Optimisers: what a step makes of a tensor and its gradient, as nodes whose factors are inputs.
//!
//! With the rate r, the decay d and the gradient g of a tensor w, in step t = 1, 2, …:
//!
//! | | |
//! |---|---|
//! | `sgd` | v ← m·v + g + d·w; w ← w − r·v, or with Nesterov w ← w − r·(g + d·w + m·v) |
//! | `rmsprop` | g ← g + d·w; s ← α·s + (1 − α)·g²; v ← m·v + g / (√s + ε); w ← w − r·v |
//! | `adam` | g ← g + d·w; m ← β₁·m + (1 − β₁)·g; s ← β₂·s + (1 − β₂)·g²; w ← w − r / (1 − β₁ᵗ) · m / (√(s / (1 − β₂ᵗ)) + ε) |
//! | `adamw` | the same, with w ← (1 − r·d)·w in place of the first |
//!
//! They are those of PyTorch. What an optimiser keeps begins at zero.

use super::Step;
use crate::graph::Param;
use crate::id::{ParamId, ValueId};
use crate::op::update::Update;
use crate::recipe::{Method, Optimizer};
use crate::shape::Shape;
use cnnc_runtime::kernel::Rule;
use std::collections::HashMap;

/// The factors that one input of a step holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Factors {
    /// Of the optimiser.
    Stage {
        /// Whether they are of tensors that decay.
        decayed: bool,
        /// Which stage they are of.
        stage: usize,
    },
    /// Of running means.
    Mean,
    /// Of running variances, which are without bias, where an image has so many pixels.
    Variance {
        /// Pixels of an image.
        pixels: usize,
    },
}

/// What stages work on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Slot {
    Weight,
    Gradient,
    /// A tensor that the optimiser keeps: the first or the second.
    Kept(usize),
}

/// `to ← rule(from)`
struct Stage {
    to: Slot,
    rule: Rule,
    from: &'static [Slot],
    /// The factors at a rate in a step, with the decay of the tensor.
    factors: fn(&Optimizer, f64, f64, u64) -> Vec<f64>,
}

use Slot::{Gradient as G, Kept, Weight as W};

impl Optimizer {
    /// Names of what it keeps for each tensor, as they stand in a run's state.
    fn kept(&self) -> &'static [&'static str] {
        match (self.method, self.momentum == 0.0) {
            (Method::Sgd, true) => &[],
            (Method::Sgd, false) => &["velocity"],
            (Method::RmsProp, true) => &["square"],
            (Method::RmsProp, false) => &["square", "velocity"],
            (Method::Adam | Method::AdamW, _) => &["mean", "square"],
        }
    }

    fn stages(&self) -> Vec<Stage> {
        let stage = |to, rule, from, factors| Stage {
            to,
            rule,
            from,
            factors,
        };
        let decay = || stage(G, Rule::Blend, &[G, W], |_, _, d, _| vec![1.0, d]);
        match (self.method, self.momentum == 0.0) {
            (Method::Sgd, true) => vec![stage(W, Rule::Blend, &[W, G], |_, r, d, _| {
                vec![1.0 - r * d, -r]
            })],
            (Method::Sgd, false) => {
                let velocity = stage(Kept(0), Rule::Blend3, &[Kept(0), G, W], |of, _, d, _| {
                    vec![of.momentum, 1.0, d]
                });
                let weight = match self.nesterov {
                    false => stage(W, Rule::Blend, &[W, Kept(0)], |_, r, _, _| vec![1.0, -r]),
                    true => stage(W, Rule::Blend3, &[W, G, Kept(0)], |of, r, d, _| {
                        vec![1.0 - r * d, -r, -r * of.momentum]
                    }),
                };
                vec![velocity, weight]
            }
            (Method::RmsProp, plain) => {
                let square = stage(Kept(0), Rule::Squares, &[Kept(0), G], |of, _, _, _| {
                    vec![of.alpha, 1.0 - of.alpha]
                });
                let mut stages = vec![decay(), square];
                if plain {
                    let weight = stage(W, Rule::Scaled, &[W, G, Kept(0)], |of, r, _, _| {
                        vec![1.0, -r, 1.0, of.eps]
                    });
                    stages.push(weight);
                } else {
                    let velocity = stage(
                        Kept(1),
                        Rule::Scaled,
                        &[Kept(1), G, Kept(0)],
                        |of, _, _, _| vec![of.momentum, 1.0, 1.0, of.eps],
                    );
                    let weight = stage(W, Rule::Blend, &[W, Kept(1)], |_, r, _, _| vec![1.0, -r]);
                    stages.extend([velocity, weight]);
                }
                stages
            }
            (Method::Adam | Method::AdamW, _) => {
                let mean = stage(Kept(0), Rule::Blend, &[Kept(0), G], |of, _, _, _| {
                    vec![of.betas[0], 1.0 - of.betas[0]]
                });
                let square = stage(Kept(1), Rule::Squares, &[Kept(1), G], |of, _, _, _| {
                    vec![of.betas[1], 1.0 - of.betas[1]]
                });
                let weight = stage(W, Rule::Scaled, &[W, Kept(0), Kept(1)], |of, r, d, t| {
                    let keep = match of.method {
                        Method::AdamW => 1.0 - r * d,
                        _ => 1.0,
                    };
                    let [first, second] = of.betas.map(|beta| 1.0 - beta.powf(t as f64));
                    vec![keep, -r / first, 1.0 / second, of.eps]
                });
                let through_gradient = (self.method == Method::Adam).then(decay);
                through_gradient
                    .into_iter()
                    .chain([mean, square, weight])
                    .collect()
            }
        }
    }

    /// Factors of a step, counted from 1, at a rate.
    pub(super) fn factors(&self, decayed: bool, stage: usize, rate: f64, step: u64) -> Vec<f64> {
        let decay = if decayed { self.decay } else { 0.0 };
        (self.stages()[stage].factors)(self, rate, decay, step)
    }

    /// Pushes what changes a tensor by its gradient, and stores it.
    pub(super) fn update(&self, step: &mut Step, param: ParamId, gradient: ValueId, decayed: bool) {
        let weight = step.graph.push_param(param);
        let mut values = HashMap::from([(W, weight), (G, gradient)]);
        let mut params = vec![(W, param)];
        let Param {
            name, shape, span, ..
        } = step.graph.params[param].clone();
        for (index, kept) in self.kept().iter().enumerate() {
            let kept = step.graph.params.push(Param {
                name: format!("{name}.{kept}"),
                shape: shape.clone(),
                role: kept,
                learned: false,
                literal: None,
                span,
            });
            step.state.push(kept);
            params.push((Kept(index), kept));
            values.insert(Kept(index), step.graph.push_param(kept));
        }
        for (number, stage) in self.stages().iter().enumerate() {
            let of = Factors::Stage {
                decayed,
                stage: number,
            };
            let factors = step.factors_input(of, stage.rule);
            let operands = stage.from.iter().map(|slot| values[slot]);
            let operands: Vec<ValueId> = operands.chain([factors]).collect();
            let label = format!("{name}~{}", step.graph.nodes.len());
            let value = step.graph.apply(Update(stage.rule), &operands, &label);
            values.insert(stage.to, value);
        }
        for (slot, param) in params {
            step.graph.stores.push((param, values[&slot]));
        }
    }
}

impl Step {
    /// The input that holds these factors.
    pub(super) fn factors_input(&mut self, of: Factors, rule: Rule) -> ValueId {
        let first = self.graph.inputs.len() - self.factors.len();
        if let Some(known) = self.factors.iter().position(|known| *known == of) {
            return self.graph.inputs[first + known].value;
        }
        self.factors.push(of);
        let shape = Shape::new([rule.factors()]).expect("a few numbers");
        let name = match of {
            Factors::Stage {
                decayed: true,
                stage,
            } => format!("factors.decayed.{stage}"),
            Factors::Stage { stage, .. } => format!("factors.{stage}"),
            Factors::Mean => "factors.mean".to_owned(),
            Factors::Variance { pixels } => format!("factors.variance.{pixels}"),
        };
        self.graph.push_input(name, shape)
    }
}

impl Optimizer {
    /// What becomes of a single number that decays, in so many steps at a rate, in f64.
    pub fn trace(
        &self,
        from: f64,
        gradient: impl Fn(f64) -> f64,
        rate: f64,
        steps: u64,
    ) -> Vec<f64> {
        let mut values = HashMap::from([(W, from), (Kept(0), 0.0), (Kept(1), 0.0)]);
        let step = |number| {
            values.insert(G, gradient(values[&W]));
            for stage in self.stages() {
                let at = |index: usize| stage.from.get(index).map_or(0.0, |slot| values[slot]);
                let factors = (stage.factors)(self, rate, self.decay, number);
                let value = stage.rule.apply([at(0), at(1), at(2)], &factors);
                values.insert(stage.to, value);
            }
            values[&W]
        };
        (1..=steps).map(step).collect()
    }
}
