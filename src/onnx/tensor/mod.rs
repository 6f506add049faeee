//! Constant tensors, whatever way a file encodes them.

mod extents;
mod file;

pub(super) use extents::{AXES, ELEMENTS, broadcast, product, strides};
pub(super) use file::read;

use super::proto::data_type as ty;
use extents::each;
use half::{bf16, f16};
use prost::bytes::Bytes;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;

/// A constant.
#[derive(Clone)]
pub(super) struct Tensor {
    pub dims: Vec<usize>,
    pub data: Data,
}

/// Elements in row-major order.
#[derive(Clone)]
pub(super) enum Data {
    /// f32, little end first, as they lie in the file.
    Raw(Bytes),
    /// Floating point of another type, as it lies in the file.
    Narrow(Bytes, i32),
    /// Many whole numbers or truth values, as they lie in the file, widened once they are asked for.
    Coded(Rc<Coded>),
    /// Floating point, held as f32.
    Float(Rc<[f32]>),
    /// The same, that stand in the graph as a list of numbers.
    Listed(Rc<[f32]>),
    /// Whole numbers or truth values of a type, each within it; of 64 bits without a sign as the same bits with one.
    Int(Rc<[i64]>, i32),
}

/// Whole numbers or truth values of a type, as they lie in the file.
pub(super) struct Coded {
    bytes: Bytes,
    data_type: i32,
    values: OnceCell<Box<[i64]>>,
}

/// Calls what it is given with one place after the other.
type Places<'a> = dyn FnMut(&mut dyn FnMut(usize)) + 'a;

impl Coded {
    fn values(&self) -> &[i64] {
        self.values.get_or_init(|| {
            let chunks = self.bytes.chunks_exact(width(self.data_type).unwrap_or(1));
            chunks.map(|bytes| whole(bytes, self.data_type)).collect()
        })
    }
}

/// A whole number of a type.
fn whole(bytes: &[u8], data_type: i32) -> i64 {
    let mut all = [0; 8];
    all[..bytes.len()].copy_from_slice(bytes);
    let bits = u64::from_le_bytes(all);
    match data_type {
        ty::INT8 => i64::from(bits as i8),
        ty::INT16 => i64::from(bits as i16),
        ty::INT32 => i64::from(bits as i32),
        ty::BOOL => i64::from(bits != 0),
        _ => bits as i64,
    }
}

/// A whole number in as many bits as its type has; those above are lost. A truth value is 0 or 1.
fn wrapped(value: i64, data_type: i32) -> i64 {
    match data_type {
        ty::UINT8 => i64::from(value as u8),
        ty::INT8 => i64::from(value as i8),
        ty::UINT16 => i64::from(value as u16),
        ty::INT16 => i64::from(value as i16),
        ty::UINT32 => i64::from(value as u32),
        ty::INT32 => i64::from(value as i32),
        ty::BOOL => i64::from(value != 0),
        _ => value,
    }
}

/// Whole numbers of a type as f32.
fn floats(values: &[i64], data_type: i32) -> Vec<f32> {
    let values = values.iter();
    match data_type {
        ty::UINT64 => values.map(|&value| value as u64 as f32).collect(),
        _ => values.map(|&value| value as f32).collect(),
    }
}

/// A number of floating point of a type.
fn narrow(bytes: &[u8], data_type: i32) -> f32 {
    let bits = whole(bytes, data_type);
    match data_type {
        ty::DOUBLE => f64::from_bits(bits as u64) as f32,
        ty::FLOAT16 => f16::from_bits(bits as u16).to_f32(),
        _ => bf16::from_bits(bits as u16).to_f32(),
    }
}

/// Bytes of an element of a type, if it is one that is read.
fn width(data_type: i32) -> Option<usize> {
    Some(match data_type {
        ty::FLOAT | ty::INT32 | ty::UINT32 => 4,
        ty::UINT8 | ty::INT8 | ty::BOOL => 1,
        ty::UINT16 | ty::INT16 | ty::FLOAT16 | ty::BFLOAT16 => 2,
        ty::INT64 | ty::DOUBLE | ty::UINT64 => 8,
        _ => return None,
    })
}

impl Tensor {
    pub fn floats(dims: Vec<usize>, values: Vec<f32>) -> Tensor {
        debug_assert_eq!(product(&dims), Some(values.len()));
        let data = Data::Float(values.into());
        Tensor { dims, data }
    }

    /// Numbers that stand in the graph as a list.
    pub fn listed(values: &[f32]) -> Tensor {
        Tensor {
            dims: vec![values.len()],
            data: Data::Listed(values.into()),
        }
    }

    pub fn ints(dims: Vec<usize>, values: Vec<i64>) -> Tensor {
        Tensor::whole(dims, values, ty::INT64)
    }

    /// Of whole numbers or truth values of a type, which loses bits that it has not.
    pub fn whole(dims: Vec<usize>, mut values: Vec<i64>, data_type: i32) -> Tensor {
        debug_assert_eq!(product(&dims), Some(values.len()));
        for value in &mut values {
            *value = wrapped(*value, data_type);
        }
        let data = Data::Int(values.into(), data_type);
        Tensor { dims, data }
    }

    pub fn len(&self) -> usize {
        match &self.data {
            Data::Raw(bytes) => bytes.len() / 4,
            Data::Narrow(bytes, data_type) => bytes.len() / width(*data_type).unwrap_or(1),
            Data::Coded(coded) => coded.bytes.len() / width(coded.data_type).unwrap_or(1),
            Data::Float(values) | Data::Listed(values) => values.len(),
            Data::Int(values, _) => values.len(),
        }
    }

