//! `head classify`: the most probable classes.

use super::constant::constant;
use super::{Answer, AnswerError, Decode, Placement, Settings, Tensor, top_k};

/// The classes of the output `probabilities`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classify {
    /// How many of them.
    pub top: usize,
}

constant!(struct Classify { top });

impl Decode for Classify {
    fn answer(&self, outputs: &[Tensor<'_>], _: &Placement) -> Result<Answer, AnswerError> {
        let mut outputs = outputs.iter();
        let found = outputs.find(|output| output.name == "probabilities");
        let found = found.ok_or(AnswerError::Output("the output `probabilities`"))?;
        Ok(Answer::Classes(top_k(found.data, self.top)))
    }

    fn settings(&mut self) -> Settings<'_> {
        Settings {
            top: Some(&mut self.top),
            ..Settings::default()
        }
    }

    fn classes(&self) -> Option<usize> {
        None
    }
}
