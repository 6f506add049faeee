//! How well a network tells whether pictures are of one identity: all of them compared with all others.
//!
//! | file | what |
//! |---|---|
//! | `compare` | how far the network finds two inputs from each other |
//! | `roc` | false and true accepts over all thresholds |
//! | `gallery` | recognition 1:K |
//! | `one_shot` | runs with one known picture of each of several classes |
//! | `sheet` | drawings |

mod compare;
mod gallery;
mod one_shot;
mod roc;
mod sheet;

pub use gallery::OfGallery;
pub use one_shot::{OneShot, OneShotRun, Tried, one_shot, one_shot_files};
pub use roc::{Roc, Step};
pub use sheet::{curves, hardest_sheet, missed_sheet};

use super::data::Samples;
use super::error::TrainError;
use super::readable::Readable;
use crate::{Model, Weights};
use compare::{BATCH, Comparer};
use gallery::Faces;
use std::collections::{BTreeMap, BTreeSet};

/// Most pictures that are compared by their vectors.
const VECTORS: usize = 2_000;
/// Most of those that are compared by a run of the network on each pair.
const RUNS: usize = 150;

/// The distances of pictures from one another, as a network finds them.
#[derive(Clone, Debug)]
pub struct Likeness {
    /// Numbers of the samples that were compared, all if there are not too many.
    pub samples: Vec<u32>,
    /// Up to which distance the head takes two for alike; with `scores` the negative of the score from which on.
    pub threshold: f32,
    /// Whether distances are scores, the other way round.
    pub scores: bool,
    /// What is wrong with files that could not be read and were left out.
    pub broken: Vec<String>,
    identities: Vec<u32>,
    /// A row for each.
    far: Vec<f32>,
}

/// A picture with two others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hard {
    /// Its sample.
    pub anchor: u32,
    /// The farthest of its identity, and how far it is.
    pub alike: (u32, f32),
    /// The nearest of the others, and how far it is.
    pub unlike: (u32, f32),
}

impl Likeness {
    /// Compares samples of identities; of many of them a part: two of each identity or more, as far as there is room. Pictures that are not kept are read ahead, on
    /// threads of their own; those that cannot be read are left out, up to ten, or one in a hundred.
    ///
    /// # Errors
    /// A network that compares nothing, weights that do not fit, more broken pictures, samples without two of one identity and two identities.
    pub fn of(
        model: &Model,
        weights: &Weights,
        samples: &Samples,
        threads: usize,
    ) -> Result<Likeness, TrainError> {
        let mut comparer = Comparer::new(model, weights, threads)?;
        if samples.elements() != comparer.elements {
            let message = format!(
                "samples of {} numbers are not the {} of an input of `{}`",
                samples.elements(),
                comparer.elements,
                model.graph().name
            );
            return Err(TrainError::Network(message));
        }
        let most = match comparer.runs_on_pairs() {
            true => RUNS,
            false => VECTORS,
        };
        let chosen = chosen(samples, most);
        let input = |at: usize| samples.input(chosen[at] as usize);
        let root = samples.root(0);
        let mut readable = Readable::new(&root, chosen.len(), threads, BATCH);
        let faces = comparer.stand_ins(chosen.len(), &input, &mut readable)?;
        let there = chosen.iter().zip(faces);
        let there = there.filter_map(|(sample, face)| Some((*sample, face?)));
        let (chosen, faces): (Vec<u32>, Vec<Vec<f32>>) = there.unzip();
        let count = chosen.len();
        let pairs = (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other)));
        let pairs: Vec<(usize, usize)> = pairs.collect();
        let distances = comparer.distances(&faces, &faces, &pairs)?;
        let mut far = vec![0.0; count * count];
        for (&(one, other), distance) in pairs.iter().zip(distances) {
            far[one * count + other] = distance;
            far[other * count + one] = distance;
        }
        let identities = chosen.iter().map(|&sample| samples.label(sample as usize));
        let all = Likeness::new(
            identities.collect(),
            chosen.clone(),
            far,
            (comparer.threshold, comparer.scores()),
        )?;
        Ok(Likeness {
            broken: readable.broken,
            ..all
        })
    }

    fn new(
        identities: Vec<u32>,
        samples: Vec<u32>,
        far: Vec<f32>,
        (threshold, scores): (f32, bool),
    ) -> Result<Likeness, TrainError> {
        let all = Likeness {
            samples,
            threshold,
            scores,
            broken: Vec::new(),
            identities,
            far,
        };
        match Roc::of(all.pairs().collect()) {
            Some(_) => Ok(all),
            None => {
                let message = "these samples have no two of one identity, or no two identities: there is nothing to compare".to_owned();
                Err(TrainError::Recipe(message))
            }
        }
    }

    fn len(&self) -> usize {
        self.samples.len()
    }

    fn far(&self, one: usize, other: usize) -> f32 {
        self.far[one * self.len() + other]
    }

    /// Distances of all pairs, and whether they are of one identity.
    fn pairs(&self) -> impl Iterator<Item = (f32, bool)> {
        let pairs =
            (0..self.len()).flat_map(|one| (one + 1..self.len()).map(move |other| (one, other)));
        pairs.map(|(one, other)| {
            let alike = self.identities[one] == self.identities[other];
            (self.far(one, other), alike)
        })
    }

    /// A distance as the head says it.
    pub fn said(&self, distance: f32) -> f32 {
        if self.scores { -distance } else { distance }
    }

    /// Number of identities.
    pub fn identities(&self) -> usize {
        self.members().len()
    }

    /// The curve of all pairs.
    pub fn roc(&self) -> Roc {
        Roc::of(self.pairs().collect()).expect("there are both kinds of pairs")
    }

    /// Share of the pictures whose nearest other one is of their identity, among those that have another one; of equal ones the first counts.
    pub fn nearest(&self) -> f64 {
        let (mut right, mut all) = (0_u32, 0_u32);
        for own in 0..self.len() {
            let is_own = |other: usize| self.identities[other] == self.identities[own];
            let others = || (0..self.len()).filter(|&other| other != own);
            if !others().any(is_own) {
                continue;
            }
            all += 1;
            let near =
                |one: &usize, other: &usize| self.far(own, *one).total_cmp(&self.far(own, *other));
            right += u32::from(others().min_by(near).is_some_and(is_own));
        }
        f64::from(right) / f64::from(all).max(1.0)
    }

    /// Recognition among 1, 2, 5, 10 … known identities, where a face up to a distance is taken for somebody.
    pub fn galleries(&self, threshold: f32) -> Vec<OfGallery> {
        let faces = Faces {
            far: &|one, other| self.far(one, other),
            members: &self.members(),
            threshold,
        };
        faces.galleries()
    }

    /// Places of the pictures of each identity.
    fn members(&self) -> Vec<Vec<usize>> {
        let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (place, &identity) in self.identities.iter().enumerate() {
            members.entry(identity).or_default().push(place);
        }
        members.into_values().collect()
    }

    /// The triplets that are farthest from right, so many at most: each picture with the farthest of its identity and the nearest of the others. No two pictures of an identity come twice.
    pub fn hardest(&self, count: usize) -> Vec<Hard> {
        let hardest = |own: usize| {
            let others = |alike: bool| {
                let all = (0..self.len()).filter(move |&other| other != own);
                let of = all.filter(move |&other| {
                    (self.identities[other] == self.identities[own]) == alike
                });
                of.map(|other| (self.samples[other], self.far(own, other)))
            };
            let by_distance = |one: &(u32, f32), other: &(u32, f32)| one.1.total_cmp(&other.1);
            Some(Hard {
                anchor: self.samples[own],
                alike: others(true).max_by(by_distance)?,
                unlike: others(false).min_by(by_distance)?,
            })
        };
        let mut all: Vec<Hard> = (0..self.len()).filter_map(hardest).collect();
        let wrong = |of: &Hard| of.alike.1 - of.unlike.1;
        all.sort_by(|one, other| wrong(other).total_cmp(&wrong(one)));
        let mut seen = BTreeSet::new();
        all.retain(|of| {
            let pair = (of.anchor.min(of.alike.0), of.anchor.max(of.alike.0));
            seen.insert(pair)
        });
        all.truncate(count);
        all
    }
}

