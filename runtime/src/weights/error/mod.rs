//! What is wrong with a weights file, in every format.

mod darknet;
mod torch;
mod zip;

pub use crate::npy::NpyError;
pub use darknet::DarknetError;
#[cfg(feature = "foreign-weights")]
pub(super) use torch::MAX_STEPS;
pub use torch::{PickleError, TorchError};
#[cfg(feature = "foreign-weights")]
pub(super) use zip::MAX_MEMBERS;
pub use zip::{ArchiveError, NpzError};

use crate::memory::OutOfMemory;
use crate::sniff::Kind;
use safetensors::Dtype;
use std::fmt;
use std::io;

/// What is wrong with a weights file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// In no format that is read, with a guess what it is.
    Unknown(Option<Kind>),
    /// The file ends too early.
    Truncated {
        /// Bytes that are there.
        found: u64,
        /// Bytes that the file needs.
        needed: Needed,
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
    /// More tensors than are read.
    TooMany,
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
    /// Two tensors claim the same bytes.
    Overlap(String, String),
    /// Bytes, counted from the start of the data, that belong to no tensor.
    Hole(usize, usize),
    /// A tensor takes far more room than its bytes in the file: they are compressed, or repeated.
    TooLarge {
        /// Bytes of the tensor.
        needed: u64,
        /// Most bytes that a tensor of such a file may have, unless a network asks for it.
        limit: u64,
    },
    /// An archive or pickle, for which the feature `foreign-weights` is needed.
    #[cfg(not(feature = "foreign-weights"))]
    Foreign(&'static str),
    /// A zip archive that cannot be read.
    Archive(ArchiveError),
    /// A PyTorch file.
    Torch(TorchError),
    /// A file of numpy arrays.
    Npz(NpzError),
    /// Numbers without names, for a network that they do not fit.
    Darknet(DarknetError),
}

/// How long a file would have to be, as far as its beginning says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// So many bytes.
    Exactly(u64),
    /// At least so many bytes.
    AtLeast(u64),
    /// The part that says it is missing too; what that is.
    Unknown(&'static str),
}

/// Most tensors of a file.
pub(super) const MAX_TENSORS: usize = 1 << 16;

/// Longest header of a safetensors file.
pub(super) const MAX_HEADER: usize = 8 << 20;

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FormatError::Unknown(guess) => {
                let formats = match cfg!(feature = "foreign-weights") {
                    true => "safetensors, PyTorch, npz, darknet",
                    false => "safetensors, darknet",
                };
                let advice = Kind::and_advice(*guess);
                write!(f, "not a weights file ({formats}){advice}")
            }
            #[cfg(not(feature = "foreign-weights"))]
            FormatError::Foreign(what) => write!(
                f,
                "it looks like {what}, which the crate reads with its feature `foreign-weights` only"
            ),
            FormatError::Truncated { found, needed } => {
                write!(f, "the file is truncated: {found} bytes are there, ")?;
                match needed {
                    Needed::Exactly(needed) => write!(f, "{needed} are needed"),
                    Needed::AtLeast(needed) => write!(f, "at least {needed} are needed"),
                    Needed::Unknown(what) => write!(f, "and {what} is missing"),
                }
            }
            FormatError::HeaderTooLong(claimed) => write!(
                f,
                "the header claims {claimed} bytes; at most {MAX_HEADER} are read"
            ),
            FormatError::NotUtf8 { at } => write!(f, "the header is not UTF-8 at byte {at}"),
            FormatError::Json(message) => write!(f, "the header cannot be read: {message}"),
            FormatError::TooMany => write!(f, "the file has more than {MAX_TENSORS} tensors"),
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
            FormatError::Overlap(first, second) => {
                write!(f, "tensors `{first}` and `{second}` claim the same bytes")
            }
            FormatError::Hole(start, end) => {
                write!(f, "bytes {start} to {end} of the data belong to no tensor")
            }
            FormatError::TooLarge { needed, limit } => write!(
                f,
                "a tensor takes {needed} bytes, more than the {limit} that one in a file of this size may take"
            ),
            FormatError::Archive(error) => error.fmt(f),
            FormatError::Torch(error) => error.fmt(f),
            FormatError::Npz(error) => error.fmt(f),
            FormatError::Darknet(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FormatError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            FormatError::Archive(error) => Some(error),
            FormatError::Torch(error) => Some(error),
            FormatError::Npz(error) => Some(error),
            FormatError::Darknet(error) => Some(error),
            _ => None,
        }
    }
}

/// Why a file, or a part of it, cannot be read: the system refuses it, or it is not sound.
#[derive(Debug)]
pub(crate) enum Fault {
    Io(io::Error),
    Format(FormatError),
    Memory(OutOfMemory),
}

impl Fault {
    /// A file of so many bytes, which ends too early.
    pub fn truncated(len: usize, needed: Needed) -> Fault {
        let found = len as u64;
        Fault::Format(FormatError::Truncated { found, needed })
    }
}

impl From<OutOfMemory> for Fault {
    fn from(error: OutOfMemory) -> Fault {
        Fault::Memory(error)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Io(error)
    }
}

/// `?` on the error of a format.
macro_rules! formats {
    ($($error:ty => $variant:path;)*) => {$(
        impl From<$error> for Fault {
            fn from(error: $error) -> Fault {
                Fault::Format($variant(error))
            }
        }
    )*};
}

formats! {
    ArchiveError => FormatError::Archive;
    TorchError => FormatError::Torch;
    NpzError => FormatError::Npz;
    DarknetError => FormatError::Darknet;
}

impl From<FormatError> for Fault {
    fn from(error: FormatError) -> Fault {
        Fault::Format(error)
    }
}

impl From<PickleError> for Fault {
    fn from(error: PickleError) -> Fault {
        TorchError::Pickle(error).into()
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
