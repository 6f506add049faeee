//! From windows to boxes.

use super::WindowMap;
use cnnc_runtime::answer::{BBox, Detection, Head, MAX_CANDIDATES};

/// What a class without an object is called.
pub const BACKGROUND: &str = "background";

/// Share of a box from which on it is a part of what another one shows: windows of a smaller size see a nucleus in a cell.
const WITHIN: f32 = 0.5;
/// Windows that overlap the likeliest one by this or more move its box.
const NEAR: f32 = 0.5;
/// Above this, rounding decides about odds.
const MOST_LIKELY: f64 = 0.9999;
/// What a window weighs that is as likely as not, or less.
const LEAST_WEIGHT: f64 = 0.01;

/// Which windows become boxes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// The class that is no object, if one is.
    pub background: Option<usize>,
    /// Least probability of the class of a window.
    pub keep: f32,
    /// Intersection over union from which on windows of one class show one thing.
    pub iou: f32,
}

impl Default for Finding {
    fn default() -> Finding {
        Finding {
            background: None,
            keep: 0.5,
            iou: 0.3,
        }
    }
}

/// The class that is called [`BACKGROUND`], if there is one.
pub fn background(head: &Head) -> Option<usize> {
    head.labels.iter().position(|label| label == BACKGROUND)
}

/// What windows show, best first, in pixels of the picture: those whose likeliest class is not the background and likely enough, of all scales together.
///
/// The likeliest window stands for all of its class that overlap it by `iou`. Its box becomes the mean of those of them that overlap it by one half, weighted by the logarithms of their odds, so that
/// windows that are hardly likely move nothing. Of boxes that overlap by `iou`, or of which one lies in the other with more than half of its area, the likelier one stays.
pub fn boxes(maps: &[WindowMap], finding: &Finding) -> Vec<Detection> {
    let mut found = Vec::new();
    for map in maps {
        for window in 0..map.windows() {
            let (class, score) = map.best(window);
            if Some(class) != finding.background && score >= finding.keep {
                let bbox = map.bbox(window);
                found.push(Detection { bbox, class, score });
            }
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(MAX_CANDIDATES);
    let mut heaps: Vec<Heap> = Vec::new();
    for window in found {
        let same = |heap: &&mut Heap| {
            heap.best.class == window.class && heap.best.bbox.iou(&window.bbox) > finding.iou
        };
        match heaps.iter_mut().find(same) {
            Some(heap) => heap.add(&window),
            None => heaps.push(Heap::new(window)),
        }
    }
    let mut kept: Vec<Detection> = Vec::new();
    for mean in heaps.iter().map(Heap::mean) {
        let same = |better: &Detection| {
            let (one, other) = (&better.bbox, &mean.bbox);
            let smaller = one.area().min(other.area());
            let inside = one.clip(other).area() > WITHIN * smaller;
            better.class == mean.class && (one.iou(other) > finding.iou || inside)
        };
        if !kept.iter().any(same) {
            kept.push(mean);
        }
    }
    kept
}

/// Windows that show one thing.
struct Heap {
    best: Detection,
    /// Edges times weights, and weights.
    sums: [f64; 4],
    weights: f64,
}

impl Heap {
    fn new(best: Detection) -> Heap {
        let mut heap = Heap {
            best,
            sums: [0.0; 4],
            weights: 0.0,
        };
        heap.add(&best);
        heap
    }

    fn add(&mut self, window: &Detection) {
        if self.best.bbox.iou(&window.bbox) < NEAR {
            return;
        }
        let score = f64::from(window.score).min(MOST_LIKELY);
        let weight = (score / (1.0 - score)).ln().max(LEAST_WEIGHT);
        let BBox {
            left,
            top,
            right,
            bottom,
        } = window.bbox;
        for (sum, edge) in self.sums.iter_mut().zip([left, top, right, bottom]) {
            *sum += f64::from(edge) * weight;
        }
        self.weights += weight;
    }

    fn mean(&self) -> Detection {
        let [left, top, right, bottom] = self.sums.map(|sum| (sum / self.weights) as f32);
        Detection {
            bbox: BBox::new(left, top, right, bottom),
            ..self.best
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two scales of a picture of 80x80: 3x3 windows of 40 pixels, and one that is all of it.
    fn maps() -> [WindowMap; 2] {
        let cell = [0.9, 0.6, 0.1, 0.2, 0.4, 0.1, 0.0, 0.0, 0.7];
        let nothing = cell.map(|share| 1.0 - share);
        [
            WindowMap::made(1.0, 40, 3, [nothing, cell].concat()),
            WindowMap::made(0.5, 40, 1, vec![0.45, 0.55]),
        ]
    }

    #[test]
    fn windows_of_all_scales_become_boxes() {
        let finding = Finding {
            background: Some(0),
            ..Finding::default()
        };
        // The first two share 20x40 of 60x40, a third, so that the second stands for nothing and moves nothing; the last one stands alone; the large one has both within it.
        let found = boxes(&maps(), &finding);
        let scores: Vec<f32> = found.iter().map(|of| of.score).collect();
        assert_eq!(scores, [0.9, 0.7]);
        assert!(found[0].bbox.iou(&BBox::new(0.0, 0.0, 40.0, 40.0)) > 0.9999);
        assert!(found[1].bbox.iou(&BBox::new(40.0, 40.0, 80.0, 80.0)) > 0.9999);
        // Strides of 10 pixels: the first two share 30x40 of 50x40, .6; their odds are 9 and 1.5.
        let mut near = maps();
        near[0].stride = [10, 10];
        let (first, second) = (9f32.ln(), 1.5f32.ln());
        let left = 10.0 * second / (first + second);
        let found = boxes(&near[..1], &finding);
        assert!((found[0].bbox.left - left).abs() < 1e-3, "{:?}", found[0]);
        let sure = Finding {
            keep: 0.8,
            ..finding
        };
        assert_eq!(boxes(&maps(), &sure).len(), 1);
        // Without a background all windows have a class.
        let all = Finding::default();
        assert!(boxes(&maps(), &all).iter().any(|of| of.class == 0));
    }
}
