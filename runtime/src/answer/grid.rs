//! Maps of `anchors · (5 + classes)` channels, as YOLO has them from its second version on.

use super::{BBox, DecodeError};

/// A map of `anchors · (5 + classes)` channels.
pub(super) struct Grid<'a> {
    map: &'a [f32],
    rows: usize,
    columns: usize,
    channels: usize,
}

impl<'a> Grid<'a> {
    pub fn new(
        map: &'a [f32],
        [rows, columns]: [usize; 2],
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

    pub fn cells(&self) -> usize {
        self.rows * self.columns
    }

    pub fn value(&self, anchor: usize, channel: usize, cell: usize) -> f32 {
        self.map[(anchor * self.channels + channel) * self.cells() + cell]
    }

    /// The box with its centre at that place within the cell.
    pub fn bbox(&self, cell: usize, (x, y): (f32, f32), (width, height): (f32, f32)) -> BBox {
        let (column, row) = ((cell % self.columns) as f32, (cell / self.columns) as f32);
        BBox::around(
            (x + column) / self.columns as f32,
            (y + row) / self.rows as f32,
            width,
            height,
        )
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{BBox, Detection};

    /// Checks a detection.
    #[track_caller]
    pub fn close(found: &Detection, class: usize, score: f32, bbox: [f32; 4]) {
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

    /// A map in which nothing is, with one cell filled.
    pub fn map(
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
}
