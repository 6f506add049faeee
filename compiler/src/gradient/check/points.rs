//! Numbers to differentiate at: no two are equal, none is near a kink.

use cnnc_runtime::synthetic::split_mix;
use ndarray::{ArrayD, IxDyn};

/// Distance of two levels. Kinks are multiples of it, and levels lie in the middle between two.
const SPACING: f64 = 1.0 / (1 << 8) as f64;

/// Distance of numbers of one level, and how many it has: all of them are more than 1e-3 away from a kink.
const APART: f64 = 1.0 / (1 << 16) as f64;
const SHADES: u64 = 64;

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

    fn bits(&mut self) -> u64 {
        split_mix(&mut self.state)
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

    /// A tensor whose magnitudes lie between [`LEAST`] and `2^span` more. Of `2^(8 + span)` in a row, of whichever tensor, no two are within a level;
    /// of [`SHADES`] times as many, none are equal.
    pub fn operand(&mut self, dims: &[usize], span: u32, signed: bool) -> ArrayD<f64> {
        let levels = 1u64 << (8 + span);
        // An odd factor near the golden ratio of the levels visits every level once.
        let factor = (0.618_034 * levels as f64) as u64 | 1;
        ArrayD::from_shape_simple_fn(IxDyn(dims), || {
            let level = self.count.wrapping_mul(factor) % levels;
            let shade = self.count / levels % SHADES;
            self.count += 1;
            let beside = (shade as f64 - SHADES as f64 / 2.0) * APART;
            let magnitude = LEAST + (level as f64 + 0.5) * SPACING + beside;
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
        let least = |numbers: &[f64]| {
            let mut numbers = numbers.to_vec();
            numbers.sort_by(f64::total_cmp);
            let near = numbers.windows(2).map(|pair| pair[1] - pair[0]);
            near.fold(f64::INFINITY, f64::min)
        };
        assert!(least(&all) > 0.99 * APART);
        for row in all.windows(512).step_by(100) {
            assert!(least(row) >= SPACING - 2.0 * APART, "{}", least(row));
        }
        let beside = all
            .iter()
            .map(|x| (x / SPACING - (x / SPACING).round()).abs() * SPACING);
        assert!(beside.fold(f64::INFINITY, f64::min) >= 1e-3);
    }
}
