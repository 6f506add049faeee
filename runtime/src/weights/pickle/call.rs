//! The functions that a pickle may call, and what they make.

use super::{Id, Object, Value};
use safetensors::Dtype;

/// A function or type that state dicts name. Nothing of Python stands behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) enum Callable {
    /// `collections.OrderedDict`, `dict`
    Dict,
    /// `collections.defaultdict`: its argument makes values that are missing.
    DefaultDict,
    /// `torch._utils._rebuild_tensor`, `_rebuild_tensor_v2` and `_rebuild_tensor_v3`, whose type stands behind.
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`, `_rebuild_parameter_with_state`
    RebuildParameter,
    /// `torch._tensor._rebuild_from_type`, `_rebuild_from_type_v2`: a function, the subclass, and the function's arguments.
    RebuildFromType,
    /// `torch.Size`
    Size,
    /// `torch.FloatStorage` and its like, `torch.storage.UntypedStorage`.
    StorageType(Elem),
    /// `torch.float32` and its like.
    Type(Elem),
}

/// The type of an element: a row of [`ELEMS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Elem(u8);

/// Types of elements: what PyTorch calls their storages, if it has a name, and itself; the type in safetensors, if there is one; bytes.
const ELEMS: &[(&str, &str, Option<Dtype>, usize)] = &[
    ("ByteStorage", "uint8", Some(Dtype::U8), 1),
    ("FloatStorage", "float32", Some(Dtype::F32), 4),
    ("HalfStorage", "float16", Some(Dtype::F16), 2),
    ("BFloat16Storage", "bfloat16", Some(Dtype::BF16), 2),
    ("DoubleStorage", "float64", Some(Dtype::F64), 8),
    ("LongStorage", "int64", Some(Dtype::I64), 8),
    ("IntStorage", "int32", Some(Dtype::I32), 4),
    ("ShortStorage", "int16", Some(Dtype::I16), 2),
    ("CharStorage", "int8", Some(Dtype::I8), 1),
    ("BoolStorage", "bool", Some(Dtype::BOOL), 1),
    ("", "uint16", Some(Dtype::U16), 2),
    ("", "uint32", Some(Dtype::U32), 4),
    ("", "uint64", Some(Dtype::U64), 8),
    ("", "float8_e4m3fn", Some(Dtype::F8_E4M3), 1),
    ("", "float8_e5m2", Some(Dtype::F8_E5M2), 1),
    ("", "float8_e4m3fnuz", Some(Dtype::F8_E4M3FNUZ), 1),
    ("", "float8_e5m2fnuz", Some(Dtype::F8_E5M2FNUZ), 1),
    ("", "float8_e8m0fnu", Some(Dtype::F8_E8M0), 1),
    ("ComplexFloatStorage", "complex64", Some(Dtype::C64), 8),
    ("ComplexDoubleStorage", "complex128", None, 16),
    ("", "complex32", None, 4),
    ("QInt8Storage", "qint8", None, 1),
    ("QUInt8Storage", "quint8", None, 1),
    ("QInt32Storage", "qint32", None, 4),
    ("QUInt4x2Storage", "quint4x2", None, 1),
    ("QUInt2x4Storage", "quint2x4", None, 1),
];

impl Elem {
    /// A byte: the first row.
    const BYTE: Elem = Elem(0);

    fn find(is: impl Fn(&(&str, &str, Option<Dtype>, usize)) -> bool) -> Option<Elem> {
        ELEMS.iter().position(is).map(|row| Elem(row as u8))
    }

    /// The same type in safetensors.
    pub fn dtype(self) -> Option<Dtype> {
        ELEMS[usize::from(self.0)].2
    }

    /// What PyTorch calls it.
    pub fn name(self) -> &'static str {
        ELEMS[usize::from(self.0)].1
    }

    /// Bytes of one element.
    pub fn width(self) -> usize {
        ELEMS[usize::from(self.0)].3
    }
}

