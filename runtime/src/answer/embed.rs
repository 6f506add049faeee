//! `head embed`: a vector that stands for the input, to be compared with others.

use super::constant::constant;
use super::{Answer, AnswerError, Decode, Placement, Settings, Tensor, cosine, euclidean, raw};

/// The vector, and how two of them are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Embed {
    /// How two are compared.
    pub metric: Metric,
    /// Up to which distance they count as the same.
    pub threshold: f32,
}

/// How two embeddings are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Length of the difference.
    Euclidean,
    /// 1 minus the cosine of the angle between them.
    Cosine,
}

constant!(struct Embed { metric, threshold });
constant!(
    enum Metric {
        Euclidean,
        Cosine,
    }
);

impl Metric {
    /// The distance of two vectors, 0 for the same; `None` where they have different numbers of elements.
    pub fn distance(self, a: &[f32], b: &[f32]) -> Option<f32> {
        match self {
            Metric::Euclidean => euclidean(a, b),
            Metric::Cosine => cosine(a, b).map(|cosine| 1.0 - cosine),
        }
    }
}

impl Decode for Embed {
    fn answer(&self, outputs: &[Tensor<'_>], _: &Placement) -> Result<Answer, AnswerError> {
        Ok(Answer::Embedding(raw(outputs)?.data.to_vec()))
    }

    fn settings(&mut self) -> Settings<'_> {
        Settings {
            threshold: Some(&mut self.threshold),
            ..Settings::default()
        }
    }

    fn classes(&self) -> Option<usize> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Metric;

    #[test]
    fn distances_are_zero_for_the_same() {
        assert_eq!(Metric::Cosine.distance(&[1.0, 0.0], &[0.0, 2.0]), Some(1.0));
        assert_eq!(
            Metric::Euclidean.distance(&[3.0, 0.0], &[0.0, 4.0]),
            Some(5.0)
        );
        for metric in [Metric::Cosine, Metric::Euclidean] {
            assert_eq!(metric.distance(&[3.0, 4.0], &[3.0, 4.0]), Some(0.0));
        }
    }
}
