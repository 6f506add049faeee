//! `head yolo3`: YOLOv3 and v4, from one map or several (Redmon et al. 2018, darknet's yolo_layer.c).

use super::constant::constant;
use super::grid::Grid;
use super::presence::sigmoid;
use super::select::Found;
use super::{
    Answer, AnswerError, Decode, DecodeError, Detection, Placement, Select, Settings, Tensor,
};
use crate::memory::OutOfMemory;
use crate::plan::List;

/// `(5 + classes)` channels for each anchor of a map; classes are independent of each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Yolo3 {
    /// The maps, the first outputs.
    pub maps: List<Map>,
    /// Classes.
    pub classes: usize,
    /// Whether the maps' values are logistic already and sizes are `(2·t)²` instead of `eᵗ`
    /// (`new_coords` of the scaled v4).
    pub squared: bool,
    /// Which boxes are kept.
    pub select: Select,
}

/// One map of [`Yolo3`].
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// Width and height of each anchor, as fractions of the network's input.
    pub anchors: List<(f32, f32)>,
    /// Stretches the centre beyond its cell (`scale_x_y` of v4): 1 does not.
    pub stretch: f32,
}

constant!(struct Yolo3 { maps, classes, squared, select });
constant!(struct Map { anchors, stretch });

impl Yolo3 {
    /// Detections of a map of `anchors · (5 + classes)` channels and that many rows and columns.
    ///
    /// # Errors
    /// When the map has another number of values.
    pub fn decode(
        &self,
        map: &Map,
        values: &[f32],
        extents: [usize; 2],
    ) -> Result<Vec<Detection>, DecodeError> {
        let grid = Grid::new(values, extents, map.anchors.len(), self.classes)?;
        let mut found = Found::new(self.select);
        let logistic = |value: f32| self.logistic(value);
        let (centre, size) = (|value| self.centre(map, value), |value| self.size(value));
        for (anchor, &(width, height)) in map.anchors.iter().enumerate() {
            for cell in 0..grid.cells() {
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
                found.add(objectness, classes, bbox);
            }
        }
        Ok(found.detections)
    }

    fn logistic(&self, value: f32) -> f32 {
        if self.squared { value } else { sigmoid(value) }
    }

    /// Where the centre is in its cell.
    fn centre(&self, map: &Map, value: f32) -> f32 {
        self.logistic(value) * map.stretch - (map.stretch - 1.0) / 2.0
    }

    /// How many times its anchor a box is.
    fn size(&self, value: f32) -> f32 {
        if self.squared {
            (2.0 * value).powi(2)
        } else {
            value.exp()
        }
    }

