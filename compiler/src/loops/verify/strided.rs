//! Strided sets: what an access reaches in a buffer, as a formula whose length does not depend on how much it is.
//!
//! The elements `start + Σ iᵈ·strideᵈ` are what a footprint is in one iteration, and in all of them: a loop around it is one
//! more dimension. Differences of two such sets are in [`digits`](super::digits).

use super::linear::{self, Term, TooHard};

/// The elements `start + Σ iᵈ·strideᵈ` for `0 ≤ iᵈ < countᵈ`; there is at least one.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Strided {
    /// The least element.
    pub start: i64,
    /// The greatest element.
    pub last: i64,
    /// `(count, stride)`, by strides, which are positive; counts are two or more. Dimensions that continue, overlap or repeat one
    /// another are one, so that whole tensors are a single run.
    pub dims: Vec<(i64, i64)>,
}

impl Strided {
    /// The set of these dimensions, in any order; counts are positive.
    pub fn new(mut start: i64, dims: impl IntoIterator<Item = (i64, i64)>) -> Strided {
        let mut sorted: Vec<(i64, i64)> = Vec::with_capacity(8);
        for (count, stride) in dims {
            start += (count - 1) * stride.min(0);
            if count > 1 && stride != 0 {
                sorted.push((count, stride.abs()));
            }
        }
        sorted.sort_unstable_by_key(|&(_, stride)| stride);
        let mut dims: Vec<(i64, i64)> = Vec::with_capacity(sorted.len());
        for (count, stride) in sorted {
            match dims.last_mut() {
                // Repeated no further than it is long, a progression is a longer one.
                Some((inner, step)) if stride % *step == 0 && stride / *step <= *inner => {
                    *inner += (count - 1) * (stride / *step);
                }
                _ => dims.push((count, stride)),
            }
        }
        let last = start
            + dims
                .iter()
                .map(|&(count, stride)| (count - 1) * stride)
                .sum::<i64>();
        Strided { start, last, dims }
    }

    /// The union of `count` copies of the set, each moved by `stride` from the one before.
    pub fn repeat(&mut self, count: i64, stride: i64) {
        let dims = std::mem::take(&mut self.dims);
        *self = Strided::new(self.start, dims.into_iter().chain([(count, stride)]));
    }

    /// The union, if it is a strided set of no more dimensions: one continues the other along a single dimension.
    pub fn joined(&self, other: &Strided) -> Option<Strided> {
        let (low, high) = if self.start <= other.start {
            (self, other)
        } else {
            (other, self)
        };
        let apart = high.start - low.start;
        if low.dims == high.dims {
            let mut both = low.clone();
            both.repeat(2, apart);
            return (both.dims.len() <= low.dims.len()).then_some(both);
        }
        let own = |set: &Strided, other: &Strided| {
            let mut own = set.dims.iter().filter(|dim| !other.dims.contains(dim));
            match (own.next().copied(), own.next()) {
                (Some(dim), None) => Some(Some(dim)),
                (None, None) => Some(None),
                _ => None,
            }
        };
        let ((first, stride), (second, other)) = match (own(low, high)?, own(high, low)?) {
            (Some(low), Some(high)) => (low, high),
            (Some(low), None) => (low, (1, low.1)),
            (None, high) => ((1, high?.1), high?),
        };
        if stride != other || apart % stride != 0 || apart / stride > first {
            return None;
        }
        let common = low
            .dims
            .iter()
            .filter(|dim| high.dims.contains(dim))
            .copied();
        let count = first.max(apart / stride + second);
        Some(Strided::new(low.start, common.chain([(count, stride)])))
    }

    /// Whether there is no element between the least and the greatest that is not in the set.
    pub fn dense(&self) -> bool {
        matches!(self.dims[..], [] | [(_, 1)])
    }

    /// Whether both have an element in common.
    pub fn meets(&self, other: &Strided) -> Result<bool, TooHard> {
        if self.last < other.start || other.last < self.start {
            return Ok(false);
        }
        let ours = self
            .dims
            .iter()
            .map(|&(count, stride)| Term::index(count, stride));
        let others = other
            .dims
            .iter()
            .map(|&(count, stride)| Term::index(count, -stride));
        let terms: Vec<Term> = ours.chain(others).collect();
        linear::solvable(other.start - self.start, &terms)
    }

    /// The first element that is in the other set, too.
    pub fn first_in(&self, other: &Strided) -> Result<Option<i64>, TooHard> {
        if !self.meets(other)? {
            return Ok(None);
        }
        let Some(slices) = self.slices() else {
            return Ok(Some(self.start));
        };
        for slice in slices {
            if let Some(element) = slice.first_in(other)? {
                return Ok(Some(element));
            }
        }
        Ok(None)
    }

    /// Moves every element.
    pub fn shift(&mut self, by: i64) {
        self.start += by;
        self.last += by;
    }

