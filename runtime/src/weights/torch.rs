//! PyTorch's `.pt` and `.pth` files: state dicts, in a zip archive or in the format before 1.6.
//!
//! Both hold a pickle that says which tensors there are and where their elements lie; the elements
//! themselves are plain bytes, used where they are. The pickle is read by a machine that
//! cannot run anything: see [`pickle`](super::pickle).

use super::archive::{Archive, ArchiveError};
use super::convert::width;
use super::file::{Elements, Entry, Index};
use super::pickle::{Object, Pickle, PickleError, Storage, Tensor, Value};
use crate::npy::gather;
use safetensors::Dtype;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::ops::Range;

/// The number that opens a legacy file, as a pickle of its own.
const MAGIC: &[u8] = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

/// Version of the legacy format.
const LEGACY: i64 = 1001;

/// Deepest dictionary that a state dict is looked for in.
const MAX_DEPTH: usize = 4;

/// Where training scripts put the state dict, in the order of preference.
const WRAPPERS: &[&str] = &[
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "params",
];

/// What is wrong with a PyTorch file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TorchError {
    /// The zip archive around it.
    Archive(ArchiveError),
    /// The pickle in it.
    Pickle(PickleError),
    /// A program made by `torch.jit`, not a state dict.
    Script,
    /// A format that is not read.
    Format(&'static str),
    /// What was saved is no dictionary of tensors.
    NoStateDict {
        /// What it is.
        found: &'static str,
    },
    /// Several dictionaries of tensors, and none that is likelier than the others; their keys.
    Ambiguous(Vec<String>),
    /// The elements of a storage are not in the file, or not all of them.
    Storage {
        /// A tensor that needs it.
        tensor: String,
        /// What the file calls the storage.
        key: String,
    },
    /// A tensor reaches beyond its storage, or cannot be counted.
    Bounds(String),
    /// A tensor repeats its elements so often that it takes more room than the file.
    Repeats(String),
    /// The file ends too early.
    Truncated,
}

impl fmt::Display for TorchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TorchError::Archive(error) => error.fmt(f),
            TorchError::Pickle(error) => error.fmt(f),
            TorchError::Script => {
                f.write_str("a TorchScript program; save the module's `state_dict()` instead")
            }
            TorchError::Format(what) => write!(f, "a PyTorch file that is not read: {what}"),
            TorchError::NoStateDict { found } => {
                write!(
                    f,
                    "a PyTorch file with {found}, where a dictionary of tensors should be; "
                )?;
                f.write_str("save `model.state_dict()`")
            }
            TorchError::Ambiguous(keys) => {
                let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
                write!(
                    f,
                    "a PyTorch file with several state dicts ({}); ",
                    keys.join(", ")
                )?;
                f.write_str("save the one that is wanted on its own")
            }
            TorchError::Storage { tensor, key } => {
                write!(
                    f,
                    "tensor `{tensor}`: its storage `{key}` is missing, compressed or truncated"
                )
            }
            TorchError::Bounds(tensor) => {
                write!(f, "tensor `{tensor}` reaches beyond the end of its storage")
            }
            TorchError::Repeats(tensor) => {
                write!(
                    f,
                    "tensor `{tensor}` repeats its elements, and would not fit a file of this size"
                )
            }
            TorchError::Truncated => f.write_str("a PyTorch file that ends too early"),
        }
    }
}

