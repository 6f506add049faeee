//! `head yolo1`: YOLO's first version (Redmon et al. 2016, darknet's detection_layer.c).

use super::constant::constant;
use super::select::Found;
use super::{
    Answer, AnswerError, BBox, Decode, DecodeError, Detection, Placement, Select, Settings, Tensor,
    raw,
};

/// A vector of class probabilities of every cell, then the confidences of its boxes,
/// then the boxes: centre within the cell, and the square roots of the sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Yolo1 {
    /// Cells along each side.
    pub side: usize,
    /// Boxes of each cell.
    pub boxes: usize,
    /// Classes.
    pub classes: usize,
    /// Which boxes are kept.
    pub select: Select,
}

constant!(struct Yolo1 { side, boxes, classes, select });

impl Yolo1 {
    /// Detections of a vector, in the order of its cells.
    ///
    /// # Errors
    /// When the vector has another length than `side² · (classes + 5 · boxes)`.
    pub fn decode(&self, raw: &[f32]) -> Result<Vec<Detection>, DecodeError> {
        let &Yolo1 {
            side,
            boxes,
            classes,
            ..
        } = self;
        let per_cell = boxes
            .checked_mul(5)
            .and_then(|boxes| boxes.checked_add(classes));
        let cells = side.checked_mul(side);
        let needed = cells.and_then(|cells| cells.checked_mul(per_cell?));
        let (Some(cells), true) = (cells, needed == Some(raw.len())) else {
            return Err(DecodeError {
                needed,
                found: raw.len(),
            });
        };
        let (probabilities, rest) = raw.split_at(cells * classes);
        let (confidences, corners) = rest.split_at(cells * boxes);
        let side = side as f32;
        let mut found = Found::new(self.select);
        let (corners, _) = corners.as_chunks::<4>();
        for (index, (&confidence, [x, y, w, h])) in confidences.iter().zip(corners).enumerate() {
            let cell = index / boxes;
            let (column, row) = ((cell % self.side) as f32, (cell / self.side) as f32);
            let bbox = || BBox::around((x + column) / side, (y + row) / side, w * w, h * h);
            let classes = &probabilities[cell * classes..][..classes];
            found.add(confidence, classes.iter().copied(), bbox);
        }
        Ok(found.detections)
    }
}

impl Decode for Yolo1 {
    fn answer(&self, outputs: &[Tensor<'_>], place: &Placement) -> Result<Answer, AnswerError> {
        let found = self.decode(raw(outputs)?.data)?;
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
    use super::super::{Labels, grid::tests::close};
    use super::*;

    #[test]
    fn v1_is_a_vector_of_probabilities_confidences_and_boxes() {
        let head = Yolo1 {
            side: 2,
            boxes: 2,
            classes: 2,
            select: Select::above(0.2, Labels::Best),
        };
        let mut raw = vec![0.0; 4 * (2 + 2 * 5)];
        // Cell 3 (row 1, column 1), class 1, its second box.
        raw[3 * 2 + 1] = 0.8;
        raw[8 + 3 * 2 + 1] = 0.5;
        raw[16 + (3 * 2 + 1) * 4..][..4].copy_from_slice(&[0.5, 0.0, 0.5, 1.0]);
        let found = head.decode(&raw).unwrap();
        assert_eq!(found.len(), 1);
        close(&found[0], 1, 0.4, [0.625, 0.0, 0.875, 1.0]);
    }

    #[test]
    fn without_classes_the_score_is_the_confidence() {
        let head = Yolo1 {
            side: 1,
            boxes: 1,
            classes: 0,
            select: Select::above(0.5, Labels::Best),
        };
        let found = head.decode(&[0.75, 0.5, 0.5, 1.0, 0.5]).unwrap();
        close(&found[0], 0, 0.75, [0.0, 0.375, 1.0, 0.625]);
    }

    #[test]
    fn more_than_can_be_counted_is_refused() {
        let head = Yolo1 {
            side: usize::MAX,
            boxes: 2,
            classes: 20,
            select: Select::above(0.2, Labels::Best),
        };
        assert_eq!(head.decode(&[0.0]).unwrap_err().needed, None);
    }
}
