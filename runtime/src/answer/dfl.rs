//! `head dfl`: boxes by how far their sides are from the middle of a cell, as YOLOv8 and its successors have them.
//!
//! Li et al. 2020 (Generalized Focal Loss): a distance is the mean of a distribution over `0, 1, …, bins − 1` cells, whose logits a map has.

use super::constant::constant;
use super::presence::sigmoid;
use super::select::Found;
use super::{
    Answer, AnswerError, BBox, Decode, DecodeError, Detection, Placement, Select, Settings, Tensor,
};

/// Most bins of a distance.
pub const MOST_BINS: usize = 1024;

/// `4 · bins + classes` channels for each cell of a map; classes are independent of each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dfl {
    /// How many maps there are, the first outputs.
    pub maps: usize,
    /// Logits of each distance; of a single one the number itself is the distance.
    pub bins: usize,
    /// Classes.
    pub classes: usize,
    /// Which boxes are kept.
    pub select: Select,
}

constant!(struct Dfl { maps, bins, classes, select });

/// A map, with its sizes checked.
struct Map<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    bins: usize,
}

impl Map<'_> {
    fn cells(&self) -> usize {
        self.rows * self.columns
    }

    fn value(&self, channel: usize, cell: usize) -> f32 {
        self.values[channel * self.cells() + cell]
    }

    /// Left, top, right, bottom: distances from the middle of the cell, in cells.
    fn distances(&self, cell: usize) -> [f32; 4] {
        std::array::from_fn(|side| {
            let logit = |bin: usize| self.value(side * self.bins + bin, cell);
            if self.bins == 1 {
                return logit(0);
            }
            let largest = (0..self.bins).map(logit).fold(f32::NEG_INFINITY, f32::max);
            let (mut sum, mut mean) = (0.0, 0.0);
            for bin in 0..self.bins {
                let share = (logit(bin) - largest).exp();
                sum += share;
                mean += share * bin as f32;
            }
            mean / sum
        })
    }

    /// Centre and size of a cell's box, in cells.
    fn around(&self, cell: usize) -> [f32; 4] {
        let [left, top, right, bottom] = self.distances(cell);
        let (column, row) = (cell % self.columns, cell / self.columns);
        [
            column as f32 + 0.5 + (right - left) / 2.0,
            row as f32 + 0.5 + (bottom - top) / 2.0,
            left + right,
            top + bottom,
        ]
    }
}

impl Dfl {
    fn map<'a>(
        &self,
        values: &'a [f32],
        [rows, columns]: [usize; 2],
    ) -> Result<Map<'a>, DecodeError> {
        let channels = self
            .bins
            .checked_mul(4)
            .and_then(|sides| sides.checked_add(self.classes));
        let needed = channels.and_then(|n| n.checked_mul(rows)?.checked_mul(columns));
        match needed == Some(values.len()) {
            true => Ok(Map {
                values,
                rows,
                columns,
                bins: self.bins,
            }),
            false => Err(DecodeError {
                needed,
                found: values.len(),
            }),
        }
    }

    /// Detections of a map of `4 · bins + classes` channels and that many rows and columns.
    ///
    /// # Errors
    /// When the map has another number of values.
    pub fn decode(
        &self,
        values: &[f32],
        extents: [usize; 2],
    ) -> Result<Vec<Detection>, DecodeError> {
        let map = self.map(values, extents)?;
        let mut found = Found::new(self.select);
        for cell in 0..map.cells() {
            let score = |class: usize| sigmoid(map.value(4 * self.bins + class, cell));
            let bbox = || {
                let [x, y, width, height] = map.around(cell);
                let (across, down) = (map.columns as f32, map.rows as f32);
                BBox::around(x / across, y / down, width / across, height / down)
            };
            found.add(1.0, (0..self.classes).map(score), bbox);
        }
        Ok(found.detections)
    }

    /// All boxes, as networks are exported: rows of `x y w h` in pixels of an input of that width and height, then a row for the
    /// probabilities of each class; a column for each cell of the maps.
    ///
    /// # Errors
    /// When the outputs are not those of a network with this head.
    pub fn table(
        &self,
        outputs: &[Tensor<'_>],
        (width, height): (f32, f32),
    ) -> Result<Vec<f32>, AnswerError> {
        let mut maps = Vec::new();
        for index in 0..self.maps {
            let output = outputs.get(index);
            let output = output.ok_or(AnswerError::Output("one output for each map"))?;
            maps.push(self.map(output.data, output.extents()?)?);
        }
        let places: usize = maps.iter().map(Map::cells).sum();
        let mut table = crate::memory::zeros(places.saturating_mul(4 + self.classes))?;
        let mut column = 0;
        for map in &maps {
            let (across, down) = (width / map.columns as f32, height / map.rows as f32);
            for cell in 0..map.cells() {
                let [x, y, w, h] = map.around(cell);
                let sides = [x * across, y * down, w * across, h * down];
                for (row, side) in sides.into_iter().enumerate() {
                    table[row * places + column] = side;
                }
                for class in 0..self.classes {
                    let score = sigmoid(map.value(4 * self.bins + class, cell));
                    table[(4 + class) * places + column] = score;
                }
                column += 1;
            }
        }
        Ok(table)
    }
}

