//! Tensors as a file has them.

use super::super::error::{Why, invalid, show, unsupported};
use super::super::proto::{TensorProto, data_type as ty};
use super::{AXES, Coded, Data, Tensor, product, whole, width, wrapped};
use half::{bf16, f16};
use prost::bytes::Bytes;
use std::cell::OnceCell;
use std::rc::Rc;

/// Most elements of whole numbers that are widened when they are read, rather than when they are asked for.
const WIDENED: usize = 1 << 10;

/// Reads a tensor; `outside` are its bytes if they are in another file.
pub fn read(proto: &TensorProto, outside: Option<Bytes>) -> Result<Tensor, Why> {
    let name = show(&proto.name);
    if proto.dims.len() > AXES {
        return invalid(format!("tensor `{name}` has {} axes", proto.dims.len()));
    }
    let extent = |&n: &i64| usize::try_from(n).ok();
    let dims: Option<Vec<usize>> = proto.dims.iter().map(extent).collect();
    let Some(dims) = dims else {
        return invalid(format!("tensor `{name}` has a negative extent"));
    };
    let Some(count) = product(&dims) else {
        return invalid(format!("tensor `{name}` is too large: {:?}", proto.dims));
    };
    let Some(width) = width(proto.data_type) else {
        return match proto.data_type {
            ty::STRING => unsupported(format!("tensor `{name}` is of texts")),
            1..=30 => unsupported(format!(
                "tensor `{name}` is of numbers of type {}, which are not read; export in f32",
                proto.data_type
            )),
            _ => invalid(format!(
                "tensor `{name}` has the unknown element type {}",
                proto.data_type
            )),
        };
    };
    let fields = [
        proto.float_data.len(),
        proto.int32_data.len(),
        proto.int64_data.len(),
        proto.double_data.len(),
        proto.uint64_data.len(),
    ];
    let filled = fields.iter().filter(|&&n| n > 0).count();
    let raw = match outside {
        Some(bytes) => bytes,
        None => proto.raw_data.clone(),
    };
    if filled > 1 || (filled == 1 && !raw.is_empty()) {
        return invalid(format!("tensor `{name}` has its elements twice"));
    }
    let number = |found: usize| {
        invalid(format!(
            "tensor `{name}` has {found} elements, and its extents {dims:?} make {count}"
        ))
    };
    let wrong = || {
        invalid(format!(
            "tensor `{name}` has elements of another type than {}",
            proto.data_type
        ))
    };
    if filled == 0 {
        if Some(raw.len()) != count.checked_mul(width) {
            return invalid(format!(
                "tensor `{name}` has {} bytes, and its extents {dims:?} make {}",
                raw.len(),
                count.saturating_mul(width)
            ));
        }
        if proto.data_type == ty::FLOAT {
            return Ok(Tensor {
                dims,
                data: Data::Raw(raw),
            });
        }
        let data = match proto.data_type {
            ty::DOUBLE | ty::FLOAT16 | ty::BFLOAT16 => Data::Narrow(raw, proto.data_type),
            data_type if count > WIDENED => Data::Coded(Rc::new(Coded {
                bytes: raw,
                data_type,
                values: OnceCell::new(),
            })),
            data_type => {
                let values = raw.chunks_exact(width);
                let values = values.map(|bytes| whole(bytes, data_type)).collect();
                Data::Int(values, data_type)
            }
        };
        return Ok(Tensor { dims, data });
    }
    let found = fields.iter().sum::<usize>();
    if found != count {
        return number(found);
    }
    let data = match proto.data_type {
        ty::FLOAT if fields[0] > 0 => Data::Float(proto.float_data.as_slice().into()),
        ty::DOUBLE if fields[3] > 0 => {
            Data::Float(proto.double_data.iter().map(|&x| x as f32).collect())
        }
        ty::INT64 if fields[2] > 0 => Data::Int(proto.int64_data.as_slice().into(), ty::INT64),
        data_type @ (ty::UINT32 | ty::UINT64) if fields[4] > 0 => {
            let values = proto.uint64_data.iter();
            let values = values.map(|&x| wrapped(x as i64, data_type)).collect();
            Data::Int(values, data_type)
        }
        ty::FLOAT16 if fields[1] > 0 => Data::Float(
            proto
                .int32_data
                .iter()
                .map(|&x| f16::from_bits(x as u16).to_f32())
                .collect(),
        ),
        ty::BFLOAT16 if fields[1] > 0 => Data::Float(
            proto
                .int32_data
                .iter()
                .map(|&x| bf16::from_bits(x as u16).to_f32())
                .collect(),
        ),
        data_type @ (ty::BOOL | ty::INT32 | ty::INT16 | ty::INT8 | ty::UINT16 | ty::UINT8)
            if fields[1] > 0 =>
        {
            let values = proto.int32_data.iter();
            let values = values.map(|&x| wrapped(x.into(), data_type)).collect();
            Data::Int(values, data_type)
        }
        _ => return wrong(),
    };
    Ok(Tensor { dims, data })
}
