//! What the costs of schedules depend on: caches, rates, and what it takes to share work.
//!
//! The figures are those of a class of machines, not of the one that compiles: a plan is the same wherever it is made.

use cnnc_runtime::Isa;
use cnnc_runtime::kernel::winograd::Form;

/// A class of machines. Sizes are in floats, rates in cycles of one core.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// The instruction set, which decides lanes, registers and tiles.
    pub isa: Isa,
    /// What a block of the operand or a set of panels may occupy to be found again in the level-2 cache: half of the smallest.
    pub near: usize,
    /// What is read from memory again each time, because it is larger than what a core has of the last cache.
    pub far: usize,
    /// Cycles for each of so many floats that are read again: up to `far`, up to twice that, and beyond.
    pub read: [f64; 3],
    /// Multiply-adds of vectors that a tile of registers does in a cycle.
    pub issue: f64,
    /// Cycles from one multiply-add to the next that needs its sum.
    pub latency: f64,
    /// Cycles that entering and leaving a tile of registers takes, for each element of a reduction of usual length.
    pub entering: f64,
    /// Cycles for each vector of outputs, besides its sums, of direct convolutions.
    pub direct_entering: f64,
    /// The same for each vector of Winograd's products.
    pub product_entering: f64,
    /// Cycles of the transforms of inputs and of outputs of Winograd's F(4×4, 3×3), for one tile and one vector of channels.
    pub transforms: [f64; 2],
    /// The same of F(2×2, 5×5).
    pub transforms_five: [f64; 2],
    /// Cycles of expanding the weights of one input channel and one vector of output channels, reading included.
    pub expanding: f64,
    /// Cycles of packing the same as Winograd's weights, beyond what packing plain ones takes.
    pub packing: f64,
    /// The same of 5×5 taps.
    pub packing_five: f64,
    /// Tiles of several images that are in a block together, at most, where weights are expanded.
    pub merged_tiles: usize,
    /// Tiles of a picture, at least and at most, for which weights are expanded while the network runs.
    pub expand_tiles: [usize; 2],
    /// Least gain, as a share, at which an estimate is good enough to leave the direct convolution.
    pub trust: f64,
    /// Tiles of a block of Winograd's that are worth the reading of weights: near ones, more than `far`, more than four times that.
    pub block_tiles: [usize; 3],
    /// Transformed weights that stay in the level-2 cache from one block to the next, so that blocks can be finer.
    pub close: usize,
    /// Blocks of Winograd's below which their parts are shared among threads instead of the blocks.
    pub few_blocks: usize,
    /// The largest arena of one image at which threads compute different images of a batch, each in an arena of its own.
    pub apart: usize,
    /// Floats after which addresses fall on the same lines of the level-1 cache.
    pub way: usize,
    /// Lines of the level-1 cache for such addresses.
    pub ways: usize,
    /// Cycles, per pixel and element of the reduction, of reading again what pixels of the same tile displaced.
    pub crowded: f64,
    /// Parts that a loop is cut into for the pool, about.
    pub parts: usize,
    /// Multiply-adds below which a layer is not worth sharing among threads (about 5 µs).
    pub serial_sums: usize,
    /// Elements below which a loop over them is not worth sharing (about 5 µs).
    pub serial_elements: usize,
}

/// How sums may be computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// In the way that takes the least time: Winograd's algorithm where it pays, whose rounding errors are a few times larger.
    #[default]
    Fast,
    /// As they are defined: one multiply-add for each input and weight.
    Exact,
}

/// What a network is compiled for: all that its loops depend on, beside the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The class of machines.
    pub machine: Machine,
    /// How sums may be computed.
    pub arithmetic: Arithmetic,
    /// Images that are run at once, at most.
    pub batch: usize,
    /// The way in which every convolution is computed that has so many to try, by its number among those, instead of the one that is estimated to
    /// cost least: for measurements.
    pub schedule: Option<usize>,
}

impl Target {
    /// The usual machine of an ISA.
    pub fn new(isa: Isa, arithmetic: Arithmetic) -> Target {
        Target {
            machine: Machine::of(isa),
            arithmetic,
            batch: 1,
            schedule: None,
        }
    }

    /// The same for so many images at once.
    #[must_use]
    pub fn batch(mut self, images: usize) -> Target {
        self.batch = images;
        self
    }
}

impl From<Isa> for Machine {
    fn from(isa: Isa) -> Machine {
        Machine::of(isa)
    }
}

impl Machine {
    /// The usual machine with that instruction set.
    pub fn of(isa: Isa) -> Machine {
        Machine {
            isa,
            near: 64 << 10,
            far: 1 << 20,
            // Narrow vectors take longer for what they read.
            read: match isa.lanes() {
                16 => [0.1, 0.8, 1.6],
                _ => [0.1, 0.8, 0.8],
            },
            issue: 1.8,
            latency: 4.0,
            entering: 0.1,
            direct_entering: 4.0,
            product_entering: 5.0,
            transforms: [290.0, 250.0],
            transforms_five: [150.0, 100.0],
            expanding: match isa.lanes() {
                16 => 120.0,
                _ => 90.0,
            },
            packing: 400.0,
            packing_five: 800.0,
            merged_tiles: 64,
            expand_tiles: [4, 49],
            trust: 0.9,
            block_tiles: [14, 28, 49],
            close: 340 << 10,
            few_blocks: 6,
            apart: 1 << 20,
            way: 1 << 10,
            ways: 8,
            crowded: 0.25,
            parts: 8,
            serial_sums: 1 << 18,
            serial_elements: 1 << 14,
        }
    }

