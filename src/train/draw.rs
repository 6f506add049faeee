//! Which samples an epoch sees, and in which order: all of them, pairs of identities, or a few of each of several identities.
//!
//! ```text
//! each        3 0 4 1 2 …             every sample once
//! pairs       (3 5) (0 8) (4 1) …     every sample once, with another of its identity or of another one, in a stated balance
//! identities  0 2 · 5 4 · 9 8 │ …     in each batch so many of each of several identities, all drawn anew
//! ```
//!
//! All of it is a function of the seed and the epoch, so that a run which goes on is the run that never stopped.

use super::data::{Gathered, Samples};
use super::error::TrainError;
use super::random::{Purpose, Random};
use super::recipe::Recipe;
use std::collections::BTreeMap;

/// How samples are drawn into the epochs of a run.
#[derive(Clone, Debug)]
pub struct Draw {
    samples: usize,
    batch: usize,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Each,
    Pairs {
        of: Identities,
        /// Share of the pairs that are alike.
        alike: f64,
    },
    Identities {
        of: Identities,
        /// Samples of each identity in a batch.
        each: usize,
    },
}

/// Samples by their identities.
#[derive(Clone, Debug)]
struct Identities {
    /// The samples of each.
    members: Vec<Vec<u32>>,
    /// The identity of each sample, as a place in `members`.
    of: Vec<u32>,
}

impl Draw {
    /// How a recipe draws these samples.
    ///
    /// # Errors
    /// A batch that is larger than they are, or of more identities than there are; fewer than two identities, and one that has a single sample.
    pub fn of(recipe: &Recipe, samples: &Samples) -> Result<Draw, TrainError> {
        let refuse = |message: String| Err(TrainError::Recipe(message));
        let (count, batch) = (samples.len(), recipe.batch);
        let gathered = samples.gathered();
        if batch > count {
            return refuse(format!(
                "a batch of {batch} is more than the {count} samples to learn from: `--batch {count}`, or `batch {count}` in the train section, is the most"
            ));
        }
        let kind = match gathered {
            Gathered::Each => Kind::Each,
            Gathered::Pairs => Kind::Pairs {
                of: Identities::of(samples)?,
                alike: recipe.alike,
            },
            Gathered::Identities => {
                let of = Identities::of(samples)?;
                let (each, all) = (recipe.each, of.members.len());
                if each < 2 || batch <= each {
                    return refuse(format!(
                        "a batch of {batch} with {each} of each identity has no two of one, or no two identities: for example `batch 32 {{ each 4 }}`"
                    ));
                }
                let wanted = batch.div_ceil(each);
                if wanted > all {
                    return refuse(format!(
                        "a batch of {batch} with {each} of each identity takes {wanted} identities, and there are {all} to learn from: at most `batch {}`, or more of each",
                        each * all
                    ));
                }
                Kind::Identities { of, each }
            }
        };
        Ok(Draw {
            samples: count,
            batch,
            kind,
        })
    }

