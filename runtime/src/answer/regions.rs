//! `head regions`: the decode of R-CNN's descendants: proposed regions, each classified and moved.
//!
//! Girshick et al. 2014 (R-CNN), appendix C; Girshick 2015 (Fast R-CNN). A region with its centre at `x y` and of size `w h`
//! becomes `x + w·dx, y + h·dy, w·e^dw, h·e^dh`, by the four numbers of the class.

use super::constant::constant;
use super::{
    Answer, AnswerError, BBox, Decode, DecodeError, Detection, Placement, Select, Settings, Tensor,
};

/// Largest power of e that a size is multiplied by, as in Detectron and torchvision: 1000 / 16.
const MOST_GROWTH: f32 = 4.135_166_6;

/// Classified and moved regions: class 0 is the background.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regions {
    /// Classes without the background.
    pub classes: usize,
    /// What the four numbers of a class are multiplied by.
    pub std: [f32; 4],
    /// Width and height of the network's input, whose pixels regions are in.
    pub input: (f32, f32),
    /// Which boxes are kept.
    pub select: Select,
}

constant!(struct Regions { classes, std, input, select });

impl Regions {
    /// Detections of `n` regions: `scores` is `(1 + classes) × n` logits, `deltas` is `4·(1 + classes) × n`, `regions` is rows of
    /// left, top, right, bottom (the last four of five, if there are five). Boxes are in fractions of the input.
    ///
    /// # Errors
    /// When they do not have these sizes.
    pub fn decode(
        &self,
        scores: &[f32],
        deltas: &[f32],
        regions: &[f32],
        n: usize,
    ) -> Result<Vec<Detection>, DecodeError> {
        let columns = regions.len().checked_div(n).unwrap_or(4);
        let all = self.classes.checked_add(1);
        let sizes = [
            (all.and_then(|all| all.checked_mul(n)), scores.len()),
            (
                all.and_then(|all| all.checked_mul(4)?.checked_mul(n)),
                deltas.len(),
            ),
            (columns.clamp(4, 5).checked_mul(n), regions.len()),
        ];
        for (needed, found) in sizes {
            if needed != Some(found) {
                return Err(DecodeError { needed, found });
            }
        }
        let mut found = Vec::new();
        for (index, row) in regions.chunks_exact(columns).enumerate() {
            let &[left, top, right, bottom] = row.last_chunk::<4>().unwrap_or(&[0.0; 4]);
            let region = BBox::new(left, top, right, bottom);
            let logit = |class: usize| scores[class * n + index];
            let largest = (0..=self.classes)
                .map(logit)
                .fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = (0..=self.classes)
                .map(|class| (logit(class) - largest).exp())
                .sum();
            let probabilities =
                (1..=self.classes).map(|class| (class, (logit(class) - largest).exp() / sum));
            let likely = self.select.likely(probabilities);
            for (class, score) in likely {
                let delta = |axis: usize| deltas[(4 * class + axis) * n + index] * self.std[axis];
                let (x, y) = region.centre();
                let (width, height) = (region.width(), region.height());
                let grown = |size: f32, power: f32| size * power.min(MOST_GROWTH).exp();
                let (across, down) = self.input;
                let bbox = BBox::around(
                    (x + width * delta(0)) / across,
                    (y + height * delta(1)) / down,
                    grown(width, delta(2)) / across,
                    grown(height, delta(3)) / down,
                );
                if bbox.is_finite() {
                    let class = class - 1;
                    found.push(Detection { bbox, class, score });
                }
            }
        }
        Ok(found)
    }
}

impl Decode for Regions {
    fn answer(&self, outputs: &[Tensor<'_>], place: &Placement) -> Result<Answer, AnswerError> {
        let [scores, deltas, regions, ..] = outputs else {
            return Err(AnswerError::Output("scores, deltas and regions"));
        };
        let count = regions.shape.first().copied().unwrap_or(0);
        let found = self.decode(scores.data, deltas.data, regions.data, count)?;
        Ok(self.select.answer(found, place))
    }

    fn settings(&mut self) -> Settings<'_> {
        self.select.settings()
    }

    fn classes(&self) -> Option<usize> {
        Some(self.classes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Labels;
    use super::*;

    fn head(labels: Labels) -> Regions {
        Regions {
            classes: 2,
            std: [0.1, 0.1, 0.2, 0.2],
            input: (100.0, 200.0),
            select: Select::above(0.05, labels),
        }
    }

    #[test]
    fn regions_are_moved_by_the_numbers_of_their_class() {
        // Two regions; the first is of class 1 (of 0..2) and moves half its width to the right, doubling its height.
        let scores = [0.0, 9.0, 3f32.ln(), 0.0, 4f32.ln(), 0.0];
        let mut deltas = [0.0; 24];
        deltas[(4 * 2) * 2] = 5.0;
        deltas[(4 * 2 + 3) * 2] = 2f32.ln() / 0.2;
        let regions = [10.0, 20.0, 30.0, 60.0, 0.0, 0.0, 50.0, 50.0];
        let found = head(Labels::Best)
            .decode(&scores, &deltas, &regions, 2)
            .unwrap();
        assert_eq!((found.len(), found[0].class), (1, 1));
        assert!((found[0].score - 0.5).abs() < 1e-6);
        let bbox = found[0].bbox;
        let sides = [bbox.left, bbox.top, bbox.right, bbox.bottom];
        for (side, wanted) in sides.iter().zip([0.2, 0.0, 0.4, 0.4]) {
            assert!((side - wanted).abs() < 1e-6, "{bbox:?}");
        }
        // Every class that is likely enough; an index in front of each region.
        let indexed = [0.0, 10.0, 20.0, 30.0, 60.0, 0.0, 0.0, 0.0, 50.0, 50.0];
        let all = head(Labels::All)
            .decode(&scores, &deltas, &indexed, 2)
            .unwrap();
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn other_sizes_are_refused() {
        let head = head(Labels::Best);
        assert!(head.decode(&[0.0; 5], &[0.0; 24], &[0.0; 8], 2).is_err());
        assert!(head.decode(&[0.0; 6], &[0.0; 23], &[0.0; 8], 2).is_err());
        assert!(head.decode(&[0.0; 6], &[0.0; 24], &[0.0; 6], 2).is_err());
        assert_eq!(head.decode(&[], &[], &[], 0), Ok(vec![]));
        let huge = Regions {
            classes: usize::MAX,
            ..head
        };
        assert!(huge.decode(&[], &[], &[], 1).is_err());
        // A size that grows beyond bounds is held, one that is no number is dropped.
        let mut deltas = [0.0; 24];
        deltas[(4 + 2) * 2] = 1e9;
        deltas[(4 + 2) * 2 + 1] = f32::NAN;
        let regions = [0.0, 0.0, 10.0, 10.0, 0.0, 0.0, 10.0, 10.0];
        let found = head.decode(&[0.0, 0.0, 9.0, 9.0, 0.0, 0.0], &deltas, &regions, 2);
        let found = found.unwrap();
        assert!(found.iter().all(|found| found.bbox.is_finite()));
    }
}
