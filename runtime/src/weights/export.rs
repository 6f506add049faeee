//! Weights of any format, written as safetensors.

use super::bind::{Bound, Values};
use super::{TensorRef, Weights};
use crate::tensor_file::{NamedPart, Part, TensorFileError, write_parts};
use std::path::Path;

impl Weights {
    /// Writes every tensor under its own name as safetensors, elements as they are: whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_safetensors(&self, path: impl AsRef<Path>) -> Result<(), TensorFileError> {
        let tensors = self.index.iter();
        let tensors: Vec<NamedPart<'_>> = tensors
            .map(|(name, entry)| part(name, self.tensor(entry)))
            .collect();
        write_parts(path.as_ref(), &tensors)
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
                Values::File(tensor) => part(&source.name, tensor),
                Values::Synthetic(synthetic, count) => (
                    &*source.name,
                    &*source.shape,
                    Part::Synthetic(synthetic, count),
                ),
                Values::Literal(values) => (&*source.name, &*source.shape, Part::Floats(values)),
            })
            .collect();
        write_parts(path.as_ref(), &tensors)
    }
}

fn part<'a>(name: &'a str, tensor: TensorRef<'a>) -> NamedPart<'a> {
    (name, tensor.shape, Part::Bytes(tensor.dtype, tensor.bytes))
}
