//! Numbers to differentiate at: no two are equal, none is near a kink.

use ndarray::{ArrayD, IxDyn};

/// Distance of two neighbours.
const SPACING: f64 = 1.0 / (1 << 14) as f64;

/// Smallest magnitude.
const LEAST: f64 = 0.125;

/// A sequence of numbers from a seed.
pub struct Points {
    state: u64,
    /// How many have been made.
    count: u64,
}

impl Points {
    pub fn new(seed: u64) -> Points {
        Points {
            state: seed,
            count: 0,
        }
    }

    /// 64 bits of SplitMix64.
    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in −1 … 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// One of `0..count`.
    pub fn below(&mut self, count: usize) -> usize {
        (self.bits() % count as u64) as usize
    }

    /// A tensor of numbers in −1 … 1.
    pub fn direction(&mut self, dims: &[usize]) -> ArrayD<f64> {
        ArrayD::from_shape_simple_fn(IxDyn(dims), || self.unit())
    }

    /// A tensor whose magnitudes lie between [`LEAST`] and `2^span` more. They are odd multiples of half the [`SPACING`], which kinks at dyadic numbers
    /// are not, and of `2^(14 + span)` in a row no two are equal, of whichever tensor.
    pub fn operand(&mut self, dims: &[usize], span: u32, signed: bool) -> ArrayD<f64> {
        let size = 1u64 << (14 + span);
        // An odd factor near the golden ratio of the size visits every number once.
        let factor = (0.618_034 * size as f64) as u64 | 1;
        ArrayD::from_shape_simple_fn(IxDyn(dims), || {
            let place = self.count.wrapping_mul(factor) % size;
            self.count += 1;
            let magnitude = LEAST + (place as f64 + 0.5) * SPACING;
            match signed && self.bits() >> 63 == 1 {
                true => -magnitude,
                false => magnitude,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_equal_and_none_is_near_a_kink() {
        let mut points = Points::new(1);
        let mut all: Vec<f64> = Vec::new();
        for dims in [[64, 100], [128, 100]] {
            all.extend(points.operand(&dims, 1, true).iter().map(|x| x.abs()));
        }
        all.sort_by(f64::total_cmp);
        let near = all.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(near.fold(f64::INFINITY, f64::min) >= SPACING);
        let kinks = [0.0, 0.25, 0.5, 1.0, 2.0];
        let distance = |x: &f64| {
            kinks
                .map(|kink| (x - kink).abs())
                .into_iter()
                .fold(9.0, f64::min)
        };
        assert!(all.iter().map(distance).fold(9.0, f64::min) >= SPACING / 2.0);
    }
}
