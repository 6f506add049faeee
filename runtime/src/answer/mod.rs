//! From a network's raw output to an answer: boxes, classes, points, distances, and their drawing.
//!
//! Everything here is a plain function of slices. A [`Head`] is the choice among them, with its numbers, that a spec's
//! `head` makes; [`Head::answer`] applies it to the outputs of a network. Each choice is a file of its own with a row of
//! [`Task`], and what they have in common stands beside them:
//!
//! | file | what |
//! |---|---|
//! | `task` | the table, and what a task answers for |
//! | `head`, `outcome` | the head with its labels; what goes in and what comes out |
//! | `select`, `suppress`, `grid` | what detectors share: which boxes are kept, maps with anchors |
//! | `presence`, `rank`, `distance` | whether there is anything; the best classes; how far vectors are apart |
//! | `boxes`, `place`, `draw` | boxes, the way back to the picture, drawing on it |
//! | `constant` | heads as constants of generated code |
//!
//! Positions are fractions of the network's input until a [`Placement`] maps them to pixels of the picture
//! that was put there.

mod boxes;
mod classify;
#[doc(hidden)]
pub mod constant;
mod dfl;
mod distance;
#[cfg(feature = "drawing")]
mod draw;
mod embed;
mod grid;
mod head;
mod keypoints;
mod landmarks;
mod locate;
mod numbers;
mod outcome;
mod picture;
mod pitch;
mod place;
mod presence;
mod rank;
mod regions;
mod segment;
mod select;
mod suppress;
mod task;
mod verify;
mod yolo1;
mod yolo2;
mod yolo3;

pub use crate::image::Placement;
#[doc(hidden)]
pub use crate::image::Show;
pub use boxes::{BBox, Detection};
pub use classify::Classify;
pub use dfl::{Dfl, MOST_BINS};
pub use distance::{cosine, euclidean, identify, l2_norm};
#[cfg(feature = "drawing")]
pub use draw::{Canvas, Colour, class_colour};
pub use embed::{Embed, Metric};
pub use head::{Head, NoSetting, Thresholds};
pub use keypoints::Keypoints;
pub use landmarks::{Landmarks, Range};
pub use locate::Locate;
pub use numbers::Numbers;
use outcome::raw;
pub use outcome::{Alike, Answer, AnswerError, DecodeError, Points, Tensor, Tone};
pub use picture::Image;
pub use pitch::Pitch;
pub use rank::top_k;
pub use regions::Regions;
pub use segment::{Segment, Segments, Share};
pub use select::{Labels, Select};
pub use suppress::{MAX_CANDIDATES, Overlap, suppress};
pub use task::{Decode, Settings, Task};
pub use verify::Verify;
pub use yolo1::Yolo1;
pub use yolo2::Yolo2;
pub use yolo3::{Map, Yolo3};
