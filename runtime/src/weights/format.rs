//! The safetensors container: where each tensor lies, with nothing taken on trust.
//!
//! A file is eight bytes of header length, that many bytes of JSON (name → dtype, shape, byte range),
//! then the data. The `safetensors` crate reads the same files, but does not see a name that
//! stands twice and does not say which tensor is at fault; its types are used here, its checks are
//! repeated with names.

#[cfg(feature = "foreign-weights")]
use super::archive::ArchiveError;
use super::darknet::DarknetError;
use super::file::{Elements, Entry, Index};
#[cfg(feature = "foreign-weights")]
use super::npz::NpzError;
#[cfg(feature = "foreign-weights")]
use super::torch::TorchError;
use crate::sniff::{Kind, kind};
use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// Longest header that is read: the limit of the safetensors crate.
const MAX_HEADER: usize = 100_000_000;

/// What is wrong with a weights file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// In no format that is read, with a guess what it is.
    Unknown(Option<Kind>),
    /// The header is longer than the file.
    HeaderLength {
        /// Bytes that the header is said to have.
        claimed: u64,
        /// Bytes that the file has after the length.
        left: usize,
    },
    /// The header is longer than any that is read.
    HeaderTooLong(u64),
    /// The header is not UTF-8.
    NotUtf8 {
        /// Offset in the file of the first byte that is not.
        at: usize,
    },
    /// The header is not the JSON that it should be; the parser's message.
    Json(String),
    /// The name stands twice.
    Duplicate(String),
    /// The byte range runs backwards, or its length is not what shape and type need.
    Range {
        /// The tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Its type.
        dtype: Dtype,
        /// Its bytes, from the start of the data.
        range: (usize, usize),
    },
    /// The byte range ends after the file does.
    Truncated {
        /// The tensor.
        name: String,
        /// Bytes of data that the file would need.
        needed: usize,
        /// Bytes of data that it has.
        found: usize,
    },
    /// Two tensors claim the same bytes.
    Overlap(String, String),
    /// Bytes, counted from the start of the data, that belong to no tensor.
    Hole(usize, usize),
    /// An archive or pickle, for which the feature `foreign-weights` is needed.
    #[cfg(not(feature = "foreign-weights"))]
    Foreign(&'static str),
    /// A zip archive that cannot be read.
    #[cfg(feature = "foreign-weights")]
    Archive(ArchiveError),
    /// A PyTorch file.
    #[cfg(feature = "foreign-weights")]
    Torch(TorchError),
    /// A file of numpy arrays.
    #[cfg(feature = "foreign-weights")]
    Npz(NpzError),
    /// Numbers without names, for a network that they do not fit.
    Darknet(DarknetError),
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FormatError::Unknown(guess) => {
                let formats = match cfg!(feature = "foreign-weights") {
                    true => "safetensors, PyTorch, npz, darknet",
                    false => "safetensors, darknet",
                };
                write!(
                    f,
                    "not a weights file ({formats}){}",
                    Kind::and_advice(*guess)
                )
            }
            #[cfg(not(feature = "foreign-weights"))]
            FormatError::Foreign(what) => write!(
                f,
                "it looks like {what}, which the crate reads with its feature `foreign-weights` only"
            ),
            FormatError::HeaderLength { claimed, left } => {
                write!(
                    f,
                    "the header claims {claimed} bytes, but only {left} follow: "
                )?;
                f.write_str("the file is truncated or damaged")
            }
            FormatError::HeaderTooLong(claimed) => {
                write!(
                    f,
                    "the header claims {claimed} bytes; at most {MAX_HEADER} are read"
                )
            }
            FormatError::NotUtf8 { at } => write!(f, "the header is not UTF-8 at byte {at}"),
            FormatError::Json(message) => write!(f, "the header cannot be read: {message}"),
            FormatError::Duplicate(name) => write!(f, "tensor `{name}` stands twice in the header"),
            FormatError::Range {
                name,
                shape,
                dtype,
                range: (start, end),
            } => write!(
                f,
                "tensor `{name}`: bytes {start} to {end} cannot hold {} of {dtype}",
                Shape(shape)
            ),
            FormatError::Truncated {
                name,
                needed,
                found,
            } => write!(
                f,
                "tensor `{name}` ends at byte {needed} of the data, but only {found} are there: \
                 the file is truncated"
            ),
            FormatError::Overlap(first, second) => {
                write!(f, "tensors `{first}` and `{second}` claim the same bytes")
            }
            FormatError::Hole(start, end) => {
                write!(f, "bytes {start} to {end} of the data belong to no tensor")
            }
            #[cfg(feature = "foreign-weights")]
            FormatError::Archive(error) => error.fmt(f),
            #[cfg(feature = "foreign-weights")]
            FormatError::Torch(error) => error.fmt(f),
            #[cfg(feature = "foreign-weights")]
            FormatError::Npz(error) => error.fmt(f),
            FormatError::Darknet(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FormatError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            #[cfg(feature = "foreign-weights")]
            FormatError::Archive(error) => Some(error),
            #[cfg(feature = "foreign-weights")]
            FormatError::Torch(error) => Some(error),
            #[cfg(feature = "foreign-weights")]
            FormatError::Npz(error) => Some(error),
            FormatError::Darknet(error) => Some(error),
            _ => None,
        }
    }
}

