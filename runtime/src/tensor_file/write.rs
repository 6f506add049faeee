//! Tensors as files: npy, and safetensors.

use super::TensorFileError;
use crate::files::write_atomically;
use crate::memory::element_count;
use crate::npy;
use crate::synthetic::Synthetic;
use crate::weights::{CopyError, Dtype, Stored, WeightsError};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

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
pub(super) enum Part<'a> {
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
pub(super) type NamedPart<'a> = (&'a str, &'a [usize], Part<'a>);

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
pub(super) fn write_parts(
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
