//! A machine for the pickles that PyTorch writes: it builds dictionaries and descriptions of tensors, and can do nothing else.
//!
//! A pickle is a program. Its instructions push values, and two of them (`GLOBAL`, `REDUCE`) let it
//! call any function of any Python module, which is why Python's own reader must never see a file
//! from a stranger. Here the only functions are those of [`Callable`]; any other name ends the reading
//! with an error that says it. Containers lie in one table and refer to each other by index, so a
//! pickle that contains itself, or nests a million deep, costs neither a leak nor the stack.

mod call;
mod machine;

pub(super) use call::{Callable, Storage, Tensor};

use std::fmt;

/// Most instructions of one pickle: a state dict has about forty for each tensor.
const MAX_STEPS: usize = 4 << 20;

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

/// What values refer to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Object {
    Text(String),
    /// Bytes, and integers of more than 64 bits: they may stand in a file, but nothing looks at them.
    Opaque,
    Tuple(Vec<Value>),
    List(Vec<Value>),
    /// A `dict` or an `OrderedDict`, in order; a key that stands twice counts where it stands last.
    Dict(Vec<(Value, Value)>),
    Storage(Storage),
    Tensor(Tensor),
}

/// Everything that one pickle made.
#[derive(Debug)]
pub(super) struct Pickle {
    objects: Vec<Object>,
    /// What Python would return.
    pub root: Value,
    /// Length of the pickle, its final `STOP` included.
    pub len: usize,
}

impl Pickle {
    /// Runs the pickle at the start of `bytes`.
    pub fn read(bytes: &[u8]) -> Result<Pickle, PickleError> {
        machine::Machine::new(bytes).run()
    }

    /// What a value refers to, if it refers.
    pub fn object(&self, value: Value) -> Option<&Object> {
        match value {
            Value::Object(id) => Some(&self.objects[id.0 as usize]),
            _ => None,
        }
    }

    /// The text that a value is.
    pub fn text(&self, value: Value) -> Option<&str> {
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

    /// What the file calls a storage.
    pub fn key(&self, storage: &Storage) -> &str {
        match &self.objects[storage.key.0 as usize] {
            Object::Text(key) => key,
            other => unreachable!("a storage's key is {other:?}"),
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

/// Why a pickle is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PickleError {
    /// It ends inside an instruction, or without its last one.
    Truncated,
    /// It has more instructions than are run.
    TooLong,
    /// An instruction that state dicts do not need.
    Opcode {
        /// The instruction.
        opcode: u8,
        /// Its offset in the pickle.
        at: usize,
    },
    /// It names a function or a type that is not among the few that state dicts need.
    Global(String),
    /// Values on the stack are not what an instruction needs.
    Malformed {
        /// What is expected.
        expected: &'static str,
        /// Offset of the instruction in the pickle.
        at: usize,
    },
}

impl fmt::Display for PickleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PickleError::Truncated => f.write_str("the pickle ends before its last instruction"),
            PickleError::TooLong => {
                write!(f, "the pickle has more than {MAX_STEPS} instructions")
            }
            PickleError::Opcode { opcode, at } => {
                write!(f, "the pickle has instruction {opcode:#04x} at byte {at}, ")?;
                f.write_str("which no state dict needs")
            }
            PickleError::Global(name) => {
                write!(f, "the pickle asks for `{name}`, which is not called: ")?;
                f.write_str("only plain state dicts are read; save `model.state_dict()`")
            }
            PickleError::Malformed { expected, at } => {
                write!(f, "the pickle is damaged at byte {at}: expected {expected}")
            }
        }
    }
}

impl std::error::Error for PickleError {}