impl std::error::Error for TorchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TorchError::Archive(error) => Some(error),
            TorchError::Pickle(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ArchiveError> for TorchError {
    fn from(error: ArchiveError) -> TorchError {
        TorchError::Archive(error)
    }
}

impl From<PickleError> for TorchError {
    fn from(error: PickleError) -> TorchError {
        TorchError::Pickle(error)
    }
}

/// Whether a file in the format before PyTorch 1.6 starts so.
pub(super) fn is_legacy(file: &[u8]) -> bool {
    matches!(file, [0x80, 2..=5, rest @ ..] if rest.starts_with(MAGIC))
}

/// Whether a zip archive is PyTorch's.
pub(super) fn is_torch(archive: &Archive<'_>) -> bool {
    root(archive).is_some()
}

/// The folder that `data.pkl` lies in, with its slash.
fn root<'a>(archive: &'a Archive<'_>) -> Option<&'a str> {
    archive.members().find_map(|(name, _)| {
        let folder = name.strip_suffix("data.pkl")?;
        (folder.is_empty() || folder.find('/') == Some(folder.len() - 1)).then_some(folder)
    })
}

/// The tensors of a zip archive that [`is_torch`].
pub(super) fn read_zip(file: &[u8], mut archive: Archive<'_>) -> Result<Index, TorchError> {
    let root = root(&archive).ok_or(TorchError::Truncated)?.to_owned();
    if archive.find(&format!("{root}constants.pkl")).is_some() {
        return Err(TorchError::Script);
    }
    let order = format!("{root}byteorder");
    if archive.find(&order).is_some() && archive.read(&order)? != b"little" {
        return Err(TorchError::Format("its numbers are big-endian"));
    }
    let pickle = Pickle::read(&archive.read(&format!("{root}data.pkl"))?)?;
    let range = |key: &str, _: Dtype| {
        let member = archive.find(&format!("{root}data/{key}"))?;
        (!member.compressed).then(|| member.range.clone())
    };
    tensors(file, &pickle, range)
}

/// The tensors of a file that [`is_legacy`].
pub(super) fn read_legacy(file: &[u8]) -> Result<Index, TorchError> {
    let mut at = 2 + MAGIC.len();
    let mut next = || {
        let pickle = Pickle::read(file.get(at..).ok_or(TorchError::Truncated)?)?;
        at += pickle.len;
        Ok::<_, TorchError>(pickle)
    };
    if next()?.root != Value::Int(LEGACY) {
        return Err(TorchError::Format(
            "its version of the legacy format is not 1001",
        ));
    }
    let system = next()?;
    if system.entry(system.root, "little_endian") != Some(Value::Bool(true)) {
        return Err(TorchError::Format("its numbers are big-endian"));
    }
    let (pickle, keys) = (next()?, next()?);
    let storages = legacy_storages(file, at, &pickle, &keys)?;
    tensors(file, &pickle, |key, _| storages.get(key).cloned())
}

/// Behind the pickles, each storage is its number of elements and then the elements, in the
/// order of the keys; how wide an element is, only the first pickle knows.
fn legacy_storages<'a>(
    file: &[u8],
    mut at: usize,
    pickle: &Pickle,
    keys: &'a Pickle,
) -> Result<BTreeMap<&'a str, Range<usize>>, TorchError> {
    let Some(Object::List(list)) = keys.object(keys.root) else {
        return Err(TorchError::Format("it has no list of storages"));
    };
    let widths: BTreeMap<&str, usize> = pickle
        .storages()
        .map(|storage| (pickle.key(storage), width(storage.dtype)))
        .collect();
    let mut ranges = BTreeMap::new();
    for &key in list {
        let key = keys
            .text(key)
            .ok_or(TorchError::Format("a storage without a key"))?;
        let width = widths
            .get(key)
            .ok_or(TorchError::Format("a storage of unknown type"))?;
        let rest = file.get(at..).ok_or(TorchError::Truncated)?;
        let (count, rest) = rest.split_first_chunk::<8>().ok_or(TorchError::Truncated)?;
        let len = usize::try_from(u64::from_le_bytes(*count)).ok();
        let len = len.and_then(|len| len.checked_mul(*width));
        let len = len
            .filter(|&len| len <= rest.len())
            .ok_or(TorchError::Truncated)?;
        ranges.insert(key, at + 8..at + 8 + len);
        at += 8 + len;
    }
    Ok(ranges)
}

/// Finds every tensor of the state dict; `range` says where in the file a storage lies.
fn tensors(
    file: &[u8],
    pickle: &Pickle,
    range: impl Fn(&str, Dtype) -> Option<Range<usize>>,
) -> Result<Index, TorchError> {
    let mut found = BTreeMap::new();
    for &(name, value) in state_dict(pickle)? {
        // Counters and extra state that are no tensors are nothing that a network reads.
        if let (Some(name), Some(tensor)) = (pickle.text(name), pickle.tensor(value)) {
            found.insert(name, tensor);
        }
    }
    // `DataParallel` puts this in front of every name.
    let parallel = found.keys().all(|name| name.starts_with("module."));
    let mut room = file.len();
    let mut index = Index::new();
    for (name, tensor) in found {
        let name = if parallel {
            &name["module.".len()..]
        } else {
            name
        };
        let storage = pickle.storage(tensor);
        let key = pickle.key(storage);
        let missing = || TorchError::Storage {
            tensor: name.to_owned(),
            key: key.to_owned(),
        };
        let range = range(key, storage.dtype).ok_or_else(missing)?;
        let range = within(range, storage).ok_or_else(missing)?;
        let elements = elements(file, range, tensor, storage, &mut room)
            .map_err(|error| error(name.to_owned()))?;
        let shape = tensor.shape.clone();
        index.insert(
            name.to_owned(),
            Entry {
                dtype: storage.dtype,
                shape,
                elements,
            },
        );
    }
    Ok(index)
}