    /// All boxes, as networks are exported: a row for each anchor of each map in each cell, of `x y w h` in pixels of an input of that
    /// width and height, the objectness, and the probability of each class.
    ///
    /// # Errors
    /// When the outputs are not those of a network with this head.
    pub fn table(
        &self,
        outputs: &[Tensor<'_>],
        (width, height): (f32, f32),
    ) -> Result<Vec<f32>, AnswerError> {
        let mut table = Vec::new();
        for (index, map) in self.maps.iter().enumerate() {
            let output = outputs.get(index);
            let output = output.ok_or(AnswerError::Output("one output for each map"))?;
            let [rows, columns] = output.extents()?;
            let grid = Grid::new(
                output.data,
                [rows, columns],
                map.anchors.len(),
                self.classes,
            )?;
            let bytes = size_of_val(output.data);
            let reserved = table.try_reserve_exact(output.data.len());
            reserved.map_err(|_| OutOfMemory { bytes })?;
            let (across, down) = (width / columns as f32, height / rows as f32);
            for (anchor, &(w, h)) in map.anchors.iter().enumerate() {
                for cell in 0..grid.cells() {
                    let value = |channel| grid.value(anchor, channel, cell);
                    let (column, row) = (cell % columns, cell / columns);
                    table.extend([
                        (self.centre(map, value(0)) + column as f32) * across,
                        (self.centre(map, value(1)) + row as f32) * down,
                        w * width * self.size(value(2)),
                        h * height * self.size(value(3)),
                    ]);
                    table
                        .extend((4..5 + self.classes).map(|channel| self.logistic(value(channel))));
                }
            }
        }
        Ok(table)
    }
}

impl Decode for Yolo3 {
    fn answer(&self, outputs: &[Tensor<'_>], place: &Placement) -> Result<Answer, AnswerError> {
        let mut found = Vec::new();
        for (index, map) in self.maps.iter().enumerate() {
            let output = outputs.get(index);
            let output = output.ok_or(AnswerError::Output("one output for each map"))?;
            found.extend(self.decode(map, output.data, output.extents()?)?);
        }
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
    use super::super::grid::tests::{close, map};
    use super::super::{Head, Labels, Overlap, Thresholds};
    use super::*;

    fn head(anchors: &[(f32, f32)], stretch: f32, classes: usize, select: Select) -> Yolo3 {
        let anchors = anchors.to_vec().into();
        Yolo3 {
            maps: vec![Map { anchors, stretch }].into(),
            classes,
            squared: false,
            select,
        }
    }

    fn decode(head: &Yolo3, values: &[f32], extents: [usize; 2]) -> Vec<Detection> {
        head.decode(&head.maps[0], values, extents).unwrap()
    }

    #[test]
    fn v3_is_logistic_throughout() {
        let mut head = head(
            &[(0.1, 0.2), (0.25, 0.5)],
            1.0,
            3,
            Select::above(0.5, Labels::Best),
        );
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
        let found = decode(&head, &map, [2, 4]);
        assert_eq!(found.len(), 1);
        close(&found[0], 1, 0.75 * 0.9, [0.375, 0.5, 0.875, 1.0]);
        head.select.labels = Labels::All;
        let all = decode(&head, &map, [2, 4]);
        assert_eq!(all.len(), 2);
        close(&all[1], 2, 0.75 * 0.8, [0.375, 0.5, 0.875, 1.0]);
        head.select.keep = 0.7;
        assert_eq!(decode(&head, &map, [2, 4]), []);
    }

    #[test]
    fn v4_stretches_and_squares() {
        let mut head = head(&[(0.5, 0.5)], 2.0, 1, Select::above(0.1, Labels::Best));
        head.squared = true;
        // 0.75 · 2 − 0.5 = 1; (2 · 0.5)² = 1, (2 · 0.25)² = 1/4.
        let map = map(1, 1, 1, 0, 0, &[0.75, 0.5, 0.5, 0.25, 0.8, 0.5]);
        let found = decode(&head, &map, [1, 1]);
        close(&found[0], 0, 0.4, [0.75, 0.4375, 1.25, 0.5625]);
    }

    #[test]
    fn a_table_has_every_box() {
        let select = Select::above(0.9, Labels::Best);
        let mut head = head(&[(0.25, 0.5), (0.5, 1.0)], 2.0, 1, select);
        head.squared = true;
        // The second anchor in row 1 of 2x1: 0.75 · 2 − 0.5 = 1; (2 · 0.5)² = 1, (2 · 0.25)² = 1/4.
        let map = map(2, 1, 2, 1, 1, &[0.75, 0.5, 0.5, 0.25, 0.8, 0.5]);
        let outputs = [Tensor::raw(&[12, 2, 1], &map)];
        let table = head.table(&outputs, (64.0, 32.0)).unwrap();
        assert_eq!(table.len(), 4 * 6);
        assert_eq!(table[18..], [64.0, 24.0, 32.0, 8.0, 0.8, 0.5]);
        assert!(head.table(&[], (64.0, 32.0)).is_err());
    }

    #[test]
    fn without_classes_the_score_is_the_objectness() {
        let select = Select::above(0.5, Labels::All);
        let head = head(&[(0.5, 0.5), (1.0, 0.5)], 1.0, 0, select);
        let map = map(2, 0, 4, 1, 2, &[0.0, 0.0, 0.0, 0.0, 3f32.ln()]);
        let found = decode(&head, &map, [2, 2]);
        assert_eq!(found.len(), 1);
        close(&found[0], 0, 0.75, [-0.25, 0.5, 0.75, 1.0]);
    }

    #[test]
    fn maps_are_joined_before_suppression() {
        let select = Select {
            overlap: Some(Overlap::Class),
            ..Select::above(0.3, Labels::Best)
        };
        let map = |width| Map {
            anchors: vec![(width, 0.5)].into(),
            stretch: 1.0,
        };
        let task = Yolo3 {
            maps: vec![map(0.5), map(0.45)].into(),
            ..head(&[], 1.0, 1, select)
        };
        let mut head = Head {
            task: task.into(),
            ..Head::default()
        };
        // The same thing on both maps, of one cell each; the second is surer.
        let (a, b) = (
            [0.0, 0.0, 0.0, 0.0, 1.0, 9.0],
            [0.0, 0.0, 0.0, 0.0, 2.0, 9.0],
        );
        let maps = [
            Tensor::raw(&[6, 1, 1], &a),
            Tensor {
                name: "small",
                ..Tensor::raw(&[6, 1, 1], &b)
            },
        ];
        let place = Placement::letterbox();
        let count = |head: &Head| match head.answer(&maps, &place) {
            Ok(Answer::Boxes(found)) => (found.len(), found[0].bbox.width()),
            other => panic!("{other:?}"),
        };
        assert_eq!(count(&head).0, 1);
        assert!((count(&head).1 - 0.45 * 640.0).abs() < 1e-4);
        let off = Thresholds::default().nms(None);
        head.set(&off).unwrap();
        assert_eq!(count(&head).0, 2);
        head.set(&Thresholds::default().keep(0.8)).unwrap();
        assert_eq!(count(&head).0, 1);
        assert!(head.answer(&maps[..1], &place).is_err());
        let vector = Tensor::raw(&[6], &a);
        assert!(head.answer(&[vector, maps[1]], &place).is_err());
    }
}
