//! What networks are told of samples.

use cnnc_compiler::loss::Targets;

/// What is known of samples, one behind another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Their classes,
    pub labels: Vec<u32>,
    /// or what the network should make of them.
    pub numbers: Vec<f32>,
}

impl Known {
    /// The same as a loss takes it.
    pub fn targets(&self) -> Targets<'_> {
        match self.numbers.is_empty() {
            true => Targets::Classes(&self.labels),
            false => Targets::Numbers(&self.numbers),
        }
    }

    /// Forgets all of it.
    pub(in crate::train) fn clear(&mut self) {
        self.labels.clear();
        self.numbers.clear();
    }
}
