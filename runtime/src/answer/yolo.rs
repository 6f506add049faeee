//! The three decodes of YOLO: from a raw map to boxes with classes and scores.
//!
//! σ is the logistic function, `x y` a cell's column and row; sizes and positions come out as fractions of the
//! network's input. Redmon et al. 2016 (v1), 2017 (v2), 2018 (v3), and darknet's detection_layer.c,
//! region_layer.c and yolo_layer.c.

use super::{BBox, Detection};
use std::fmt;

/// How many detections one box may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// One, of the likeliest class.
    Best,
    /// One for every class whose score is high enough, as darknet's own command line has it.
    All,
}

/// A map that is not what the decode needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Values that the head's numbers make, if they can be counted.
    pub needed: Option<usize>,
    /// Values of the map.
    pub found: usize,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.needed {
            Some(needed) => write!(
                f,
                "the head needs a map of {needed} values, not {}",
                self.found
            ),
            None => f.write_str("the head's anchors and classes are more than can be counted"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// YOLOv1: a vector of class probabilities of every cell, then the confidences of its boxes,
/// then the boxes: centre within the cell, and the square roots of the sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Yolo1 {
    /// Cells along one side.
    pub side: usize,
    /// Boxes of one cell.
    pub boxes: usize,
    /// Classes.
    pub classes: usize,
    /// Least score.
    pub keep: f32,
    /// Detections per box.
    pub labels: Labels,
}

/// YOLOv2: `(5 + classes)` channels for each anchor; class probabilities by softmax. Without classes, as in the other versions, there is
/// one thing to find, and its score is the objectness.
#[derive(Clone, Debug, PartialEq)]
pub struct Yolo2 {
    /// Width and height of each anchor, in cells.
    pub anchors: Vec<(f32, f32)>,
    /// Classes.
    pub classes: usize,
    /// Least score.
    pub keep: f32,
    /// Detections per box.
    pub labels: Labels,
}

/// YOLOv3 and v4, one of its maps: `(5 + classes)` channels for each anchor; classes are
/// independent of each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Yolo3 {
    /// Width and height of each anchor of this map, as fractions of the network's input.
    pub anchors: Vec<(f32, f32)>,
    /// Classes.
    pub classes: usize,
    /// Least score.
    pub keep: f32,
    /// Detections per box.
    pub labels: Labels,
    /// Stretches the centre beyond its cell (`scale_x_y` of v4): 1 does not.
    pub stretch: f32,
    /// Whether the map's values are logistic already and sizes are `(2·t)²` instead of `eᵗ`
    /// (`new_coords` of the scaled v4).
    pub squared: bool,
}

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
        let mut found = Found::new(self.keep, self.labels);
        let (corners, _) = corners.as_chunks::<4>();
        for (index, (&confidence, [x, y, w, h])) in confidences.iter().zip(corners).enumerate() {
            let cell = index / boxes;
            let (column, row) = ((cell % self.side) as f32, (cell / self.side) as f32);
            let bbox = || BBox::around((x + column) / side, (y + row) / side, w * w, h * h);
            let classes = &probabilities[cell * classes..][..classes];
            let classes = classes.iter().copied().chain(found.only(self.classes));
            found.add(confidence, classes, bbox);
        }
        Ok(found.detections)
    }
}

impl Yolo2 {
    /// Detections of a map of `anchors · (5 + classes)` channels and that many rows and columns.
    ///
    /// # Errors
    /// When the map has another number of values.
    pub fn decode(
        &self,
        map: &[f32],
        rows: usize,
        columns: usize,
    ) -> Result<Vec<Detection>, DecodeError> {
        let grid = Grid::new(map, rows, columns, self.anchors.len(), self.classes)?;
        let mut found = Found::new(self.keep, self.labels);
        let mut softmax = vec![0.0; self.classes];
        for (anchor, &(width, height)) in self.anchors.iter().enumerate() {
            for cell in 0..rows * columns {
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
                let classes = softmax.iter().map(|value| value / sum);
                let classes = classes.chain(found.only(self.classes));
                found.add(objectness, classes, bbox);
            }
        }
        Ok(found.detections)
    }
}

