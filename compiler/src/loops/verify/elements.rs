//! Sets of elements of one buffer: strided boxes cut into runs, and bits that remember them.

/// The elements `start + Σ iᵈ·strideᵈ`, as runs of neighbours.
#[derive(Debug, PartialEq)]
pub(super) struct Runs {
    start: i64,
    /// Length of each run.
    run: i64,
    /// `(count, stride)` of what repeats the run.
    outer: Vec<(i64, i64)>,
}

impl Runs {
    /// The runs of a strided box; `None` if it is empty. Dimensions that continue, overlap or repeat one another are
    /// merged, so that whole tensors are few runs.
    pub fn new(mut start: i64, dims: impl Iterator<Item = (i64, i64)>) -> Option<Runs> {
        let mut sorted: Vec<(i64, i64)> = Vec::with_capacity(8);
        for (count, stride) in dims {
            if count == 0 {
                return None;
            }
            if stride < 0 {
                start += (count - 1) * stride;
            }
            if count > 1 && stride != 0 {
                sorted.push((count, stride.abs()));
            }
        }
        sorted.sort_unstable_by_key(|&(_, stride)| stride);
        let (mut run, mut outer): (i64, Vec<(i64, i64)>) = (1, Vec::with_capacity(sorted.len()));
        for (count, stride) in sorted {
            match outer.last_mut() {
                // A run repeated no further than it is long is a longer run.
                None if stride <= run => run += (count - 1) * stride,
                Some((inner, step)) if stride % *step == 0 && stride / *step <= *inner => {
                    *inner += (count - 1) * (stride / *step);
                }
                _ => outer.push((count, stride)),
            }
        }
        Some(Runs { start, run, outer })
    }

    /// Number of runs.
    pub fn count(&self) -> u64 {
        self.outer.iter().fold(1, |product: u64, &(count, _)| {
            product.saturating_mul(count as u64)
        })
    }

    /// Calls `see` with the bounds of each run, in no particular order, until it returns false.
    pub fn each(&self, mut see: impl FnMut(usize, usize) -> bool) {
        visit(self.start, self.run, &self.outer, &mut see);
    }
}

fn visit(
    start: i64,
    run: i64,
    outer: &[(i64, i64)],
    see: &mut impl FnMut(usize, usize) -> bool,
) -> bool {
    match outer.split_last() {
        None => see(start as usize, (start + run) as usize),
        Some((&(count, stride), inner)) => {
            (0..count).all(|i| visit(start + i * stride, run, inner, see))
        }
    }
}

/// A set of elements.
#[derive(Debug)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// No element of `len`.
    pub fn new(len: usize) -> Bits {
        Bits(vec![0; len.div_ceil(64)])
    }

    /// Adds `from..to`.
    pub fn insert(&mut self, from: usize, to: usize) {
        each_word(from, to, |word, mask| {
            self.0[word] |= mask;
            true
        });
    }

    /// Removes `from..to`.
    pub fn remove(&mut self, from: usize, to: usize) {
        each_word(from, to, |word, mask| {
            self.0[word] &= !mask;
            true
        });
    }

    /// The first element of `from..to` that is not there.
    pub fn missing(&self, from: usize, to: usize) -> Option<usize> {
        let mut found = None;
        each_word(from, to, |word, mask| {
            let absent = mask & !self.0[word];
            if absent != 0 {
                found = Some(word * 64 + absent.trailing_zeros() as usize);
            }
            absent == 0
        });
        found
    }
}

/// The words that `from..to` touches, each with the mask of its bits, until `see` returns false.
fn each_word(from: usize, to: usize, mut see: impl FnMut(usize, u64) -> bool) {
    if from >= to {
        return;
    }
    let (first, last) = (from / 64, (to - 1) / 64);
    let low = u64::MAX << (from % 64);
    let high = u64::MAX >> (63 - (to - 1) % 64);
    if first == last {
        see(first, low & high);
        return;
    }
    let _ = see(first, low) && (first + 1..last).all(|word| see(word, u64::MAX)) && see(last, high);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn runs_are_the_box(dims in prop::collection::vec((0i64..5, -12i64..30), 0..5)) {
            let mut wanted = BTreeSet::from([1000i64]);
            for &(count, stride) in &dims {
                wanted = wanted.iter().flat_map(|a| (0..count).map(move |i| a + i * stride)).collect();
            }
            let mut found = BTreeSet::new();
            if let Some(runs) = Runs::new(1000, dims.iter().copied()) {
                let mut count = 0;
                runs.each(|from, to| {
                    count += 1;
                    found.extend(from as i64..to as i64);
                    true
                });
                prop_assert_eq!(count, runs.count());
            }
            prop_assert_eq!(found, wanted);
        }

        #[test]
        fn bits_are_a_set(edits in prop::collection::vec((0usize..200, 0usize..200, any::<bool>()), 1..8), from in 0usize..200, to in 0usize..200) {
            let (mut bits, mut set) = (Bits::new(200), BTreeSet::new());
            for (from, to, insert) in edits {
                if insert {
                    bits.insert(from, to);
                    set.extend(from..to);
                } else {
                    bits.remove(from, to);
                    set.retain(|at| !(from..to).contains(at));
                }
            }
            prop_assert_eq!(bits.missing(from, to), (from..to).find(|at| !set.contains(at)));
        }
    }

    #[test]
    fn whole_tensors_are_one_run() {
        // Rows of pixels of 5 blocks of 16 channels, visited block by block, and a 3x3 window over all of it.
        let dims = [(16, 1), (28, 80), (28, 2240), (5, 16)];
        let runs = Runs::new(0, dims.into_iter()).unwrap();
        assert_eq!((runs.run, runs.count()), (28 * 28 * 80, 1));
        let dims = [(26, 2240), (26, 80), (3, 2240), (3, 80), (80, 1)];
        let runs = Runs::new(0, dims.into_iter()).unwrap();
        assert_eq!((runs.run, runs.count()), (28 * 28 * 80, 1));
    }
}
