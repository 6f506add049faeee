//! `head pitch`: the pitch of a sound, from the activations of bins along a scale.

use super::constant::constant;
use super::{Answer, AnswerError, Decode, Placement, Settings, Tensor, Tone, raw, top_k};

/// Bins of equal width in cents, as [CREPE](https://arxiv.org/abs/1802.06182) has them: a bin of `c` cents is the frequency
/// `10 · 2^(c / 1200)` Hz.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pitch {
    /// Cents of the first bin.
    pub first: f32,
    /// Cents from one bin to the next.
    pub step: f32,
    /// How many bins on either side of the best one are averaged with it.
    pub around: usize,
}

constant!(struct Pitch { first, step, around });

impl Pitch {
    /// The frequency in Hz, and the activation of the best bin: the mean of the bins around that one, weighted by their
    /// activations. `None` where no bin is active.
    pub fn pitch(&self, activations: &[f32]) -> Option<(f32, f32)> {
        let &(best, activation) = top_k(activations, 1).first()?;
        let from = best.saturating_sub(self.around);
        let to = best.saturating_add(self.around).min(activations.len() - 1);
        let (mut sum, mut weights) = (0.0, 0.0);
        for (bin, &weight) in activations.iter().enumerate().take(to + 1).skip(from) {
            let cents = f64::from(self.first) + f64::from(self.step) * bin as f64;
            sum += cents * f64::from(weight);
            weights += f64::from(weight);
        }
        let hertz = 10.0 * (sum / weights / 1200.0).exp2();
        (weights > 0.0).then_some((hertz as f32, activation))
    }
}

impl Decode for Pitch {
    fn answer(&self, outputs: &[Tensor<'_>], _: &Placement) -> Result<Answer, AnswerError> {
        let found = self.pitch(raw(outputs)?.data);
        Ok(Answer::Pitch(Tone {
            hertz: found.map(|(hertz, _)| hertz),
            confidence: found.map_or(0.0, |(_, confidence)| confidence),
        }))
    }

    fn settings(&mut self) -> Settings<'_> {
        Settings::default()
    }

    fn classes(&self) -> Option<usize> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Pitch;

    const BINS: Pitch = Pitch {
        first: 1200.0,
        step: 600.0,
        around: 1,
    };

    #[test]
    fn one_bin_is_its_frequency() {
        assert_eq!(BINS.pitch(&[0.0, 0.0, 0.5, 0.0]), Some((40.0, 0.5)));
    }

    #[test]
    fn bins_around_the_best_count_by_their_activation() {
        // Bins of 1800 and 2400 cents, three to one; what is farther off does not count.
        let (hertz, activation) = BINS.pitch(&[0.0, 0.75, 0.25, 0.0, 0.7]).unwrap();
        assert!((hertz - 10.0 * (1950.0f32 / 1200.0).exp2()).abs() < 1e-3);
        assert_eq!(activation, 0.75);
        // The best one is the first.
        assert_eq!(BINS.pitch(&[0.5, 0.0, 0.4]), Some((20.0, 0.5)));
    }

    #[test]
    fn silence_has_no_pitch() {
        assert_eq!(BINS.pitch(&[0.0; 4]), None);
        assert_eq!(BINS.pitch(&[]), None);
        assert_eq!(BINS.pitch(&[f32::NAN; 2]), None);
    }
}
