//! Arrays of numpy: one sample in a `.npy` file or in each array of a `.npz` file, or many along the first axis.

use super::DataError;
use super::files::{ends_with, within};
use super::reader::{Reader, shape_is};
use super::samples::Samples;
use super::wav::shown;
use cnnc_runtime::tensor_file::read_tensors;
use std::path::{Path, PathBuf};

impl Reader<'_> {
    /// Makes samples of arrays with their classes.
    pub(super) fn arrays(
        &self,
        from: &Path,
        files: &[(PathBuf, u32)],
    ) -> Result<Samples, DataError> {
        let elements = self.elements();
        let mut filling = self.filling(from);
        for (path, class) in files {
            let tensors =
                read_tensors(path).map_err(|error| DataError::Unreadable(error.to_string()))?;
            for tensor in tensors {
                let name = match ends_with(path, "npz") {
                    true => format!("{}:{}", within(from, path), tensor.name),
                    false => within(from, path),
                };
                let several = match shape_is(&tensor.shape, self.shape) {
                    true => false,
                    false if tensor.shape.len() > 1 && shape_is(&tensor.shape[1..], self.shape) => {
                        true
                    }
                    false => {
                        let why = format!(
                            "an array of {}, but the network's input is {}",
                            shown(&tensor.shape),
                            shown(self.shape)
                        );
                        return Err(DataError::Broken(from.join(name), why));
                    }
                };
                for (number, sample) in tensor.values.chunks_exact(elements).enumerate() {
                    filling.numbers(sample, *class)?;
                    filling.name(match several {
                        true => format!("{name}#{number}"),
                        false => name.clone(),
                    });
                }
            }
        }
        Ok(filling.done())
    }
}
