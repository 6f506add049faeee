//! How well a network finds where the one thing of each picture is, or its points.

use super::data::Samples;
use super::error::TrainError;
use super::judge::Judgement;
use super::loader::{Loader, beside};
use super::located::{Located, Place, Worth};
use super::recipe::Recipe;
use super::targets::loss_of;
use crate::{Model, Options, Weights};
use cnnc_compiler::loss::Measure;

/// What came of samples whose places are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Whereabouts {
    /// How places are compared.
    pub located: Located,
    /// How many samples that show the thing of a row were taken for that of a column; nothing where there is nothing to be told apart.
    pub named: Option<Judgement>,
    /// Intersections over union of boxes, or mean distances of points, of the samples that show some, in no order.
    pub numbers: Vec<f64>,
    /// The mean distance of each point, in widths of the input; none of boxes.
    pub points: Vec<f64>,
    /// The samples that it is most wrong about, the worst first.
    pub worst: Vec<Strayed>,
}

/// A sample with what is known of it and what was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Strayed {
    /// Its number.
    pub sample: usize,
    /// What is there.
    pub known: Place,
    /// What was found.
    pub found: Place,
    /// What that is worth.
    pub worth: Worth,
}

impl Strayed {
    /// How wrong it is: what is named wrongly before everything else.
    fn wrong(&self) -> (bool, f64) {
        let far = match (&self.known, self.worth.number) {
            (Place::Box(..), Some(overlap)) => 1.0 - overlap,
            (_, Some(distance)) => distance,
            (_, None) => 0.0,
        };
        (self.worth.right == Some(false), far)
    }
}

/// Whether the loss of a network is told places; where none is known, samples of another kind are a mistake.
fn learns_places(model: &Model, recipe: &Recipe) -> bool {
    match loss_of(model, recipe) {
        Ok(loss) => matches!(loss.measure(model.graph()), Measure::Box | Measure::Points),
        Err(_) => true,
    }
}

impl Whereabouts {
    /// Runs a network on samples, and keeps so many of the worst; nothing where its head finds neither a box nor points, or where neither the samples nor the loss are about these, as `squared` learns the numbers as they are.
    ///
    /// # Errors
    /// Weights or samples that do not fit, or too little memory.
    pub fn of(
        model: &Model,
        weights: &Weights,
        samples: &Samples,
        recipe: &Recipe,
        worst: usize,
    ) -> Result<Option<Whereabouts>, TrainError> {
        let graph = model.graph();
        let output = &graph.values[graph.outputs[0].value].shape;
        let about_places = || samples.are_places() || learns_places(model, recipe);
        let Some(located) = Located::of(graph).filter(|_| about_places()) else {
            return Ok(None);
        };
        let told = located.told(output);
        let batch = recipe.batch.clamp(1, samples.len().max(1));
        let options = Options::new().batch(batch).threads(recipe.threads);
        let network = model.jit(weights, &options)?;
        let mut session = network.session()?;
        let names = located.names().len();
        let mut confusion = vec![vec![0; names]; names];
        let mut all = Vec::with_capacity(samples.len());
        let mut points: Vec<(f64, usize)> = Vec::new();
        let loader = Loader::of(samples, batch);
        let order: Vec<u32> = (0..samples.len() as u32).collect();
        loader.each_behind(&order, 0, beside(recipe.threads), &mut |at, made| {
            let outputs = session.run(&[&made.inputs])?;
            for (image, &sample) in order[at * batch..][..made.len()].iter().enumerate() {
                let known = samples.known(sample as usize)?.numbers;
                if known.len() != told {
                    let message = format!(
                        "`{}` finds places, of which {told} numbers are known, and these samples have {} each",
                        graph.name,
                        known.len()
                    );
                    return Err(TrainError::Network(message));
                }
                let known = located.known(&known);
                let named = located.name_of(&known);
                if named >= names.max(1) {
                    let message = format!(
                        "sample {}: the class {named} is none of those of `{}`",
                        sample + 1,
                        graph.name
                    );
                    return Err(TrainError::Network(message));
                }
                let found = located.found(outputs.image(image).raw(), output);
                if names > 0 {
                    confusion[named][located.name_of(&found)] += 1;
                }
                if let Place::Points(known) = &known {
                    let apart = located.distances(known, &found);
                    points.resize(apart.len(), (0.0, 0));
                    for (sum, distance) in points.iter_mut().zip(apart) {
                        *sum = (sum.0 + distance, sum.1 + 1);
                    }
                }
                let worth = located.worth(&known, &found);
                let sample = sample as usize;
                all.push(Strayed {
                    sample,
                    known,
                    found,
                    worth,
                });
            }
            Ok(true)
        })?;
        let numbers = all.iter().filter_map(|one| one.worth.number).collect();
        all.sort_by(|a, b| {
            let (a, b, order) = (a.wrong(), b.wrong(), a.sample.cmp(&b.sample));
            b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(order)
        });
        all.truncate(worst);
        let named = (names > 0).then_some(Judgement {
            confusion,
            top5: 0,
            worst: Vec::new(),
            broken: Vec::new(),
        });
        let mean = |(sum, count): (f64, usize)| sum / count as f64;
        Ok(Some(Whereabouts {
            located,
            named,
            numbers,
            points: points.into_iter().map(mean).collect(),
            worst: all,
        }))
    }

    /// The mean of the numbers; 0 of none.
    pub fn mean(&self) -> f64 {
        self.numbers.iter().sum::<f64>() / self.numbers.len().max(1) as f64
    }

    /// The number that this share of the samples is below, or at.
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.numbers.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
    }

    /// Share of the samples of which it is said right what is there, if that is asked.
    pub fn accuracy(&self) -> Option<f64> {
        self.named.as_ref().map(Judgement::accuracy)
    }
}
