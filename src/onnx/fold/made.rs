//! Tensors that are made of extents and bounds.

use super::super::error::{Why, invalid};
use super::super::shapes;
use super::super::tensor::{Tensor, product, read};
use super::Folding;

impl Folding<'_> {
    /// `ConstantOfShape`.
    pub fn constant_of_shape(&mut self, x: &Tensor) -> Result<Tensor, Why> {
        let dims = shapes::ints(Some(x))?.unwrap_or_default();
        let dims: Option<Vec<usize>> = dims.iter().map(|&n| usize::try_from(n).ok()).collect();
        let Some(dims) = dims else {
            return invalid("a constant of negative extents");
        };
        self.pay_dims(&dims)?;
        let count = product(&dims).unwrap_or(0);
        let Some(value) = self.attrs.tensor("value")? else {
            return Ok(Tensor::floats(dims, vec![0.0; count]));
        };
        let value = read(value, None)?;
        match (value.len(), value.to_ints()) {
            (1, Some(whole)) => Ok(Tensor::whole(dims, vec![whole[0]; count], value.kind())),
            (1, None) => Ok(Tensor::floats(dims, vec![value.to_floats()[0]; count])),
            _ => invalid("a constant whose value is no number"),
        }
    }

    /// `Range`.
    pub fn range(&mut self, from: &Tensor) -> Result<Tensor, Why> {
        let (to, step, kind) = (self.get(1)?, self.get(2)?, from.kind());
        if let (Some(from), Some(to), Some(step)) = (
            first(from.to_ints()),
            first(to.to_ints()),
            first(step.to_ints()),
        ) {
            if step == 0 {
                return invalid("a range with a step of 0");
            }
            let span = i128::from(to) - i128::from(from);
            let count = (span + i128::from(step) - i128::from(step.signum())) / i128::from(step);
            let count = count.clamp(0, 1 << 40) as usize;
            self.pay(count)?;
            let values = (0..count as i64).map(|i| from + i * step).collect();
            return Ok(Tensor::whole(vec![count], values, kind));
        }
        let number = |t: &Tensor| t.scalar().map(f64::from).unwrap_or(f64::NAN);
        let (from, to, step) = (number(from), number(to), number(step));
        let count = ((to - from) / step).ceil();
        if !count.is_finite() {
            return invalid("a range without end");
        }
        let count = count.clamp(0.0, 1e12) as usize;
        self.pay(count)?;
        let values = (0..count)
            .map(|i| (from + i as f64 * step) as f32)
            .collect();
        Ok(Tensor::floats(vec![count], values))
    }
}

fn first(values: Option<&[i64]>) -> Option<i64> {
    match values {
        Some(&[value]) => Some(value),
        _ => None,
    }
}
