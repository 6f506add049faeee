//! The tensors of a weights file that a network reads.

use crate::Options;
use cnnc_runtime::plan::Source;
use cnnc_runtime::weights::{Bound, Weights, WeightsError};

/// What of the weights a user should know.
pub(crate) struct Read {
    pub unused: Vec<String>,
    pub notes: Vec<String>,
}

impl Read {
    pub fn of(bound: &Bound<'_>) -> Read {
        Read {
            unused: bound.unused().iter().map(|&name| name.to_owned()).collect(),
            notes: bound.notes().to_vec(),
        }
    }
}

/// Finds the tensors that a network reads.
pub(crate) fn bind<'a>(
    weights: &'a Weights,
    sources: &'a [Source],
    options: &Options,
) -> Result<Bound<'a>, WeightsError> {
    let bound = weights.bind(sources)?;
    match options.strict {
        true => bound.strict(),
        false => Ok(bound),
    }
}
