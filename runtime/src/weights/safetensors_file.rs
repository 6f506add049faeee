//! The safetensors container: where each tensor lies, with nothing taken on trust.
//!
//! A file is eight bytes of header length, that many bytes of JSON (name → dtype, shape, byte range),
//! then the data. The `safetensors` crate reads the same files, but does not see a name that
//! stands twice and does not say which tensor is at fault; its types are used here, its checks are
//! repeated with names.

use super::blob::Blob;
use super::error::{Fault, FormatError, MAX_HEADER, MAX_TENSORS, Needed};
use super::tensor::{Elements, Entry, Index};
use crate::memory::element_count;
use safetensors::tensor::TensorInfo;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// Most extents of a tensor.
const MAX_RANK: usize = 64;

/// Whether a file that begins so is meant to be in this format.
pub(super) fn begins(start: &[u8]) -> bool {
    start.get(8) == Some(&b'{')
}

/// Reads and checks the header of a file that [`begins`] so.
pub(super) fn read(file: &Blob) -> Result<Index, Fault> {
    let mut length = [0; 8];
    file.read_into(0, &mut length)?;
    let claimed = u64::from_le_bytes(length);
    let length = match usize::try_from(claimed) {
        Ok(length) if length <= MAX_HEADER => length,
        _ => return Err(FormatError::HeaderTooLong(claimed).into()),
    };
    let data_start = 8 + length;
    let header = file.read(8..data_start)?;
    if header.len() < length {
        return Err(Fault::truncated(
            file.len(),
            Needed::AtLeast(data_start as u64),
        ));
    }
    let header = str::from_utf8(&header).map_err(|error| FormatError::NotUtf8 {
        at: 8 + error.valid_up_to(),
    })?;
    let Header(tensors) =
        serde_json::from_str(header).map_err(|error| FormatError::Json(error.to_string()))?;
    let data_len = file.len() - data_start;
    let needed = check(&tensors, data_len)?;
    if needed > data_len {
        let needed = (data_start as u64).saturating_add(needed as u64);
        return Err(Fault::truncated(file.len(), Needed::Exactly(needed)));
    }
    let entry = |info: TensorInfo| Entry {
        dtype: info.dtype,
        elements: Elements::Plain(data_start + info.data_offsets.0),
        shape: info.shape,
    };
    Ok(tensors
        .into_iter()
        .map(|(name, info)| (name, entry(info)))
        .collect())
}

/// Checks that tensors and data are made for each other; gives the bytes of data that the tensors need, which may not be there.
fn check(tensors: &[(String, TensorInfo)], data_len: usize) -> Result<usize, FormatError> {
    let mut tensors: Vec<&(String, TensorInfo)> = tensors.iter().collect();
    tensors.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    if let Some(pair) = tensors.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(FormatError::Duplicate(pair[0].0.clone()));
    }
    for (name, info) in &tensors {
        let range = info.data_offsets;
        let needed = bytes_needed(info);
        if needed.is_none() || range.1.checked_sub(range.0) != needed {
            let (name, shape, dtype) = (name.clone(), info.shape.clone(), info.dtype);
            return Err(FormatError::Range {
                name,
                shape,
                dtype,
                range,
            });
        }
    }
    // A range's end too: an empty tensor comes before what starts at the same byte.
    tensors.sort_unstable_by_key(|(_, info)| info.data_offsets);
    let mut end = 0;
    let mut last: &str = "";
    for (name, info) in tensors {
        let (start, stop) = info.data_offsets;
        if start < end {
            return Err(FormatError::Overlap(last.to_owned(), name.clone()));
        }
        if start > end {
            return Err(FormatError::Hole(end, start));
        }
        (end, last) = (stop, name);
    }
    if end < data_len {
        return Err(FormatError::Hole(end, data_len));
    }
    Ok(end)
}

/// `None` where the size cannot even be counted.
fn bytes_needed(info: &TensorInfo) -> Option<usize> {
    let bits = element_count(&info.shape)?.checked_mul(info.dtype.bitsize())?;
    bits.is_multiple_of(8).then_some(bits / 8)
}

/// The header's entries in the order of the file, a name that stands twice included.
struct Header(Vec<(String, TensorInfo)>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Header, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Header;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from tensor names to tensors")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut tensors = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    match map.next_value::<TensorInfo>() {
                        Ok(_) if tensors.len() == MAX_TENSORS => {
                            let error = FormatError::TooMany;
                            return Err(A::Error::custom(error));
                        }
                        Ok(info) if info.shape.len() > MAX_RANK => {
                            let error = format!("tensor `{name}` has more than {MAX_RANK} extents");
                            return Err(A::Error::custom(error));
                        }
                        Ok(mut info) => {
                            info.shape.shrink_to_fit();
                            tensors.push((name, info));
                        }
                        Err(error) => {
                            return Err(A::Error::custom(format!("tensor `{name}`: {error}")));
                        }
                    }
                }
                Ok(Header(tensors))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