    /// Type of the elements; floating point of every width is held as that of 32 bits.
    pub fn kind(&self) -> i32 {
        match &self.data {
            Data::Raw(_) | Data::Narrow(..) | Data::Float(_) | Data::Listed(_) => ty::FLOAT,
            Data::Coded(coded) => coded.data_type,
            Data::Int(_, data_type) => *data_type,
        }
    }

    pub fn is_float(&self) -> bool {
        self.kind() == ty::FLOAT
    }

    /// What it takes to hold the elements besides the file: of four bytes each.
    pub fn price(&self) -> usize {
        match &self.data {
            Data::Raw(_) | Data::Narrow(..) => 0,
            Data::Float(values) | Data::Listed(values) => values.len(),
            Data::Int(values, _) => 2 * values.len(),
            // Paid for when they are asked for.
            Data::Coded(_) => 0,
        }
    }

    /// What it would take to widen elements that are still as they lie in the file: of four bytes each.
    pub fn unwidened(&self) -> usize {
        match &self.data {
            Data::Coded(coded) if coded.values.get().is_none() => 2 * self.len(),
            _ => 0,
        }
    }

    /// The elements as f32.
    pub fn to_floats(&self) -> Cow<'_, [f32]> {
        match &self.data {
            Data::Raw(bytes) => {
                let number =
                    |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                Cow::Owned(bytes.chunks_exact(4).map(number).collect())
            }
            Data::Narrow(bytes, data_type) => {
                let chunks = bytes.chunks_exact(width(*data_type).unwrap_or(1));
                Cow::Owned(chunks.map(|bytes| narrow(bytes, *data_type)).collect())
            }
            Data::Coded(coded) => Cow::Owned(floats(coded.values(), coded.data_type)),
            Data::Float(values) | Data::Listed(values) => Cow::Borrowed(values),
            Data::Int(values, data_type) => Cow::Owned(floats(values, *data_type)),
        }
    }

    /// The elements as whole numbers, if they are.
    pub fn to_ints(&self) -> Option<&[i64]> {
        match &self.data {
            Data::Int(values, _) => Some(values),
            Data::Coded(coded) => Some(coded.values()),
            _ => None,
        }
    }

    /// The only element, if there is one.
    pub fn scalar(&self) -> Option<f32> {
        match self.len() {
            1 => self.to_floats().first().copied(),
            _ => None,
        }
    }

    /// The one number that all elements are, if they are.
    pub fn uniform(&self) -> Option<f32> {
        let values = self.to_floats();
        let first = *values.first()?;
        values
            .iter()
            .all(|value| value.to_bits() == first.to_bits())
            .then_some(first)
    }

    /// The same elements with other extents.
    pub fn with_dims(&self, dims: Vec<usize>) -> Tensor {
        debug_assert_eq!(product(&dims), Some(self.len()));
        let data = self.data.clone();
        Tensor { dims, data }
    }

    /// The elements in the order of other axes.
    pub fn permuted(&self, axes: &[usize]) -> Tensor {
        let dims: Vec<usize> = axes.iter().map(|&axis| self.dims[axis]).collect();
        let strides = strides(&self.dims);
        let steps: Vec<usize> = axes.iter().map(|&axis| strides[axis]).collect();
        self.gathered(dims, &steps)
    }

    /// The elements repeated to larger extents.
    pub fn broadcast(&self, dims: &[usize]) -> Tensor {
        if self.dims == dims {
            return self.clone();
        }
        let strides = strides(&self.dims);
        let missing = dims.len() - self.dims.len();
        let step = |axis: usize| match axis < missing || self.dims[axis - missing] == 1 {
            true => 0,
            false => strides[axis - missing],
        };
        let steps: Vec<usize> = (0..dims.len()).map(step).collect();
        self.gathered(dims.to_vec(), &steps)
    }

    /// The elements at steps of each axis.
    pub fn gathered(&self, dims: Vec<usize>, steps: &[usize]) -> Tensor {
        let count = product(&dims).unwrap_or(0);
        self.taken(dims.clone(), count, &mut |take| each(&dims, steps, take))
    }

    /// The elements at those places.
    pub fn picked(&self, dims: Vec<usize>, at: &[usize]) -> Tensor {
        self.taken(dims, at.len(), &mut |take| at.iter().for_each(|&i| take(i)))
    }

    /// So many elements, at the places that are given one by one, without a copy of what may be the most of the file.
    fn taken(&self, dims: Vec<usize>, count: usize, places: &mut Places<'_>) -> Tensor {
        if let Some(values) = self.to_ints() {
            let mut all = Vec::with_capacity(count);
            places(&mut |i| all.push(values[i]));
            let data = Data::Int(all.into(), self.kind());
            return Tensor { dims, data };
        }
        let mut all: Vec<f32> = Vec::with_capacity(count);
        match &self.data {
            Data::Raw(bytes) => places(&mut |i| {
                let b = &bytes[4 * i..4 * i + 4];
                all.push(f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            }),
            Data::Narrow(bytes, data_type) => {
                let width = width(*data_type).unwrap_or(1);
                places(&mut |i| all.push(narrow(&bytes[width * i..][..width], *data_type)));
            }
            _ => {
                let values = self.to_floats();
                places(&mut |i| all.push(values[i]));
            }
        }
        let data = Data::Float(all.into());
        Tensor { dims, data }
    }
}
