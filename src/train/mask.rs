//! What dropout drops: a function of the seed, the epoch, the sample and the mask.

use super::random::{Purpose, Random};

/// Which samples a step is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drawn {
    pub epoch: u64,
    pub samples: Vec<u64>,
}

/// What tells the mask of one sample from others: the epoch and the sample, or where these are not known, the step and the place in its batch.
pub(super) fn which(drawn: Option<&Drawn>, step: u64, place: usize, mask: usize) -> Vec<u8> {
    let sample = drawn.and_then(|drawn| Some((drawn.epoch, *drawn.samples.get(place)?)));
    let (first, second) = sample.unwrap_or((step, place as u64));
    let numbers = [first, second, mask as u64].map(u64::to_le_bytes).concat();
    [numbers.as_slice(), &[u8::from(sample.is_none())]].concat()
}

/// Fills a mask: 0 where an element is dropped, which is as likely as the rate says, and else one over the probability that it is not.
pub(super) fn drop(seed: u64, which: &[u8], rate: f64, mask: &mut [f32]) {
    let mut random = Random::new(seed, Purpose::Mask, which);
    let stays = (1.0 / (1.0 - rate)) as f32;
    for element in mask {
        *element = if random.unit() < rate { 0.0 } else { stays };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(seed: u64, epoch: u64, sample: u64, mask: usize) -> Vec<f32> {
        let drawn = Drawn {
            epoch,
            samples: vec![99, sample],
        };
        let mut elements = vec![f32::NAN; 100_000];
        drop(seed, &which(Some(&drawn), 5, 1, mask), 0.25, &mut elements);
        elements
    }

    /// Elements that another program computed, of FNV-1a, SplitMix64 and exact integers.
    #[test]
    fn the_stated_masks() {
        let shown = |mask: Vec<f32>| -> String {
            let mask = mask.into_iter().take(40);
            mask.map(|element| if element == 0.0 { '.' } else { '#' })
                .collect()
        };
        for (seed, epoch, sample, mask, expected) in [
            (1, 1, 0, 0, "############.#...#.####.#############..#"),
            (1, 1, 7, 0, ".##########.##..###.#####....######.###."),
            (1, 2, 0, 0, "###..###..##...###.##..#..##.#######.#.."),
            (1, 1, 0, 1, "###..##.##.###.###########.##.##.######."),
            (2, 1, 0, 0, "##.#.##.###.######..####..##############"),
        ] {
            assert_eq!(shown(of(seed, epoch, sample, mask)), expected);
        }
    }

    #[test]
    fn shares_are_kept_and_the_mean_is_one() {
        let mask = of(3, 2, 1, 0);
        let kept: Vec<f32> = mask.iter().copied().filter(|x| *x != 0.0).collect();
        assert!(kept.iter().all(|x| *x == (4.0_f64 / 3.0) as f32));
        let share = kept.len() as f64 / mask.len() as f64;
        // Three standard deviations of 100,000 throws.
        assert!((share - 0.75).abs() < 0.0042, "{share}");
    }

    #[test]
    fn steps_and_places_are_there_where_samples_are_not_known() {
        let all = [(1, 0), (1, 1), (2, 0)].map(|(step, place)| which(None, step, place, 0));
        assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
        let drawn = Drawn {
            epoch: 1,
            samples: vec![0],
        };
        assert_ne!(which(Some(&drawn), 1, 0, 0), all[0]);
    }
}
