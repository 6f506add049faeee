//! A weights file of any format: which one it is, its content says, never its name.

use super::darknet::{self, Header};
use super::format::{self, FormatError};
use safetensors::Dtype;
use std::collections::BTreeMap;
use std::ops::Range;

/// One tensor of a file.
#[derive(Debug)]
pub(crate) struct Entry {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub elements: Elements,
}

/// Where a tensor's elements are, little-endian, in row-major order.
#[derive(Debug)]
pub(crate) enum Elements {
    /// In the file, as they are needed.
    InFile(Range<usize>),
    /// Unpacked, or put into order.
    #[cfg_attr(not(feature = "foreign-weights"), expect(dead_code))]
    Owned(Vec<u8>),
}

pub(crate) type Index = BTreeMap<String, Entry>;

/// What a file holds.
#[derive(Debug)]
pub(super) enum Contents {
    /// Tensors with names.
    Named(Index),
    /// Numbers, in the order of a network's layers.
    InOrder(Header),
}

/// Finds out the format, and where everything is.
pub(super) fn read(file: &[u8]) -> Result<Contents, FormatError> {
    if let Some(index) = foreign(file) {
        return index.map(Contents::Named);
    }
    if let Some(header) = darknet::header(file) {
        return Ok(Contents::InOrder(header));
    }
    format::parse(file).map(Contents::Named)
}

/// Reads an archive or a pickle; `None` where the file is neither.
#[cfg(feature = "foreign-weights")]
fn foreign(file: &[u8]) -> Option<Result<Index, FormatError>> {
    use super::{archive::Archive, npz, torch};
    if file.starts_with(b"PK\x03\x04") {
        let archive = match Archive::open(file) {
            Ok(archive) => archive,
            Err(error) => return Some(Err(FormatError::Archive(error))),
        };
        return Some(match torch::is_torch(&archive) {
            true => torch::read_zip(file, archive).map_err(FormatError::Torch),
            false => npz::read(file, archive).map_err(FormatError::Npz),
        });
    }
    torch::is_legacy(file).then(|| torch::read_legacy(file).map_err(FormatError::Torch))
}

/// This build reads none, and says which it cannot.
#[cfg(not(feature = "foreign-weights"))]
fn foreign(file: &[u8]) -> Option<Result<Index, FormatError>> {
    let archive = file.starts_with(b"PK\x03\x04") || matches!(file, [0x80, 2..=5, ..]);
    let what = crate::sniff::looks_like(file).filter(|_| archive)?;
    Some(Err(FormatError::Foreign(what)))
}
