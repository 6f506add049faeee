//! Weights: tensors by name, from a file, from bytes, or synthetic, and their fit to a network.
//!
//! Files are safetensors, darknet's `.weights`, which have no names (theirs are the network's own, in its order), and with the
//! feature `foreign-weights` PyTorch's state dicts (zip archives and the format before) and numpy's `.npz`.
//! [`Weights::bind`] checks everything that a network asks for and reports all problems at once; what
//! it returns is packed by [`pack`](crate::pack::pack).

#[cfg(feature = "foreign-weights")]
mod archive;
mod bind;
mod blob;
pub(crate) mod convert;
mod darknet;
mod error;
mod file;
#[cfg(feature = "foreign-weights")]
mod npz;
mod packed;
#[cfg(feature = "foreign-weights")]
mod pickle;
mod prefix;
mod problem;
mod safetensors_file;
mod tensor;
#[cfg(feature = "foreign-weights")]
mod torch;

pub use bind::Bound;
pub use error::{
    ArchiveError, DarknetError, FormatError, Needed, NpyError, NpzError, PickleError, TorchError,
};
pub use problem::{Problem, WeightsError};
pub use safetensors::Dtype;

pub(crate) use bind::Values;
pub(crate) use blob::Blob;
pub(crate) use error::{Fault, Shape};
pub(crate) use tensor::{CopyError, Place, Stored};

use crate::memory::element_count;
use file::Contents;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use tensor::{Elements, Entry, Index, Named};

/// A set of named tensors.
pub struct Weights {
    /// What messages call it.
    origin: String,
    /// What it is called, for a file.
    format: &'static str,
    store: Store,
    index: Index,
    /// What has a name but is no tensor that is read; what it is.
    unread: BTreeMap<String, String>,
    notes: Vec<String>,
    /// Set where the file has no names.
    in_order: Option<darknet::Header>,
    strict: bool,
}

enum Store {
    File(Blob),
    Synthetic,
}

/// One tensor as it stands in the file.
#[derive(Clone, Copy)]
pub struct TensorRef<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its shape, row-major.
    pub shape: &'a [usize],
    /// The type of its elements.
    pub dtype: Dtype,
    origin: &'a str,
    stored: Stored<'a>,
}

impl<'a> TensorRef<'a> {
    /// Its elements, little-endian, row-major.
    ///
    /// # Errors
    /// When the file cannot be read any more, or the elements take far more room than their bytes in the file.
    pub fn bytes(&self) -> Result<Cow<'a, [u8]>, WeightsError> {
        let bytes = self.stored.affordable().and_then(|()| self.stored.bytes());
        bytes.map_err(|fault| WeightsError::new(self.origin, fault))
    }

    /// The elements as f32, rounded where the type holds more.
    ///
    /// # Errors
    /// As [`TensorRef::bytes`], and for types that are not
    /// plain numbers of whole bytes (complex, 8-bit floats and smaller).
    pub fn to_f32(&self) -> Result<Cow<'a, [f32]>, WeightsError> {
        if !convert::readable(self.dtype) {
            let (name, dtype) = (self.name.to_owned(), self.dtype);
            return Err(WeightsError::Unfit {
                origin: self.origin.to_owned(),
                prefix: String::new(),
                problems: vec![Problem::Dtype { name, dtype }],
            });
        }
        let values = Values::File(self.stored);
        let values = self
            .stored
            .affordable()
            .and_then(|()| values.to_f32(values.len()));
        values.map_err(|fault| WeightsError::new(self.origin, fault))
    }
}

impl fmt::Debug for TensorRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} of {}", self.name, Shape(self.shape), self.dtype)
    }
}

impl Weights {
    /// Opens a weights file. Its content says what format it has; no tensor is read before
    /// it is asked for, and then from the file, which may be replaced in the meantime, by renaming another
    /// over it: the open one stays. Where the file is written to, values are those of then or of before; where it is made
    /// shorter, reading is an error.
    ///
    /// # Errors
    /// When the file cannot be opened, or is not a sound file of a known format.
    pub fn open(path: impl AsRef<Path>) -> Result<Weights, WeightsError> {
        let path = path.as_ref();
        let origin = path.display().to_string();
        match Blob::open(path) {
            Ok(file) => Weights::read(origin, file),
            Err(error) => Err(WeightsError::Io { origin, error }),
        }
    }

    /// Reads a weights file that is already in memory, such as an embedded one; it may lie at
    /// any alignment, and is not copied.
    ///
    /// # Errors
    /// When it is not a sound file of a known format.
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Weights, WeightsError> {
        let origin = "the weights in memory".to_owned();
        Weights::read(origin, Blob::from(bytes.into()))
    }

