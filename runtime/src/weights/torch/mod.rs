//! PyTorch's `.pt` and `.pth` files: state dicts, in a zip archive or in the format before 1.6.
//!
//! Both hold a pickle that says which tensors there are and where their elements lie; the elements
//! themselves are plain bytes, used where they are. The pickle is read by a machine that
//! cannot run anything: see [`pickle`](super::pickle).

mod state_dict;

use super::archive::{Archive, LocalHeader};
use super::blob::Blob;
use super::error::{Fault, Needed, PickleError, TorchError};
use super::pickle::{Object, Pickle, Storage, Tensor, Value};
use super::tensor::{Elements, Entry, Named, reach};
use crate::memory::element_count;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// The number that opens a legacy file, as a pickle of its own: in protocols 2 to 5, and in 1.
const MAGIC: &[&[u8]] = &[
    b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.",
    b"L119547037146038801333356L\n.",
];

/// Version of the legacy format.
const LEGACY: i64 = 1001;

/// Bytes that a pickle is looked for in at first.
const PICKLE: usize = 256 << 10;

/// Where the second pickle of a file in the format before PyTorch 1.6 begins, if the file begins as one.
pub(super) fn legacy_start(start: &[u8]) -> Option<usize> {
    let mut rest = start;
    if let [0x80, 2..=5, after @ ..] = rest {
        rest = after;
    }
    // From protocol 4 on, pickles come in frames.
    if let [0x95, after @ ..] = rest {
        rest = after.get(8..)?;
    }
    let magic = MAGIC.iter().find(|magic| rest.starts_with(magic))?;
    Some(start.len() - rest.len() + magic.len())
}

/// The folder of a zip archive that `data.pkl` lies in, with its slash, if the archive is PyTorch's.
pub(super) fn root(archive: &Archive<'_>) -> Option<String> {
    archive.members().find_map(|(name, _)| {
        let folder = name.strip_suffix("data.pkl")?;
        let top = folder.is_empty() || folder.find('/') == Some(folder.len() - 1);
        top.then(|| folder.to_owned())
    })
}

/// The tensors of a zip archive whose [`root`] that is.
pub(super) fn read_zip(archive: &Archive<'_>, root: &str) -> Result<Named, Fault> {
    if archive.find(&format!("{root}constants.pkl")).is_some() {
        return Err(TorchError::Script.into());
    }
    let order = format!("{root}byteorder");
    if archive.find(&order).is_some() && archive.read(&order, 16)? != b"little" {
        return Err(TorchError::Format("its numbers are big-endian").into());
    }
    // It is in memory as a whole, and no longer than the file if it is not compressed.
    let bytes = archive.read(&format!("{root}data.pkl"), archive.file().len())?;
    let pickle = Pickle::read(&bytes)?;
    let range = |key: &str| {
        let member = archive.find(&format!("{root}data/{key}"))?;
        (!member.compressed).then(|| member.range.clone())
    };
    tensors(&pickle, range)
}

