//! `head verify`: whether inputs are alike.

use super::constant::constant;
use super::{Alike, Answer, AnswerError, Decode, Placement, Settings, Tensor, l2_norm, raw};

/// A score, or a vector whose length is a distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verify {
    /// Whether the output's length is a distance, instead of a score.
    pub distance: bool,
    /// From which score on, or up to which distance, they are.
    pub threshold: f32,
}

constant!(struct Verify { distance, threshold });

impl Decode for Verify {
    fn answer(&self, outputs: &[Tensor<'_>], _: &Placement) -> Result<Answer, AnswerError> {
        let &Verify {
            distance,
            threshold,
        } = self;
        let value = match (distance, raw(outputs)?.data) {
            (true, vector) => l2_norm(vector),
            (false, &[score]) => score,
            (false, _) => return Err(AnswerError::Output("a single score")),
        };
        Ok(Answer::Alike(Alike {
            value,
            distance,
            threshold,
            alike: if distance {
                value <= threshold
            } else {
                value >= threshold
            },
        }))
    }

    fn settings(&mut self) -> Settings<'_> {
        Settings {
            threshold: Some(&mut self.threshold),
            ..Settings::default()
        }
    }

    fn classes(&self) -> Option<usize> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_by_score_or_by_distance() {
        let verify = |distance, threshold| Verify {
            distance,
            threshold,
        };
        let place = Placement::letterbox();
        let alike = |task: Verify, values: &[f32]| {
            let answer = task.answer(&[Tensor::raw(&[values.len()], values)], &place);
            match answer {
                Ok(Answer::Alike(Alike { alike, .. })) => alike,
                other => panic!("{other:?}"),
            }
        };
        assert!(alike(verify(false, 0.5), &[0.5]) && !alike(verify(false, 0.5), &[0.49]));
        assert!(alike(verify(true, 5.0), &[3.0, 4.0]) && !alike(verify(true, 4.9), &[3.0, 4.0]));
        let two = verify(false, 0.5).answer(&[Tensor::raw(&[2], &[0.0; 2])], &place);
        assert!(two.is_err());
    }
}
