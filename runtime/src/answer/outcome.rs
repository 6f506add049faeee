//! What heads are given, and what they say.

use super::{Detection, Segments};
use crate::image::Picture;
use crate::memory::OutOfMemory;
use std::fmt;

/// One output of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tensor<'a> {
    /// `raw`, `probabilities`, ….
    pub name: &'a str,
    /// Channels first.
    pub shape: &'a [usize],
    /// Its elements.
    pub data: &'a [f32],
}

impl Tensor<'_> {
    /// Rows and columns of a map.
    pub(super) fn extents(&self) -> Result<[usize; 2], AnswerError> {
        match *self.shape {
            [_, rows, columns] => Ok([rows, columns]),
            _ => Err(AnswerError::Output("maps of channels, rows and columns")),
        }
    }
}

/// What enters a head's decode.
pub(super) fn raw<'a, 't>(outputs: &'a [Tensor<'t>]) -> Result<&'a Tensor<'t>, AnswerError> {
    outputs.first().ok_or(AnswerError::Output("an output"))
}

/// What a head says. Boxes and points are in pixels of the picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Classes and their probabilities, the most probable first.
    Classes(Vec<(usize, f32)>),
    /// What is where, the surest first.
    Boxes(Vec<Detection>),
    /// Points.
    Points(Points),
    /// Whether the inputs are alike.
    Alike(Alike),
    /// A vector that stands for the input.
    Embedding(Vec<f32>),
    /// A pitch.
    Pitch(Tone),
    /// A class for every pixel.
    Segments(Segments),
    /// A picture.
    Picture(Picture),
    /// Numbers, as the outputs have them.
    Numbers,
}

/// Points of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// In the spec's order; none if there is nothing.
    pub points: Vec<(f32, f32)>,
    /// How probable it is that there is anything, where the network says so.
    pub presence: Option<f32>,
}

/// Whether inputs are alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alike {
    /// The score or distance.
    pub value: f32,
    /// Whether it is a distance.
    pub distance: bool,
    /// What it is held against.
    pub threshold: f32,
    /// Whether they are.
    pub alike: bool,
}

/// What is heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tone {
    /// The frequency; none in silence.
    pub hertz: Option<f32>,
    /// The activation of the best bin.
    pub confidence: f32,
}

/// Outputs that are not what the head needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerError {
    /// A map of another size.
    Decode(DecodeError),
    /// An output is missing, or has another shape.
    Output(&'static str),
    /// There is no memory for it.
    Memory(OutOfMemory),
}

impl From<DecodeError> for AnswerError {
    fn from(error: DecodeError) -> AnswerError {
        AnswerError::Decode(error)
    }
}

impl From<OutOfMemory> for AnswerError {
    fn from(error: OutOfMemory) -> AnswerError {
        AnswerError::Memory(error)
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AnswerError::Decode(error) => error.fmt(f),
            AnswerError::Memory(error) => error.fmt(f),
            AnswerError::Output(what) => write!(f, "the head needs {what}"),
        }
    }
}

impl std::error::Error for AnswerError {}

/// A map that is not what the decode needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Values that the head's numbers make, if they can be counted.
    pub needed: Option<usize>,
    /// Values of the map.
    pub found: usize,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.needed {
            Some(needed) => write!(
                f,
                "the head needs a map of {needed} values, not {}",
                self.found
            ),
            None => f.write_str("the head's anchors and classes are more than can be counted"),
        }
    }
}

impl std::error::Error for DecodeError {}

#[cfg(test)]
impl<'a> Tensor<'a> {
    /// The output that enters the decode.
    pub fn raw(shape: &'a [usize], data: &'a [f32]) -> Tensor<'a> {
        Tensor {
            name: "raw",
            shape,
            data,
        }
    }
}