    /// How many there are in an epoch: samples, or pairs of them.
    pub fn len(&self) -> usize {
        match self.kind {
            Kind::Each | Kind::Pairs { .. } => self.samples,
            // Whole batches.
            Kind::Identities { .. } => self.samples / self.batch * self.batch,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What an epoch, counted from 1, sees: samples, both of a pair one behind the other.
    pub fn order(&self, seed: u64, epoch: usize) -> Vec<u32> {
        match &self.kind {
            Kind::Each => order(seed, epoch, self.samples),
            Kind::Pairs { of, alike } => {
                let first = order(seed, epoch, self.samples).into_iter().enumerate();
                let pairs = first.flat_map(|(number, sample)| {
                    let steps = [number, number + 1].map(|at| (at as f64 * alike).floor());
                    let mut random = stream(seed, epoch, number);
                    let is_alike = steps[1] > steps[0];
                    [sample, of.other(sample, is_alike, &mut random)]
                });
                pairs.collect()
            }
            Kind::Identities { of, each } => {
                let mut random = stream(seed, epoch, 0);
                let mut drawn = Vec::with_capacity(self.len());
                // Both are shuffled on and on; how they stand before does not matter.
                let mut identities: Vec<u32> = (0..of.members.len() as u32).collect();
                let mut members = of.members.clone();
                for _ in 0..self.len() / self.batch {
                    let mut left = self.batch;
                    let wanted = left.div_ceil(*each);
                    shuffle_front(&mut identities, wanted, &mut random);
                    for &identity in &identities[..wanted] {
                        let own = &mut members[identity as usize];
                        let taken = left.min(*each);
                        shuffle_front(own, taken, &mut random);
                        drawn.extend(own.iter().cycle().take(taken));
                        left -= taken;
                    }
                }
                drawn
            }
        }
    }
}

/// Pairs that judge a network of two inputs, always the same: each sample with another of its identity, and with one of another.
///
/// # Errors
/// As [`Draw::of`].
pub(super) fn judging_pairs(samples: &Samples) -> Result<Vec<u32>, TrainError> {
    let of = Identities::of(samples)?;
    let pairs = (0..samples.len()).flat_map(|number| {
        let (sample, mut random) = (number as u32, stream(0, 0, number));
        let alike = of.other(sample, true, &mut random);
        [sample, alike, sample, of.other(sample, false, &mut random)]
    });
    Ok(pairs.collect())
}

/// Holds samples against what pairs of them take.
///
/// # Errors
/// As [`Draw::of`].
pub(super) fn pairs_can_be_drawn(samples: &Samples) -> Result<(), TrainError> {
    Identities::of(samples).map(|_| ())
}

/// The order in which an epoch, counted from 1, sees so many samples.
pub fn order(seed: u64, epoch: usize, samples: usize) -> Vec<u32> {
    let mut random = Random::new(seed, Purpose::Order, &(epoch as u64).to_le_bytes());
    random.order(samples)
}

fn stream(seed: u64, epoch: usize, number: usize) -> Random {
    let which = [epoch as u64, number as u64].map(u64::to_le_bytes).concat();
    Random::new(seed, Purpose::Draw, &which)
}

/// Puts so many of them in front at random, all if there are no more.
fn shuffle_front(all: &mut [u32], count: usize, random: &mut Random) {
    for place in 0..count.min(all.len()) {
        let from = place + random.below(all.len() - place);
        all.swap(place, from);
    }
}

impl Identities {
    fn of(samples: &Samples) -> Result<Identities, TrainError> {
        let mut by_label: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for index in 0..samples.len() {
            let own = by_label.entry(samples.label(index)).or_default();
            own.push(index as u32);
        }
        if by_label.len() < 2 {
            let message = format!(
                "identities are told from one another, and the samples have {} of them",
                by_label.len()
            );
            return Err(TrainError::Recipe(message));
        }
        if let Some((label, own)) = by_label.iter().find(|(_, own)| own.len() < 2) {
            let name = samples.identity(own[0] as usize);
            let name = name.map_or_else(|| format!("identity {label}"), |name| format!("`{name}`"));
            let message = format!(
                "{name} has one sample among {}, and no other to be compared with: add one, or leave it out",
                samples.len()
            );
            return Err(TrainError::Recipe(message));
        }
        let mut of = vec![0; samples.len()];
        let members: Vec<Vec<u32>> = by_label.into_values().collect();
        for (identity, own) in members.iter().enumerate() {
            for &sample in own {
                of[sample as usize] = identity as u32;
            }
        }
        Ok(Identities { members, of })
    }

    /// Another sample of the same identity, or one of another identity.
    fn other(&self, sample: u32, alike: bool, random: &mut Random) -> u32 {
        let identity = self.of[sample as usize] as usize;
        let past = |drawn: usize, taken: usize| drawn + usize::from(drawn >= taken);
        if alike {
            let own = &self.members[identity];
            let place = own.iter().position(|&member| member == sample);
            let place = place.expect("a sample is of its identity");
            return own[past(random.below(own.len() - 1), place)];
        }
        let other = past(random.below(self.members.len() - 1), identity);
        let others = &self.members[other];
        others[random.below(others.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Three identities of five samples, one of two.
    fn samples(gathered: Gathered) -> Samples {
        let labels = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 7, 7];
        let samples = Samples::of_classes(vec![0.0; 17], 1, labels.to_vec()).expect("samples");
        samples.gather(gathered)
    }

    fn draw(gathered: Gathered, recipe: &Recipe) -> Result<Draw, String> {
        Draw::of(recipe, &samples(gathered)).map_err(|error| error.to_string())
    }

    #[test]
    fn pairs_are_balanced_and_alike_or_not() {
        for (share, expected) in [(0.5, 8), (0.25, 4), (0.0, 0)] {
            let recipe = Recipe {
                batch: 4,
                alike: share,
                ..Recipe::default()
            };
            let draw = draw(Gathered::Pairs, &recipe).expect("they can be drawn");
            let labelled = samples(Gathered::Pairs);
            let order = draw.order(3, 1);
            assert_eq!((draw.len(), order.len()), (17, 34));
            let (pairs, _) = order.as_chunks::<2>();
            let first: BTreeSet<u32> = pairs.iter().map(|pair| pair[0]).collect();
            assert_eq!(first.len(), 17, "each sample once");
            assert!(pairs.iter().all(|[one, other]| one != other));
            let alike = pairs.iter().filter(|pair| {
                labelled.label(pair[0] as usize) == labelled.label(pair[1] as usize)
            });
            assert_eq!(alike.count(), expected);
            assert_eq!(draw.order(3, 1), order);
            assert_ne!(draw.order(3, 2), order);
            assert_ne!(draw.order(4, 1), order);
        }
    }

    #[test]
    fn batches_have_so_many_of_each_identity() {
        let recipe = Recipe {
            batch: 8,
            each: 3,
            ..Recipe::default()
        };
        let draw = draw(Gathered::Identities, &recipe).expect("they can be drawn");
        let labelled = samples(Gathered::Identities);
        let mut seen = BTreeSet::new();
        for epoch in 1..20 {
            let order = draw.order(1, epoch);
            assert_eq!(order.len(), 16);
            for batch in order.chunks(8) {
                let mut counts: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
                for &sample in batch {
                    let own = counts.entry(labelled.label(sample as usize)).or_default();
                    own.push(sample);
                }
                let mut sizes: Vec<usize> = counts.values().map(Vec::len).collect();
                sizes.sort_unstable();
                assert_eq!(sizes, [2, 3, 3]);
                for (identity, own) in counts {
                    let different: BTreeSet<u32> = own.iter().copied().collect();
                    // One has two samples, of which one comes twice.
                    let expected = if identity == 7 { 2 } else { own.len() };
                    assert_eq!(different.len(), expected, "{own:?}");
                    seen.extend(different);
                }
            }
        }
        assert_eq!(seen.len(), 17, "all are drawn at some time");
    }

    #[test]
    fn what_cannot_be_drawn_is_said() {
        let recipe = |batch, each| Recipe {
            batch,
            each,
            ..Recipe::default()
        };
        for (batch, each, why) in [
            (18, 4, "a batch of 18 is more than the 17 samples"),
            (4, 4, "a batch of 4 with 4 of each identity has no two"),
            (8, 1, "a batch of 8 with 1 of each identity has no two"),
            (
                10,
                2,
                "a batch of 10 with 2 of each identity takes 5 identities, and there are 4 to learn from: at most `batch 8`",
            ),
        ] {
            let error = draw(Gathered::Identities, &recipe(batch, each)).expect_err(why);
            assert!(error.contains(why), "{error}");
        }
        for (labels, why) in [
            ([1, 1, 1, 1], "the samples have 1 of them"),
            ([1, 2, 2, 1], ""),
            ([1, 2, 2, 2], "identity 1 has one sample among 4"),
        ] {
            let samples = Samples::of_classes(vec![0.0; 4], 1, labels.to_vec()).expect("samples");
            let samples = samples.gather(Gathered::Pairs);
            let drawn = Draw::of(&recipe(2, 2), &samples);
            match why {
                "" => assert!(drawn.is_ok()),
                why => {
                    let error = drawn.expect_err(why).to_string();
                    assert!(error.contains(why), "{error}");
                }
            }
        }
    }
}
