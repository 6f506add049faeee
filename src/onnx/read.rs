//! An ONNX file's bytes as messages, within limits; tensors that lie in other files.

use super::error::{OnnxError, show};
use super::proto::{ModelProto, TensorProto, data_type};
use cnnc_runtime::files::open_ordinary;
use prost::Message;
use prost::bytes::Bytes;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};

/// Bytes that nodes, attributes, tensors and shapes may take beyond their file's length once they are decoded.
const DECODED: usize = 40 << 20;

/// How deep graphs may stand in attributes of one another.
const GRAPHS: usize = 26;

/// Reads a file.
pub(super) fn file(path: &Path) -> Result<Vec<u8>, OnnxError> {
    let read = || {
        let mut file = open_ordinary(path)?;
        let mut bytes = Vec::new();
        // Protocol buffers end at 2 GB.
        file.by_ref().take((1 << 31) + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error: std::io::Error| {
        OnnxError::Read(format!("`{}` cannot be read: {error}", path.display()))
    })
}

/// Decodes a file.
pub(super) fn model(bytes: Vec<u8>) -> Result<ModelProto, OnnxError> {
    let invalid = |why: &str| Err(OnnxError::Invalid(why.to_owned()));
    if bytes.is_empty() {
        return invalid("the file is empty");
    }
    if bytes.starts_with(b"version https://git-lfs") {
        return invalid(
            "this is a pointer of Git LFS, not the network: `git lfs pull` brings the file itself",
        );
    }
    if bytes.len() > 1 << 31 {
        return invalid("the file has more than 2 GB, which no ONNX file has");
    }
    let budget = bytes.len() + DECODED;
    match count(&bytes, 0, 0, budget) {
        None => {
            return invalid(
                "the file is no ONNX file, or a damaged one: it ends in the middle of a message, or is none",
            );
        }
        Some(count) if count > budget => {
            return invalid("the file has more nodes, attributes and tensors than any network");
        }
        Some(_) => {}
    }
    match ModelProto::decode(Bytes::from(bytes)) {
        Ok(mut model) => {
            let tensors = model
                .graph
                .iter_mut()
                .flat_map(|graph| &mut graph.initializer);
            tensors.for_each(plain);
            Ok(model)
        }
        Err(error) => Err(OnnxError::Invalid(format!(
            "the file is no ONNX file, or a damaged one: {error}"
        ))),
    }
}

/// Elements of f32 as bytes, which tensors share, where they are a list that each would copy.
fn plain(tensor: &mut TensorProto) {
    let count = tensor
        .dims
        .iter()
        .try_fold(1usize, |n, &d| n.checked_mul(usize::try_from(d).ok()?));
    let others = tensor.int32_data.len()
        + tensor.int64_data.len()
        + tensor.double_data.len()
        + tensor.uint64_data.len()
        + tensor.raw_data.len();
    if tensor.data_type == data_type::FLOAT
        && tensor.data_location != 1
        && tensor.external_data.is_empty()
        && count == Some(tensor.float_data.len())
        && others == 0
    {
        let list = std::mem::take(&mut tensor.float_data);
        let mut bytes = Vec::with_capacity(4 * list.len());
        for value in list {
            bytes.extend(value.to_le_bytes());
        }
        tensor.raw_data = Bytes::from(bytes);
    }
}

/// What message a field of a message is, by the tables of `proto`: 0 is a model.
fn child(message: u8, field: u64) -> Option<u8> {
    // 1 graph, 2 node, 3 attribute, 4 tensor, 5 text or entry, 6 function, 7 value, 8 type, 9 tensor type, 10 shape
    Some(match (message, field) {
        (0, 7) | (3, 6) => 1,
        (0, 8 | 14) => 5,
        (0, 25) => 6,
        (1, 1) | (6, 7) => 2,
        (1, 5) | (3, 5) => 4,
        (1, 11..=13) => 7,
        (1, 15) => 5,
        (2, 5) | (6, 11) => 3,
        (2, 1 | 2) | (6, 4..=6) => 5,
        (3, 9) => 5,
        (4, 13) | (6, 9) => 5,
        (7, 2) => 8,
        (8, 1) => 9,
        (9, 2) => 10,
        (10, 1) => 5,
        _ => return None,
    })
}

/// Bytes that a message takes once it is decoded, what it holds aside.
fn size(message: u8) -> usize {
    match message {
        1 => 400,
        2 => 200,
        3 | 4 => 280,
        5 => 64,
        6 => 300,
        7 => 130,
        _ => 0,
    }
}

/// Bytes of an element of a field of whole numbers, which the file may write as one byte each.
fn element(message: u8, field: u64) -> usize {
    match (message, field) {
        (4, 5) => 4,
        // Lists grow by doubling.
        (4, 1 | 7 | 11) | (3, 8) => 16,
        _ => 0,
    }
}

/// Bytes that a message takes once it is decoded, without decoding it; `None` for what is no message. Tensors' bytes stay where they are.
fn count(bytes: &[u8], message: u8, depth: usize, budget: usize) -> Option<usize> {
    let mut at = 0;
    let mut total = size(message);
    while at < bytes.len() {
        let key = varint(bytes, &mut at)?;
        match key & 7 {
            0 => {
                varint(bytes, &mut at)?;
                total += element(message, key >> 3);
            }
            1 => {
                at = at.checked_add(8)?;
                total += 8;
            }
            5 => {
                at = at.checked_add(4)?;
                total += 4;
            }
            2 => {
                let length = usize::try_from(varint(bytes, &mut at)?).ok()?;
                let end = at.checked_add(length)?;
                let part = bytes.get(at..end)?;
                match (child(message, key >> 3), message, key >> 3) {
                    (Some(5), ..) => total += size(5) + length,
                    // None is decoded so deep.
                    (Some(1), 3, _) if depth >= GRAPHS => {}
                    (Some(child), ..) => {
                        let inner = depth + usize::from(child == 1);
                        let left = budget.saturating_sub(total);
                        total += count(part, child, inner, left)?;
                    }
                    (None, 3, 4 | 22) | (None, 4, 9) => {}
                    (None, ..) => {
                        let width = element(message, key >> 3);
                        let elements = match width {
                            0 => 0,
                            _ => part.iter().filter(|&&byte| byte < 128).count(),
                        };
                        // Bits of 16 as three bytes each are what a sound file has.
                        total += match width == 4 && 2 * elements <= length {
                            true => length,
                            false => length.max(elements * width),
                        };
                    }
                }
                at = end;
            }
            _ => return None,
        }
        if total > budget {
            return Some(total);
        }
    }
    (at == bytes.len()).then_some(total)
}

fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0u64;
    for shift in 0..10 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 127) << (7 * shift);
        if byte < 128 {
            return Some(value);
        }
    }
    None
}

