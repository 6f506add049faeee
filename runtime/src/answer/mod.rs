//! From a network's raw output to an answer: boxes, classes, points, distances, and their drawing.
//!
//! Everything here is a plain function of slices: a head names which one is used, and its numbers.
//! Positions are fractions of the network's input until a [`Placement`] maps them to pixels of the picture
//! that was put there.

mod boxes;
mod distance;
mod draw;
mod place;
mod rank;
mod suppress;
mod yolo;

pub use boxes::{BBox, Detection};
pub use distance::{cosine, euclidean, identify, l2_norm};
pub use draw::{Canvas, Colour, class_colour};
pub use place::Placement;
pub use rank::top_k;
pub use suppress::{MAX_CANDIDATES, Overlap, suppress};
pub use yolo::{DecodeError, Labels, Yolo1, Yolo2, Yolo3};
