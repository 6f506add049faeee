//! How well a network does on samples: which classes it takes for which, and where it is most wrong.

use super::data::Samples;
use super::draw::judging_pairs;
use super::error::TrainError;
use super::loader::{Loader, beside};
use super::measure::Score;
use super::pass::copy_input;
use super::precision::Precision;
use super::recipe::Recipe;
use super::trainer::Trainer;
use crate::{Model, Options, Weights};
use cnnc_compiler::loss::{Measure, Targets};
use cnnc_compiler::tuning::Tuning;
use cnnc_runtime::answer::{Answer, Thresholds};
use cnnc_runtime::image::Placement;
use cnnc_runtime::input::Input;

/// What came of samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// How many samples of the class of a row were taken for that of a column.
    pub confusion: Vec<Vec<usize>>,
    /// How many had their class among the five that the network finds likeliest.
    pub top5: usize,
    /// Those that it finds least likely to be what they are, the worst first.
    pub worst: Vec<Miss>,
    /// What is wrong with files that could not be read and were left out.
    pub broken: Vec<String>,
}

/// A sample that a network is wrong about, or nearly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Miss {
    /// Its number.
    pub sample: usize,
    /// Its class.
    pub class: usize,
    /// What it is taken for.
    pub guess: usize,
    /// How likely the network finds its class.
    pub probability: f64,
}

/// What a class came to. A class that no sample has, or nothing is taken for, has no recall or precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OfClass {
    /// Samples of it.
    pub samples: usize,
    /// Share of what is taken for it that it is.
    pub precision: Option<f64>,
    /// Share of its samples that are taken for it.
    pub recall: Option<f64>,
}

impl Judgement {
    /// Runs a network on samples, and keeps so many of the worst. Samples are made ready ahead, on threads of their own; pictures that cannot be read are left
    /// out, up to ten, or one in a hundred.
    ///
    /// # Errors
    /// Weights that do not fit, a network with several answers for a sample, more broken pictures, or too little memory.
    pub fn of(
        model: &Model,
        weights: &Weights,
        samples: &Samples,
        recipe: &Recipe,
        worst: usize,
    ) -> Result<Judgement, TrainError> {
        let batch = recipe.batch.clamp(1, samples.len().max(1));
        let options = Options::new().batch(batch).threads(recipe.threads);
        let raw = &model.graph().values[model.graph().outputs[0].value].shape;
        let classes = raw.channels();
        if raw.elements() != classes {
            let message = format!(
                "`{}` has an answer for each of several pixels; classifiers of whole pictures can be judged",
                model.graph().name
            );
            return Err(TrainError::Network(message));
        }
        let network = model.jit(weights, &options)?;
        let mut session = network.session()?;
        let mut judgement = Judgement {
            confusion: vec![vec![0; classes]; classes],
            top5: 0,
            worst: Vec::new(),
            broken: Vec::new(),
        };
        let loader = Loader::of(samples, batch);
        let all: Vec<u32> = (0..samples.len() as u32).collect();
        let ahead = beside(recipe.threads);
        judgement.broken = loader.each_readable(&all, ahead, &mut |part, batch| {
            let outputs = session.run(&[&batch.inputs])?;
            for (image, &sample) in part.iter().enumerate() {
                let sample = sample as usize;
                judgement.add(
                    sample,
                    outputs.image(image).raw(),
                    samples.label(sample) as usize,
                );
            }
            Ok(())
        })?;
        judgement.worst.sort_by(|a, b| {
            a.probability
                .total_cmp(&b.probability)
                .then(a.sample.cmp(&b.sample))
        });
        judgement.worst.truncate(worst);
        Ok(judgement)
    }

    fn add(&mut self, sample: usize, raw: &[f32], class: usize) {
        let guess = (1..raw.len()).fold(0, |best, of| if raw[of] > raw[best] { of } else { best });
        self.confusion[class][guess] += 1;
        // Of equal ones the first comes first, as above.
        let before = |of: usize| raw[of] > raw[class] || (raw[of] == raw[class] && of < class);
        let rank = (0..raw.len()).filter(|&of| before(of)).count();
        self.top5 += usize::from(rank < 5);
        let powers = raw.iter().map(|&of| f64::from(of - raw[guess]).exp());
        let probability = f64::from(raw[class] - raw[guess]).exp() / powers.sum::<f64>();
        self.worst.push(Miss {
            sample,
            class,
            guess,
            // What is not a number is as wrong as can be.
            probability: if probability.is_nan() {
                0.0
            } else {
                probability
            },
        });
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.confusion.iter().flatten().sum()
    }

