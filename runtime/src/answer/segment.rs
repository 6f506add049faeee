//! `head segment`: a class for every pixel.

use super::constant::constant;
use super::{Answer, AnswerError, Decode, Placement, Settings, Tensor, raw};
use crate::memory;

/// A map with a channel for each class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Classes.
    pub classes: usize,
    /// What the map leaves out at each edge of the input, left and right, above and below, as fractions of the input.
    pub margin: (f32, f32),
}

constant!(struct Segment { classes, margin });

/// The classes of a picture's pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Segments {
    classes: usize,
    /// The class of each element of the map, row by row.
    map: Vec<u32>,
    /// The column of the map that shows a column of the picture, if one does.
    columns: Vec<Option<u32>>,
    /// The row of the map that shows a row of the picture, if one does.
    rows: Vec<Option<u32>>,
    /// Columns of the map.
    width: usize,
}

/// How much of a picture a class has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// The class.
    pub class: usize,
    /// Its pixels.
    pub pixels: u64,
    /// Its part of the pixels that have a class.
    pub share: f64,
}

impl Segments {
    /// Columns of the picture.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Rows of the picture.
    pub fn height(&self) -> usize {
        self.rows.len()
    }

    /// The class of a pixel of the picture; `None` where the network has not seen it (it was cut off), and outside of the picture.
    pub fn class(&self, x: usize, y: usize) -> Option<usize> {
        let column = (*self.columns.get(x)?)? as usize;
        let row = (*self.rows.get(y)?)? as usize;
        Some(self.map[row * self.width + column] as usize)
    }

    /// Pixels of the picture that have a class.
    pub fn seen(&self) -> u64 {
        let seen = |axis: &[Option<u32>]| axis.iter().flatten().count() as u64;
        seen(&self.columns) * seen(&self.rows)
    }

    /// The classes that there are and their pixels, the largest first.
    pub fn shares(&self) -> Vec<Share> {
        let times = |axis: &[Option<u32>], extent: usize| {
            let mut times = vec![0u64; extent];
            axis.iter()
                .flatten()
                .for_each(|&at| times[at as usize] += 1);
            times
        };
        let across = times(&self.columns, self.width);
        let down = times(&self.rows, self.map.len() / self.width.max(1));
        let mut pixels = vec![0u64; self.classes];
        for (row, down) in self.map.chunks_exact(self.width.max(1)).zip(&down) {
            for (&class, across) in row.iter().zip(&across) {
                pixels[class as usize] += down * across;
            }
        }
        let seen = self.seen();
        let mut shares: Vec<Share> = (pixels.iter().enumerate())
            .filter(|&(_, &pixels)| pixels > 0)
            .map(|(class, &pixels)| Share {
                class,
                pixels,
                share: pixels as f64 / seen as f64,
            })
            .collect();
        // Stable: of equal ones the first.
        shares.sort_by_key(|share| std::cmp::Reverse(share.pixels));
        shares
    }
}

impl Segment {
    /// The class of each element of a map: the first of the largest channels; NaN is less than any number.
    fn classes(&self, map: &[f32], plane: usize) -> Vec<u32> {
        let mut classes = vec![0u32; plane];
        let mut best = vec![f32::NEG_INFINITY; plane];
        for (class, channel) in map.chunks_exact(plane.max(1)).enumerate() {
            for ((&value, best), of) in channel.iter().zip(&mut best).zip(&mut classes) {
                if value > *best {
                    (*best, *of) = (value, class as u32);
                }
            }
        }
        classes
    }
}

/// The element of a map that shows a place of the input, a fraction of its extent.
fn element(place: f32, margin: f32, extent: usize) -> Option<u32> {
    let at = (place - margin) / (1.0 - 2.0 * margin) * extent as f32;
    (at >= 0.0 && at < extent as f32).then_some(at as u32)
}

