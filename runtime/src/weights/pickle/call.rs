//! The functions that a pickle may call, and what they make.

use super::{Id, Object, Value};
use safetensors::Dtype;

/// A function or type that state dicts name. Nothing of Python stands behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) enum Callable {
    /// `collections.OrderedDict`
    OrderedDict,
    /// `torch._utils._rebuild_tensor` and `_rebuild_tensor_v2`
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`
    RebuildParameter,
    /// `torch.Size`
    Size,
    /// `torch.FloatStorage` and its like.
    StorageType(Dtype),
}

/// Storage types of PyTorch.
const STORAGES: &[(&str, Dtype)] = &[
    ("FloatStorage", Dtype::F32),
    ("HalfStorage", Dtype::F16),
    ("BFloat16Storage", Dtype::BF16),
    ("DoubleStorage", Dtype::F64),
    ("LongStorage", Dtype::I64),
    ("IntStorage", Dtype::I32),
    ("ShortStorage", Dtype::I16),
    ("CharStorage", Dtype::I8),
    ("ByteStorage", Dtype::U8),
    ("BoolStorage", Dtype::BOOL),
];

impl Callable {
    /// The one that Python calls `module.name`.
    pub fn find(module: &str, name: &str) -> Option<Callable> {
        match (module, name) {
            ("collections", "OrderedDict") => Some(Callable::OrderedDict),
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => {
                Some(Callable::RebuildTensor)
            }
            ("torch._utils", "_rebuild_parameter") => Some(Callable::RebuildParameter),
            ("torch", "Size") => Some(Callable::Size),
            ("torch", _) => {
                let row = STORAGES.iter().find(|(storage, _)| *storage == name);
                row.map(|&(_, dtype)| Callable::StorageType(dtype))
            }
            _ => None,
        }
    }
}

/// Elements in a row that lie elsewhere in the file.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Storage {
    /// Type of the elements.
    pub dtype: Dtype,
    /// What the file calls it: a text. Not a copy of it, since a thousand storages may share one.
    pub key: Id,
    /// Number of elements.
    pub len: usize,
    /// Index of the first element in what the key names (legacy files: a view of another storage).
    pub start: usize,
}

/// A view of a storage.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Tensor {
    /// The storage.
    pub storage: Id,
    /// Index of the first element.
    pub offset: usize,
    /// Extents.
    pub shape: Vec<usize>,
    /// Elements from one index to the next, for each extent.
    pub strides: Vec<usize>,
}

/// Most extents of a tensor.
const MAX_RANK: usize = 16;

/// What was expected, when it was not there.
type Result<T> = std::result::Result<T, &'static str>;

/// Adds a row to the table.
pub(super) fn add(objects: &mut Vec<Object>, object: Object) -> Value {
    // At most one row per instruction, of which there are fewer than 2³².
    let id = objects.len() as u32;
    objects.push(object);
    Value::Object(Id(id))
}

fn items(objects: &[Object], value: Value) -> Option<&[Value]> {
    match value {
        Value::Object(Id(id)) => match &objects[id as usize] {
            Object::Tuple(items) | Object::List(items) => Some(items),
            _ => None,
        },
        _ => None,
    }
}

/// The text that a value is.
pub(super) fn text(objects: &[Object], value: Value) -> Option<&str> {
    match value {
        Value::Object(Id(id)) => match &objects[id as usize] {
            Object::Text(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn size(value: Value) -> Option<usize> {
    match value {
        Value::Int(number) => usize::try_from(number).ok(),
        _ => None,
    }
}

fn sizes(objects: &[Object], value: Value) -> Option<Vec<usize>> {
    let items = items(objects, value)?;
    if items.len() > MAX_RANK {
        return None;
    }
    items.iter().copied().map(size).collect()
}

/// Calls a function with a tuple of arguments.
pub(super) fn reduce(
    callable: Callable,
    objects: &mut Vec<Object>,
    arguments: Value,
) -> Result<Value> {
    let arguments = items(objects, arguments).ok_or("a tuple of arguments")?;
    match (callable, arguments) {
        (Callable::OrderedDict, []) => Ok(add(objects, Object::Dict(Vec::new()))),
        (Callable::OrderedDict, &[entries]) => {
            // Taken, not copied: called again and again on one long list, copies would fill the memory.
            let entries = match entries {
                Value::Object(Id(id)) => match &mut objects[id as usize] {
                    Object::List(entries) => std::mem::take(entries),
                    _ => return Err("a list of entries"),
                },
                _ => return Err("a list of entries"),
            };
            let pair = |entry| match items(objects, entry) {
                Some(&[key, value]) => Ok((key, value)),
                _ => Err("a key and its value"),
            };
            let entries = entries.into_iter().map(pair).collect::<Result<_>>()?;
            Ok(add(objects, Object::Dict(entries)))
        }
        (Callable::RebuildTensor, &[storage, offset, shape, strides, ..]) => {
            let Value::Object(storage) = storage else {
                return Err("a storage");
            };
            if !matches!(objects[storage.0 as usize], Object::Storage(_)) {
                return Err("a storage");
            }
            let tensor = Tensor {
                storage,
                offset: size(offset).ok_or("an offset of the tensor in its storage")?,
                shape: sizes(objects, shape).ok_or("the extents of the tensor")?,
                strides: sizes(objects, strides).ok_or("the strides of the tensor")?,
            };
            if tensor.shape.len() != tensor.strides.len() {
                return Err("a stride for every extent");
            }
            Ok(add(objects, Object::Tensor(tensor)))
        }
        (Callable::RebuildParameter, &[tensor, ..]) => match tensor {
            Value::Object(Id(id)) if matches!(objects[id as usize], Object::Tensor(_)) => {
                Ok(tensor)
            }
            _ => Err("a tensor to make a parameter of"),
        },
        (Callable::Size, &[shape]) => {
            items(objects, shape).ok_or("extents")?;
            Ok(shape)
        }
        (Callable::StorageType(_), _) => Err("no call of a storage type"),
        _ => Err("as many arguments as the function has"),
    }
}

/// The storage that a persistent id names: `("storage", type, key, device, elements)`, in legacy
/// files with the view of another storage behind.
pub(super) fn storage(objects: &mut Vec<Object>, id: Value) -> Result<Value> {
    let storage = match items(objects, id) {
        Some(
            &[
                kind,
                Value::Callable(Callable::StorageType(dtype)),
                key,
                _device,
                len,
                ref view @ ..,
            ],
        ) if text(objects, kind) == Some("storage") => {
            let (start, len) = match view {
                [] | [Value::None] => (0, size(len)),
                [view] => match items(objects, *view) {
                    Some(&[_key, start, len]) => (size(start).ok_or("a view's start")?, size(len)),
                    _ => return Err("a view of a storage"),
                },
                _ => return Err("a storage"),
            };
            let (Value::Object(key), Some(_)) = (key, text(objects, key)) else {
                return Err("the key of a storage");
            };
            let len = len.ok_or("the length of a storage")?;
            Storage {
                dtype,
                key,
                len,
                start,
            }
        }
        _ => return Err("a storage"),
    };
    Ok(add(objects, Object::Storage(storage)))
}