/// All samples, or as many as are compared: of identities in their order, two or more of each.
fn chosen(samples: &Samples, most: usize) -> Vec<u32> {
    let all = 0..samples.len() as u32;
    if samples.len() <= most {
        return all.collect();
    }
    let mut members: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for sample in all {
        let own = members.entry(samples.label(sample as usize)).or_default();
        own.push(sample);
    }
    let each = (most / members.len()).max(2);
    // Of more identities than there is room for, those that are evenly spread.
    let step = (members.len() * 2).div_ceil(most).max(1);
    let some = members.into_values().step_by(step);
    let mut chosen: Vec<u32> = some.flat_map(|own| own.into_iter().take(each)).collect();
    chosen.truncate(most);
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pictures on a line: 0 and 1 are one identity, 4 and 9 another, 8 a third.
    fn on_a_line() -> Likeness {
        let places: [f32; 5] = [0.0, 1.0, 4.0, 9.0, 8.0];
        let far = places
            .iter()
            .flat_map(|one| places.map(|other| (one - other).abs()));
        let samples = vec![10, 11, 12, 13, 14];
        Likeness::new(vec![0, 0, 1, 1, 2], samples, far.collect(), (2.0, false)).expect("pairs")
    }

    #[test]
    fn pairs_and_neighbours_are_counted() {
        let all = on_a_line();
        let roc = all.roc();
        assert_eq!(roc.pairs, (2, 8));
        // How many of the unlike are farther than an alike one, by hand.
        let unlike = [4.0, 9.0, 8.0, 3.0, 8.0, 7.0, 4.0, 1.0];
        let beaten = |far: f32| -> f64 {
            let counts = unlike.iter().map(|&other| match far < other {
                true => 1.0,
                false if far == other => 0.5,
                false => 0.0,
            });
            counts.sum()
        };
        let expected = (beaten(1.0) + beaten(5.0)) / 16.0;
        assert!((roc.area() - expected).abs() < 1e-12);
        // 0 and 1 have each other, 4 is nearest to 1, 9 to 8, and 8 has nobody of its own.
        assert_eq!(all.nearest(), 0.5);
        assert_eq!(all.identities(), 3);
    }

    #[test]
    fn the_hardest_are_first_and_no_pair_twice() {
        let hardest = on_a_line().hardest(8);
        let hard = |anchor, alike, unlike| Hard {
            anchor,
            alike,
            unlike,
        };
        assert_eq!(
            hardest,
            [
                hard(13, (12, 5.0), (14, 1.0)),
                hard(11, (10, 1.0), (12, 3.0)),
            ]
        );
        assert_eq!(on_a_line().hardest(1).len(), 1);
    }

    #[test]
    fn many_samples_are_a_part_of_them() {
        let labels: Vec<u32> = (0..300).map(|at| at / 3).collect();
        let samples = Samples::of_classes(vec![0.0; 300], 1, labels).expect("samples");
        assert_eq!(chosen(&samples, 300).len(), 300);
        let some = chosen(&samples, 200);
        assert_eq!(some.len(), 200);
        assert_eq!(some[..4], [0, 1, 3, 4]);
        let few = chosen(&samples, 50);
        assert_eq!((few.len(), &few[..4]), (50, &[0, 1, 12, 13][..]));
    }
}