impl Decode for Segment {
    fn answer(&self, outputs: &[Tensor<'_>], place: &Placement) -> Result<Answer, AnswerError> {
        let raw = raw(outputs)?;
        let [rows, columns] = raw.extents()?;
        let plane = rows.checked_mul(columns);
        let needed = plane.and_then(|plane| plane.checked_mul(self.classes));
        let (Some(plane), true) = (plane, needed == Some(raw.data.len())) else {
            return Err(AnswerError::Output("a channel for each class"));
        };
        let (width, height) = place.picture();
        memory::ask(8 * (width as u64 + height as u64 + plane as u64))?;
        // Pixels are known by their centres.
        let column = |x: usize| {
            let (x, _) = place.fraction(x as f32 + 0.5, 0.0);
            element(x, self.margin.0, columns)
        };
        let row = |y: usize| {
            let (_, y) = place.fraction(0.0, y as f32 + 0.5);
            element(y, self.margin.1, rows)
        };
        Ok(Answer::Segments(Segments {
            classes: self.classes,
            map: self.classes(raw.data, plane),
            columns: (0..width).map(column).collect(),
            rows: (0..height).map(row).collect(),
            width: columns,
        }))
    }

    fn settings(&mut self) -> Settings<'_> {
        Settings::default()
    }

    fn classes(&self) -> Option<usize> {
        Some(self.classes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(task: Segment, shape: &[usize], data: &[f32], place: &Placement) -> Segments {
        match task.answer(&[Tensor::raw(shape, data)], place) {
            Ok(Answer::Segments(segments)) => segments,
            other => panic!("{other:?}"),
        }
    }

    /// The classes of a picture, a digit each; `.` where there is none.
    fn text(segments: &Segments) -> Vec<String> {
        let pixel = |x, y| match segments.class(x, y) {
            Some(class) => class.to_string(),
            None => ".".to_owned(),
        };
        let row = |y| (0..segments.width()).map(|x| pixel(x, y)).collect();
        (0..segments.height()).map(row).collect()
    }

    const TWO: Segment = Segment {
        classes: 2,
        margin: (0.0, 0.0),
    };

    #[test]
    fn the_largest_channel_wins_and_the_first_of_equal_ones() {
        let nan = f32::NAN;
        let data = [1.0, 2.0, nan, 0.0, 1.0, 3.0, 0.0, nan, 0.5, 3.0, nan, -1.0];
        let task = Segment { classes: 3, ..TWO };
        let found = segments(task, &[3, 2, 2], &data, &Placement::new(4, 2));
        assert_eq!(text(&found), ["0011", "1100"]);
        let shares = found.shares();
        assert_eq!(shares.len(), 2);
        assert_eq!((shares[0].class, shares[0].pixels), (0, 4));
        assert_eq!(shares[1].share, 0.5);
        let other = task.answer(
            &[Tensor::raw(&[2, 2, 2], &data[..8])],
            &Placement::new(4, 2),
        );
        assert_eq!(other, Err(AnswerError::Output("a channel for each class")));
    }

    #[test]
    fn letterboxes_and_crops_are_undone() {
        // The left half of the map is of the class 1, the rest of 0.
        let map = |side: usize| {
            let right = |at: usize| if at % side < side / 2 { 0.0 } else { 1.0 };
            let zero: Vec<f32> = (0..side * side).map(right).collect();
            [zero, vec![0.5; side * side]].concat()
        };
        // 8x4 pixels within rows 2 to 5 of 8x8.
        let wide = Placement::new(8, 4).placed(8, 8, (0, 2));
        let mut data = map(8);
        // What lies in the border is of no interest.
        data[64..80].fill(9.0);
        let found = segments(TWO, &[2, 8, 8], &data, &wide);
        assert_eq!(text(&found), ["11110000"; 4]);
        assert_eq!((found.seen(), found.shares()[0].pixels), (32, 16));
        // Twice as large, and the middle cut out: a map of half the extents.
        let cut = Placement::new(8, 4).resized(16, 8).placed(8, 8, (-4, 0));
        let found = segments(TWO, &[2, 4, 4], &map(4), &cut);
        assert_eq!(text(&found), ["..1100.."; 4]);
        assert_eq!(found.seen(), 16);
        assert_eq!(found.shares()[0].share, 0.5);
    }

    #[test]
    fn a_margin_is_not_seen() {
        let task = Segment {
            margin: (0.125, 0.25),
            ..TWO
        };
        let data = [[0.0; 24], [1.0; 24]].concat();
        let found = segments(task, &[2, 4, 6], &data, &Placement::new(8, 8));
        let (none, row) = ("........", ".111111.");
        assert_eq!(text(&found), [none, none, row, row, row, row, none, none]);
    }
}
