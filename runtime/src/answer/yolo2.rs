//! `head yolo2`: YOLOv2 (Redmon et al. 2017, darknet's region_layer.c).

use super::constant::constant;
use super::grid::Grid;
use super::presence::sigmoid;
use super::select::Found;
use super::{
    Answer, AnswerError, Decode, DecodeError, Detection, Placement, Select, Settings, Tensor, raw,
};
use crate::plan::List;

/// `(5 + classes)` channels for each anchor; class probabilities by softmax. Without classes, as in the other versions, there is
/// one thing to find, and its score is the objectness.
#[derive(Clone, Debug, PartialEq)]
pub struct Yolo2 {
    /// Width and height of each anchor, in cells.
    pub anchors: List<(f32, f32)>,
    /// Classes.
    pub classes: usize,
    /// Which boxes are kept.
    pub select: Select,
}

constant!(struct Yolo2 { anchors, classes, select });

impl Yolo2 {
    /// Detections of a map of `anchors · (5 + classes)` channels and that many rows and columns.
    ///
    /// # Errors
    /// When the map has another number of values.
    pub fn decode(&self, map: &[f32], extents: [usize; 2]) -> Result<Vec<Detection>, DecodeError> {
        let grid = Grid::new(map, extents, self.anchors.len(), self.classes)?;
        let [rows, columns] = extents;
        let mut found = Found::new(self.select);
        let mut softmax = vec![0.0; self.classes];
        for (anchor, &(width, height)) in self.anchors.iter().enumerate() {
            for cell in 0..grid.cells() {
                let objectness = sigmoid(grid.value(anchor, 4, cell));
                if !found.may(objectness) {
                    continue;
                }
                for (class, value) in softmax.iter_mut().enumerate() {
                    *value = grid.value(anchor, 5 + class, cell);
                }
                let largest = softmax.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                softmax
                    .iter_mut()
                    .for_each(|value| *value = (*value - largest).exp());
                let sum: f32 = softmax.iter().sum();
                let bbox = || {
                    let [x, y, w, h] =
                        [0, 1, 2, 3].map(|channel| grid.value(anchor, channel, cell));
                    let size = (width * w.exp(), height * h.exp());
                    grid.bbox(
                        cell,
                        (sigmoid(x), sigmoid(y)),
                        (size.0 / columns as f32, size.1 / rows as f32),
                    )
                };
                found.add(objectness, softmax.iter().map(|value| value / sum), bbox);
            }
        }
        Ok(found.detections)
    }
}

impl Decode for Yolo2 {
    fn answer(&self, outputs: &[Tensor<'_>], place: &Placement) -> Result<Answer, AnswerError> {
        let raw = raw(outputs)?;
        let found = self.decode(raw.data, raw.extents()?)?;
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
    use super::super::grid::tests::{close, map};
    use super::*;

    fn head(anchors: &[(f32, f32)], classes: usize, select: Select) -> Yolo2 {
        let anchors = anchors.to_vec().into();
        Yolo2 {
            anchors,
            classes,
            select,
        }
    }

    #[test]
    fn v2_has_softmax_and_anchors_in_cells() {
        let head = head(&[(1.0, 2.0)], 2, Select::above(0.5, Labels::Best));
        // Softmax of (ln 3, 0) is (3/4, 1/4), and does not change when both grow.
        for shift in [0.0, 8.0] {
            let values = [0.0, 0.0, 0.0, 0.0, 9f32.ln(), shift + 3f32.ln(), shift];
            let found = head.decode(&map(1, 2, 16, 0, 5, &values), [4, 4]).unwrap();
            assert_eq!(found.len(), 1);
            close(&found[0], 0, 0.9 * 0.75, [0.25, 0.125, 0.5, 0.625]);
        }
        let far = [0.0, 0.0, 0.0, 0.0, 9.0, 900.0, 0.0];
        let found = head.decode(&map(1, 2, 16, 0, 5, &far), [4, 4]).unwrap();
        assert!(found[0].score > 0.99);
    }

    #[test]
    fn without_classes_the_score_is_the_objectness() {
        let head = head(
            &[(1.0, 1.0), (2.0, 1.0)],
            0,
            Select::above(0.5, Labels::Best),
        );
        let map = map(2, 0, 4, 1, 2, &[0.0, 0.0, 0.0, 0.0, 3f32.ln()]);
        // Row 1, column 0 of 2x2: two cells wide, one high.
        let found = head.decode(&map, [2, 2]).unwrap();
        assert_eq!(found.len(), 1);
        close(&found[0], 0, 0.75, [-0.25, 0.5, 0.75, 1.0]);
    }

    #[test]
    fn maps_of_other_sizes_and_numbers_that_are_none() {
        let head = head(&[(1.0, 1.0)], 2, Select::above(0.0, Labels::All));
        let error = head.decode(&[0.0; 27], [2, 2]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the head needs a map of 28 values, not 27"
        );
        let huge = Yolo2 {
            classes: usize::MAX,
            ..head.clone()
        };
        assert_eq!(huge.decode(&[], [2, 2]).unwrap_err().needed, None);
        // An infinite size, and objectness that is no number.
        let far = map(1, 2, 1, 0, 0, &[0.0, 0.0, 200.0, 0.0, 9.0, 9.0, 0.0]);
        assert_eq!(head.decode(&far, [1, 1]).unwrap(), []);
        let nan = map(1, 2, 1, 0, 0, &[0.0, 0.0, 0.0, 0.0, f32::NAN, 9.0, 0.0]);
        assert_eq!(head.decode(&nan, [1, 1]).unwrap(), []);
    }
}
