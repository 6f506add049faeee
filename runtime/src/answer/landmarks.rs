//! `head landmarks`: points.

use super::constant::constant;
use super::presence::presence;
use super::{Answer, AnswerError, Decode, Placement, Points, Settings, Tensor, raw};

/// A vector with two numbers for each point, after a logit of whether there is anything if `presence` is on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landmarks {
    /// Whether the first value says that there is anything.
    pub presence: bool,
    /// What the numbers are.
    pub range: Range,
    /// Whether every x stands before every y, instead of pairs.
    pub axes: bool,
    /// Width and height of the network's input.
    pub input: (f32, f32),
    /// Least probability that there is anything.
    pub keep: f32,
}

/// What the numbers of [`Landmarks`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Fractions of the input.
    Fraction,
    /// −1 to 1 across the input.
    Symmetric,
    /// Pixels of the input.
    Pixels,
}

constant!(struct Landmarks { presence, range, axes, input, keep });
constant!(
    enum Range {
        Fraction,
        Symmetric,
        Pixels,
    }
);

impl Decode for Landmarks {
    fn answer(&self, outputs: &[Tensor<'_>], place: &Placement) -> Result<Answer, AnswerError> {
        let (there, numbers) = presence(raw(outputs)?.data, self.presence)?;
        let count = numbers.len() / 2;
        let fraction = |value: f32, extent: f32| match self.range {
            Range::Fraction => value,
            Range::Symmetric => (value + 1.0) / 2.0,
            Range::Pixels => value / extent,
        };
        let point = |index: usize| {
            let (x, y) = if self.axes {
                (numbers[index], numbers[count + index])
            } else {
                (numbers[2 * index], numbers[2 * index + 1])
            };
            place.point(fraction(x, self.input.0), fraction(y, self.input.1))
        };
        let shown = there.is_none_or(|there| there >= self.keep);
        Ok(Answer::Points(Points {
            points: (0..if shown { count } else { 0 }).map(point).collect(),
            presence: there,
        }))
    }

    fn settings(&mut self) -> Settings<'_> {
        Settings {
            keep: self.presence.then_some(&mut self.keep),
            ..Settings::default()
        }
    }

    fn classes(&self) -> Option<usize> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_every_range_and_order() {
        let place = Placement::letterbox();
        let landmarks = |range, axes, presence| Landmarks {
            presence,
            range,
            axes,
            input: (320.0, 320.0),
            keep: 0.5,
        };
        let same = [
            (Range::Fraction, false, vec![0.5, 0.5, 0.25, 0.75]),
            (Range::Symmetric, true, vec![0.0, -0.5, 0.0, 0.5]),
            (Range::Pixels, false, vec![160.0, 160.0, 80.0, 240.0]),
        ];
        for (range, axes, values) in same {
            let answer =
                landmarks(range, axes, false).answer(&[Tensor::raw(&[4], &values)], &place);
            let Ok(Answer::Points(Points { points, .. })) = answer else {
                panic!("{answer:?}");
            };
            assert_eq!(points, [(320.0, 240.0), (160.0, 400.0)], "{range:?}");
        }
        let absent = landmarks(Range::Fraction, false, true);
        let answer = absent.answer(&[Tensor::raw(&[3], &[-3.0, 0.5, 0.5])], &place);
        let Ok(Answer::Points(Points { points, presence })) = answer else {
            panic!("{answer:?}");
        };
        assert!(points.is_empty() && (presence.unwrap() - 0.0474).abs() < 1e-4);
    }
}