impl Yolo3 {
    /// Detections of a map of `anchors · (5 + classes)` channels and that many rows and columns.
    ///
    /// # Errors
    /// When the map has another number of values.
    pub fn decode(
        &self,
        map: &[f32],
        rows: usize,
        columns: usize,
    ) -> Result<Vec<Detection>, DecodeError> {
        let grid = Grid::new(map, rows, columns, self.anchors.len(), self.classes)?;
        let mut found = Found::new(self.keep, self.labels);
        let logistic = |value: f32| if self.squared { value } else { sigmoid(value) };
        let centre = |value| logistic(value) * self.stretch - (self.stretch - 1.0) / 2.0;
        let size = |value: f32| {
            if self.squared {
                (2.0 * value).powi(2)
            } else {
                value.exp()
            }
        };
        for (anchor, &(width, height)) in self.anchors.iter().enumerate() {
            for cell in 0..rows * columns {
                let objectness = logistic(grid.value(anchor, 4, cell));
                if !found.may(objectness) {
                    continue;
                }
                let bbox = || {
                    let [x, y, w, h] =
                        [0, 1, 2, 3].map(|channel| grid.value(anchor, channel, cell));
                    grid.bbox(
                        cell,
                        (centre(x), centre(y)),
                        (width * size(w), height * size(h)),
                    )
                };
                let classes = 5..5 + self.classes;
                let classes = classes.map(|channel| logistic(grid.value(anchor, channel, cell)));
                let classes = classes.chain(found.only(self.classes));
                found.add(objectness, classes, bbox);
            }
        }
        Ok(found.detections)
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// A map of `anchors · (5 + classes)` channels.
struct Grid<'a> {
    map: &'a [f32],
    rows: usize,
    columns: usize,
    channels: usize,
}

impl<'a> Grid<'a> {
    fn new(
        map: &'a [f32],
        rows: usize,
        columns: usize,
        anchors: usize,
        classes: usize,
    ) -> Result<Grid<'a>, DecodeError> {
        let channels = classes.checked_add(5);
        let factors = [channels, Some(anchors), Some(rows), Some(columns)];
        let needed = factors
            .into_iter()
            .try_fold(1usize, |n, factor| n.checked_mul(factor?));
        match (needed, channels) {
            (Some(needed), Some(channels)) if needed == map.len() => Ok(Grid {
                map,
                rows,
                columns,
                channels,
            }),
            _ => Err(DecodeError {
                needed,
                found: map.len(),
            }),
        }
    }

    fn value(&self, anchor: usize, channel: usize, cell: usize) -> f32 {
        self.map[(anchor * self.channels + channel) * self.rows * self.columns + cell]
    }

    /// The box with its centre at that place within the cell.
    fn bbox(&self, cell: usize, (x, y): (f32, f32), (width, height): (f32, f32)) -> BBox {
        let (column, row) = ((cell % self.columns) as f32, (cell / self.columns) as f32);
        BBox::around(
            (x + column) / self.columns as f32,
            (y + row) / self.rows as f32,
            width,
            height,
        )
    }
}

/// What has been found, and what may be.
struct Found {
    keep: f32,
    labels: Labels,
    detections: Vec<Detection>,
}

impl Found {
    fn new(keep: f32, labels: Labels) -> Found {
        Found {
            keep,
            labels,
            detections: Vec::new(),
        }
    }

    /// Whether a box of this objectness can reach the threshold: probabilities are at most 1.
    fn may(&self, objectness: f32) -> bool {
        objectness > self.keep
    }