/// The part of a range that is the storage.
fn within(range: Range<usize>, storage: &Storage) -> Option<Range<usize>> {
    let width = width(storage.dtype);
    let start = storage.start.checked_mul(width)?.checked_add(range.start)?;
    let end = storage.len.checked_mul(width)?.checked_add(start)?;
    (end <= range.end).then_some(start..end)
}

/// The elements of a tensor in row-major order: where they lie if they lie so, else gathered.
fn elements(
    file: &[u8],
    storage: Range<usize>,
    tensor: &Tensor,
    Storage { dtype, len, .. }: &Storage,
    room: &mut usize,
) -> Result<Elements, fn(String) -> TorchError> {
    let width = width(*dtype);
    let bounds = TorchError::Bounds as fn(String) -> TorchError;
    let bytes = super::element_count(&tensor.shape).and_then(|count| count.checked_mul(width));
    let bytes = bytes.ok_or(bounds)?;
    if bytes == 0 {
        return Ok(Elements::InFile(storage.start..storage.start));
    }
    let dims = || tensor.shape.iter().zip(&tensor.strides);
    let last = dims().try_fold(tensor.offset, |last, (&extent, &stride)| {
        last.checked_add((extent - 1).checked_mul(stride)?)
    });
    if last.is_none_or(|last| last >= *len) {
        return Err(bounds);
    }
    let first = storage.start + tensor.offset * width;
    let mut run = 1;
    let row_major = dims().rev().all(|(&extent, &stride)| {
        let fits = extent == 1 || stride == run;
        run *= extent;
        fits
    });
    if row_major {
        return Ok(Elements::InFile(first..first + bytes));
    }
    *room = room
        .checked_sub(bytes)
        .ok_or(TorchError::Repeats as fn(String) -> TorchError)?;
    let gathered = gather(&file[first..], &tensor.shape, &tensor.strides, width);
    Ok(Elements::Owned(gathered))
}

/// The entries of the one dictionary that holds tensors.
fn state_dict(pickle: &Pickle) -> Result<&[(Value, Value)], TorchError> {
    let found = match pickle.object(pickle.root) {
        Some(Object::Dict(_)) => "a dictionary without tensors",
        Some(Object::List(_)) => "a list",
        Some(Object::Tuple(_)) => "a tuple",
        Some(Object::Tensor(_)) => "a single tensor",
        _ => "a plain value",
    };
    // Each dictionary with the key that it stands under.
    let mut level = vec![("", pickle.root)];
    let mut seen = HashSet::new();
    for _ in 0..MAX_DEPTH {
        let mut holders = level.clone();
        holders.retain(|&(_, value)| holds_tensors(pickle, value));
        let preferred = |wrapper: &&str| holders.iter().find(|(key, _)| key == wrapper);
        match (&holders[..], WRAPPERS.iter().find_map(preferred)) {
            ([], _) => {}
            ([(_, dict)], _) | (_, Some((_, dict))) => {
                return Ok(pickle.dict(*dict).unwrap_or_default());
            }
            (several, None) => {
                let keys = several.iter().take(8).map(|(key, _)| (*key).to_owned());
                return Err(TorchError::Ambiguous(keys.collect()));
            }
        }
        let entries = level
            .iter()
            .flat_map(|&(_, dict)| pickle.dict(dict).unwrap_or_default());
        level = entries
            .filter(|(_, value)| match value {
                Value::Object(id) => pickle.dict(*value).is_some() && seen.insert(*id),
                _ => false,
            })
            .map(|&(key, value)| (pickle.text(key).unwrap_or("?"), value))
            .collect();
    }
    Err(TorchError::NoStateDict { found })
}

fn holds_tensors(pickle: &Pickle, value: Value) -> bool {
    let mut entries = pickle.dict(value).unwrap_or_default().iter();
    entries.any(|&(name, value)| pickle.text(name).is_some() && pickle.tensor(value).is_some())
}