/// Bytes that a zip archive needs whose end is missing, if its pickle is whole and says how many elements there are.
pub(super) fn needed_at_least(file: &Blob) -> Result<Option<u64>, Fault> {
    let Some(header) = LocalHeader::read(file, 0)? else {
        return Ok(None);
    };
    if !header.name.ends_with("data.pkl") {
        return Ok(None);
    }
    let bytes = match pickle_at(file, header.start) {
        Ok(bytes) => bytes,
        Err(Fault::Format(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let pickle = Pickle::read(&bytes)?;
    let storages: BTreeMap<&str, u64> = pickle
        .storages()
        .map(|storage| (pickle.key(storage), byte_len(storage)))
        .collect();
    let elements = storages
        .values()
        .fold(0u64, |sum, len| sum.saturating_add(*len));
    let needed = elements.saturating_add((header.start + pickle.len) as u64);
    Ok((needed > file.len() as u64).then_some(needed))
}

fn byte_len(storage: &Storage) -> u64 {
    (storage.len as u64).saturating_mul(storage.elem.width() as u64)
}

/// The tensors of a legacy file, whose second pickle begins there.
pub(super) fn read_legacy(file: &Blob, mut at: usize) -> Result<Named, Fault> {
    let mut next = || {
        let bytes = pickle_at(file, at)?;
        at += bytes.len();
        Ok::<_, Fault>(bytes)
    };
    if Pickle::read(&next()?)?.root != Value::Int(LEGACY) {
        let what = "its version of the legacy format is not 1001";
        return Err(TorchError::Format(what).into());
    }
    let system = next()?;
    let system = Pickle::read(&system)?;
    if system.entry(system.root, "little_endian") != Some(Value::Bool(true)) {
        return Err(TorchError::Format("its numbers are big-endian").into());
    }
    let (pickle, keys) = (next()?, next()?);
    let (pickle, keys) = (Pickle::read(&pickle)?, Pickle::read(&keys)?);
    let storages = legacy_storages(file, at, &pickle, &keys)?;
    tensors(&pickle, |key| storages.get(key).cloned())
}

/// The bytes of the pickle that begins there.
fn pickle_at(file: &Blob, at: usize) -> Result<Cow<'_, [u8]>, Fault> {
    // How long it is, only its last instruction says.
    let mut len = PICKLE;
    loop {
        let bytes = file.read(at..at.saturating_add(len))?;
        match Pickle::read(&bytes) {
            Ok(pickle) => {
                let len = pickle.len;
                return Ok(match bytes {
                    Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[..len]),
                    Cow::Owned(bytes) => Cow::Owned(bytes[..len].to_vec()),
                });
            }
            Err(PickleError::Truncated) if bytes.len() == len => len *= 4,
            Err(PickleError::Truncated) => {
                let what = "the end of the list of its tensors";
                return Err(Fault::truncated(file.len(), Needed::Unknown(what)));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Behind the pickles, each storage is its number of elements and then the elements, in the
/// order of the keys; how wide an element is, only the first pickle knows.
fn legacy_storages<'k>(
    file: &Blob,
    start: usize,
    pickle: &Pickle<'_>,
    keys: &Pickle<'k>,
) -> Result<BTreeMap<&'k str, Range<usize>>, Fault> {
    let Some(Object::List(list)) = keys.object(keys.root) else {
        return Err(TorchError::Format("it has no list of storages").into());
    };
    let storages: BTreeMap<&str, &Storage> = pickle
        .storages()
        .map(|storage| (pickle.key(storage), storage))
        .collect();
    let mut ranges = BTreeMap::new();
    let mut at = start as u64;
    let mut whole = true;
    for &key in list {
        let key = keys.text(key);
        let key = key.ok_or(TorchError::Format("a storage without a key"))?;
        let storage = storages.get(key);
        let storage = storage.ok_or(TorchError::Format("a storage of unknown type"))?;
        let mut count = [0; 8];
        // Where the file ends, the pickle still says how long the rest would be.
        whole &= at.saturating_add(8) <= file.len() as u64;
        let len = match whole {
            true => {
                file.read_into(at as usize, &mut count)?;
                u64::from_le_bytes(count).saturating_mul(storage.elem.width() as u64)
            }
            false => byte_len(storage),
        };
        let end = at.saturating_add(8).saturating_add(len);
        whole &= end <= file.len() as u64;
        if whole {
            ranges.insert(key, at as usize + 8..end as usize);
        }
        at = end;
    }
    match whole {
        true => Ok(ranges),
        false => Err(Fault::truncated(file.len(), Needed::Exactly(at))),
    }
}

/// Finds every tensor of the state dicts; `range` says where in the file a storage lies.
fn tensors(
    pickle: &Pickle<'_>,
    range: impl Fn(&str) -> Option<Range<usize>>,
) -> Result<Named, Fault> {
    let found = state_dict::find(pickle)?;
    let mut named = Named {
        unread: found.unread,
        notes: found.notes,
        ..Named::default()
    };
    for (name, tensor) in found.tensors {
        let storage = pickle.storage(tensor);
        let key = pickle.key(storage);
        let range = range(key).and_then(|range| within(range, storage));
        let Some(range) = range else {
            let (tensor, key) = (name, key.to_owned());
            return Err(TorchError::Storage { tensor, key }.into());
        };
        let Some(elements) = elements(range, tensor) else {
            return Err(TorchError::Bounds(name).into());
        };
        match tensor.elem.dtype() {
            Some(dtype) => {
                let shape = tensor.shape.clone();
                named.index.insert(
                    name,
                    Entry {
                        dtype,
                        shape,
                        elements,
                    },
                );
            }
            None => {
                let what = format!("a tensor of {}", tensor.elem.name());
                named.unread.insert(name, what);
            }
        }
    }
    Ok(named)
}

/// The part of a range that is the storage.
fn within(range: Range<usize>, storage: &Storage) -> Option<Range<usize>> {
    let width = storage.elem.width();
    let start = storage.start.checked_mul(width)?.checked_add(range.start)?;
    let end = storage.len.checked_mul(width)?.checked_add(start)?;
    (end <= range.end).then_some(start..end)
}

/// Where the elements of a tensor lie; `None` if not all of them are in the storage, or they cannot be counted.
fn elements(storage: Range<usize>, tensor: &Tensor) -> Option<Elements> {
    let width = tensor.elem.width();
    element_count(&tensor.shape)?.checked_mul(width)?;
    if tensor.shape.contains(&0) {
        return Some(Elements::Plain(storage.start));
    }
    let last = reach(&tensor.shape, &tensor.strides)?.checked_add(tensor.offset)?;
    if last >= storage.len() / width {
        return None;
    }
    let first = storage.start + tensor.offset * width;
    let mut run = 1;
    let mut dims = tensor.shape.iter().zip(&tensor.strides).rev();
    let row_major = dims.all(|(&extent, &stride)| {
        let fits = extent == 1 || stride == run;
        run *= extent;
        fits
    });
    Some(match row_major {
        true => Elements::Plain(first),
        false => Elements::Strided(Box::new((first, tensor.strides.clone()))),
    })
}