    /// The probability of the only class of a detector without classes: whatever it finds is of it.
    fn only(&self, classes: usize) -> Option<f32> {
        (classes == 0).then_some(1.0)
    }

    fn add(
        &mut self,
        objectness: f32,
        classes: impl Iterator<Item = f32>,
        bbox: impl FnOnce() -> BBox,
    ) {
        if !self.may(objectness) {
            return;
        }
        let scores = classes
            .map(|probability| objectness * probability)
            .enumerate();
        let mut high: Vec<(usize, f32)> = scores.filter(|(_, score)| *score > self.keep).collect();
        if self.labels == Labels::Best {
            // The first of equal ones.
            high.sort_by(|a, b| b.1.total_cmp(&a.1));
            high.truncate(1);
        }
        if high.is_empty() {
            return;
        }
        let bbox = bbox();
        if bbox.is_finite() {
            let detection = |(class, score)| Detection { bbox, class, score };
            self.detections.extend(high.into_iter().map(detection));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: &Detection, class: usize, score: f32, bbox: [f32; 4]) {
        let BBox {
            left,
            top,
            right,
            bottom,
        } = found.bbox;
        let near = |a: f32, b: f32| (a - b).abs() < 1e-5;
        let same = [left, top, right, bottom]
            .iter()
            .zip(bbox)
            .all(|(a, b)| near(*a, b));
        assert!(
            found.class == class && near(found.score, score) && same,
            "{found:?}"
        );
    }

    /// A map of zeros with one cell filled.
    fn map(
        anchors: usize,
        classes: usize,
        cells: usize,
        anchor: usize,
        cell: usize,
        values: &[f32],
    ) -> Vec<f32> {
        let mut map = vec![-20.0; anchors * (5 + classes) * cells];
        for (channel, value) in values.iter().enumerate() {
            map[(anchor * (5 + classes) + channel) * cells + cell] = *value;
        }
        map
    }

    #[test]
    fn v3_is_logistic_throughout() {
        let head = Yolo3 {
            anchors: vec![(0.1, 0.2), (0.25, 0.5)],
            classes: 3,
            keep: 0.5,
            labels: Labels::Best,
            stretch: 1.0,
            squared: false,
        };
        // Row 1, column 2 of 2x4: centre (2.5/4, 1.5/2); twice the anchor's width, its height.
        let values = [
            0.0,
            0.0,
            2f32.ln(),
            0.0,
            3f32.ln(),
            -20.0,
            9f32.ln(),
            4f32.ln(),
        ];
        let map = map(2, 3, 8, 1, 6, &values);
        let found = head.decode(&map, 2, 4).unwrap();
        assert_eq!(found.len(), 1);
        close(&found[0], 1, 0.75 * 0.9, [0.375, 0.5, 0.875, 1.0]);
        let all = Yolo3 {
            labels: Labels::All,
            ..head.clone()
        }
        .decode(&map, 2, 4)
        .unwrap();
        assert_eq!(all.len(), 2);
        close(&all[1], 2, 0.75 * 0.8, [0.375, 0.5, 0.875, 1.0]);
        assert_eq!(Yolo3 { keep: 0.7, ..head }.decode(&map, 2, 4).unwrap(), []);
    }

    #[test]
    fn v4_stretches_and_squares() {
        let head = Yolo3 {
            anchors: vec![(0.5, 0.5)],
            classes: 1,
            keep: 0.1,
            labels: Labels::Best,
            stretch: 2.0,
            squared: true,
        };
        // 0.75 · 2 − 0.5 = 1; (2 · 0.5)² = 1, (2 · 0.25)² = 1/4.
        let map = map(1, 1, 1, 0, 0, &[0.75, 0.5, 0.5, 0.25, 0.8, 0.5]);
        let found = head.decode(&map, 1, 1).unwrap();
        close(&found[0], 0, 0.4, [0.75, 0.4375, 1.25, 0.5625]);
    }

    #[test]
    fn v2_has_softmax_and_anchors_in_cells() {
        let head = Yolo2 {
            anchors: vec![(1.0, 2.0)],
            classes: 2,
            keep: 0.5,
            labels: Labels::Best,
        };
        // Softmax of (ln 3, 0) is (3/4, 1/4), and does not change when both grow.
        for shift in [0.0, 8.0] {
            let values = [0.0, 0.0, 0.0, 0.0, 9f32.ln(), shift + 3f32.ln(), shift];
            let found = head.decode(&map(1, 2, 16, 0, 5, &values), 4, 4).unwrap();
            assert_eq!(found.len(), 1);
            close(&found[0], 0, 0.9 * 0.75, [0.25, 0.125, 0.5, 0.625]);
        }
        let far = [0.0, 0.0, 0.0, 0.0, 9.0, 900.0, 0.0];
        assert!(head.decode(&map(1, 2, 16, 0, 5, &far), 4, 4).unwrap()[0].score > 0.99);
    }

    #[test]
    fn v1_is_a_vector_of_probabilities_confidences_and_boxes() {
        let head = Yolo1 {
            side: 2,
            boxes: 2,
            classes: 2,
            keep: 0.2,
            labels: Labels::Best,
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
    fn without_classes_the_score_is_the_objectness() {
        let (labels, keep) = (Labels::Best, 0.5);
        let cell = [0.0, 0.0, 0.0, 0.0, 3f32.ln()];
        let map = map(2, 0, 4, 1, 2, &cell);
        let v2 = Yolo2 {
            anchors: vec![(1.0, 1.0), (2.0, 1.0)],
            classes: 0,
            keep,
            labels,
        };
        // Row 1, column 0 of 2x2: two cells wide, one high.
        let found = v2.decode(&map, 2, 2).unwrap();
        assert_eq!(found.len(), 1);
        close(&found[0], 0, 0.75, [-0.25, 0.5, 0.75, 1.0]);
        let v3 = Yolo3 {
            anchors: vec![(0.5, 0.5), (1.0, 0.5)],
            classes: 0,
            keep,
            labels: Labels::All,
            stretch: 1.0,
            squared: false,
        };
        assert_eq!(v3.decode(&map, 2, 2).unwrap(), found);
        let v1 = Yolo1 {
            side: 1,
            boxes: 1,
            classes: 0,
            keep,
            labels,
        };
        let found = v1.decode(&[0.75, 0.5, 0.5, 1.0, 0.5]).unwrap();
        close(&found[0], 0, 0.75, [0.0, 0.375, 1.0, 0.625]);
    }

    #[test]
    fn maps_of_other_sizes_and_numbers_that_are_none() {
        let head = Yolo2 {
            anchors: vec![(1.0, 1.0)],
            classes: 2,
            keep: 0.0,
            labels: Labels::All,
        };
        let error = head.decode(&[0.0; 27], 2, 2).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the head needs a map of 28 values, not 27"
        );
        let huge = Yolo2 {
            classes: usize::MAX,
            ..head.clone()
        };
        assert_eq!(huge.decode(&[], 2, 2).unwrap_err().needed, None);
        let vector = Yolo1 {
            side: usize::MAX,
            boxes: 2,
            classes: 20,
            keep: 0.2,
            labels: Labels::Best,
        };
        assert_eq!(vector.decode(&[0.0]).unwrap_err().needed, None);
        // An infinite size, and objectness that is no number.
        let far = map(1, 2, 1, 0, 0, &[0.0, 0.0, 200.0, 0.0, 9.0, 9.0, 0.0]);
        assert_eq!(head.decode(&far, 1, 1).unwrap(), []);
        let nan = map(1, 2, 1, 0, 0, &[0.0, 0.0, 0.0, 0.0, f32::NAN, 9.0, 0.0]);
        assert_eq!(head.decode(&nan, 1, 1).unwrap(), []);
    }
}
