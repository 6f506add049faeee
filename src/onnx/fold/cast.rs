//! Numbers as those of another type.

use super::super::error::{Why, unsupported};
use super::super::proto::data_type as ty;
use super::super::tensor::Tensor;

/// The same numbers as a type has them.
pub fn cast(x: &Tensor, to: i64) -> Result<Tensor, Why> {
    let dims = x.dims.clone();
    let to = i32::try_from(to).unwrap_or(0);
    let rounded = |f: fn(f32) -> f32| {
        let values = x.to_floats().iter().map(|&v| f(v)).collect();
        Tensor::floats(x.dims.clone(), values)
    };
    Ok(match to {
        ty::FLOAT | ty::DOUBLE if x.is_float() => x.clone(),
        ty::FLOAT | ty::DOUBLE => Tensor::floats(dims, x.to_floats().into_owned()),
        ty::FLOAT16 => rounded(|v| half::f16::from_f32(v).to_f32()),
        ty::BFLOAT16 => rounded(|v| half::bf16::from_f32(v).to_f32()),
        ty::BOOL
        | ty::UINT8
        | ty::INT8
        | ty::UINT16
        | ty::INT16
        | ty::INT32
        | ty::INT64
        | ty::UINT32
        | ty::UINT64 => {
            let values = match x.to_ints() {
                Some(values) => values.to_vec(),
                None => {
                    let values = x.to_floats();
                    let values = values.iter();
                    match to {
                        ty::BOOL => values.map(|&v| i64::from(v != 0.0)).collect(),
                        _ => values.map(|&v| truncated(v.into(), to)).collect(),
                    }
                }
            };
            Tensor::whole(dims, values, to)
        }
        _ => return unsupported(format!("a constant becomes numbers of type {to}")),
    })
}

/// A number towards 0, as one of a type of whole numbers. What is none in the registers that processors convert it in becomes the least one there, whatever
/// that is in the bits of the type.
pub fn truncated(x: f64, to: i32) -> i64 {
    let whole = x.trunc();
    let within = |low: f64, end: f64| (low..end).contains(&whole);
    match to {
        // Beyond what has a sign.
        ty::UINT64 if within(0.0, 2f64.powi(64)) => whole as u64 as i64,
        ty::UINT32 | ty::INT64 | ty::UINT64 => match within(-(2f64.powi(63)), 2f64.powi(63)) {
            true => whole as i64,
            false => i64::MIN,
        },
        _ => match within(-(2f64.powi(31)), 2f64.powi(31)) {
            true => whole as i64,
            false => i32::MIN.into(),
        },
    }
}
