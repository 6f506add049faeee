//! `head boxes`: one box, and what is in it.

use super::constant::constant;
use super::presence::presence;
use super::{
    Answer, AnswerError, BBox, Decode, Detection, Placement, Settings, Tensor, raw, top_k,
};

/// A vector: a logit of whether there is anything, if `presence` is on, four numbers of the box, a logit for each class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Locate {
    /// Whether the first value says that there is anything.
    pub presence: bool,
    /// Whether the box is left, top, right, bottom instead of centre and size.
    pub corners: bool,
    /// Classes; none if the box alone is the answer.
    pub classes: usize,
    /// Least probability that there is anything.
    pub keep: f32,
}

constant!(struct Locate { presence, corners, classes, keep });

impl Decode for Locate {
    fn answer(&self, outputs: &[Tensor<'_>], place: &Placement) -> Result<Answer, AnswerError> {
        let (there, rest) = presence(raw(outputs)?.data, self.presence)?;
        let (&[a, b, c, d], logits) = rest
            .split_first_chunk::<4>()
            .ok_or(AnswerError::Output("four numbers of a box"))?;
        if logits.len() != self.classes {
            return Err(AnswerError::Output("one number for each class"));
        }
        let bbox = if self.corners {
            BBox::new(a, b, c, d)
        } else {
            BBox::around(a, b, c, d)
        };
        let (class, probability) = likeliest(logits);
        let detection = Detection {
            bbox: place.bbox(&bbox),
            class,
            score: there.unwrap_or(1.0) * probability,
        };
        let shown = there.is_none_or(|there| there >= self.keep) && bbox.is_finite();
        Ok(Answer::Boxes(if shown {
            vec![detection]
        } else {
            Vec::new()
        }))
    }

    fn settings(&mut self) -> Settings<'_> {
        Settings {
            keep: self.presence.then_some(&mut self.keep),
            ..Settings::default()
        }
    }

    fn classes(&self) -> Option<usize> {
        Some(self.classes)
    }
}

/// The largest of some logits, and its softmax; without any, the class 0 for certain.
fn likeliest(logits: &[f32]) -> (usize, f32) {
    match top_k(logits, 1).first() {
        None => (0, 1.0),
        Some(&(class, best)) => {
            let sum: f32 = logits.iter().map(|logit| (logit - best).exp()).sum();
            (class, 1.0 / sum)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_box_with_its_class() {
        let close = |a: f32, b: f32| (a - b).abs() < 1e-4;
        let place = Placement::letterbox();
        let locate = |presence, corners, classes| Locate {
            presence,
            corners,
            classes,
            keep: 0.5,
        };
        let values = [0.5, 0.5, 0.25, 0.25, 3f32.ln(), 0.0];
        let answer = locate(false, false, 2).answer(&[Tensor::raw(&[6], &values)], &place);
        let Ok(Answer::Boxes(found)) = answer else {
            panic!("{answer:?}");
        };
        assert!(found[0].class == 0 && close(found[0].score, 0.75));
        let bbox = found[0].bbox;
        assert!(
            close(bbox.left, 240.0) && close(bbox.top, 160.0),
            "{bbox:?}"
        );
        assert!(close(bbox.width(), 160.0) && close(bbox.height(), 160.0));
        // Something is there, or not; corners.
        for (logit, count) in [(2.0, 1), (-2.0, 0)] {
            let values = [logit, 0.0, 0.0, 1.0, 1.0];
            let answer = locate(true, true, 0).answer(&[Tensor::raw(&[5], &values)], &place);
            let Ok(Answer::Boxes(found)) = answer else {
                panic!("{answer:?}");
            };
            assert_eq!(found.len(), count);
            // The border is cut off.
            assert!(
                found
                    .iter()
                    .all(|found| found.bbox == BBox::new(0.0, 0.0, 640.0, 480.0))
            );
        }
        let short = locate(true, false, 2).answer(&[Tensor::raw(&[3], &[0.0; 3])], &place);
        assert!(matches!(short, Err(AnswerError::Output(_))));
    }
}
