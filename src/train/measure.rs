//! What the answers of a network are worth, by the measure of its loss.

use super::located::Located;
use cnnc_compiler::graph::Graph;
use cnnc_compiler::loss::{Measure, Targets, UNLABELLED};
use cnnc_compiler::shape::Shape;
use std::sync::Arc;

/// What the answers of a network came to: counts, so that those of several batches add up.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    measure: Measure,
    /// Of classes of pixels a pair for each class, else one: what is counted, and out of what.
    counts: Vec<[f64; 2]>,
    /// Answers that are right.
    right: usize,
    /// Classes that were compared.
    all: usize,
    /// How places are compared, if the measure is of these.
    located: Option<Arc<Located>>,
}

impl Score {
    /// Of no answers yet, of networks with such an output.
    pub fn new(measure: Measure, output: &Shape) -> Score {
        let pairs = match measure {
            Measure::MeanIou => output.channels(),
            _ => 1,
        };
        Score {
            measure,
            counts: vec![[0.0; 2]; pairs],
            right: 0,
            all: 0,
            located: None,
        }
    }

    /// Of no answers of a network yet.
    pub fn of(measure: Measure, network: &Graph) -> Score {
        let output = &network.values[network.outputs[0].value].shape;
        let located = match measure {
            Measure::Box | Measure::Points => Located::of(network).map(Arc::new),
            _ => None,
        };
        Score {
            located,
            ..Score::new(measure, output)
        }
    }

    /// The same of no answers yet.
    pub(super) fn none(&self) -> Score {
        Score {
            measure: self.measure,
            counts: vec![[0.0; 2]; self.counts.len()],
            right: 0,
            all: 0,
            located: self.located.clone(),
        }
    }

    /// Share of the samples of which it is said right what is there, beside a measure of where it is, if that is asked.
    pub fn named(&self) -> Option<f64> {
        self.located.as_ref()?;
        self.share()
    }

    /// Whether [`Score::named`] says something, once there are answers.
    pub fn names(&self) -> bool {
        let located = self.located.as_ref();
        located.is_some_and(|located| !located.names().is_empty())
    }

    /// What is measured.
    pub fn measure(&self) -> Measure {
        self.measure
    }

    /// The measure's number; 0 of no answers.
    pub fn value(&self) -> f64 {
        let there = self.counts.iter().filter(|[_, of]| *of > 0.0);
        let (sum, count) = there.fold((0.0, 0), |(sum, count), [part, of]| {
            (sum + part / of, count + 1)
        });
        sum / f64::from(count.max(1))
    }

    /// Classes, or labels, that are right.
    pub fn right(&self) -> usize {
        self.right
    }

    /// Share of the classes, of samples or of pixels, that are right, if classes were compared.
    pub fn share(&self) -> Option<f64> {
        (self.all > 0).then(|| self.right as f64 / self.all as f64)
    }

    /// What each class of pixels came to: nothing of one that is neither there nor found.
    pub fn parts(&self) -> Vec<Option<f64>> {
        let parts = self.counts.iter();
        parts
            .map(|[part, of]| (*of > 0.0).then(|| part / of))
            .collect()
    }

    /// What is counted.
    pub(super) fn counts(&self) -> &[[f64; 2]] {
        &self.counts
    }

    /// Adds such counts.
    pub(super) fn count(&mut self, counts: &[[f64; 2]]) {
        for (to, from) in self.counts.iter_mut().zip(counts) {
            to[0] += from[0];
            to[1] += from[1];
        }
    }

    /// Adds what others came to.
    pub fn merge(&mut self, other: &Score) {
        self.count(&other.counts);
        self.right += other.right;
        self.all += other.all;
    }