/// A shape as the language writes it: `64x3x7x7`.
pub(crate) struct Shape<'a>(pub &'a [usize]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("one number"),
            [first, rest @ ..] => {
                write!(f, "{first}")?;
                rest.iter().try_for_each(|size| write!(f, "x{size}"))
            }
        }
    }
}

/// Reads and checks the header of `file`; ranges are offsets in the file.
pub(crate) fn parse(file: &[u8]) -> Result<Index, FormatError> {
    let Some((length, rest)) = file.split_first_chunk::<8>() else {
        return Err(FormatError::Unknown(kind(file)));
    };
    if rest.first() != Some(&b'{') {
        return Err(FormatError::Unknown(kind(file)));
    }
    let claimed = u64::from_le_bytes(*length);
    let too_short = FormatError::HeaderLength {
        claimed,
        left: rest.len(),
    };
    let length = usize::try_from(claimed).map_err(|_| too_short.clone())?;
    let (header, data) = rest.split_at_checked(length).ok_or(too_short)?;
    if length > MAX_HEADER {
        return Err(FormatError::HeaderTooLong(claimed));
    }
    let header = std::str::from_utf8(header).map_err(|error| FormatError::NotUtf8 {
        at: 8 + error.valid_up_to(),
    })?;
    let Header(tensors) =
        serde_json::from_str(header).map_err(|error| FormatError::Json(error.to_string()))?;
    index(tensors, 8 + length, data.len())
}

fn index(
    mut tensors: Vec<(String, TensorInfo)>,
    data_start: usize,
    data_len: usize,
) -> Result<Index, FormatError> {
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
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
    tensors.sort_by_key(|(_, info)| info.data_offsets);
    let mut end = 0;
    let mut last: &str = "";
    for (name, info) in &tensors {
        let (start, stop) = info.data_offsets;
        if start < end {
            return Err(FormatError::Overlap(last.to_owned(), name.clone()));
        }
        if start > end && start <= data_len {
            return Err(FormatError::Hole(end, start));
        }
        if stop > data_len {
            return Err(FormatError::Truncated {
                name: name.clone(),
                needed: stop,
                found: data_len,
            });
        }
        (end, last) = (stop, name);
    }
    if end < data_len {
        return Err(FormatError::Hole(end, data_len));
    }
    let entry = |info: TensorInfo| Entry {
        dtype: info.dtype,
        elements: Elements::InFile(
            data_start + info.data_offsets.0..data_start + info.data_offsets.1,
        ),
        shape: info.shape,
    };
    Ok(tensors
        .into_iter()
        .map(|(name, info)| (name, entry(info)))
        .collect())
}

/// `None` where the size cannot even be counted.
fn bytes_needed(info: &TensorInfo) -> Option<usize> {
    let bits = info
        .shape
        .iter()
        .try_fold(info.dtype.bitsize(), |n, &size| n.checked_mul(size))?;
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
                        Ok(info) => tensors.push((name, info)),
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