    /// How many are right.
    pub fn right(&self) -> usize {
        (0..self.confusion.len())
            .map(|class| self.confusion[class][class])
            .sum()
    }

    /// Share of the samples that are right.
    pub fn accuracy(&self) -> f64 {
        self.right() as f64 / self.samples().max(1) as f64
    }

    /// What each class came to.
    pub fn classes(&self) -> Vec<OfClass> {
        let share = |part: usize, of: usize| (of > 0).then(|| part as f64 / of as f64);
        let of = |class: usize| {
            let right = self.confusion[class][class];
            let samples = self.confusion[class].iter().sum();
            let taken = self.confusion.iter().map(|row| row[class]).sum();
            OfClass {
                samples,
                precision: share(right, taken),
                recall: share(right, samples),
            }
        };
        (0..self.confusion.len()).map(of).collect()
    }

    /// Pairs of a class and another that it was taken for, the most frequent first.
    pub fn mistakes(&self) -> Vec<(usize, usize, usize)> {
        let mut pairs = Vec::new();
        for (class, row) in self.confusion.iter().enumerate() {
            let wrong = row
                .iter()
                .enumerate()
                .filter(|&(guess, &count)| guess != class && count > 0);
            pairs.extend(wrong.map(|(guess, &count)| (class, guess, count)));
        }
        pairs.sort_by_key(|&(class, guess, count)| (std::cmp::Reverse(count), class, guess));
        pairs
    }
}

/// What a network makes of samples, given weights, by the measure of a score without answers; and the share that it names right, if it names what it places.
pub(super) fn judged(
    model: &Model,
    weights: &Weights,
    samples: &Samples,
    recipe: &Recipe,
    none: Score,
) -> Result<(f64, Option<f64>), TrainError> {
    if none.measure() == Measure::Precision {
        return Ok((found(model, weights, samples, recipe)?.mean(), None));
    }
    let score = score(model, weights, samples, recipe, none)?;
    Ok((score.value(), score.named()))
}

/// What a network makes of samples, given weights, by the measure of what its recipe makes small.
///
/// # Errors
/// A network that has no loss, or finds boxes, which [`found`] judges; samples or weights that do not fit, or too little memory.
pub fn scored(
    model: &Model,
    weights: &Weights,
    samples: &Samples,
    recipe: &Recipe,
) -> Result<Score, TrainError> {
    let recipe = Recipe {
        batch: recipe.batch.clamp(1, samples.len().max(1)),
        tuning: Tuning::default(),
        ..recipe.clone()
    };
    let trainer = Trainer::new(model, &recipe)?;
    trainer.check(samples)?;
    score(model, weights, samples, &recipe, trainer.no_score())
}

fn score(
    model: &Model,
    weights: &Weights,
    samples: &Samples,
    recipe: &Recipe,
    mut score: Score,
) -> Result<Score, TrainError> {
    let measure = score.measure();
    let options = Options::new().batch(recipe.batch).threads(recipe.threads);
    let network = model.jit(weights, &options)?;
    let mut session = network.session()?;
    let graph = model.graph();
    let output = &graph.values[graph.outputs[0].value].shape;
    let elements = graph.inputs.iter();
    let elements = elements.map(|input| graph.values[input.value].shape.elements());
    let elements: Vec<usize> = elements.collect();
    // Vectors are compared with all others.
    let mut vectors = Vec::new();
    let loader = Loader::of(samples, recipe.batch);
    let all: Vec<u32> = match samples.together() {
        1 => (0..samples.len() as u32).collect(),
        _ => judging_pairs(samples)?,
    };
    loader.each_behind(&all, 0, beside(recipe.threads), &mut |_, batch| {
        let input = |index: usize| {
            let mut input = vec![0.0; batch.len() * elements[index]];
            copy_input(&batch.inputs, &elements, index, &mut input);
            input
        };
        let inputs: Vec<Vec<f32>> = (0..elements.len()).map(input).collect();
        let inputs: Vec<&dyn Input> = inputs.iter().map(|input| input as &dyn Input).collect();
        let outputs = session.run(&inputs)?;
        let made = (0..batch.len()).flat_map(|image| outputs.image(image).raw().iter().copied());
        match measure {
            Measure::Nearest => vectors.extend(made),
            _ => score.add(&made.collect::<Vec<f32>>(), output, batch.targets()),
        }
        Ok(true)
    })?;
    if measure == Measure::Nearest {
        let classes = (0..samples.len()).map(|sample| samples.label(sample));
        let classes: Vec<u32> = classes.collect();
        score.add(&vectors, output, Targets::Classes(&classes));
    }
    Ok(score)
}

