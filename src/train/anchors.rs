//! Anchors of boxes: sizes that the boxes of a set are near to.
//!
//! J. Redmon and A. Farhadi, "YOLO9000", 2017: k-means whose distance is 1 less the intersection over union of two sizes around one centre. A group's size is the mean of its boxes.

use super::random::{Purpose, Random};

/// Sizes of anchors, and how near they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Anchors {
    /// Width and height of each, the smallest first.
    pub sizes: Vec<[f64; 2]>,
    /// Mean over the boxes of the intersection over union with the anchor that fits best.
    pub overlap: f64,
}

/// Times that it begins with other boxes, of which the best is taken.
const TRIES: u64 = 10;
/// Rounds of a try at most.
const ROUNDS: usize = 300;

fn overlap(one: [f64; 2], other: [f64; 2]) -> f64 {
    let both = one[0].min(other[0]) * one[1].min(other[1]);
    both / (one[0] * one[1] + other[0] * other[1] - both)
}

/// The anchor that fits a size best, of equal ones the first, and by how much.
fn best(anchors: &[[f64; 2]], size: [f64; 2]) -> (usize, f64) {
    let fits = anchors.iter().map(|&anchor| overlap(anchor, size));
    let most = fits
        .enumerate()
        .reduce(|most, next| if next.1 > most.1 { next } else { most });
    most.expect("there are anchors")
}

/// So many anchors of these sizes, or none if there are fewer different ones.
pub fn anchors(sizes: &[[f64; 2]], count: usize, seed: u64) -> Option<Anchors> {
    let mut different = sizes.to_vec();
    different.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    different.dedup();
    if count == 0 || different.len() < count {
        return None;
    }
    let tries = (0..TRIES).map(|one| {
        let mut random = Random::new(seed, Purpose::Anchors, &one.to_le_bytes());
        let order = random.order(different.len());
        group(
            sizes,
            order[..count]
                .iter()
                .map(|&at| different[at as usize])
                .collect(),
        )
    });
    // Of equal ones the first.
    tries.reduce(|most, next| {
        if next.overlap > most.overlap {
            next
        } else {
            most
        }
    })
}

fn group(sizes: &[[f64; 2]], mut anchors: Vec<[f64; 2]>) -> Anchors {
    for _ in 0..ROUNDS {
        let mut sums = vec![([0.0; 2], 0.0); anchors.len()];
        for &size in sizes {
            let (sum, count) = &mut sums[best(&anchors, size).0];
            *sum = [sum[0] + size[0], sum[1] + size[1]];
            *count += 1.0;
        }
        let means = sums.iter().zip(&anchors);
        let means = means.map(|(&(sum, count), &old)| match count {
            0.0 => old,
            count => sum.map(|sum: f64| sum / count),
        });
        let means: Vec<[f64; 2]> = means.collect();
        if means == anchors {
            break;
        }
        anchors = means;
    }
    anchors.sort_by(|a, b| (a[0] * a[1]).total_cmp(&(b[0] * b[1])));
    let all: f64 = sizes.iter().map(|&size| best(&anchors, size).1).sum();
    Anchors {
        sizes: anchors,
        overlap: all / sizes.len() as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_again() {
        let centres = [[0.1, 0.1], [0.2, 0.5], [0.6, 0.3]];
        let near = |of: [f64; 2]| [0.96, 1.0, 1.04].map(|factor| [of[0] * factor, of[1] / factor]);
        let sizes: Vec<[f64; 2]> = centres.into_iter().flat_map(near).collect();
        let found = anchors(&sizes, 3, 1).expect("three groups");
        for (size, centre) in found.sizes.iter().zip(centres) {
            assert!(overlap(*size, centre) > 0.99, "{size:?}");
        }
        assert!(found.overlap > 0.94);
        assert_eq!(anchors(&sizes, 3, 1), Some(found));
        assert_eq!(anchors(&sizes, 10, 1), None);
        let single = anchors(&sizes[..2], 1, 1).expect("one");
        assert!((single.sizes[0][0] - 0.098).abs() < 1e-12);
    }
}