    /// A machine so small that every regime is reached by small tensors; for tests.
    pub fn tiny(isa: Isa) -> Machine {
        Machine {
            near: 256,
            far: 2048,
            block_tiles: [1, 2, 3],
            close: 1024,
            few_blocks: 3,
            apart: 1024,
            parts: 3,
            serial_sums: 64,
            serial_elements: 16,
            expand_tiles: [1, 49],
            merged_tiles: 12,
            ..Machine::of(isa)
        }
    }

    /// Most pixels `apart` floats from each other that the level-1 cache holds a line each of, beside those of two panels.
    pub fn pixels_apart(&self, apart: usize) -> usize {
        if apart == 0 {
            return usize::MAX;
        }
        let places = 1
            << (self
                .way
                .trailing_zeros()
                .saturating_sub(apart.trailing_zeros()));
        places * (self.ways - 2)
    }

    /// Cycles of an algorithm's transforms of inputs and of outputs, for one tile and one vector of channels.
    pub fn transforms_of(&self, form: Form) -> [f64; 2] {
        match form {
            Form::Three => self.transforms,
            Form::Five => self.transforms_five,
        }
    }

    /// Cycles of packing the weights of one input channel and one vector of output channels for an algorithm, beyond what packing plain ones takes.
    pub fn packing_of(&self, form: Form) -> f64 {
        match form {
            Form::Three => self.packing,
            Form::Five => self.packing_five,
        }
    }

    /// Floats of a vector.
    pub fn lanes(&self) -> usize {
        self.isa.lanes()
    }

    /// Into how many equal parts `n` iterations are best cut for the pool: a divisor of `n`, about [`Machine::parts`], with which two threads end
    /// together, and four if possible.
    pub fn chunks(&self, n: usize) -> usize {
        self.chunks_of(n, 1)
    }

    /// The same, no part of which has fewer than `least` iterations.
    fn chunks_of(&self, n: usize, least: usize) -> usize {
        // There is no pool within what threads share already.
        if self.parts == 1 {
            return 1;
        }
        let most = (n / least).min(32 * self.parts);
        let divisors = (1..=most).filter(|d| n.is_multiple_of(*d));
        let loss = |&parts: &usize| self.loss(parts);
        divisors
            .min_by(|a, b| loss(a).total_cmp(&loss(b)))
            .unwrap_or(1)
    }

    /// The share of the work that a cut into equal parts loses: threads wait for others, or for one that is held up while its part is large,
    /// and small parts have more that each does by itself.
    fn loss(&self, parts: usize) -> f64 {
        let waiting = |threads| 1.0 - parts as f64 / parts.next_multiple_of(threads) as f64;
        let finer = (parts as f64 / self.parts as f64).log2();
        waiting(2) + waiting(4) / 4.0 + finer.max(-3.0 * finer) / 20.0
    }

    /// The same, or 1 where `elements` are too few to be shared.
    pub fn shares(&self, n: usize, elements: usize) -> usize {
        match elements < self.serial_elements {
            true => 1,
            false => self.chunks(n),
        }
    }

    /// Cycles of reading so many floats once.
    pub fn reading(&self, floats: usize) -> f64 {
        let [near, far, beyond] = self.read;
        let each = match floats {
            floats if floats > 2 * self.far => beyond,
            floats if floats > self.far => far,
            _ => near,
        };
        floats as f64 * each
    }

    /// Into how many equal blocks `n` rows are cut: at least `wanted` for the cache, about [`Machine::parts`] for the pool, which has none of
    /// fewer than `least`; each block reads all `weights`.
    pub fn blocks(
        &self,
        (n, least): (usize, usize),
        wanted: usize,
        weights: usize,
        sums: usize,
    ) -> usize {
        // Small weights allow any finer cut.
        let small = weights <= self.near / 2;
        let wanted = match small && n > 2 * self.parts && sums >= self.serial_sums {
            true => wanted.max(self.parts),
            false => wanted,
        };
        let pool = match sums < self.serial_sums {
            true => 1,
            false => self.chunks_of(n, least),
        };
        // The smallest divisor that is no less: divisors come in pairs, the smaller of which is no larger than the root.
        let pairs = (1..=n.isqrt()).filter(|&cut| n.is_multiple_of(cut));
        let divisors = pairs.flat_map(|cut| [cut, n / cut]);
        let fits = divisors.filter(|&cut| cut >= wanted).min().unwrap_or(n);
        // A prime number of rows cannot be cut finer than into single rows; that is no reason to do so.
        let most = if small { 32 } else { 4 };
        if fits > most * wanted.max(pool) {
            pool
        } else {
            fits.max(pool)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_end_together() {
        let machine = Machine::of(Isa::Avx2);
        // Even cuts where there are some, about eight parts; single rows of a prime number.
        let cuts = [56, 28, 14, 20, 12, 9, 7, 71, 149, 1].map(|n| machine.chunks(n));
        assert_eq!(cuts, [8, 14, 14, 10, 12, 9, 7, 71, 149, 1]);
        let within = Machine {
            parts: 1,
            ..machine.clone()
        };
        assert_eq!(within.chunks(28), 1);
        for n in 2..200 {
            let parts = machine.chunks(n);
            assert!(n.is_multiple_of(parts) && parts > 1, "{n}");
        }
    }

    #[test]
    fn blocks_of_pixels_fill_a_tile() {
        let machine = Machine::of(Isa::Avx2);
        let cut = |n, least| machine.blocks((n, least), 1, machine.near, machine.serial_sums);
        assert_eq!((cut(49, 6), cut(49, 1)), (7, 49));
    }
}