/// Least score of a box that is counted.
const LEAST: f32 = 0.01;

/// Which boxes a detector finds in samples with boxes, whatever it keeps otherwise.
///
/// # Errors
/// Weights that do not fit, a network that finds no boxes, samples without any, or too little memory.
pub fn found(
    model: &Model,
    weights: &Weights,
    samples: &Samples,
    recipe: &Recipe,
) -> Result<Precision, TrainError> {
    let refuse = |why: &str| TrainError::Network(format!("`{}` {why}", model.graph().name));
    let batch = recipe.batch.clamp(1, samples.len().max(1));
    let options = Options::new().batch(batch).threads(recipe.threads);
    let network = model.jit(weights, &options)?;
    let mut session = network.session()?;
    let mut head = model.head();
    let set = head.set(&Thresholds::default().keep(LEAST));
    set.map_err(|_| refuse("finds no boxes"))?;
    let mut precision = Precision::new(head.labels.len());
    let place = Placement::new(1, 1);
    let loader = Loader::of(samples, batch);
    let all: Vec<u32> = (0..samples.len() as u32).collect();
    loader.each_behind(&all, 0, beside(recipe.threads), &mut |at, made| {
        let outputs = session.run(&[&made.inputs])?;
        for (image, &sample) in all[at * batch..][..made.len()].iter().enumerate() {
            let answer = outputs.image(image).answer(&head, &place);
            let answer = answer.map_err(|error| refuse(&error.to_string()))?;
            let known = samples.known(sample as usize)?;
            let (Answer::Boxes(boxes), Targets::Numbers(rows)) = (answer, known.targets()) else {
                return Err(refuse("and these samples are not about boxes"));
            };
            precision.add(&boxes, rows);
        }
        Ok(true)
    })?;
    Ok(precision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_samples() {
        let mut judgement = Judgement {
            confusion: vec![vec![0; 6]; 6],
            top5: 0,
            worst: Vec::new(),
            broken: Vec::new(),
        };
        let up = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        // Right; taken for another; last of six; equal ones, of which the first counts; nothing that is a number.
        for (sample, (raw, class)) in [(up, 5), (up, 4), (up, 0), ([1.0; 6], 1), ([f32::NAN; 6], 2)]
            .into_iter()
            .enumerate()
        {
            judgement.add(sample, &raw, class);
        }
        assert_eq!(
            (judgement.samples(), judgement.right(), judgement.top5),
            (5, 1, 4)
        );
        assert_eq!(judgement.accuracy(), 0.2);
        assert_eq!(
            judgement.mistakes(),
            [(0, 5, 1), (1, 0, 1), (2, 0, 1), (4, 5, 1)]
        );
        let classes = judgement.classes();
        let of = |samples, precision, recall| OfClass {
            samples,
            precision,
            recall,
        };
        assert_eq!(classes[5], of(1, Some(1.0 / 3.0), Some(1.0)));
        assert_eq!(classes[0], of(1, Some(0.0), Some(0.0)));
        assert_eq!(classes[3], of(0, None, None));
        let expected = 1.0 / up.iter().map(|of| f64::from(*of).exp()).sum::<f64>();
        assert!((judgement.worst[2].probability - expected).abs() < 1e-12);
        assert_eq!(judgement.worst[4].probability, 0.0);
    }
}
