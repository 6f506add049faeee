//! An ONNX file's bytes as messages, within limits; tensors that lie in other files.

use super::error::{OnnxError, show};
use super::proto::{ModelProto, TensorProto};
use cnnc_runtime::files::open_ordinary;
use prost::Message;
use prost::bytes::Bytes;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};

/// Most messages of a graph (nodes, attributes, tensors, shapes) in a file: decoded, each takes some hundred bytes.
const MESSAGES: usize = 1 << 18;

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
    let budget = (bytes.len() / 32).clamp(1 << 14, MESSAGES);
    match count(&bytes, 0, budget) {
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
        Ok(model) => Ok(model),
        Err(error) => Err(OnnxError::Invalid(format!(
            "the file is no ONNX file, or a damaged one: {error}"
        ))),
    }
}

/// What message a field of a message is, by the tables of `proto`: 0 is a model.
fn child(message: u8, field: u64) -> Option<u8> {
    // 1 graph, 2 node, 3 attribute, 4 tensor, 5 leaf, 6 function, 7 value, 8 type, 9 tensor type, 10 shape
    Some(match (message, field) {
        (0, 7) => 1,
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

/// Counts messages, without decoding them; `None` for what is no message.
fn count(bytes: &[u8], message: u8, budget: usize) -> Option<usize> {
    let mut at = 0;
    let mut total = 1;
    while at < bytes.len() {
        let key = varint(bytes, &mut at)?;
        match key & 7 {
            0 => {
                varint(bytes, &mut at)?;
            }
            1 => at = at.checked_add(8)?,
            5 => at = at.checked_add(4)?,
            2 => {
                let length = usize::try_from(varint(bytes, &mut at)?).ok()?;
                let end = at.checked_add(length)?;
                let part = bytes.get(at..end)?;
                match child(message, key >> 3) {
                    Some(5) => total += 1,
                    Some(child) => total += count(part, child, budget)?,
                    None => {}
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
    /// Files that were read.
    seen: RefCell<BTreeSet<PathBuf>>,
}

impl Outside {
    /// Beside that file.
    pub fn beside(file: Option<&Path>) -> Outside {
        let folder = file.map(|file| match file.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        });
        let seen = RefCell::default();
        Outside { folder, seen }
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
        self.seen.borrow_mut().insert(path);
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
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes).map_err(failed)?;
        match bytes.len() as u64 == length {
            true => Ok(Some(Bytes::from(bytes))),
            false => Err(format!("`{shown}` has become shorter while it was read")),
        }
    }
}
