//! `head keypoints`: points by heat maps.

use super::constant::constant;
use super::{Answer, AnswerError, Decode, Placement, Points, Settings, Tensor, raw};

/// A map of logits for each point, which covers the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keypoints {
    /// Cells on either side of the likeliest one that are averaged with it.
    pub around: usize,
}

constant!(struct Keypoints { around });

impl Keypoints {
    /// Where a map says that its point is, in fractions of it: the mean of the middles of the cells around the largest logit (of equal ones the first), weighted by their softmax.
    fn point(self, map: &[f32], [rows, columns]: [usize; 2]) -> (f32, f32) {
        let largest = (1..map.len()).fold(0, |best, cell| {
            if map[cell] > map[best] || map[best].is_nan() {
                cell
            } else {
                best
            }
        });
        let range = |at: usize, end: usize| {
            at.saturating_sub(self.around)
                ..at.saturating_add(self.around).saturating_add(1).min(end)
        };
        let (row, column) = (largest / columns, largest % columns);
        let (mut sum, mut x, mut y) = (0.0, 0.0, 0.0);
        for (i, j) in range(row, rows).flat_map(|i| range(column, columns).map(move |j| (i, j))) {
            let weight = f64::from(map[i * columns + j] - map[largest]).exp();
            sum += weight;
            x += weight * (j as f64 + 0.5);
            y += weight * (i as f64 + 0.5);
        }
        let fraction = |along: f64, extent: usize| (along / sum / extent as f64) as f32;
        (fraction(x, columns), fraction(y, rows))
    }
}

impl Decode for Keypoints {
    fn answer(&self, outputs: &[Tensor<'_>], place: &Placement) -> Result<Answer, AnswerError> {
        let raw = raw(outputs)?;
        let extents = raw.extents()?;
        let cells = extents[0] * extents[1];
        if cells == 0 || !raw.data.len().is_multiple_of(cells) {
            return Err(AnswerError::Output("maps of channels, rows and columns"));
        }
        let points = raw.data.chunks(cells).map(|map| {
            let (x, y) = self.point(map, extents);
            place.point(x, y)
        });
        Ok(Answer::Points(Points {
            points: points.collect(),
            presence: None,
        }))
    }

    fn settings(&mut self) -> Settings<'_> {
        Settings::default()
    }

    fn classes(&self) -> Option<usize> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(around: usize, shape: &[usize], map: &[f32]) -> Vec<(f32, f32)> {
        let place = Placement::new(12, 8);
        let answer = Keypoints { around }.answer(&[Tensor::raw(shape, map)], &place);
        match answer {
            Ok(Answer::Points(Points { points, .. })) => points,
            other => panic!("{other:?}"),
        }
    }

    /// Maps of two rows and three columns of a picture of 12 by 8 pixels: a cell is 4 by 4.
    #[test]
    fn a_point_is_the_centre_of_mass_around_the_likeliest_cell() {
        let (two, far) = (2_f32.ln(), -1e9);
        // The middle of the cell; a third of the way to its neighbour; a cell that is not around it does not count.
        let maps = [
            [far, far, 9.0, far, far, far],
            [far, far, far, two, 0.0, far],
            [1.0, 0.0, 0.9, far, far, far],
        ];
        let found = points(1, &[3, 2, 3], maps.as_flattened());
        let second = 2.0 + 4.0 / 3.0;
        let share = 1.0 / (1.0 + 1_f32.exp());
        let wanted = [(10.0, 2.0), (second, 6.0), (2.0 + 4.0 * share, 2.0)];
        for (found, wanted) in found.iter().zip(wanted) {
            let off = (found.0 - wanted.0).abs().max((found.1 - wanted.1).abs());
            assert!(off < 1e-5, "{found:?} is not {wanted:?}");
        }
        // All cells, or none but itself.
        assert_eq!(points(usize::MAX, &[1, 2, 3], &[0.0; 6]), [(6.0, 4.0)]);
        assert_eq!(points(0, &[1, 2, 3], &[0.0; 6]), [(2.0, 2.0)]);
    }

    #[test]
    fn what_is_no_map_is_refused() {
        let place = Placement::new(1, 1);
        let refused = |shape: &[usize], data: &[f32]| {
            Keypoints { around: 1 }.answer(&[Tensor::raw(shape, data)], &place)
        };
        assert!(matches!(
            refused(&[6], &[0.0; 6]),
            Err(AnswerError::Output(_))
        ));
        assert!(matches!(
            refused(&[2, 0, 3], &[]),
            Err(AnswerError::Output(_))
        ));
        let nothing = points(1, &[1, 1, 2], &[f32::NAN; 2]);
        assert!(nothing[0].0.is_nan());
    }
}
