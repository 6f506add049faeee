//! A spec's head as data: which decode, and its numbers. Generated code holds it as a constant.

use super::{Bins, Labels, Overlap};
use crate::image::Show;
use crate::plan::List;
use std::borrow::Cow;

/// What turns the outputs of a network into an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Names of the classes; empty if the spec has none.
    pub labels: List<Cow<'static, str>>,
    /// What is asked, and how the outputs say it.
    pub task: Task,
}

/// What is asked of a network, and how its outputs say it.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// `head classify`: the classes of the output `probabilities`.
    Classify {
        /// How many of them.
        top: usize,
    },
    /// `head yolo1`: boxes from a vector.
    Yolo1 {
        /// Cells along each side.
        side: usize,
        /// Boxes of each cell.
        boxes: usize,
        /// Classes.
        classes: usize,
        /// Which boxes are kept.
        select: Select,
    },
    /// `head yolo2`: boxes from a map.
    Yolo2 {
        /// Width and height of each anchor, in cells.
        anchors: List<(f32, f32)>,
        /// Classes.
        classes: usize,
        /// Which boxes are kept.
        select: Select,
    },
    /// `head yolo3`: boxes from the first outputs, one map each.
    Yolo3 {
        /// The maps.
        maps: List<Map>,
        /// Classes.
        classes: usize,
        /// Whether the maps are logistic already, and sizes are squares.
        squared: bool,
        /// Which boxes are kept.
        select: Select,
    },
    /// `head regions`: proposals, classified and moved, from three outputs: scores, deltas and the regions.
    Regions {
        /// Classes without the background.
        classes: usize,
        /// What the four numbers of a class are multiplied by.
        std: [f32; 4],
        /// Width and height of the network's input.
        input: (f32, f32),
        /// Which boxes are kept.
        select: Select,
    },
    /// `head boxes`: one box, and what is in it.
    Locate {
        /// Whether the first value says that there is anything.
        presence: bool,
        /// Whether the box is left, top, right, bottom instead of centre and size.
        corners: bool,
        /// Classes; none if the box alone is the answer.
        classes: usize,
        /// Least probability that there is anything.
        keep: f32,
    },
    /// `head landmarks`: points.
    Landmarks {
        /// Whether the first value says that there is anything.
        presence: bool,
        /// What the numbers are.
        range: Range,
        /// Whether every x stands before every y, instead of pairs.
        axes: bool,
        /// Width and height of the network's input.
        input: (f32, f32),
        /// Least probability that there is anything.
        keep: f32,
    },
    /// `head verify`: whether inputs are alike.
    Verify {
        /// Whether the output's length is a distance, instead of a score.
        distance: bool,
        /// From which score on, or up to which distance, they are.
        threshold: f32,
    },
    /// `head embed`: a vector.
    Embed {
        /// How two are compared.
        metric: Metric,
        /// Up to which distance they count as the same.
        threshold: f32,
    },
    /// `head pitch`: a frequency, from the activations of bins.
    Pitch {
        /// The bins.
        bins: Bins,
    },
    /// `head image`: a picture.
    Image {
        /// How numbers become brightness.
        show: Show,
    },
    /// Numbers that have no other form.
    Numbers,
}

/// One map of [`Task::Yolo3`].
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// Width and height of each anchor, as fractions of the input.
    pub anchors: List<(f32, f32)>,
    /// How far centres reach beyond their cells.
    pub stretch: f32,
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

/// How two embeddings are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Length of the difference.
    Euclidean,
    /// 1 minus the cosine of the angle between them.
    Cosine,
}

/// What the numbers of [`Task::Landmarks`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Fractions of the input.
    Fraction,
    /// −1 to 1 across the input.
    Symmetric,
    /// Pixels of the input.
    Pixels,
}

impl Metric {
    /// The distance of two vectors, 0 for the same; `None` where they have different numbers of elements.
    pub fn distance(self, a: &[f32], b: &[f32]) -> Option<f32> {
        match self {
            Metric::Euclidean => super::euclidean(a, b),
            Metric::Cosine => super::cosine(a, b).map(|cosine| 1.0 - cosine),
        }
    }
}

impl Head {
    /// The name of a class: its label, or `class 7`; `object`, where there are no classes.
    pub fn label(&self, class: usize) -> Cow<'_, str> {
        match self.labels.get(class) {
            Some(label) => Cow::Borrowed(label),
            None if self.finds_one_thing() => Cow::Borrowed("object"),
            None => Cow::Owned(format!("class {class}")),
        }
    }

    /// Whether the head finds things without telling them apart.
    fn finds_one_thing(&self) -> bool {
        let detector = match &self.task {
            Task::Yolo1 { classes, .. }
            | Task::Yolo2 { classes, .. }
            | Task::Yolo3 { classes, .. } => Some(*classes),
            _ => None,
        };
        detector == Some(0)
    }

    /// Replaces the least score of an answer, where the head has one.
    pub fn set_keep(&mut self, least: f32) -> bool {
        match &mut self.task {
            Task::Yolo1 { select, .. }
            | Task::Yolo2 { select, .. }
            | Task::Yolo3 { select, .. } => {
                select.keep = least;
            }
            Task::Locate { keep, presence, .. } | Task::Landmarks { keep, presence, .. }
                if *presence =>
            {
                *keep = least;
            }
            _ => return false,
        }
        true
    }

    /// Which boxes are kept, where the head has several.
    pub fn select_mut(&mut self) -> Option<&mut Select> {
        match &mut self.task {
            Task::Yolo1 { select, .. }
            | Task::Yolo2 { select, .. }
            | Task::Yolo3 { select, .. } => Some(select),
            _ => None,
        }
    }

    /// Replaces the threshold of `verify` or `embed`, where it is one of these.
    pub fn set_threshold(&mut self, value: f32) -> bool {
        match &mut self.task {
            Task::Verify { threshold, .. } | Task::Embed { threshold, .. } => *threshold = value,
            _ => return false,
        }
        true
    }
}

impl Default for Head {
    /// Of a network without a head.
    fn default() -> Head {
        Head {
            labels: Cow::Borrowed(&[]),
            task: Task::Numbers,
        }
    }
}
