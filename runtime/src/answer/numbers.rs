//! Numbers that have no other form: those of a network without a head, or of one that names tensors only.

use super::constant::constant;
use super::{Answer, AnswerError, Decode, Placement, Settings, Tensor};

/// The outputs as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {}

constant!(
    struct Numbers {}
);

impl Decode for Numbers {
    fn answer(&self, _: &[Tensor<'_>], _: &Placement) -> Result<Answer, AnswerError> {
        Ok(Answer::Numbers)
    }

    fn settings(&mut self) -> Settings<'_> {
        Settings::default()
    }

    fn classes(&self) -> Option<usize> {
        None
    }
}
