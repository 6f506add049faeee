//! Whether there is anything at all: a logit in front of what is there.

use super::AnswerError;

/// The logistic function.
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// The logistic function of the first value, if that is what it is, and the rest.
pub(super) fn presence(
    values: &[f32],
    presence: bool,
) -> Result<(Option<f32>, &[f32]), AnswerError> {
    if !presence {
        return Ok((None, values));
    }
    let (&first, rest) = values
        .split_first()
        .ok_or(AnswerError::Output("a value for presence"))?;
    Ok((Some(sigmoid(first)), rest))
}
