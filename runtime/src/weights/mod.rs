//! Weights: tensors by name, from a file, from bytes, or synthetic, and their fit to a network.
//!
//! Files are safetensors, darknet's `.weights`, which have no names (theirs are the network's own, in its order), and with the
//! feature `foreign-weights` PyTorch's state dicts (zip archives and the format before) and numpy's `.npz`.
//! [`Weights::bind`] checks everything that a network asks for and reports all problems at once; what
//! it returns is packed by [`pack`](crate::pack::pack).

#[cfg(feature = "foreign-weights")]
mod archive;
mod bind;
pub(crate) mod convert;
mod darknet;
mod export;
mod file;
mod format;
#[cfg(feature = "foreign-weights")]
mod npz;
#[cfg(feature = "foreign-weights")]
mod pickle;
mod problem;
#[cfg(feature = "foreign-weights")]
mod torch;

pub use crate::npy::NpyError;
#[cfg(feature = "foreign-weights")]
pub use archive::ArchiveError;
pub use bind::Bound;
pub(crate) use bind::Values;
pub use darknet::DarknetError;
pub use format::FormatError;
#[cfg(feature = "foreign-weights")]
pub use npz::NpzError;
#[cfg(feature = "foreign-weights")]
pub use pickle::PickleError;
pub use problem::{Problem, WeightsError};
pub use safetensors::Dtype;
#[cfg(feature = "foreign-weights")]
pub use torch::TorchError;

pub(crate) use format::Shape;

use file::{Contents, Elements, Entry, Index};
use memmap2::Mmap;
use std::borrow::Cow;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// A set of named tensors.
pub struct Weights {
    /// What messages call it.
    origin: String,
    store: Store,
    index: Index,
    /// Set where the file has no names.
    in_order: Option<darknet::Header>,
}

enum Store {
    Mapped(Mmap),
    Bytes(Cow<'static, [u8]>),
    Synthetic,
}

/// One tensor as it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TensorRef<'a> {
    /// Its shape, row-major.
    pub shape: &'a [usize],
    /// The type of its elements.
    pub dtype: Dtype,
    /// Its elements, little-endian, at any alignment.
    pub bytes: &'a [u8],
}

impl<'a> TensorRef<'a> {
    /// The elements as f32, rounded where the type holds more; `None` for types that are not
    /// plain numbers of whole bytes (complex, 8-bit floats and smaller).
    pub fn to_f32(&self) -> Option<Cow<'a, [f32]>> {
        convert::to_f32(self.dtype, self.bytes)
    }
}

impl Weights {
    /// Maps a weights file into memory. Its content says what format it has; no tensor is read before
    /// it is asked for.
    ///
    /// The file must not be changed while the weights are in use; replace it by renaming another
    /// over it, which leaves the mapping as it is.
    ///
    /// # Errors
    /// When the file cannot be opened, or is not a sound file of a known format.
    pub fn open(path: impl AsRef<Path>) -> Result<Weights, WeightsError> {
        let path = path.as_ref();
        let origin = path.display().to_string();
        let map = match map(path) {
            Ok(map) => map,
            Err(error) => return Err(WeightsError::Io { origin, error }),
        };
        match file::read(&map) {
            Ok(contents) => Ok(Weights::new(origin, Store::Mapped(map), contents)),
            Err(error) => Err(WeightsError::Format { origin, error }),
        }
    }

    /// Reads a weights file that is already in memory, such as an embedded one; it may lie at
    /// any alignment, and is not copied.
    ///
    /// # Errors
    /// When it is not a sound file of a known format.
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Weights, WeightsError> {
        let bytes = bytes.into();
        let origin = "the weights in memory".to_owned();
        match file::read(&bytes) {
            Ok(contents) => Ok(Weights::new(origin, Store::Bytes(bytes), contents)),
            Err(error) => Err(WeightsError::Format { origin, error }),
        }
    }

