//! A machine for the pickles that PyTorch writes: it builds dictionaries and descriptions of tensors, and can do nothing else.
//!
//! A pickle is a program. Its instructions push values, and some of them (`GLOBAL`, `REDUCE`, `NEWOBJ` …) let it
//! call any function of any Python module, which is why Python's own reader must never see a file
//! from a stranger. Here the only functions are those of [`Callable`]; any other is a name, and what it would have
//! made is an [`Object::Foreign`] of that name, which nothing looks into: a checkpoint's arguments and dates do not hide its tensors.
//! Containers lie in one table and refer to each other by index, so a
//! pickle that contains itself, or nests a million deep, costs neither a leak nor the stack.

mod call;
mod machine;

pub(super) use call::{Callable, Storage, Tensor};

use super::error::PickleError;
use std::collections::BTreeSet;

/// Index of a container, a text or a tensor in [`Pickle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Id(u32);

/// What lies on the machine's stack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// A function or a type that may be named.
    Callable(Callable),
    /// A row of the table.
    Object(Id),
}

/// What values refer to; texts are those of the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Object<'a> {
    Text(&'a str),
    /// Bytes, integers of more than 64 bits, and the like: they may stand in a file, but nothing looks at them.
    Opaque,
    Tuple(Vec<Value>),
    List(Vec<Value>),
    /// A dictionary of any type, in order; a key that stands twice counts where it stands last.
    Dict(Vec<(Value, Value)>),
    Storage(Storage),
    Tensor(Box<Tensor>),
    /// A function or a type that is not known: module and name. It is not called.
    Named(&'a str, &'a str),
    /// What that function or type would have made.
    Foreign(&'a str, &'a str),
}

/// Everything that one pickle made.
#[derive(Debug)]
pub(super) struct Pickle<'a> {
    objects: Vec<Object<'a>>,
    /// What Python would return.
    pub root: Value,
    /// Length of the pickle, its final `STOP` included.
    pub len: usize,
}

impl<'a> Pickle<'a> {
    /// Runs the pickle at the start of `bytes`.
    pub fn read(bytes: &'a [u8]) -> Result<Pickle<'a>, PickleError> {
        machine::Machine::new(bytes).run()
    }

    /// What a value refers to, if it refers.
    pub fn object(&self, value: Value) -> Option<&Object<'a>> {
        match value {
            Value::Object(id) => Some(&self.objects[id.0 as usize]),
            _ => None,
        }
    }

    /// The text that a value is.
    pub fn text(&self, value: Value) -> Option<&'a str> {
        match self.object(value) {
            Some(Object::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The entries of the dictionary that a value is.
    pub fn dict(&self, value: Value) -> Option<&[(Value, Value)]> {
        match self.object(value) {
            Some(Object::Dict(entries)) => Some(entries),
            _ => None,
        }
    }

    /// The entry of a dictionary under that text.
    pub fn entry(&self, dict: Value, key: &str) -> Option<Value> {
        let entries = self.dict(dict)?.iter().rev();
        let found = entries
            .copied()
            .find(|&(name, _)| self.text(name) == Some(key));
        found.map(|(_, value)| value)
    }

    /// The tensor that a value is.
    pub fn tensor(&self, value: Value) -> Option<&Tensor> {
        match self.object(value) {
            Some(Object::Tensor(tensor)) => Some(tensor),
            _ => None,
        }
    }

    /// All storages, those of several tensors as often.
    pub fn storages(&self) -> impl Iterator<Item = &Storage> {
        self.objects.iter().filter_map(|object| match object {
            Object::Storage(storage) => Some(storage),
            _ => None,
        })
    }

    /// Functions and types that were not called, as `module.name`.
    pub fn foreign(&self) -> BTreeSet<(&'a str, &'a str)> {
        let foreign = self.objects.iter().filter_map(|object| match *object {
            Object::Foreign(module, name) => Some((module, name)),
            _ => None,
        });
        foreign.collect()
    }

    /// What the file calls a storage.
    pub fn key(&self, storage: &Storage) -> &'a str {
        match self.objects[storage.key.0 as usize] {
            Object::Text(key) => key,
            ref other => unreachable!("a storage's key is {other:?}"),
        }
    }

    /// The storage that a tensor lies in.
    pub fn storage(&self, tensor: &Tensor) -> &Storage {
        match &self.objects[tensor.storage.0 as usize] {
            Object::Storage(storage) => storage,
            other => unreachable!("a tensor's storage is {other:?}"),
        }
    }
}