    /// Adds the answers to a batch: raw outputs of that shape, one image behind another.
    pub fn add(&mut self, raw: &[f32], output: &Shape, targets: Targets<'_>) {
        match self.measure {
            Measure::Accuracy | Measure::MeanIou => self.classes(raw, output, targets),
            Measure::Labels(from) => {
                let side = |number: f32| number > from;
                self.numbers(raw, targets, |found, want| {
                    f64::from(u8::from(side(found) == (want > 0.5)))
                });
                self.right = self.counts[0][0] as usize;
            }
            Measure::Alike(longest) => {
                let images = raw.len() / output.elements();
                for (image, vector) in raw.chunks(output.elements()).enumerate() {
                    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
                    let alike = match targets {
                        Targets::Classes(labels) => labels[image] == 1,
                        Targets::Numbers(known) | Targets::Weighted(known, _) => known[image] > 0.5,
                    };
                    self.right += usize::from((length <= longest) == alike);
                }
                self.counts[0] = [self.right as f64, self.counts[0][1] + images as f64];
            }
            Measure::Nearest => self.nearest(raw, output, targets),
            // Heads find boxes, in all of the outputs, which is done for those that judge.
            Measure::Precision => {}
            Measure::Box | Measure::Points => self.places(raw, output, targets),
            Measure::MeanError => self.numbers(raw, targets, |found, want| {
                (f64::from(found) - f64::from(want)).abs()
            }),
        }
    }

    /// Places of pictures, one by one.
    fn places(&mut self, raw: &[f32], output: &Shape, targets: Targets<'_>) {
        let (Targets::Numbers(known), Some(located)) = (targets, self.located.clone()) else {
            return;
        };
        let images = raw.len() / output.elements();
        let known = known.chunks((known.len() / images.max(1)).max(1));
        for (raw, known) in raw.chunks(output.elements()).zip(known) {
            let worth = located.worth(&located.known(known), &located.found(raw, output));
            self.count(&[worth.counts()]);
            if let Some(right) = worth.right {
                self.right += usize::from(right);
                self.all += 1;
            }
        }
    }

    /// Whether the nearest other vector of the batch is of the same class; of equal ones the first is.
    fn nearest(&mut self, raw: &[f32], output: &Shape, targets: Targets<'_>) {
        let Targets::Classes(classes) = targets else {
            return;
        };
        let vectors: Vec<&[f32]> = raw.chunks(output.elements()).collect();
        for (image, class) in classes.iter().enumerate() {
            let others = || (0..classes.len()).filter(|&other| other != image);
            if !others().any(|other| classes[other] == *class) {
                continue;
            }
            let apart = |other: usize| -> f32 {
                let pairs = vectors[image].iter().zip(vectors[other]);
                pairs.map(|(x, y)| (x - y) * (x - y)).sum()
            };
            let nearest = others().map(|other| (other, apart(other)));
            let nearest = nearest.min_by(|one, other| one.1.total_cmp(&other.1));
            let right = nearest.is_some_and(|(other, _)| classes[other] == *class);
            self.right += usize::from(right);
            self.counts[0][0] += f64::from(u8::from(right));
            self.counts[0][1] += 1.0;
        }
    }

    /// Classes of images or pixels; of a distribution the likeliest.
    fn classes(&mut self, raw: &[f32], output: &Shape, targets: Targets<'_>) {
        let classes = output.channels();
        let pixels = output.elements() / classes;
        for place in 0..raw.len() / classes {
            let (image, pixel) = (place / pixels, place % pixels);
            let at = |class| (image * classes + class) * pixels + pixel;
            let largest = |of: &[f32]| {
                // Of equal ones the first.
                (1..classes).fold(0, |best, class| {
                    if of[at(class)] > of[at(best)] {
                        class
                    } else {
                        best
                    }
                })
            };
            let want = match targets {
                Targets::Classes(labels) if labels[place] == UNLABELLED => continue,
                Targets::Classes(labels) => labels[place] as usize,
                Targets::Numbers(numbers) | Targets::Weighted(numbers, _) => largest(numbers),
            };
            let found = largest(raw);
            let right = found == want;
            self.right += usize::from(right);
            self.all += 1;
            if self.measure == Measure::Accuracy {
                self.counts[0][0] += f64::from(u8::from(right));
                self.counts[0][1] += 1.0;
                continue;
            }
            // The union of what was found and what is there.
            self.counts[want][1] += 1.0;
            match right {
                true => self.counts[want][0] += 1.0,
                false => self.counts[found][1] += 1.0,
            }
        }
    }