    pub(crate) fn read(origin: String, file: Blob) -> Result<Weights, WeightsError> {
        match file::read(&file) {
            Ok((format, contents)) => Ok(Weights {
                format,
                ..Weights::new(origin, Store::File(file), contents)
            }),
            Err(fault) => Err(WeightsError::new(&origin, fault)),
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
            let name = name.to_owned();
            if element_count(shape) != Some(values.len()) {
                let (shape, range) = (shape.to_vec(), (start, bytes.len()));
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
                elements: Elements::Plain(start),
            };
            if index.insert(name.clone(), entry).is_some() {
                let error = FormatError::Duplicate(name);
                return Err(WeightsError::Format { origin, error });
            }
        }
        let store = Store::File(Blob::from(Cow::Owned(bytes)));
        Ok(Weights::new(origin, store, Contents::Named(index.into())))
    }

    /// Weights that have every tensor a network may ask for, made from its name: see
    /// [`synthetic`](crate::synthetic).
    pub fn synthetic() -> Weights {
        let origin = "synthetic weights".to_owned();
        Weights::new(origin, Store::Synthetic, Contents::Named(Named::default()))
    }

    fn new(origin: String, store: Store, contents: Contents) -> Weights {
        let (named, in_order) = match contents {
            Contents::Named(named) => (named, None),
            Contents::InOrder(header) => (Named::default(), Some(header)),
        };
        let Named {
            index,
            unread,
            notes,
        } = named;
        Weights {
            origin,
            format: "",
            store,
            index,
            unread,
            notes,
            in_order,
            strict: false,
        }
    }

    /// Refuses networks that do not read every tensor: [`Weights::bind`] and all that is built on it give an error. The weights of
    /// another network may fit in name and shape all the same, those of a deeper one for instance.
    ///
    /// ```
    /// use cnnc_runtime::plan::Source;
    /// use cnnc_runtime::weights::Weights;
    /// let weights = Weights::from_tensors([("a", &[1][..], &[1.0][..]), ("b", &[1], &[2.0])])?.strict();
    /// let sources = [Source { name: "a".into(), shape: vec![1].into() }];
    /// assert!(weights.bind(&sources).unwrap_err().to_string().contains("`b`"));
    /// # Ok::<(), cnnc_runtime::weights::WeightsError>(())
    /// ```
    #[must_use]
    pub fn strict(mut self) -> Weights {
        self.strict = true;
        self
    }

    /// What messages call these weights: the path, for a file.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What the format of a file is called: `safetensors`, `PyTorch`, `npz`, `darknet`; nothing for weights that are no file.
    pub fn format(&self) -> &'static str {
        self.format
    }

    /// Bytes of the file.
    pub fn file_len(&self) -> usize {
        match &self.store {
            Store::File(file) => file.len(),
            Store::Synthetic => 0,
        }
    }

    /// What a user should know of the file: a line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The tensor of that name. Synthetic weights and files without names have none until they are bound.
    pub fn get(&self, name: &str) -> Option<TensorRef<'_>> {
        let (name, entry) = self.index.get_key_value(name)?;
        let stored = self.stored(entry)?;
        Some(TensorRef {
            name,
            shape: &entry.shape,
            dtype: entry.dtype,
            origin: &self.origin,
            stored,
        })
    }

    /// Every tensor of the file, by its name.
    pub(crate) fn every_stored(&self) -> impl Iterator<Item = (&str, Stored<'_>)> {
        let entries = self.index.iter();
        entries.filter_map(|(name, entry)| Some((name.as_str(), self.stored(entry)?)))
    }

    /// Names that stand in the file for what is read as no tensor (text, complex numbers of 16 bytes, sparse tensors), and what that is.
    pub fn unread(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.unread
            .iter()
            .map(|(name, what)| (name.as_str(), what.as_str()))
    }

    /// The names of all tensors, sorted.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.index.keys().map(String::as_str)
    }

    /// Whether tensors have no names until they are bound: those of darknet's files take the network's.
    pub fn is_nameless(&self) -> bool {
        self.in_order.is_some()
    }

    fn stored<'a>(&'a self, entry: &'a Entry) -> Option<Stored<'a>> {
        let Store::File(file) = &self.store else {
            return None;
        };
        Some(Stored {
            file,
            shape: &entry.shape,
            dtype: entry.dtype,
            place: entry.elements.place(),
        })
    }
}

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Weights({}, {} tensors)", self.origin, self.index.len())
    }
}
