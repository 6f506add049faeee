//! Plain tensors in files, for inputs and raw outputs: `.npy`, and every format with names that [`Weights`] reads.

mod error;
mod export;
mod write;

pub use error::TensorFileError;
pub use write::{write_npy, write_safetensors};

use crate::npy::{self, NpyError};
use crate::weights::{
    Blob, Fault, FormatError, Place, Stored, Values, Weights, WeightsError, convert,
};
use safetensors::Dtype;
use std::path::Path;

/// A named tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its name: the file's, without its ending, for an `.npy` file.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its elements, row-major.
    pub values: Vec<f32>,
    /// Whether they are bytes in the file, as pixels are.
    pub bytes: bool,
}

/// Reads all tensors of a file: `.npy`, or what [`Weights::open`] reads and has names (`.safetensors`, `.npz`, `.pt`). The content tells
/// which it is. Floats, integers and truth values become f32.
///
/// # Errors
/// When the file cannot be read, is none of these, is damaged, or holds other types.
pub fn read_tensors(path: impl AsRef<Path>) -> Result<Vec<Tensor>, TensorFileError> {
    let path = path.as_ref();
    let origin = || path.display().to_string();
    let file = Blob::open(path).map_err(|error| TensorFileError::Read {
        path: origin(),
        error,
    })?;
    let weights = |error| match error {
        WeightsError::Memory(error) => TensorFileError::Memory {
            path: origin(),
            error,
        },
        error => TensorFileError::Weights(error),
    };
    let broken = |fault| weights(WeightsError::new(&origin(), fault));
    let magic = file.read(0..npy::MAGIC.len()).map_err(broken)?;
    if *magic == *npy::MAGIC {
        let name = path.file_stem().unwrap_or_default();
        return match read_npy(&file) {
            Ok((shape, values, bytes)) => Ok(vec![Tensor {
                name: name.to_string_lossy().into_owned(),
                shape,
                values,
                bytes,
            }]),
            Err(NpyFault::Npy(error)) => Err(TensorFileError::Npy {
                path: origin(),
                error,
            }),
            Err(NpyFault::Read(fault)) => Err(broken(fault)),
        };
    }
    drop(magic);
    let file = Weights::read(origin(), file).map_err(|error| match error {
        WeightsError::Format {
            origin,
            error: FormatError::Unknown(guess),
        } => TensorFileError::Unknown {
            path: origin,
            guess: guess.map(|kind| kind.name),
        },
        error => weights(error),
    })?;
    let read = |name: &str| {
        let tensor = file
            .get(name)
            .expect("a file has the tensors that it names");
        let name = name.to_owned();
        if !convert::readable(tensor.dtype) {
            return Err(TensorFileError::Dtype {
                path: origin(),
                name,
                dtype: tensor.dtype,
            });
        }
        let values = tensor.to_f32().map_err(weights)?;
        Ok(Tensor {
            name,
            shape: tensor.shape.to_vec(),
            values: values.into_owned(),
            bytes: tensor.dtype == Dtype::U8,
        })
    };
    file.names().map(read).collect()
}

/// Why an array cannot be read.
enum NpyFault {
    Npy(NpyError),
    Read(Fault),
}

impl From<NpyError> for NpyFault {
    fn from(error: NpyError) -> NpyFault {
        NpyFault::Npy(error)
    }
}

impl From<Fault> for NpyFault {
    fn from(fault: Fault) -> NpyFault {
        NpyFault::Read(fault)
    }
}

fn read_npy(file: &Blob) -> Result<(Vec<usize>, Vec<f32>, bool), NpyFault> {
    let read = |len| file.read(0..len);
    let end = npy::header_end(&read(npy::PREFIX)?, file.len())?;
    let array = npy::parse(&read(end)?, file.len())?;
    if !convert::readable(array.dtype) {
        return Err(NpyError::Dtype(array.dtype.to_string()).into());
    }
    let strides = npy::fortran_strides(&array.shape);
    let values = Values::File(Stored {
        file,
        shape: &array.shape,
        dtype: array.dtype,
        place: match array.fortran {
            true => Place::Strided(array.start, &strides),
            false => Place::Plain(array.start),
        },
    });
    let values = values.to_f32(values.len())?.into_owned();
    Ok((array.shape, values, array.dtype == Dtype::U8))
}
