//! Arithmetic progressions: the values of one digit of a strided set.

/// `first + step·i` for `0 ≤ i < count`. There is at least one; the step of a single one is 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Progression {
    /// The least.
    pub first: i64,
    /// How many there are.
    pub count: i64,
    /// From each to the next.
    pub step: i64,
}

impl Progression {
    pub fn new(first: i64, count: i64, step: i64) -> Progression {
        let step = if count == 1 { 1 } else { step };
        Progression { first, count, step }
    }

    /// The greatest.
    pub fn last(&self) -> i64 {
        self.first + (self.count - 1) * self.step
    }

    /// What is in both, by the Chinese remainder theorem.
    pub fn and(&self, other: &Progression) -> Option<Progression> {
        let (divisor, inverse) = euclid(self.step, other.step);
        let apart = other.first - self.first;
        if apart % divisor != 0 {
            return None;
        }
        // Of every `period` values of `self`, one is congruent to `other`.
        let period = i128::from(other.step / divisor);
        let index = (i128::from(apart / divisor) * i128::from(inverse)).rem_euclid(period);
        let (first, step) = (i128::from(self.first), i128::from(self.step));
        let (congruent, step) = (first + index * step, step * period);
        let from = i128::from(self.first.max(other.first));
        let to = i128::from(self.last().min(other.last()));
        // The least of them that is not below `from`.
        let least = congruent + (from - congruent + step - 1).div_euclid(step) * step;
        let count = (to - least).div_euclid(step) + 1;
        // A step too long for its type is one that is never made.
        (least <= to).then(|| Progression::new(least as i64, count as i64, step as i64))
    }

    /// How many progressions [`Progression::without`] makes, at most.
    pub fn pieces(&self, part: &Progression) -> i64 {
        (part.step / self.step).max(1) + 1
    }

    /// What is not in `part`, which is what [`Progression::and`] gave.
    pub fn without(&self, part: &Progression) -> impl Iterator<Item = Progression> {
        let whole = *self;
        let from_index = move |index: i64, count: i64, step: i64| {
            let first = whole.first + index * whole.step;
            Progression::new(first, count, step * whole.step)
        };
        let below = (part.first - self.first) / self.step;
        let above = (part.last() - self.first) / self.step + 1;
        let (gaps, step) = match part.count {
            1 => (0, 1),
            count => (count - 1, part.step / self.step),
        };
        let between = (1..step).map(move |shift| from_index(below + shift, gaps, step));
        let ends = [(0, below), (above, self.count - above)];
        let ends = ends.into_iter().filter(|&(_, count)| count > 0);
        between.chain(ends.map(move |(index, count)| from_index(index, count, 1)))
    }
}

/// The greatest common divisor of two positive numbers, and what times `a` is that divisor modulo `b`.
pub(super) fn euclid(a: i64, b: i64) -> (i64, i64) {
    let (mut old, mut new) = ((a, 1), (b, 0));
    while new.0 != 0 {
        let quotient = old.0 / new.0;
        (old, new) = (new, (old.0 - quotient * new.0, old.1 - quotient * new.1));
    }
    old
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(progression: &Progression) -> Vec<i64> {
        let Progression { first, count, step } = *progression;
        (0..count).map(|i| first + i * step).collect()
    }

    fn progressions() -> impl Strategy<Value = Progression> {
        (-20i64..20, 1i64..12, 1i64..16)
            .prop_map(|(first, count, step)| Progression::new(first, count, step))
    }

    cnnc_testing::properties! {
        fn both_are_a_set(a in progressions(), b in progressions()) for 1024 {
            let others = values(&b);
            let (both, rest): (Vec<i64>, Vec<i64>) = values(&a).into_iter().partition(|value| others.contains(value));
            let part = a.and(&b);
            prop_assert_eq!(part.as_ref().map(values).unwrap_or_default(), both);
            if let Some(part) = part {
                let pieces: Vec<Progression> = a.without(&part).collect();
                prop_assert!(pieces.len() as i64 <= a.pieces(&part));
                let mut found: Vec<i64> = pieces.iter().flat_map(values).collect();
                found.sort_unstable();
                prop_assert_eq!(found, rest);
            }
        }
    }

    #[test]
    fn steps_may_be_long() {
        let long = |first, step| Progression::new(first, 3, step);
        let (a, b) = (long(0, (1 << 47) - 1), long(1, (1 << 47) - 3));
        assert_eq!(a.and(&b), None);
        let (a, b) = (long(0, (1 << 47) - 1), long(0, (1 << 47) - 3));
        assert_eq!(a.and(&b), Some(Progression::new(0, 1, 1)));
    }
}
