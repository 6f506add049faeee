//! Arrays of numpy: one sample in a `.npy` file, or many along its first axis.

use super::DataError;
use super::files::within;
use super::reader::Reader;
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
                let several = match is_shape(&tensor.shape, self.shape) {
                    true => false,
                    false if tensor.shape.len() > 1 && is_shape(&tensor.shape[1..], self.shape) => {
                        true
                    }
                    false => {
                        let why = format!(
                            "an array of {}, but the network's input is {}",
                            shown(&tensor.shape),
                            shown(self.shape)
                        );
                        return Err(DataError::Broken(path.clone(), why));
                    }
                };
                let name = within(from, path);
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

/// Whether an array has the extents of the input, but for those of 1 in front.
fn is_shape(found: &[usize], wanted: &[usize]) -> bool {
    let ones = wanted.iter().take_while(|&&extent| extent == 1).count();
    (0..=ones).any(|skipped| found == &wanted[skipped..])
}
