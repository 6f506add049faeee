//! Numpy's `.npz`: a zip archive of `.npy` arrays, each under its tensor's name.

use super::archive::Archive;
use super::error::{Fault, FormatError, MAX_TENSORS, NpzError};
use super::packed::Packed;
use super::tensor::{Elements, Entry, Named};
use crate::npy::{self, NpyError};
use crate::sniff::zip;

/// Bytes that a header usually takes at most.
const USUAL: usize = 1 << 10;

/// The arrays of an archive; no element is read.
pub(super) fn read(archive: &Archive<'_>) -> Result<Named, Fault> {
    let mut named = Named::default();
    for (member_name, member) in archive.members() {
        let Some(name) = member_name.strip_suffix(".npy") else {
            continue;
        };
        if named.index.len() == MAX_TENSORS {
            return Err(FormatError::TooMany.into());
        }
        let array = |error| NpzError::Array {
            name: name.to_owned(),
            error,
        };
        let mut start = archive.start(member_name, USUAL)?;
        let end = npy::header_end(&start, member.len).map_err(array)?;
        if end > start.len() {
            start = archive.start(member_name, end)?;
        }
        let found = match npy::parse(&start, member.len) {
            Ok(found) => found,
            // What no network reads may be there all the same.
            Err(NpyError::Dtype(dtype)) => {
                named
                    .unread
                    .insert(name.to_owned(), format!("a numpy array of `{dtype}`"));
                continue;
            }
            Err(error) => return Err(array(error).into()),
        };
        let strides = found.fortran.then(|| npy::fortran_strides(&found.shape));
        let elements = match (member.compressed, strides) {
            (true, strides) => Elements::Packed(Box::new(Packed {
                name: member_name.to_owned(),
                range: member.range.clone(),
                start: found.start,
                crc: member.crc,
                strides,
            })),
            (false, Some(strides)) => {
                Elements::Strided(Box::new((member.range.start + found.start, strides)))
            }
            (false, None) => Elements::Plain(member.range.start + found.start),
        };
        let entry = Entry {
            dtype: found.dtype,
            shape: found.shape,
            elements,
        };
        named.index.insert(name.to_owned(), entry);
    }
    if named.index.is_empty() && named.unread.is_empty() {
        let names: Vec<&str> = archive.members().map(|(name, _)| name).collect();
        return Err(FormatError::Unknown(Some(zip::of_names(&names))).into());
    }
    Ok(named)
}