    /// Weights from `(name, shape, elements)`, which are copied.
    ///
    /// # Errors
    /// When a name stands twice, or a shape and its elements disagree.
    pub fn from_tensors<'a>(
        tensors: impl IntoIterator<Item = (&'a str, &'a [usize], &'a [f32])>,
    ) -> Result<Weights, WeightsError> {
        let origin = "the weights in memory".to_owned();
        let mut bytes = Vec::new();
        let mut index = Index::new();
        for (name, shape, values) in tensors {
            let start = bytes.len();
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            let range = start..bytes.len();
            let name = name.to_owned();
            if element_count(shape) != Some(values.len()) {
                let (shape, range) = (shape.to_vec(), (range.start, range.end));
                let error = FormatError::Range {
                    name,
                    shape,
                    dtype: Dtype::F32,
                    range,
                };
                return Err(WeightsError::Format { origin, error });
            }
            let entry = Entry {
                dtype: Dtype::F32,
                shape: shape.to_vec(),
                elements: Elements::InFile(range),
            };
            if index.insert(name.clone(), entry).is_some() {
                let error = FormatError::Duplicate(name);
                return Err(WeightsError::Format { origin, error });
            }
        }
        let store = Store::Bytes(bytes.into());
        Ok(Weights::new(origin, store, Contents::Named(index)))
    }

    /// Weights that have every tensor a network may ask for, made from its name: see
    /// [`synthetic`](crate::synthetic).
    pub fn synthetic() -> Weights {
        let origin = "synthetic weights".to_owned();
        Weights::new(origin, Store::Synthetic, Contents::Named(Index::new()))
    }

    fn new(origin: String, store: Store, contents: Contents) -> Weights {
        let (index, in_order) = match contents {
            Contents::Named(index) => (index, None),
            Contents::InOrder(header) => (Index::new(), Some(header)),
        };
        Weights {
            origin,
            store,
            index,
            in_order,
        }
    }

    /// What messages call these weights: the path, for a file.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The tensor of that name. Synthetic weights and files without names have none until they are bound.
    pub fn get(&self, name: &str) -> Option<TensorRef<'_>> {
        self.index.get(name).map(|entry| self.tensor(entry))
    }

    /// The names of all tensors, sorted.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.index.keys().map(String::as_str)
    }

    /// Whether tensors have no names until they are bound: those of darknet's files take the network's.
    pub fn is_nameless(&self) -> bool {
        self.in_order.is_some()
    }

    fn is_synthetic(&self) -> bool {
        matches!(self.store, Store::Synthetic)
    }

    fn tensor<'a>(&'a self, entry: &'a Entry) -> TensorRef<'a> {
        TensorRef {
            shape: &entry.shape,
            dtype: entry.dtype,
            bytes: match &entry.elements {
                Elements::InFile(range) => &self.file()[range.clone()],
                Elements::Owned(bytes) => bytes,
            },
        }
    }

    fn file(&self) -> &[u8] {
        match &self.store {
            Store::Mapped(map) => map,
            Store::Bytes(bytes) => bytes,
            Store::Synthetic => &[],
        }
    }
}

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Weights({}, {} tensors)", self.origin, self.index.len())
    }
}

/// Elements of a shape, `None` where they cannot be counted.
pub(crate) fn element_count(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1usize, |n, &size| n.checked_mul(size))
}

/// Maps an ordinary file into memory, read-only.
pub(crate) fn map(path: &Path) -> io::Result<Mmap> {
    // Asked before opening: opening a named pipe would wait for its writer.
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() {
            "it is a directory"
        } else {
            "it is not a file"
        };
        return Err(io::Error::other(what));
    }
    let file = File::open(path)?;
    // SAFETY: the mapping is read-only and private. That nobody writes to the file in the meantime
    // cannot be proven from inside; `open` asks for it, as every memory-mapping reader must.
    unsafe { Mmap::map(&file) }
}
