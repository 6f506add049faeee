//! Weights of any format, written as safetensors.

use super::bind::{Bound, Values};
use super::{Weights, WeightsError};
use crate::tensor_file::{NamedPart, Part, TensorFileError, write_parts};
use std::path::Path;

impl Weights {
    /// Writes every tensor under its own name as safetensors, elements as they are: whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_safetensors(&self, path: impl AsRef<Path>) -> Result<(), TensorFileError> {
        let tensors = self.index.iter().filter_map(|(name, entry)| {
            let stored = self.stored(entry)?;
            Some((name.as_str(), &entry.shape[..], Part::Stored(stored)))
        });
        let tensors: Vec<NamedPart<'_>> = tensors.collect();
        for (_, _, part) in &tensors {
            if let Part::Stored(stored) = part {
                let affordable = stored.affordable();
                let refuse = |fault| WeightsError::new(&self.origin, fault);
                affordable.map_err(|fault| TensorFileError::Weights(refuse(fault)))?;
            }
        }
        write_parts(path.as_ref(), &tensors, &self.origin)
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