impl Callable {
    /// The one that Python calls `module.name`.
    pub fn find(module: &str, name: &str) -> Option<Callable> {
        match (module, name) {
            ("collections", "OrderedDict") | ("builtins" | "__builtin__", "dict") => {
                Some(Callable::Dict)
            }
            ("collections", "defaultdict") => Some(Callable::DefaultDict),
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_tensor_v3") => {
                Some(Callable::RebuildTensor)
            }
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
                Some(Callable::RebuildParameter)
            }
            ("torch._tensor", "_rebuild_from_type" | "_rebuild_from_type_v2") => {
                Some(Callable::RebuildFromType)
            }
            ("torch", "Size") => Some(Callable::Size),
            ("torch.storage" | "torch", "UntypedStorage") => {
                Some(Callable::StorageType(Elem::BYTE))
            }
            ("torch", "") => None,
            ("torch", _) => {
                let storage = Elem::find(|row| row.0 == name).map(Callable::StorageType);
                storage.or_else(|| Elem::find(|row| row.1 == name).map(Callable::Type))
            }
            _ => None,
        }
    }
}

/// Elements in a row that lie elsewhere in the file.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Storage {
    /// Type of the elements; single bytes where only tensors know.
    pub elem: Elem,
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
    /// Type of the elements.
    pub elem: Elem,
    /// Index of the first element.
    pub offset: usize,
    /// Extents.
    pub shape: Vec<usize>,
    /// Elements from one index to the next, for each extent.
    pub strides: Vec<usize>,
}

/// Most extents of a tensor: PyTorch's own limit.
const MAX_RANK: usize = 64;

/// What was expected, when it was not there.
type Result<T> = std::result::Result<T, &'static str>;

/// Adds a row to the table.
pub(super) fn add<'a>(objects: &mut Vec<Object<'a>>, object: Object<'a>) -> Value {
    // At most one row per instruction, of which there are fewer than 2³².
    let id = objects.len() as u32;
    objects.push(object);
    Value::Object(Id(id))
}

/// What a value refers to, if it refers.
pub(super) fn object<'o, 'a>(objects: &'o [Object<'a>], value: Value) -> Option<&'o Object<'a>> {
    match value {
        Value::Object(Id(id)) => Some(&objects[id as usize]),
        _ => None,
    }
}

fn items<'o>(objects: &'o [Object<'_>], value: Value) -> Option<&'o [Value]> {
    match object(objects, value) {
        Some(Object::Tuple(items) | Object::List(items)) => Some(items),
        _ => None,
    }
}

/// The text that a value is.
pub(super) fn text<'a>(objects: &[Object<'a>], value: Value) -> Option<&'a str> {
    match object(objects, value) {
        Some(Object::Text(text)) => Some(text),
        _ => None,
    }
}

fn size(value: Value) -> Option<usize> {
    match value {
        Value::Int(number) => usize::try_from(number).ok(),
        _ => None,
    }
}

fn sizes(objects: &[Object<'_>], value: Value) -> Option<Vec<usize>> {
    let items = items(objects, value)?;
    if items.len() > MAX_RANK {
        return None;
    }
    items.iter().copied().map(size).collect()
}

/// What a function that is not known would have made. Functions of pickle's own that make an object of the type which is their first
/// argument are called by that type.
pub(super) fn foreign<'a>(
    objects: &[Object<'a>],
    callable: Value,
    arguments: &[Value],
) -> Option<Object<'a>> {
    let name = |value| match object(objects, value) {
        Some(&Object::Named(module, name) | &Object::Foreign(module, name)) => Some((module, name)),
        _ => None,
    };
    let (mut module, mut called) = name(callable)?;
    if matches!(module, "copyreg" | "copy_reg")
        && let Some((of, name)) = arguments.first().and_then(|&first| name(first))
    {
        (module, called) = (of, name);
    }
    Some(Object::Foreign(module, called))
}

