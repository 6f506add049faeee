//! Weights and inputs as a pure function of a tensor's name, so that any network runs without a file.
//!
//! ```text
//! seed     = FNV-1a-64 of the name
//! z(i)     = SplitMix64's output function of seed + (i + 1) · 0x9E3779B97F4A7C15
//! u(i)     = (z(i) >> 40) / 2²⁴                   in [0, 1)
//! value(i) = lo + (hi − lo) · u(i)                in f64, rounded once
//! ```
//! with `i` the row-major index. The range follows from the last part of the name and the rank:
//! `bias` and `running_mean` lie in ±0.1; `running_var` and vectors in 0.5…1.5; everything else in
//! ±√(6 / fan-in), where the fan-in is the product of all sizes but the first; inputs in ±1.

use crate::memory::{OutOfMemory, zeros};

/// Increment of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The values of one synthetic tensor; any of them can be had without the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Synthetic {
    seed: u64,
    lo: f64,
    span: f64,
}

impl Synthetic {
    /// The weights of that name and shape.
    pub fn tensor(name: &str, shape: &[usize]) -> Synthetic {
        let leaf = name.rsplit('.').next().unwrap_or(name);
        match leaf {
            "bias" | "running_mean" => Synthetic::between(name, -0.1, 0.1),
            "running_var" => Synthetic::between(name, 0.5, 1.5),
            _ if shape.len() == 1 => Synthetic::between(name, 0.5, 1.5),
            _ => {
                let fan_in: f64 = shape.iter().skip(1).map(|&size| size as f64).product();
                let bound = (6.0 / fan_in).sqrt();
                Synthetic::between(name, -bound, bound)
            }
        }
    }

    /// The input of that name: `input`, or `input.a` where there are several.
    pub fn input(name: &str) -> Synthetic {
        Synthetic::between(name, -1.0, 1.0)
    }

    fn between(name: &str, lo: f64, hi: f64) -> Synthetic {
        let seed = hash(name.as_bytes());
        Synthetic {
            seed,
            lo,
            span: hi - lo,
        }
    }

    /// Writes the values from index `start` on.
    pub fn fill(&self, start: usize, out: &mut [f32]) {
        let first = self
            .seed
            .wrapping_add((start as u64).wrapping_add(1).wrapping_mul(GOLDEN));
        for (i, slot) in out.iter_mut().enumerate() {
            let z = finish(first.wrapping_add((i as u64).wrapping_mul(GOLDEN)));
            // 24 bits: converting a signed 32-bit integer is one instruction, from u64 it is many.
            let u = f64::from((z >> 40) as i32) / f64::from(1 << 24);
            *slot = (self.lo + self.span * u) as f32;
        }
    }

    /// The first `len` values.
    ///
    /// # Errors
    /// When there is not enough memory for them.
    pub fn try_values(&self, len: usize) -> Result<Vec<f32>, OutOfMemory> {
        let mut values = zeros(len)?;
        self.fill(0, &mut values);
        Ok(values)
    }

    /// The same, of a length that is known to be small.
    ///
    /// # Panics
    /// When there is not enough memory for them.
    pub fn values(&self, len: usize) -> Vec<f32> {
        self.try_values(len)
            .unwrap_or_else(|error| panic!("{error}"))
    }
}

/// FNV-1a: a number for a name.
pub fn hash(name: &[u8]) -> u64 {
    name.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// The end of SplitMix64: every bit depends on every bit.
#[inline]
fn finish(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The next number of SplitMix64 from a state on.
#[inline]
pub fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(GOLDEN);
    finish(*state)
}

/// Number `count` of SplitMix64 (Steele, Lea and Flood 2014) from the state 0, the first being number 1: neighbours become strangers.
#[inline]
pub fn mix(count: u64) -> u64 {
    finish(count.wrapping_mul(GOLDEN))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Elements 0, 1, 2 and 9,999, computed with exact integers and IEEE doubles by another program.
    #[test]
    fn the_stated_values() {
        let conv: &[usize] = &[64, 64, 1, 1];
        #[rustfmt::skip]
        let cases = [
            (Synthetic::tensor("c1.weight", &[6, 1, 5, 5]), [0xbe93b7fd, 0xbd944daf, 0x3ecb3d21, 0xbe3fcdd8]),
            (Synthetic::tensor("layer1.0.conv1.weight", conv), [0x3e561bcb, 0x3d37a1ff, 0x3e5bd652, 0xbd643f16]),
            (Synthetic::tensor("fc.bias", &[1000]), [0xbb9276e6, 0xbb7c8d66, 0xbd342c20, 0x3d0282f6]),
            (Synthetic::tensor("bn1.running_mean", &[64]), [0x3d400fb6, 0x3ca4da86, 0x3c09f1e6, 0x3c9c0a46]),
            (Synthetic::tensor("bn1.running_var", &[64]), [0x3f923722, 0x3fa4b456, 0x3fbc427b, 0x3f6b22a2]),
            (Synthetic::tensor("bn1.weight", &[64]), [0x3f5c3654, 0x3fa9863c, 0x3f88db26, 0x3f954e94]),
            (Synthetic::input("input"), [0xbf4deac2, 0x3e9c045c, 0xbf17be90, 0x3d1c5940]),
        ];
        for (tensor, bits) in cases {
            let values = tensor.values(10_000);
            let found = [0, 1, 2, 9_999].map(|i: usize| values[i].to_bits());
            assert_eq!(found, bits, "{tensor:?}");
        }
    }

    #[test]
    fn any_part_equals_the_whole() {
        let tensor = Synthetic::input("input");
        let whole = tensor.values(100);
        let mut part = [0.0; 7];
        tensor.fill(61, &mut part);
        assert_eq!(part, whole[61..68]);
    }
}
