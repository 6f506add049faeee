//! `head image`: a picture.

use super::constant::constant;
use super::{Answer, AnswerError, Decode, Placement, Settings, Tensor, raw};
use crate::image::{Picture, Show};

/// A map of one channel (grey) or three (red, green, blue).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    /// How numbers become brightness.
    pub show: Show,
}

constant!(struct Image { show });
constant!(
    enum Show {
        Clamp,
        Magnitude,
        MinMax,
    }
);

impl Decode for Image {
    fn answer(&self, outputs: &[Tensor<'_>], _: &Placement) -> Result<Answer, AnswerError> {
        let raw = raw(outputs)?;
        let picture = match *raw.shape {
            [channels, height, width] => {
                Picture::of_map(raw.data, channels, height, width, self.show)
            }
            _ => None,
        };
        Ok(picture.map_or(Answer::Numbers, Answer::Picture))
    }

    fn settings(&mut self) -> Settings<'_> {
        Settings::default()
    }

    fn classes(&self) -> Option<usize> {
        None
    }
}
