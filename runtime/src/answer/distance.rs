//! How far two embeddings are from each other, and whose a face is.
//!
//! Sums are made in f64: an embedding has up to thousands of elements, and thresholds are tight.

use super::Metric;

/// Length of a vector.
pub fn l2_norm(a: &[f32]) -> f32 {
    dot(a, a).sqrt() as f32
}

/// Length of the difference of two vectors, `None` where they have different numbers of elements.
pub fn euclidean(a: &[f32], b: &[f32]) -> Option<f32> {
    let square = |(&a, &b): (&f32, &f32)| (f64::from(a) - f64::from(b)).powi(2);
    (a.len() == b.len()).then(|| a.iter().zip(b).map(square).sum::<f64>().sqrt() as f32)
}

/// Cosine of the angle between two vectors: 1 for the same direction, 0 for a right angle and where
/// one of them is zero. `None` where they have different numbers of elements.
pub fn cosine(a: &[f32], b: &[f32]) -> Option<f32> {
    let lengths = dot(a, a).sqrt() * dot(b, b).sqrt();
    let cosine = if lengths > 0.0 {
        dot(a, b) / lengths
    } else {
        0.0
    };
    // Rounding may lead a hair beyond.
    (a.len() == b.len()).then_some(cosine.clamp(-1.0, 1.0) as f32)
}

/// Index and distance of the nearest embedding of a gallery, if it is no further than `unknown`.
///
/// Entries of another length than the query, and distances that are NaN, are passed over.
pub fn identify<'a>(
    query: &[f32],
    gallery: impl IntoIterator<Item = &'a [f32]>,
    metric: Metric,
    unknown: f32,
) -> Option<(usize, f32)> {
    let distances = gallery.into_iter().enumerate();
    let distances =
        distances.filter_map(|(index, face)| Some((index, metric.distance(query, face)?)));
    let nearest = distances.filter(|(_, distance)| *distance <= unknown);
    nearest.min_by(|a, b| a.1.total_cmp(&b.1))
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| f64::from(a) * f64::from(b))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn textbook_distances() {
        assert_eq!(l2_norm(&[3.0, 4.0]), 5.0);
        assert_eq!(euclidean(&[1.0, 1.0], &[4.0, 5.0]), Some(5.0));
        assert_eq!(euclidean(&[1.0], &[1.0, 2.0]), None);
        assert_eq!(cosine(&[1.0, 0.0], &[0.0, 2.0]), Some(0.0));
        assert_eq!(cosine(&[1.0, 2.0], &[-2.0, -4.0]), Some(-1.0));
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 2.0]), Some(0.0));
        assert_eq!(cosine(&[1.0], &[1.0, 2.0]), None);
        // Unit vectors: |a − b|² = 2 − 2 cos.
        let (a, b) = ([0.6f32, 0.8], [1.0f32, 0.0]);
        let (distance, angle) = (euclidean(&a, &b).unwrap(), cosine(&a, &b).unwrap());
        assert!((distance.powi(2) - (2.0 - 2.0 * angle)).abs() < 1e-6);
    }

    #[test]
    fn the_nearest_or_nobody() {
        let gallery = [
            vec![0.0, 1.0],
            vec![1.0, 0.0],
            vec![f32::NAN, 0.0],
            vec![9.0],
        ];
        let faces = || gallery.iter().map(Vec::as_slice);
        let (index, distance) = identify(&[0.9, 0.0], faces(), Metric::Euclidean, 0.5).unwrap();
        assert!(index == 1 && (distance - 0.1).abs() < 1e-6);
        assert_eq!(identify(&[5.0, 5.0], faces(), Metric::Euclidean, 0.5), None);
        // The same direction, far away.
        let by_angle = identify(&[5.0, 0.0], faces(), Metric::Cosine, 0.5);
        assert_eq!(by_angle, Some((1, 0.0)));
        assert_eq!(identify(&[1.0, 0.0], [], Metric::Euclidean, 0.5), None);
    }
}
