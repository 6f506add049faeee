//! A network that was imported, and how it fits the file's inputs and outputs.

use super::behind::{self, turn};
use super::error::show;
use super::picture::Pictures;
use super::tensor::Tensor;
use super::text;
use crate::{Model, Outputs, Weights};
use cnnc_runtime::answer;
use std::borrow::Cow;

/// What the file does not say.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What the model is called after; any text.
    pub name: String,
    /// The model's documentation.
    pub doc: String,
    /// Extents of inputs by name, without the batch, where the file leaves them open.
    pub shapes: Vec<(String, Vec<usize>)>,
    /// Extents of the tensors that the network will be run on, in the order of its inputs, batch included: they say what is left open.
    pub samples: Vec<Vec<usize>>,
    /// What is known of pictures and classes.
    pub pictures: Pictures,
    /// Where the spec will be: files that it names are looked for there.
    pub place: Option<std::path::PathBuf>,
}

/// An input of the file.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its name in the file.
    pub name: String,
    /// Its extents in the file, batch included.
    pub dims: Vec<usize>,
    /// Where it stands among the spec's inputs; none, if nothing reads it.
    pub port: Option<usize>,
    /// The order of its axes without the batch in which the spec has it, if that is another.
    pub order: Option<Vec<usize>>,
}

/// Where an output of the file comes from.
#[derive(Clone, Debug)]
pub enum From {
    /// An output of the network.
    Port(String),
    /// All boxes of the head, which was the end of the file's network.
    Head,
    /// An input of the file, as it is.
    Input(usize),
    /// Numbers that do not depend on any input.
    Constant(Vec<f32>),
}

/// An output of the file.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name in the file.
    pub name: String,
    /// Its extents in the file, batch included.
    pub dims: Vec<usize>,
    /// Where it comes from.
    pub from: From,
}

/// A network that was imported.
pub struct Imported {
    /// The spec.
    pub spec: String,
    /// The weights, as the bytes of a safetensors file.
    pub weights: Vec<u8>,
    /// The file's inputs, in its order.
    pub inputs: Vec<Input>,
    /// The file's outputs, in its order.
    pub outputs: Vec<Output>,
    /// Images of a run, where the file fixes a batch of several.
    pub batch: Option<usize>,
    /// The files beside it that tensors were read from.
    pub files: Vec<std::path::PathBuf>,
    /// What was guessed, or may be missed.
    pub notes: Vec<String>,
    /// The spec, compiled.
    pub model: Model,
    /// Whether the file has a row for each box of the head rather than a column.
    pub(super) turned: bool,
}

impl Imported {
    /// Bytes of a file of weights within which it says what wrote it.
    pub const MARK: usize = 256;

    /// Whether a file with these first bytes, [`Imported::MARK`] of them, holds weights that an import of a network of this name wrote.
    ///
    /// Asked before [`Imported::take_weights`].
    pub fn wrote(&self, begin: &[u8]) -> bool {
        let mark = self.weights.get(8..).and_then(|header| {
            let end = header.iter().position(|&byte| byte == b'}')?;
            header.get(..=end)
        });
        mark.is_some_and(|mark| begin.get(8..).is_some_and(|rest| rest.starts_with(mark)))
    }

    /// Whether an output of the file is made by the head, which is the end of its network then.
    pub fn ends_with_head(&self) -> bool {
        let mut outputs = self.outputs.iter();
        outputs.any(|output| matches!(output.from, From::Head))
    }

    /// The weights, to run the network with: once, since they are moved.
    ///
    /// # Panics
    /// Never: what was written here is read.
    pub fn take_weights(&mut self) -> Weights {
        let bytes = std::mem::take(&mut self.weights);
        Weights::from_bytes(bytes).expect("the header was written here")
    }

    /// The elements of an output of the file that the network computes: of all images of a run, one behind another. `None`
    /// for one that does not come from it, or if these are another network's outputs.
    pub fn output<'s>(&self, at: usize, outputs: &Outputs<'s>) -> Option<Cow<'s, [f32]>> {
        let output = self.outputs.get(at)?;
        match &output.from {
            From::Port(port) => Some(Cow::Borrowed(outputs.get(port)?.data)),
            From::Input(_) | From::Constant(_) => None,
            From::Head => {
                let graph = self.model.graph();
                let input = graph.values[graph.inputs.first()?.value].shape.dims();
                let &[.., height, width] = input else {
                    return None;
                };
                let task = self.model.head().task;
                let mut all = Vec::new();
                for image in 0..outputs.images() {
                    let outputs = outputs.image(image);
                    let tensors: Vec<answer::Tensor<'_>> = outputs
                        .iter()
                        .map(|output| answer::Tensor {
                            name: output.name,
                            shape: output.shape,
                            data: output.data,
                        })
                        .collect();
                    let size = (width as f32, height as f32);
                    let table = behind::table(&task, &tensors, size)?;
                    match self.turned {
                        true => all.extend(turn(&table, *output.dims.last()?)),
                        false => all.extend(table),
                    }
                }
                Some(Cow::Owned(all))
            }
        }
    }

    /// A tensor of the file's input as the spec's: one image after another, axes in the spec's order.
    ///
    /// # Errors
    /// When the tensor has not the input's extents.
    pub fn feed(&self, at: usize, dims: &[usize], values: &[f32]) -> Result<Vec<f32>, String> {
        let input = &self.inputs[at];
        let count: usize = input.dims.iter().product();
        let fits = dims == input.dims
            || (dims.len() == input.dims.len()
                && !dims.is_empty()
                && dims[1..] == input.dims[1..]
                && input.dims[0] == 1);
        if !fits || count == 0 || !values.len().is_multiple_of(count) {
            return Err(format!(
                "input `{}` is {}, but the tensor is {}",
                show(&input.name),
                text::extents(&input.dims),
                text::extents(dims)
            ));
        }
        let Some(order) = &input.order else {
            return Ok(values.to_vec());
        };
        let lead = input.dims.len().saturating_sub(order.len());
        let own = &input.dims[lead..];
        let image: usize = own.iter().product();
        let mut all = Vec::with_capacity(values.len());
        for part in values.chunks_exact(image) {
            let tensor = Tensor::floats(own.to_vec(), part.to_vec());
            all.extend_from_slice(&tensor.permuted(order).to_floats());
        }
        Ok(all)
    }
}

impl std::fmt::Debug for Imported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Imported({} of {} inputs and {} outputs)",
            self.model.graph().name,
            self.inputs.len(),
            self.outputs.len()
        )
    }
}