impl Decode for Dfl {
    fn answer(&self, outputs: &[Tensor<'_>], place: &Placement) -> Result<Answer, AnswerError> {
        let mut found = Vec::new();
        for index in 0..self.maps {
            let output = outputs.get(index);
            let output = output.ok_or(AnswerError::Output("one output for each map"))?;
            found.extend(self.decode(output.data, output.extents()?)?);
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
    use super::super::grid::tests::close;
    use super::super::{Head, Labels};
    use super::*;

    fn head(bins: usize, classes: usize, labels: Labels) -> Dfl {
        Dfl {
            maps: 1,
            bins,
            classes,
            select: Select::above(0.5, labels),
        }
    }

    /// A map of 2x4 cells in which nothing is, but in row 1, column 2.
    fn map(values: &[f32]) -> Vec<f32> {
        let mut map = vec![-20.0; values.len() * 8];
        for (channel, value) in values.iter().enumerate() {
            map[channel * 8 + 6] = *value;
        }
        map
    }

    /// Distances of 1/2, 0, 1 and 2/3 cells around (2.5/4, 1.5/2).
    const SIDES: [f32; 8] = [0.0, 0.0, 90.0, 0.0, 0.0, 90.0, 0.0, std::f32::consts::LN_2];

    #[test]
    fn a_distance_is_the_mean_of_its_bins() {
        let map = map(&[&SIDES[..], &[-9.0, 3f32.ln(), 9f32.ln()]].concat());
        let found = head(2, 3, Labels::Best).decode(&map, [2, 4]).unwrap();
        assert_eq!(found.len(), 1);
        let bbox = [0.5, 0.75, 0.875, (1.5 + 2.0 / 3.0) / 2.0];
        close(&found[0], 2, 0.9, bbox);
        let all = head(2, 3, Labels::All).decode(&map, [2, 4]).unwrap();
        let classes: Vec<usize> = all.iter().map(|found| found.class).collect();
        assert_eq!(classes, [1, 2]);
    }

    #[test]
    fn a_single_number_is_the_distance() {
        let map = map(&[1.0, 0.5, 0.25, 0.0, 3f32.ln()]);
        let found = head(1, 1, Labels::Best).decode(&map, [2, 4]).unwrap();
        close(&found[0], 0, 0.75, [0.375, 0.5, 0.6875, 0.75]);
    }

    #[test]
    fn a_table_has_every_box_of_every_map() {
        let (one, other) = (
            map(&[&SIDES[..], &[3f32.ln()]].concat()),
            [&SIDES[..], &[0.0]].concat(),
        );
        let head = Dfl {
            maps: 2,
            ..head(2, 1, Labels::Best)
        };
        let outputs = [
            Tensor::raw(&[9, 2, 4], &one),
            Tensor::raw(&[9, 1, 1], &other),
        ];
        let table = head.table(&outputs, (64.0, 32.0)).unwrap();
        assert_eq!(table.len(), 5 * 9);
        let column = |at: usize| [0, 1, 2, 3, 4].map(|row| table[row * 9 + at]);
        let near = |found: [f32; 5], wanted: [f32; 5]| {
            let close = found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-4);
            assert!(close, "{found:?} instead of {wanted:?}");
        };
        near(column(6), [44.0, 24.0 + 16.0 / 3.0, 24.0, 32.0 / 3.0, 0.75]);
        near(column(8), [48.0, 16.0 + 32.0 / 3.0, 96.0, 64.0 / 3.0, 0.5]);
        assert!(head.table(&outputs[..1], (64.0, 32.0)).is_err());
        let vector = Tensor::raw(&[9], &other);
        assert!(head.table(&[vector, outputs[1]], (64.0, 32.0)).is_err());
    }

    #[test]
    fn other_sizes_are_refused() {
        let dfl = head(2, 3, Labels::Best);
        assert!(dfl.decode(&[0.0; 11], [1, 2]).is_err());
        assert_eq!(dfl.decode(&[], [0, 4]), Ok(vec![]));
        let huge = head(usize::MAX, 3, Labels::Best);
        assert!(huge.decode(&[], [1, 1]).is_err());
        // What is no number is no box.
        assert_eq!(dfl.decode(&[f32::NAN; 11], [1, 1]), Ok(vec![]));
        let mut sure = [f32::INFINITY; 11];
        sure[10] = 9.0;
        assert_eq!(dfl.decode(&sure, [1, 1]), Ok(vec![]));
        let head = Head {
            task: dfl.into(),
            ..Head::default()
        };
        assert!(head.answer(&[], &Placement::letterbox()).is_err());
    }
}
