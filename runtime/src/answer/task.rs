//! What is asked of a network's outputs, and how they say it: one file and one row of [`Task`] each.

use super::constant::{Constant, Value};
use super::{
    Answer, AnswerError, Classify, Dfl, Embed, Image, Keypoints, Landmarks, Locate, Numbers,
    Overlap, Pitch, Placement, Regions, Segment, Tensor, Verify, Yolo1, Yolo2, Yolo3,
};

/// What a task knows: its answer, and what may be changed about it.
pub trait Decode: Constant {
    /// The answer, from the outputs in the spec's order (`raw` first) and where the picture lies in the input.
    ///
    /// # Errors
    /// When the outputs are not those of a network with this head.
    fn answer(&self, outputs: &[Tensor<'_>], place: &Placement) -> Result<Answer, AnswerError>;

    /// Every setting that may be changed when the network runs.
    fn settings(&mut self) -> Settings<'_>;

    /// How many classes are told apart; `None` where that is not asked.
    fn classes(&self) -> Option<usize>;
}

/// The settings of a head that may be changed when the network runs, as far as it has them.
#[derive(Debug, Default, PartialEq)]
pub struct Settings<'a> {
    /// How many classes are shown.
    pub top: Option<&'a mut usize>,
    /// Least score of a box, or of there being anything.
    pub keep: Option<&'a mut f32>,
    /// Overlap from which on a better box suppresses another.
    pub iou: Option<&'a mut f32>,
    /// Which boxes suppress which; none if absent.
    pub nms: Option<&'a mut Option<Overlap>>,
    /// From which score on, or up to which distance, inputs count as alike.
    pub threshold: Option<&'a mut f32>,
}

/// The enum of these tasks, each of which is a type of that name.
macro_rules! tasks {
    ($($(#[doc = $doc:literal])* $task:ident,)*) => {
        /// What is asked of a network, and how its outputs say it.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Task {
            $($(#[doc = $doc])* $task($task),)*
        }

        impl Task {
            /// What it knows.
            pub(super) fn decode(&self) -> &dyn Decode {
                match self {
                    $(Task::$task(task) => task,)*
                }
            }

            /// What it knows, to be changed.
            pub(super) fn decode_mut(&mut self) -> &mut dyn Decode {
                match self {
                    $(Task::$task(task) => task,)*
                }
            }
        }

        impl Constant for Task {
            fn constant(&self) -> Value {
                let name = match self {
                    $(Task::$task(_) => stringify!($task),)*
                };
                Value::Variant("Task", name, Some(Box::new(self.decode().constant())))
            }
        }

        $(impl From<$task> for Task {
            fn from(task: $task) -> Task {
                Task::$task(task)
            }
        })*
    };
}

tasks! {
    /// `head classify`: classes and their probabilities.
    Classify,
    /// `head yolo1`: boxes from a vector.
    Yolo1,
    /// `head yolo2`: boxes from a map.
    Yolo2,
    /// `head yolo3`: boxes from one map or several.
    Yolo3,
    /// `head dfl`: boxes by distances to their sides.
    Dfl,
    /// `head regions`: proposals, classified and moved.
    Regions,
    /// `head boxes`: one box, and what is in it.
    Locate,
    /// `head landmarks`: points.
    Landmarks,
    /// `head keypoints`: points by heat maps.
    Keypoints,
    /// `head verify`: whether inputs are alike.
    Verify,
    /// `head embed`: a vector.
    Embed,
    /// `head pitch`: a frequency.
    Pitch,
    /// `head image`: a picture.
    Image,
    /// `head segment`: a class for every pixel.
    Segment,
    /// Numbers that have no other form.
    Numbers,
}