    /// Numbers one by one, by what each counts.
    fn numbers(&mut self, raw: &[f32], targets: Targets<'_>, of: impl Fn(f32, f32) -> f64) {
        for (index, &found) in raw.iter().enumerate() {
            let (want, weight) = match targets {
                Targets::Classes(labels) => (labels[index] as f32, 1.0),
                Targets::Numbers(numbers) => (numbers[index], 1.0),
                Targets::Weighted(numbers, weights) => (numbers[index], weights[index]),
            };
            self.counts[0][0] += f64::from(weight) * of(found, want);
            self.counts[0][1] += f64::from(weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(measure: Measure, dims: &[usize], raw: &[f32], targets: Targets<'_>) -> Score {
        let output = Shape::new(dims.to_vec()).expect("a shape");
        let mut score = Score::new(measure, &output);
        score.add(raw, &output, targets);
        score
    }

    #[test]
    fn classes_are_counted() {
        let raw = [0.0, 1.0, 2.0, 2.0, -1.0, 0.0];
        let found = score(Measure::Accuracy, &[2], &raw, Targets::Classes(&[1, 1, 1]));
        assert_eq!((found.value(), found.right()), (2.0 / 3.0, 2));
        // Of a distribution the likeliest.
        let shares = Targets::Numbers(&[0.4, 0.6, 0.6, 0.4, 0.3, 0.7]);
        assert_eq!(score(Measure::Accuracy, &[2], &raw, shares).right(), 3);
    }

    /// Three classes in a row of five pixels, of which the last has no label; the third class is neither found nor there.
    #[test]
    fn intersections_are_over_unions() {
        let raw = [
            1.0, 1.0, 0.0, 0.0, 9.0, 0.0, 0.0, 1.0, 1.0, 0.0, -1.0, -1.0, -1.0, -1.0, -1.0,
        ];
        let labels = [0, 1, 1, 1, UNLABELLED];
        let mut found = score(
            Measure::MeanIou,
            &[3, 1, 5],
            &raw,
            Targets::Classes(&labels),
        );
        assert_eq!(found.value(), (1.0 / 2.0 + 2.0 / 3.0) / 2.0);
        assert_eq!((found.right(), found.share()), (3, Some(0.75)));
        assert_eq!(found.parts(), [Some(0.5), Some(2.0 / 3.0), None]);
        found.merge(&found.clone());
        assert_eq!(found.value(), (1.0 / 2.0 + 2.0 / 3.0) / 2.0);
    }

    /// 0 and 0.1 have each other, 9 is nearest to 5, its fellow, which is nearest to 4.8; that one is alone in its class, and not counted.
    #[test]
    fn nearest_vectors_are_of_the_class_or_not() {
        let raw = [0.0, 0.1, 5.0, 9.0, 4.8];
        let classes = Targets::Classes(&[0, 0, 1, 1, 2]);
        let found = score(Measure::Nearest, &[1], &raw, classes);
        assert_eq!((found.value(), found.right()), (0.75, 3));
    }

    #[test]
    fn numbers_are_compared_one_by_one() {
        let raw = [0.2, 0.6, 3.0];
        let want = Targets::Numbers(&[0.0, 0.0, 1.0]);
        assert_eq!(
            score(Measure::Labels(0.5), &[3], &raw, want).value(),
            2.0 / 3.0
        );
        let counted = Targets::Weighted(&[0.0, 0.5, 1.0], &[0.0, 0.0, 2.0]);
        assert_eq!(score(Measure::MeanError, &[3], &raw, counted).value(), 2.0);
    }
}