/// What is inside of a dictionary or a list of a type that is not known, as protocols before 2 make one: type, base, contents.
pub(super) fn contents(
    objects: &[Object<'_>],
    callable: Value,
    arguments: &[Value],
) -> Option<Value> {
    match (object(objects, callable)?, arguments) {
        (Object::Named("copyreg" | "copy_reg", "_reconstructor"), &[_, _, contents]) => {
            let inside = object(objects, contents)?;
            matches!(inside, Object::Dict(_) | Object::List(_)).then_some(contents)
        }
        _ => None,
    }
}

/// Calls a function with a tuple of arguments.
pub(super) fn reduce(
    callable: Callable,
    objects: &mut Vec<Object<'_>>,
    arguments: Value,
) -> Result<Value> {
    let arguments = items(objects, arguments).ok_or("a tuple of arguments")?;
    match (callable, arguments) {
        (Callable::Dict, []) | (Callable::DefaultDict, [] | [_]) => {
            Ok(add(objects, Object::Dict(Vec::new())))
        }
        (Callable::Dict, &[entries]) | (Callable::DefaultDict, &[_, entries]) => {
            dict(objects, entries)
        }
        (Callable::RebuildTensor, &[storage, offset, shape, strides, ref more @ ..]) => {
            let elem = match (object(objects, storage), more) {
                // Version 3: requires_grad, hooks, type.
                (Some(Object::Storage(_)), [_, _, Value::Callable(Callable::Type(elem)), ..]) => {
                    *elem
                }
                (Some(Object::Storage(storage)), _) => storage.elem,
                // A storage that is not in the file.
                (Some(&Object::Foreign(module, name)), _) => {
                    return Ok(add(objects, Object::Foreign(module, name)));
                }
                _ => return Err("a storage"),
            };
            let Value::Object(storage) = storage else {
                return Err("a storage");
            };
            let tensor = Tensor {
                storage,
                elem,
                offset: size(offset).ok_or("an offset of the tensor in its storage")?,
                shape: sizes(objects, shape).ok_or("the extents of the tensor")?,
                strides: sizes(objects, strides).ok_or("the strides of the tensor")?,
            };
            if tensor.shape.len() != tensor.strides.len() {
                return Err("a stride for every extent");
            }
            Ok(add(objects, Object::Tensor(Box::new(tensor))))
        }
        (Callable::RebuildParameter, &[tensor, ..]) => match object(objects, tensor) {
            Some(Object::Tensor(_) | Object::Foreign(..)) => Ok(tensor),
            _ => Err("a tensor to make a parameter of"),
        },
        (Callable::RebuildFromType, &[function, of_type, arguments, ..]) => match function {
            Value::Callable(inner) if inner != Callable::RebuildFromType => {
                reduce(inner, objects, arguments)
            }
            _ => {
                let made = foreign(objects, function, &[]);
                let made = made.or_else(|| foreign(objects, of_type, &[]));
                Ok(add(objects, made.ok_or("a function")?))
            }
        },
        (Callable::Size, &[shape]) => {
            items(objects, shape).ok_or("extents")?;
            Ok(shape)
        }
        (Callable::StorageType(_) | Callable::Type(_), _) => Err("no call of a type"),
        _ => Err("as many arguments as the function has"),
    }
}

/// A dictionary of a list of pairs, or of another dictionary.
fn dict(objects: &mut Vec<Object<'_>>, entries: Value) -> Result<Value> {
    let Value::Object(Id(id)) = entries else {
        return Err("a list of entries");
    };
    // Taken, not copied: called again and again on one long list, copies would fill the memory.
    let taken = match &mut objects[id as usize] {
        Object::List(entries) => std::mem::take(entries),
        Object::Dict(_) => return Ok(Value::Object(Id(id))),
        &mut Object::Foreign(module, name) => {
            return Ok(add(objects, Object::Foreign(module, name)));
        }
        _ => return Err("a list of entries"),
    };
    let pair = |entry| match items(objects, entry) {
        Some(&[key, value]) => Ok((key, value)),
        _ => Err("a key and its value"),
    };
    let entries = taken.into_iter().map(pair).collect::<Result<_>>()?;
    Ok(add(objects, Object::Dict(entries)))
}

/// The storage that a persistent id names: `("storage", type, key, device, elements)`, in legacy
/// files with the view of another storage behind.
pub(super) fn storage(objects: &mut Vec<Object<'_>>, id: Value) -> Result<Value> {
    let Some(&[kind, of_type, key, _device, len, ref view @ ..]) = items(objects, id) else {
        return Ok(add(objects, Object::Foreign("", "a persistent id")));
    };
    let elem = match (text(objects, kind), of_type) {
        (Some("storage"), Value::Callable(Callable::StorageType(elem))) => elem,
        _ => {
            let made = foreign(objects, of_type, &[]);
            let made = made.unwrap_or(Object::Foreign("", "a persistent id"));
            return Ok(add(objects, made));
        }
    };
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
    Ok(add(
        objects,
        Object::Storage(Storage {
            elem,
            key,
            len,
            start,
        }),
    ))
}
