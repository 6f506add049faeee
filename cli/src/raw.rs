//! `--raw`: outputs as they leave the network, in a file of tensors.

use crate::Failure;
use cnnc::Outputs;
use cnnc::rt::memory::OutOfMemory;
use cnnc::rt::tensor_file::{write_npy, write_safetensors};
use std::path::Path;

/// Outputs of several runs, stacked.
#[derive(Default)]
pub struct Raw {
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
    runs: usize,
}

impl Raw {
    /// Adds the outputs of a run, except those that a head has decoded.
    pub fn add(&mut self, outputs: &Outputs<'_>) -> Result<(), OutOfMemory> {
        let raw = outputs
            .iter()
            .filter(|output| output.name != "probabilities");
        for (index, output) in raw.enumerate() {
            if self.runs == 0 {
                let (name, shape) = (output.name.to_owned(), output.shape.to_vec());
                self.tensors.push((name, shape, Vec::new()));
            }
            let values = &mut self.tensors[index].2;
            let bytes = size_of_val(output.data);
            let reserved = values.try_reserve(output.data.len());
            reserved.map_err(|_| OutOfMemory { bytes })?;
            values.extend(output.data);
        }
        self.runs += 1;
        Ok(())
    }

    /// Writes them into a folder, as `output_0.npy` and so on.
    pub fn write_each(mut self, folder: &Path) -> Result<(), Failure> {
        crate::onnx::make(folder)?;
        for (at, (_, shape, values)) in self.tensors.iter_mut().enumerate() {
            if self.runs > 1 {
                shape.insert(0, self.runs);
            }
            write_npy(folder.join(format!("output_{at}.npy")), shape, values)?;
        }
        Ok(())
    }

    /// Writes them: with the output's own shape after one run, with the number of runs in front of it after several.
    pub fn write(mut self, path: &Path) -> Result<(), Failure> {
        if self.runs > 1 {
            for (_, shape, _) in &mut self.tensors {
                shape.insert(0, self.runs);
            }
        }
        let tensors: Vec<_> = self
            .tensors
            .iter()
            .map(|(name, shape, values)| (name.as_str(), &shape[..], &values[..]))
            .collect();
        Ok(write_safetensors(path, &tensors)?)
    }
}
