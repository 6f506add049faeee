//! Plain tensors in files, for inputs and raw outputs: `.npy`, and every format with names that [`Weights`] reads.

use crate::files::write_atomically;
use crate::memory::{OutOfMemory, element_count};
use crate::npy::{self, NpyError};
use crate::sniff::Guess;
use crate::synthetic::Synthetic;
use crate::weights::{Blob, CopyError, Fault, Place, Shape, Stored, Values, convert};
use crate::weights::{Dtype, FormatError, Weights, WeightsError};
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
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
            Ok((shape, values)) => Ok(vec![Tensor {
                name: name.to_string_lossy().into_owned(),
                shape,
                values,
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

fn read_npy(file: &Blob) -> Result<(Vec<usize>, Vec<f32>), NpyFault> {
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
    Ok((array.shape, values))
}

/// Writes one f32 array as `.npy`; see [`write_atomically`].
///
/// # Errors
/// When shape and elements disagree, or the file cannot be written.
pub fn write_npy(
    path: impl AsRef<Path>,
    shape: &[usize],
    values: &[f32],
) -> Result<(), TensorFileError> {
    let (path, tensors) = (path.as_ref(), [("the array", shape, values)]);
    check_counts(path, &tensors)?;
    write(path, &parts(&tensors), &npy::header(shape), "")
}

/// Writes f32 tensors, `(name, shape, elements)`, as safetensors; see [`write_atomically`].
///
/// # Errors
/// When a name stands twice, a shape and its elements disagree, or the file cannot be written.
pub fn write_safetensors(
    path: impl AsRef<Path>,
    tensors: &[(&str, &[usize], &[f32])],
) -> Result<(), TensorFileError> {
    let path = path.as_ref();
    check_counts(path, tensors)?;
    write_parts(path, &parts(tensors), "")
}

/// The elements of a tensor to be written.
#[derive(Clone, Copy)]
pub(crate) enum Part<'a> {
    /// As numbers.
    Floats(&'a [f32]),
    /// As they stand in a file.
    Stored(Stored<'a>),
    /// Made up when they are written.
    Synthetic(Synthetic, usize),
}

impl Part<'_> {
    fn dtype(&self) -> Dtype {
        match self {
            Part::Stored(stored) => stored.dtype,
            _ => Dtype::F32,
        }
    }

    /// Bytes in the file.
    fn len(&self) -> usize {
        match self {
            Part::Floats(values) => size_of_val(*values),
            Part::Stored(stored) => stored.byte_len(),
            Part::Synthetic(_, count) => count * size_of::<f32>(),
        }
    }

    fn write(&self, file: &mut impl Write) -> Result<(), CopyError> {
        /// Numbers that are made at once.
        const BLOCK: usize = 4096;
        match self {
            Part::Floats(values) => floats(file, values).map_err(CopyError::Write),
            Part::Stored(stored) => stored.copy_to(file),
            Part::Synthetic(synthetic, count) => {
                let mut block = [0.0; BLOCK];
                for start in (0..*count).step_by(BLOCK) {
                    let block = &mut block[..BLOCK.min(count - start)];
                    synthetic.fill(start, block);
                    floats(file, block).map_err(CopyError::Write)?;
                }
                Ok(())
            }
        }
    }
}

fn floats(file: &mut impl Write, values: &[f32]) -> io::Result<()> {
    values
        .iter()
        .try_for_each(|value| file.write_all(&value.to_le_bytes()))
}

/// Name, shape, elements.
pub(crate) type NamedPart<'a> = (&'a str, &'a [usize], Part<'a>);

fn parts<'a>(tensors: &[(&'a str, &'a [usize], &'a [f32])]) -> Vec<NamedPart<'a>> {
    let part = |&(name, shape, values)| (name, shape, Part::Floats(values));
    tensors.iter().map(part).collect()
}

fn check_counts(path: &Path, tensors: &[(&str, &[usize], &[f32])]) -> Result<(), TensorFileError> {
    for (name, shape, values) in tensors {
        if element_count(shape) != Some(values.len()) {
            let (path, name) = (path.display().to_string(), (*name).to_owned());
            let (shape, elements) = (shape.to_vec(), values.len());
            return Err(TensorFileError::Count {
                path,
                name,
                shape,
                elements,
            });
        }
    }
    Ok(())
}

