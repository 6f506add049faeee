//! Weights of any format, written as safetensors.

use super::TensorFileError;
use super::write::{NamedPart, Part, write_parts};
use crate::weights::{Bound, Values, Weights, WeightsError};
use std::path::Path;

impl Weights {
    /// Writes every tensor under its own name as safetensors, elements as they are: whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_safetensors(&self, path: impl AsRef<Path>) -> Result<(), TensorFileError> {
        let tensors = self.every_stored();
        let tensors: Vec<NamedPart<'_>> = tensors
            .map(|(name, stored)| (name, stored.shape, Part::Stored(stored)))
            .collect();
        for (_, _, part) in &tensors {
            if let Part::Stored(stored) = part {
                let affordable = stored.affordable();
                let refuse = |fault| WeightsError::new(self.origin(), fault);
                affordable.map_err(|fault| TensorFileError::Weights(refuse(fault)))?;
            }
        }
        write_parts(path.as_ref(), &tensors, self.origin())
    }
}

impl Bound<'_> {
    /// Writes the tensors that the network reads, under its names, as safetensors: whole or not at all. Elements keep
    /// their type.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_safetensors(&self, path: impl AsRef<Path>) -> Result<(), TensorFileError> {
        let tensors = self.sources.iter().zip(&self.tensors);
        let tensors: Vec<NamedPart<'_>> = tensors
            .map(|(source, values)| match *values {
                // Under the network's own shape too.
                Values::File(stored) => (&*source.name, &*source.shape, Part::Stored(stored)),
                Values::Synthetic(synthetic, count) => (
                    &*source.name,
                    &*source.shape,
                    Part::Synthetic(synthetic, count),
                ),
                Values::Literal(values) => (&*source.name, &*source.shape, Part::Floats(values)),
            })
            .collect();
        write_parts(path.as_ref(), &tensors, self.origin)
    }
}
