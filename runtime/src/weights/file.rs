//! A weights file of any format: which one it is, its content says, never its name.

use super::blob::Blob;
use super::darknet::{self, Header};
use super::error::{Fault, FormatError};
use super::safetensors_file;
use super::tensor::Named;
use crate::sniff;

/// Bytes from which the format is known.
const START: usize = 64 << 10;

/// What a file holds.
#[derive(Debug)]
pub(super) enum Contents {
    /// Tensors with names.
    Named(Named),
    /// Numbers, in the order of a network's layers.
    InOrder(Header),
}

/// Finds out the format, which has that name, and where everything is.
pub(super) fn read(file: &Blob) -> Result<(&'static str, Contents), Fault> {
    let start = file.read(0..START)?;
    if let Some((format, named)) = foreign(file, &start)? {
        return Ok((format, Contents::Named(named)));
    }
    if let Some(header) = darknet::header(&start) {
        return Ok(("darknet", Contents::InOrder(header)));
    }
    if safetensors_file::begins(&start) {
        let named = Contents::Named(safetensors_file::read(file)?.into());
        return Ok(("safetensors", named));
    }
    Err(FormatError::Unknown(sniff::kind(&start)).into())
}

/// Reads an archive or a pickle; `None` where the file, which begins so, is neither.
#[cfg(feature = "foreign-weights")]
fn foreign(file: &Blob, start: &[u8]) -> Result<Option<(&'static str, Named)>, Fault> {
    use super::archive::Archive;
    use super::error::Needed;
    use super::{npz, torch};
    if start.starts_with(b"PK\x03\x04") {
        let archive = match Archive::open(file) {
            Err(Fault::Format(FormatError::Truncated {
                needed: Needed::Unknown(what),
                ..
            })) => {
                let needed = torch::needed_at_least(file)?;
                let needed = needed.map_or(Needed::Unknown(what), Needed::AtLeast);
                return Err(Fault::truncated(file.len(), needed));
            }
            archive => archive?,
        };
        return Ok(Some(match torch::root(&archive) {
            Some(root) => ("PyTorch", torch::read_zip(&archive, &root)?),
            None => ("npz", npz::read(&archive)?),
        }));
    }
    Ok(match torch::legacy_start(start) {
        Some(at) => Some(("PyTorch before 1.6", torch::read_legacy(file, at)?)),
        None => None,
    })
}

/// This build reads none, and says which it cannot.
#[cfg(not(feature = "foreign-weights"))]
fn foreign(_: &Blob, start: &[u8]) -> Result<Option<(&'static str, Named)>, Fault> {
    let archive = start.starts_with(b"PK\x03\x04") || matches!(start, [0x80, 2..=5, ..]);
    match sniff::kind(start).filter(|_| archive) {
        Some(kind) => Err(FormatError::Foreign(kind.name).into()),
        None => Ok(None),
    }
}