/// Writes tensors of `origin` as safetensors, those of wider types first, so that each is aligned where the file is mapped.
pub(crate) fn write_parts(
    path: &Path,
    tensors: &[NamedPart<'_>],
    origin: &str,
) -> Result<(), TensorFileError> {
    let mut tensors = tensors.to_vec();
    tensors.sort_by_key(|(_, _, part)| std::cmp::Reverse(part.dtype().bitsize()));
    let mut header = serde_json::Map::new();
    let mut end = 0;
    for (name, shape, part) in &tensors {
        let start = end;
        end += part.len();
        let entry = serde_json::json!({
            "dtype": part.dtype(), "shape": shape, "data_offsets": [start, end],
        });
        if *name == "__metadata__" || header.insert((*name).to_owned(), entry).is_some() {
            let (path, name) = (path.display().to_string(), (*name).to_owned());
            return Err(TensorFileError::Name { path, name });
        }
    }
    let mut header = serde_json::Value::Object(header).to_string();
    // So that the data is aligned where the file is mapped.
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    let length = header.len() as u64;
    let header = [&length.to_le_bytes(), header.as_bytes()].concat();
    write(path, &tensors, &header, origin)
}

fn write(
    path: &Path,
    tensors: &[NamedPart<'_>],
    header: &[u8],
    origin: &str,
) -> Result<(), TensorFileError> {
    // What cannot be read is no fault of the file that is written.
    let mut unread = None;
    let write = |file: &mut File| {
        let mut file = BufWriter::new(file);
        file.write_all(header)?;
        for (_, _, part) in tensors {
            match part.write(&mut file) {
                Ok(()) => {}
                Err(CopyError::Write(error)) => return Err(error),
                Err(CopyError::Read(fault)) => {
                    unread = Some(fault);
                    return Err(io::Error::other("the tensors cannot be read"));
                }
            }
        }
        file.flush()
    };
    let written = write_atomically(path, write);
    match (written, unread) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(fault)) => Err(TensorFileError::Weights(WeightsError::new(origin, fault))),
        (Err(error), None) => {
            let path = path.display().to_string();
            Err(TensorFileError::Write { path, error })
        }
    }
}

/// Why a tensor file could not be read or written.
#[derive(Debug)]
pub enum TensorFileError {
    /// It cannot be read.
    Read {
        /// The file.
        path: String,
        /// The system's reason.
        error: io::Error,
    },
    /// It cannot be written.
    Write {
        /// The file.
        path: String,
        /// The system's reason.
        error: io::Error,
    },
    /// It is in no format that is read.
    Unknown {
        /// The file.
        path: String,
        /// What it looks like.
        guess: Option<&'static str>,
    },
    /// It is a damaged `.npy` file.
    Npy {
        /// The file.
        path: String,
        /// What is wrong with it.
        error: NpyError,
    },
    /// It is a damaged file of named tensors.
    Weights(WeightsError),
    /// There is no memory for what it holds.
    Memory {
        /// The file.
        path: String,
        /// How much is needed.
        error: OutOfMemory,
    },
    /// A tensor's type does not become f32.
    Dtype {
        /// The file.
        path: String,
        /// The tensor.
        name: String,
        /// Its type.
        dtype: Dtype,
    },
    /// Shape and elements disagree.
    Count {
        /// The file.
        path: String,
        /// The tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Number of elements given.
        elements: usize,
    },
    /// A name that stands twice, or that the format keeps for itself.
    Name {
        /// The file.
        path: String,
        /// The name.
        name: String,
    },
}

impl fmt::Display for TensorFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use TensorFileError::*;
        match self {
            Read { path, error } => write!(f, "cannot read {path}: {error}"),
            Write { path, error } => write!(f, "cannot write {path}: {error}"),
            Unknown { path, guess } => {
                write!(
                    f,
                    "{path}: not a file of tensors (npy, npz, safetensors, pt){}",
                    Guess(*guess)
                )
            }
            Npy { path, error } => write!(f, "{path}: {error}"),
            Weights(error) => error.fmt(f),
            Memory { path, error } => write!(f, "{path}: {error}"),
            Dtype { path, name, dtype } => {
                write!(
                    f,
                    "{path}: tensor `{name}` holds {dtype}, which is not read as f32"
                )
            }
            Count {
                path,
                name,
                shape,
                elements,
            } => write!(
                f,
                "{path}: tensor `{name}` of shape {} was given {elements} elements",
                Shape(shape)
            ),
            Name { path, name } => {
                write!(
                    f,
                    "{path}: the name `{name}` stands twice, or is not allowed"
                )
            }
        }
    }
}

impl std::error::Error for TensorFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TensorFileError::Read { error, .. } | TensorFileError::Write { error, .. } => {
                Some(error)
            }
            TensorFileError::Npy { error, .. } => Some(error),
            TensorFileError::Weights(error) => Some(error),
            TensorFileError::Memory { error, .. } => Some(error),
            _ => None,
        }
    }
}