    /// The same elements in as many sets as the outermost dimension has indices.
    pub fn slices(&self) -> Option<impl Iterator<Item = Strided>> {
        let (&(count, stride), inner) = self.dims.split_last()?;
        Some((0..count).map(move |i| Strided::new(self.start + i * stride, inner.iter().copied())))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// The elements, one by one.
    pub fn elements(start: i64, dims: &[(i64, i64)]) -> BTreeSet<i64> {
        let mut elements = BTreeSet::from([start]);
        for &(count, stride) in dims {
            elements = elements
                .iter()
                .flat_map(|at| (0..count).map(move |i| at + i * stride))
                .collect();
        }
        elements
    }

    pub fn all(set: &Strided) -> BTreeSet<i64> {
        elements(set.start, &set.dims)
    }

    /// Dimensions of any kind, and such as tensors have.
    pub fn dims() -> impl Strategy<Value = Vec<(i64, i64)>> {
        let any = prop::collection::vec((1i64..6, -30i64..30), 0..4);
        let nested = (1i64..4, 1i64..5, 1i64..5, 1i64..4, 1i64..3, 1i64..4).prop_map(
            |(c, w, h, n, step, m)| {
                vec![
                    (n.min(c), 1),
                    (m, step * c),
                    (h, (w + 1) * c),
                    (2, c * (w + 1) * h),
                ]
            },
        );
        // Not to be written in places: the sums of two long dimensions that have nothing in common.
        let wild = (
            prop_oneof![Just(7i64), Just(9)],
            prop_oneof![Just(11i64), Just(13)],
        )
            .prop_map(|(a, b)| vec![(120, a), (70, b)]);
        prop_oneof![4 => any, 4 => nested, 1 => wild]
    }

    fn sets() -> impl Strategy<Value = Strided> {
        (0i64..20, dims()).prop_map(|(start, dims)| Strided::new(start, dims))
    }

    cnnc_testing::properties! {
        fn a_set_is_its_elements(start in 0i64..20, dims in dims(), count in 1i64..5, stride in -20i64..20) for 512 {
            let mut set = Strided::new(start, dims.iter().copied());
            let wanted = elements(start, &dims);
            prop_assert_eq!(&all(&set), &wanted);
            prop_assert_eq!((Some(&set.start), Some(&set.last)), (wanted.first(), wanted.last()));
            prop_assert_eq!(set.dense(), wanted.len() as i64 == set.last - set.start + 1);
            if let Some(slices) = set.slices() {
                prop_assert_eq!(slices.flat_map(|slice| all(&slice)).collect::<BTreeSet<i64>>(), wanted);
            }
            set.repeat(count, stride);
            let repeated: Vec<(i64, i64)> = dims.into_iter().chain([(count, stride)]).collect();
            prop_assert_eq!(all(&set), elements(start, &repeated));
        }

        fn a_union_is_exact(a in sets(), b in sets()) for 512 {
            if let Some(both) = a.joined(&b) {
                prop_assert_eq!(all(&both), &all(&a) | &all(&b));
                prop_assert!(both.dims.len() <= a.dims.len().max(b.dims.len()));
            }
        }

        fn meetings_are_found(a in sets(), b in sets()) for 512 {
            let (a_all, b_all) = (all(&a), all(&b));
            let first = a_all.intersection(&b_all).next();
            prop_assert_eq!(a.meets(&b), Ok(first.is_some()));
            let found = a.first_in(&b).unwrap();
            prop_assert_eq!(found.is_some(), first.is_some());
            prop_assert!(found.is_none_or(|element| a_all.contains(&element) && b_all.contains(&element)));
        }
    }

    /// The second half of the set meets the other where the search looks first; what it does in the first half is not known.
    #[test]
    fn an_element_that_is_not_found_may_be_there() {
        let strides = [
            1_144_272_509,
            1_611_178_002,
            1_909_925_047,
            1_861_425_548,
            1_820_096_753,
        ];
        let other = Strided::new(0, strides.map(|stride| (200, stride)));
        let at = 100 * strides[2];
        let step = 1_000_000_000;
        let set = Strided::new(at - step, [(2, step)]);
        assert_eq!(set.meets(&other), Ok(true));
        assert_eq!(set.first_in(&other), Err(TooHard));
    }

    #[test]
    fn whole_tensors_are_one_run() {
        let run = |dims: &[(i64, i64)], elements| {
            assert_eq!(Strided::new(0, dims.iter().copied()).dims, [(elements, 1)]);
        };
        // Rows of pixels of 5 blocks of 16 channels, visited block by block, and a 3x3 window over all of it.
        run(&[(16, 1), (28, 80), (28, 2240), (5, 16)], 28 * 28 * 80);
        run(
            &[(26, 2240), (26, 80), (3, 2240), (3, 80), (80, 1)],
            28 * 28 * 80,
        );
    }

    #[test]
    fn neighbours_are_one_set() {
        let set = |start, dims: &[(i64, i64)]| Strided::new(start, dims.iter().copied());
        let joined = |a: &Strided, b: &Strided, whole: Option<Strided>| {
            assert_eq!(a.joined(b), whole);
            assert_eq!(b.joined(a), whole);
        };
        // Windows of channels side by side, and the same with a gap.
        let (left, right) = (set(0, &[(3, 1), (10, 8)]), set(3, &[(5, 1), (10, 8)]));
        joined(&left, &right, Some(set(0, &[(80, 1)])));
        joined(&left, &set(4, &[(4, 1), (10, 8)]), None);
        // Full tiles and the last, which is a single pixel.
        joined(
            &set(0, &[(2, 1), (6, 10)]),
            &set(60, &[(2, 1)]),
            Some(set(0, &[(2, 1), (7, 10)])),
        );
        joined(
            &set(0, &[(2, 1)]),
            &set(10, &[(2, 1), (6, 10)]),
            Some(set(0, &[(2, 1), (7, 10)])),
        );
        // Even and odd pixels.
        joined(
            &set(0, &[(4, 2)]),
            &set(1, &[(4, 2)]),
            Some(set(0, &[(8, 1)])),
        );
        // One within the other, and one that ends within the other.
        joined(
            &set(0, &[(2, 1), (6, 10)]),
            &set(20, &[(2, 1), (2, 10)]),
            Some(set(0, &[(2, 1), (6, 10)])),
        );
        joined(
            &set(0, &[(2, 1), (6, 10)]),
            &set(20, &[(2, 1), (5, 10)]),
            Some(set(0, &[(2, 1), (7, 10)])),
        );
    }
}
