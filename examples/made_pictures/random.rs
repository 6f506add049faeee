//! Random numbers as a function of a seed and of what they are for: SplitMix64 (Steele, Lea and Flood 2014).

/// Numbers of a seed, of one kind of picture, of one picture.
pub struct Random(u64);

fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

impl Random {
    /// The stream of these.
    pub fn new(seed: u64, kind: u64, number: usize) -> Random {
        Random(mix(mix(mix(seed) ^ kind) ^ number as u64))
    }

    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// Between two numbers.
    pub fn between(&mut self, from: f64, to: f64) -> f64 {
        let unit = (self.word() >> 11) as f64 / (1_u64 << 53) as f64;
        from + (to - from) * unit
    }

    /// Below a count, which is not 0.
    pub fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.word()) * count as u128) >> 64) as usize
    }

    /// A direction, each as likely as any other.
    pub fn direction(&mut self) -> [f64; 2] {
        loop {
            let [x, y] = [(); 2].map(|()| self.between(-1.0, 1.0));
            let length = x * x + y * y;
            if (0.01..1.0).contains(&length) {
                return [x / length.sqrt(), y / length.sqrt()];
            }
        }
    }

    /// A direction that leaves straight on by a tangent of at most so much.
    pub fn tilt(&mut self, most: f64) -> [f64; 2] {
        let tangent = self.between(-most, most);
        let length = (1.0 + tangent * tangent).sqrt();
        [1.0 / length, tangent / length]
    }

    /// A colour, each channel between two values.
    pub fn colour(&mut self, from: f64, to: f64) -> [f64; 3] {
        [(); 3].map(|()| self.between(from, to))
    }
}
