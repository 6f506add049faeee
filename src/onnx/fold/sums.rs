//! One number of many: reductions and matrix products.

use super::super::error::{Why, unsupported};
use super::super::node::axes;
use super::super::shapes;
use super::super::tensor::Tensor;
use super::Folding;

impl Folding<'_> {
    /// `ReduceSum` and its like.
    pub fn reduce(&mut self, x: &Tensor) -> Result<Tensor, Why> {
        let rank = x.dims.len();
        let list = shapes::listed(self.attrs, "axes", self.inputs.get(1).copied().flatten())?;
        let over = match list {
            Some(list) if !list.is_empty() => axes(&list, rank)?,
            _ if self.attrs.int("noop_with_empty_axes", 0)? == 1 => return Ok(x.clone()),
            _ => (0..rank).collect(),
        };
        let keep = self.attrs.int("keepdims", 1)? == 1;
        let rest: Vec<usize> = (0..rank).filter(|axis| !over.contains(axis)).collect();
        let order: Vec<usize> = rest.iter().chain(&over).copied().collect();
        self.pay(x.len())?;
        let moved = x.permuted(&order);
        let count: usize = over.iter().map(|&axis| x.dims[axis]).product();
        let groups: usize = rest.iter().map(|&axis| x.dims[axis]).product();
        if count == 0 {
            return unsupported("a tensor without elements");
        }
        let dims: Vec<usize> = match keep {
            true => (0..rank)
                .map(|axis| {
                    if over.contains(&axis) {
                        1
                    } else {
                        x.dims[axis]
                    }
                })
                .collect(),
            false => rest.iter().map(|&axis| x.dims[axis]).collect(),
        };
        if let (Some(values), true) = (moved.to_ints(), self.op != "ReduceMean") {
            let one = |part: &[i64]| match self.op {
                "ReduceProd" => part.iter().fold(1i64, |a, &b| a.wrapping_mul(b)),
                "ReduceSum" => part.iter().fold(0i64, |a, &b| a.wrapping_add(b)),
                "ReduceMax" => part.iter().copied().max().unwrap_or(0),
                _ => part.iter().copied().min().unwrap_or(0),
            };
            return Ok(Tensor::ints(
                dims,
                values.chunks(count).take(groups).map(one).collect(),
            ));
        }
        let values = moved.to_floats();
        let one = |part: &[f32]| -> f32 {
            let wide = part.iter().map(|&v| f64::from(v));
            (match self.op {
                "ReduceProd" => wide.product::<f64>(),
                "ReduceSum" => wide.sum(),
                "ReduceMean" => wide.sum::<f64>() / count as f64,
                "ReduceMax" => wide.fold(f64::NEG_INFINITY, f64::max),
                _ => wide.fold(f64::INFINITY, f64::min),
            }) as f32
        };
        Ok(Tensor::floats(
            dims,
            values.chunks(count).take(groups).map(one).collect(),
        ))
    }

    /// `MatMul` of two matrices that are not too large; `None` of others.
    pub fn matmul(&mut self, x: &Tensor) -> Result<Option<Tensor>, Why> {
        let y = self.get(1)?;
        let (&[m, k], &[l, n]) = (&x.dims[..], &y.dims[..]) else {
            return Ok(None);
        };
        if k != l || m.saturating_mul(k).saturating_mul(n) > 1 << 26 {
            return Ok(None);
        }
        self.pay(m * n)?;
        let (a, b) = (x.to_floats(), y.to_floats());
        let mut all = Vec::with_capacity(m * n);
        for i in 0..m {
            for j in 0..n {
                let sum: f64 = (0..k)
                    .map(|t| f64::from(a[i * k + t]) * f64::from(b[t * n + j]))
                    .sum();
                all.push(sum as f32);
            }
        }
        Ok(Some(Tensor::floats(vec![m, n], all)))
    }
}
