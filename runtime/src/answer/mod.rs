//! From a network's raw output to an answer: boxes, classes, points, distances, and their drawing.
//!
//! Everything here is a plain function of slices. A [`Head`] is the choice among them, with its numbers, that a spec's
//! `head` makes; [`Head::answer`] applies it to the outputs of a network.
//!
//! Positions are fractions of the network's input until a [`Placement`] maps them to pixels of the picture
//! that was put there.

mod boxes;
mod decode;
mod distance;
#[cfg(feature = "drawing")]
mod draw;
mod head;
mod pitch;
mod place;
mod rank;
mod regions;
mod suppress;
mod yolo;

pub use boxes::{BBox, Detection};
pub use decode::{Answer, AnswerError, Tensor};
pub use distance::{cosine, euclidean, identify, l2_norm};
#[cfg(feature = "drawing")]
pub use draw::{Canvas, Colour, class_colour};
pub use head::{Head, Map, Metric, Range, Select, Task};
pub use pitch::Bins;
pub use place::Placement;
pub use rank::top_k;
pub use regions::Regions;
pub use suppress::{MAX_CANDIDATES, Overlap, suppress};
pub use yolo::{DecodeError, Labels, Yolo1, Yolo2, Yolo3};
