//! Random numbers as a function of what they are for, never of who asks first: the same for any number of threads, and after a stop.

use cnnc_runtime::synthetic::{hash, mix};

/// What numbers are for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// First values of tensors.
    Initial = 1,
    /// The order of samples.
    Order = 2,
    /// What dropout drops.
    Mask = 3,
    /// How a sample is changed.
    Augment = 4,
    /// Where the search for anchors begins.
    Anchors = 5,
    /// Which samples come together.
    Draw = 16,
    /// Who is in a gallery.
    Gallery = 17,
    /// Where a picture that is changed begins, and how it is moved on the way.
    Picture = 40,
    /// Which parts of pictures are looked at.
    Crops = 41,
    /// Where close crops are cut out.
    CloseCrops = 9,
    /// Which proposals are learned from.
    Regions = 10,
}

/// A stream of numbers: of a seed, a purpose, and whatever else tells it from others.
#[derive(Clone, Debug)]
pub struct Random {
    key: u64,
    count: u64,
}

impl Random {
    /// The stream of these.
    pub fn new(seed: u64, purpose: Purpose, which: &[u8]) -> Random {
        let key = mix(mix(seed) ^ purpose as u64);
        Random {
            key: mix(key ^ hash(which)),
            count: 0,
        }
    }

    fn word(&mut self) -> u64 {
        self.count += 1;
        mix(self.key.wrapping_add(self.count))
    }

    /// Between 0 and 1, without 1.
    pub fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Of the normal distribution (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Between −1 and 1, without 1.
    pub fn either(&mut self) -> f64 {
        2.0 * self.unit() - 1.0
    }

    /// Below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.word()) * bound as u128) >> 64) as usize
    }

    /// A permutation of `0..count`.
    pub fn order(&mut self, count: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..count as u32).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}