/// Where tensors may lie that are not in the file itself.
pub(super) struct Outside {
    folder: Option<PathBuf>,
    read: RefCell<Read>,
    /// Files that were read.
    seen: RefCell<BTreeSet<PathBuf>>,
}

/// What was read of other files: tensors of the same bytes share them.
#[derive(Default)]
struct Read {
    parts: HashMap<(PathBuf, u64, u64), Bytes>,
    /// Bytes of each file.
    totals: HashMap<PathBuf, u64>,
}

impl Outside {
    /// Beside that file.
    pub fn beside(file: Option<&Path>) -> Outside {
        let folder = file.map(|file| match file.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        });
        Outside {
            folder,
            read: RefCell::default(),
            seen: RefCell::default(),
        }
    }

    /// Bytes of other files that are held.
    pub fn held(&self) -> usize {
        let sum = self.read.borrow().totals.values().sum::<u64>();
        usize::try_from(sum).unwrap_or(usize::MAX)
    }

    /// The files that tensors were read from, in the order of their names.
    pub fn files(&self) -> Vec<PathBuf> {
        self.seen.borrow().iter().cloned().collect()
    }

    /// The bytes of a tensor that lies in another file.
    pub fn bytes(&self, tensor: &TensorProto) -> Result<Option<Bytes>, String> {
        if tensor.data_location != 1 && tensor.external_data.is_empty() {
            return Ok(None);
        }
        let name = show(&tensor.name);
        let find = |key: &str| {
            tensor
                .external_data
                .iter()
                .find(|entry| entry.key == key)
                .map(|entry| &entry.value)
        };
        let Some(location) = find("location") else {
            return Err(format!(
                "tensor `{name}` lies in another file, and it does not say in which"
            ));
        };
        let number = |key: &str| match find(key) {
            None => Ok(None),
            Some(text) => match text.parse::<u64>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(format!("tensor `{name}`: `{}` is no {key}", show(text))),
            },
        };
        let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
        let shown = show(location);
        let Some(folder) = &self.folder else {
            return Err(format!(
                "tensor `{name}` lies in `{shown}`, and the network in memory has no folder"
            ));
        };
        let relative = Path::new(location);
        if location.contains('\\')
            || !relative
                .components()
                .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        {
            return Err(format!(
                "tensor `{name}` lies in `{shown}`, which is not within the folder of the network"
            ));
        }
        let mut path = folder.clone();
        for part in relative.components() {
            path.push(part);
            let link = path.symlink_metadata().map_err(|error| {
                format!("tensor `{name}` lies in `{shown}`, which cannot be read: {error}")
            })?;
            if link.is_symlink() {
                return Err(format!(
                    "tensor `{name}` lies in `{shown}`, which is a link"
                ));
            }
        }
        let failed = |error: std::io::Error| {
            format!("tensor `{name}` lies in `{shown}`, which cannot be read: {error}")
        };
        let mut file = open_ordinary(&path).map_err(failed)?;
        self.seen.borrow_mut().insert(path.clone());
        let size = file.metadata().map_err(failed)?.len();
        let length = length.unwrap_or(size.saturating_sub(offset));
        if offset.checked_add(length).is_none_or(|end| end > size) {
            return Err(format!(
                "tensor `{name}` is {length} bytes of `{shown}` from {offset} on, which has {size}"
            ));
        }
        // No more than its extents say.
        let elements = tensor
            .dims
            .iter()
            .try_fold(1u64, |n, &d| n.checked_mul(u64::try_from(d).ok()?));
        if elements
            .and_then(|n| n.checked_mul(8))
            .is_none_or(|most| length > most)
        {
            return Err(format!(
                "tensor `{name}` has {length} bytes in `{shown}`, more than its extents make"
            ));
        }
        let mut read = self.read.borrow_mut();
        let key = (path, offset, length);
        if let Some(bytes) = read.parts.get(&key) {
            return Ok(Some(bytes.clone()));
        }
        let total = read.totals.entry(key.0.clone()).or_default();
        *total = total.saturating_add(length);
        if *total > size {
            return Err(format!(
                "tensor `{name}` lies in `{shown}` where others lie: together they have more bytes than the file"
            ));
        }
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes).map_err(failed)?;
        match bytes.len() as u64 == length {
            true => {
                let bytes = Bytes::from(bytes);
                read.parts.insert(key, bytes.clone());
                Ok(Some(bytes))
            }
            false => Err(format!("`{shown}` has become shorter while it was read")),
        }
    }
}
