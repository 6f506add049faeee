//! Which boxes are kept of those that a detector's maps hold.

use super::constant::constant;
use super::{Answer, BBox, Detection, Overlap, Placement, Settings, suppress};

/// How many detections one box may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// One, of the likeliest class.
    Best,
    /// One for every class whose score is high enough, as darknet's own command line has it.
    All,
}

/// Which boxes are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Select {
    /// Least score.
    pub keep: f32,
    /// Overlap from which on a better box suppresses another.
    pub iou: f32,
    /// Which boxes suppress which; none if absent.
    pub overlap: Option<Overlap>,
    /// Whether a box may be of several classes.
    pub labels: Labels,
}

constant!(
    enum Labels {
        Best,
        All,
    }
);
constant!(
    enum Overlap {
        Class,
        Score,
    }
);
constant!(struct Select { keep, iou, overlap, labels });

impl Select {
    /// What may be changed about a detector.
    pub(super) fn settings(&mut self) -> Settings<'_> {
        Settings {
            keep: Some(&mut self.keep),
            iou: Some(&mut self.iou),
            nms: Some(&mut self.overlap),
            ..Settings::default()
        }
    }

    /// The classes that a box is of, with their scores: those that are high enough, or the best of them.
    pub(super) fn likely(&self, scores: impl Iterator<Item = (usize, f32)>) -> Vec<(usize, f32)> {
        let mut high: Vec<(usize, f32)> = scores.filter(|(_, score)| *score > self.keep).collect();
        if self.labels == Labels::Best {
            // The first of equal ones.
            high.sort_by(|a, b| b.1.total_cmp(&a.1));
            high.truncate(1);
        }
        high
    }

    /// Suppression happens in the network's own proportions; what stays is mapped to the picture.
    pub(super) fn answer(&self, mut found: Vec<Detection>, place: &Placement) -> Answer {
        let mut kept = match self.overlap {
            Some(overlap) => suppress(found, overlap, self.iou),
            None => {
                found.sort_by(|a, b| b.score.total_cmp(&a.score));
                found
            }
        };
        for detection in &mut kept {
            detection.bbox = place.bbox(&detection.bbox);
        }
        // Of what lies outside the picture (in the border of a letterbox, say) there is nothing to see.
        kept.retain(|detection| detection.bbox.area() > 0.0);
        Answer::Boxes(kept)
    }
}

/// What has been found, and what may be.
pub(super) struct Found {
    select: Select,
    /// In the order in which they were found.
    pub detections: Vec<Detection>,
}

impl Found {
    pub fn new(select: Select) -> Found {
        Found {
            select,
            detections: Vec::new(),
        }
    }

    /// Whether a box of this objectness can reach the threshold: probabilities are at most 1.
    pub fn may(&self, objectness: f32) -> bool {
        objectness > self.select.keep
    }

    /// Adds a box for what it is of, if that is probable enough. A detector without classes has one thing to find, and whatever it
    /// finds is that.
    pub fn add(
        &mut self,
        objectness: f32,
        classes: impl ExactSizeIterator<Item = f32>,
        bbox: impl FnOnce() -> BBox,
    ) {
        if !self.may(objectness) {
            return;
        }
        let only = (classes.len() == 0).then_some(1.0);
        let scores = classes
            .chain(only)
            .map(|probability| objectness * probability)
            .enumerate();
        let high = self.select.likely(scores);
        if high.is_empty() {
            return;
        }
        let bbox = bbox();
        if bbox.is_finite() {
            let detection = |(class, score)| Detection { bbox, class, score };
            self.detections.extend(high.into_iter().map(detection));
        }
    }
}

#[cfg(test)]
impl Select {
    /// A selection by score alone.
    pub fn above(keep: f32, labels: Labels) -> Select {
        Select {
            keep,
            iou: 0.45,
            overlap: None,
            labels,
        }
    }
}
