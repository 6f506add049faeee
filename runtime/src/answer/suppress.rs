//! Non-maximum suppression: of boxes that show the same thing, the one with the highest score stays.

use super::Detection;

/// Most detections that are compared, the best ones: a threshold near zero on a large map would
/// otherwise compare every box with every other.
pub const MAX_CANDIDATES: usize = 10_000;

/// Which boxes suppress which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// Those of the same class: a rider stays on the horse.
    Class,
    /// All: the highest score wins whatever its class is.
    Score,
}

/// Keeps each detection that overlaps no better one by more than `iou`, best first.
///
/// This is the greedy form of darknet and of the R-CNN papers: what is suppressed does not suppress.
/// Detections whose boxes or scores are not finite are dropped.
pub fn suppress(mut detections: Vec<Detection>, overlap: Overlap, iou: f32) -> Vec<Detection> {
    detections.retain(|detection| detection.bbox.is_finite() && detection.score.is_finite());
    // Stable, so that equal scores keep the order of the map.
    detections.sort_by(|a, b| b.score.total_cmp(&a.score));
    detections.truncate(MAX_CANDIDATES);
    let mut kept: Vec<Detection> = Vec::new();
    for detection in detections {
        let covered = kept.iter().any(|better| {
            (overlap == Overlap::Score || better.class == detection.class)
                && better.bbox.iou(&detection.bbox) > iou
        });
        if !covered {
            kept.push(detection);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::BBox;

    fn detection(left: f32, class: usize, score: f32) -> Detection {
        let bbox = BBox::new(left, 0.0, left + 1.0, 1.0);
        Detection { bbox, class, score }
    }

    fn scores(detections: &[Detection], overlap: Overlap, iou: f32) -> Vec<f32> {
        let kept = suppress(detections.to_vec(), overlap, iou);
        kept.iter().map(|detection| detection.score).collect()
    }

    #[test]
    fn the_best_of_each_heap_stays() {
        let boxes = [
            detection(0.0, 0, 0.6),
            detection(0.1, 0, 0.9),
            detection(5.0, 0, 0.7),
            detection(5.2, 0, 0.8),
        ];
        assert_eq!(scores(&boxes, Overlap::Class, 0.45), [0.9, 0.8]);
    }

    #[test]
    fn classes_are_kept_apart_unless_asked() {
        let boxes = [
            detection(0.0, 0, 0.9),
            detection(0.0, 1, 0.8),
            detection(0.1, 1, 0.7),
        ];
        assert_eq!(scores(&boxes, Overlap::Class, 0.45), [0.9, 0.8]);
        assert_eq!(scores(&boxes, Overlap::Score, 0.45), [0.9]);
    }

    #[test]
    fn what_is_suppressed_does_not_suppress() {
        // Each overlaps its neighbour by 0.6 / 1.4, the outer two by 0.2 / 1.8.
        let chain = [
            detection(0.0, 0, 0.9),
            detection(0.4, 0, 0.8),
            detection(0.8, 0, 0.7),
        ];
        assert_eq!(scores(&chain, Overlap::Class, 0.4), [0.9, 0.7]);
        assert_eq!(scores(&chain, Overlap::Class, 0.1), [0.9]);
    }

    #[test]
    fn the_threshold_itself_is_allowed() {
        // Inside, a quarter of the area: iou is exactly 1/4.
        let quarter = BBox::new(0.25, 0.25, 0.75, 0.75);
        let boxes = [
            detection(0.0, 0, 0.9),
            Detection {
                bbox: quarter,
                class: 0,
                score: 0.8,
            },
        ];
        assert_eq!(scores(&boxes, Overlap::Class, 0.25), [0.9, 0.8]);
        assert_eq!(scores(&boxes, Overlap::Class, 0.2499), [0.9]);
    }

    #[test]
    fn what_is_not_finite_is_dropped_and_many_are_cut() {
        let odd = [
            detection(0.0, 0, f32::NAN),
            detection(f32::INFINITY, 0, 0.9),
            detection(0.0, 0, 0.5),
        ];
        assert_eq!(scores(&odd, Overlap::Class, 0.45), [0.5]);
        let many: Vec<_> = (0..MAX_CANDIDATES + 5)
            .map(|n| detection(2.0 * n as f32, n % 2000, 0.5))
            .collect();
        assert_eq!(suppress(many, Overlap::Class, 0.5).len(), MAX_CANDIDATES);
        assert_eq!(suppress(Vec::new(), Overlap::Score, 0.5), []);
    }
}
