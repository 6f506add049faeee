//! A weights file of any format: which one it is, its content says, never its name.

use super::archive::Archive;
use super::darknet::{self, Header};
use super::format::{self, FormatError};
use super::{npz, torch};
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
    if file.starts_with(b"PK\x03\x04") {
        let archive = Archive::open(file).map_err(FormatError::Archive)?;
        let index = if torch::is_torch(&archive) {
            torch::read_zip(file, archive).map_err(FormatError::Torch)
        } else {
            npz::read(file, archive).map_err(FormatError::Npz)
        };
        return index.map(Contents::Named);
    }
    if torch::is_legacy(file) {
        let index = torch::read_legacy(file).map_err(FormatError::Torch);
        return index.map(Contents::Named);
    }
    if let Some(header) = darknet::header(file) {
        return Ok(Contents::InOrder(header));
    }
    format::parse(file).map(Contents::Named)
}
