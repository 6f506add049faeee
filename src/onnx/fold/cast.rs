//! Numbers as those of another type.

use super::super::error::{Why, unsupported};
use super::super::proto::data_type as ty;
use super::super::tensor::{Data, Tensor};

/// The same numbers as a type has them.
pub fn cast(x: &Tensor, to: i64) -> Result<Tensor, Why> {
    let dims = x.dims.clone();
    let to = i32::try_from(to).unwrap_or(0);
    Ok(match to {
        ty::FLOAT | ty::DOUBLE if x.is_float() => x.clone(),
        ty::FLOAT | ty::DOUBLE => Tensor::floats(dims, x.to_floats().into_owned()),
        ty::FLOAT16 => Tensor::floats(
            dims,
            x.to_floats()
                .iter()
                .map(|&v| half::f16::from_f32(v).to_f32())
                .collect(),
        ),
        ty::BFLOAT16 => Tensor::floats(
            dims,
            x.to_floats()
                .iter()
                .map(|&v| half::bf16::from_f32(v).to_f32())
                .collect(),
        ),
        ty::BOOL => {
            let values = x.to_floats().iter().map(|&v| i64::from(v != 0.0)).collect();
            Tensor {
                dims,
                data: Data::Bool(values),
            }
        }
        ty::UINT8
        | ty::INT8
        | ty::UINT16
        | ty::INT16
        | ty::INT32
        | ty::INT64
        | ty::UINT32
        | ty::UINT64 => match x.to_ints() {
            Some(values) => Tensor::ints(dims, values.iter().map(|&v| wrapped(v, to)).collect()),
            None => {
                let values = x.to_floats();
                let values = values.iter().map(|&v| wrapped(v as i64, to)).collect();
                Tensor::ints(dims, values)
            }
        },
        _ => return unsupported(format!("a constant becomes numbers of type {to}")),
    })
}

/// A whole number in as many bits as its type has; those above are lost.
fn wrapped(value: i64, to: i32) -> i64 {
    match to {
        ty::UINT8 => i64::from(value as u8),
        ty::INT8 => i64::from(value as i8),
        ty::UINT16 => i64::from(value as u16),
        ty::INT16 => i64::from(value as i16),
        ty::UINT32 => i64::from(value as u32),
        ty::INT32 => i64::from(value as i32),
        _ => value,
    }
}
