//! The receiver operating characteristic: which share of unlike pairs is accepted for which share of alike ones.

use super::compare::far_if_none;

/// The curve of a comparison, over all thresholds.
#[derive(Clone, Debug, PartialEq)]
pub struct Roc {
    /// Steps from accepting nothing to accepting everything.
    pub steps: Vec<Step>,
    /// Pairs that are alike, and pairs that are not.
    pub pairs: (usize, usize),
}

/// What accepting up to a distance comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The distance.
    pub threshold: f32,
    /// Share of the unlike pairs that are accepted.
    pub false_accepts: f64,
    /// Share of the alike pairs that are accepted.
    pub true_accepts: f64,
}

impl Step {
    /// Share of the alike pairs that are rejected.
    pub fn false_rejects(&self) -> f64 {
        1.0 - self.true_accepts
    }
}

impl Roc {
    /// Of distances, and whether each is of an alike pair; `None` unless there are pairs of both kinds.
    pub fn of(mut distances: Vec<(f32, bool)>) -> Option<Roc> {
        let alike = distances.iter().filter(|(_, alike)| *alike).count();
        let unlike = distances.len() - alike;
        if alike == 0 || unlike == 0 {
            return None;
        }
        for (distance, _) in &mut distances {
            *distance = far_if_none(*distance);
        }
        distances.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut steps = vec![Step {
            threshold: f32::NEG_INFINITY,
            false_accepts: 0.0,
            true_accepts: 0.0,
        }];
        let mut accepted = (0, 0);
        // Equal distances are accepted together.
        for equal in distances.chunk_by(|one, other| one.0.total_cmp(&other.0).is_eq()) {
            let of_alike = equal.iter().filter(|(_, alike)| *alike).count();
            accepted = (accepted.0 + of_alike, accepted.1 + equal.len() - of_alike);
            steps.push(Step {
                threshold: equal[0].0,
                false_accepts: accepted.1 as f64 / unlike as f64,
                true_accepts: accepted.0 as f64 / alike as f64,
            });
        }
        Some(Roc {
            steps,
            pairs: (alike, unlike),
        })
    }

    /// The area under the curve: how likely an alike pair is nearer than an unlike one, equal ones counting half (J. Hanley and B. McNeil 1982).
    pub fn area(&self) -> f64 {
        let steps = self.steps.windows(2);
        let parts = steps.map(|step| {
            let wide = step[1].false_accepts - step[0].false_accepts;
            wide * 0.5 * (step[0].true_accepts + step[1].true_accepts)
        });
        parts.sum()
    }

    /// The rate at which as many alike pairs are rejected as unlike ones are accepted, between two steps on the straight line, and the distance from which on no less are accepted.
    pub fn equal_error(&self) -> (f64, f32) {
        let balance = |step: &Step| step.false_rejects() - step.false_accepts;
        // The last step accepts everything.
        let at = self.steps.iter().position(|step| balance(step) <= 0.0);
        let at = at.unwrap_or(self.steps.len() - 1).max(1);
        let (before, behind) = (&self.steps[at - 1], &self.steps[at]);
        let share = balance(before) / (balance(before) - balance(behind));
        let rate = before.false_accepts + share * (behind.false_accepts - before.false_accepts);
        (rate, behind.threshold)
    }

    /// What accepting up to a distance comes to.
    pub fn at(&self, threshold: f32) -> Step {
        let accepted = self.steps.iter().rev();
        let mut accepted = accepted.filter(|step| step.threshold <= threshold);
        let last = accepted.next().unwrap_or(&self.steps[0]);
        Step { threshold, ..*last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of alike pairs at 1, 2 and 4, and unlike ones at 3, 4, 5 and 6: of twelve comparisons one is wrong, and one is even.
    #[test]
    fn the_area_is_the_share_of_comparisons_that_are_right() {
        let pairs = [(1.0, true), (2.0, true), (4.0, true)];
        let unlike = [3.0, 4.0, 5.0, 6.0].map(|far| (far, false));
        let roc = Roc::of(pairs.into_iter().chain(unlike).collect()).expect("both kinds");
        assert_eq!(roc.pairs, (3, 4));
        assert!((roc.area() - 10.5 / 12.0).abs() < 1e-12);
        // Up to 3 a third is rejected and a quarter accepted, up to 4 none and a half: on the line between, 1/3 − u/3 = 1/4 + u/4.
        let (rate, threshold) = roc.equal_error();
        let share: f64 = (1.0 / 3.0 - 1.0 / 4.0) / (1.0 / 3.0 + 1.0 / 4.0);
        assert!((rate - (0.25 + 0.25 * share)).abs() < 1e-12, "{rate}");
        assert_eq!(threshold, 4.0);
        let at = roc.at(3.5);
        assert_eq!((at.false_accepts, at.threshold), (0.25, 3.5));
        assert!((at.false_rejects() - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(roc.at(0.5).true_accepts, 0.0);
    }

    #[test]
    fn perfect_hopeless_and_collapsed_comparisons() {
        let area = |alike: f32, unlike: f32| {
            let roc = Roc::of(vec![(alike, true), (unlike, false)]).expect("both kinds");
            (roc.area(), roc.equal_error().0)
        };
        assert_eq!(area(1.0, 2.0), (1.0, 0.0));
        assert_eq!(area(2.0, 1.0), (0.0, 1.0));
        assert_eq!(area(1.0, 1.0), (0.5, 0.5));
        // What is not a number is farther than everything.
        for none in [f32::NAN, -f32::NAN] {
            assert_eq!(area(1.0, none), (1.0, 0.0));
            assert_eq!(area(none, 1.0), (0.0, 1.0));
        }
        assert_eq!(Roc::of(vec![(1.0, true)]), None);
    }
}
