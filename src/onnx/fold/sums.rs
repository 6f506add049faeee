//! One number of many: reductions and matrix products.

use super::super::error::{Why, unsupported};
use super::super::node::axes;
use super::super::proto::data_type as ty;
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
        if let Some(values) = moved.to_ints() {
            let kind = x.kind();
            let order = |&&x: &&i64| if kind == ty::UINT64 { x ^ i64::MIN } else { x };
            // In floating point, and then as near to it as the type has numbers.
            let wide = |part: &[i64]| {
                let part = part.iter().map(|&x| match kind {
                    ty::UINT64 => x as u64 as f64,
                    _ => x as f64,
                });
                let part = part.collect::<Vec<f64>>();
                nearest(self.wide(&part), kind)
            };
            let one = |part: &[i64]| match self.op {
                "ReduceProd" | "ReduceSum" | "ReduceMean" => wide(part),
                "ReduceMax" => part.iter().max_by_key(order).copied().unwrap_or(0),
                _ => part.iter().min_by_key(order).copied().unwrap_or(0),
            };
            let values = values.chunks(count).take(groups).map(one).collect();
            return Ok(Tensor::whole(dims, values, kind));
        }
        let values = moved.to_floats();
        let one = |part: &[f32]| {
            let part = part.iter().map(|&x| x.into()).collect::<Vec<f64>>();
            self.wide(&part) as f32
        };
        Ok(Tensor::floats(
            dims,
            values.chunks(count).take(groups).map(one).collect(),
        ))
    }

    /// What elements become.
    fn wide(&self, part: &[f64]) -> f64 {
        let all = part.iter();
        match self.op {
            "ReduceProd" => all.product(),
            "ReduceSum" => all.sum(),
            "ReduceMean" => all.sum::<f64>() / part.len() as f64,
            "ReduceMax" => all.copied().fold(f64::NEG_INFINITY, f64::max),
            _ => all.copied().fold(f64::INFINITY, f64::min),
        }
    }

    /// `MatMul` of two matrices that are not too large; `None` of others.
    pub fn matmul(&mut self, x: &Tensor) -> Result<Option<Tensor>, Why> {
        let y = self.get(1)?;
        let (&[m, k], &[l, n]) = (&x.dims[..], &y.dims[..]) else {
            return Ok(None);
        };
        let terms = m.saturating_mul(k).saturating_mul(n);
        if k != l || terms > 1 << 26 {
            return Ok(None);
        }
        self.pay(m * n)?;
        self.work(terms)?;
        if let (Some(a), Some(b)) = (x.to_ints(), y.to_ints()) {
            let mut all = Vec::with_capacity(m * n);
            rows(
                a,
                b,
                [m, k, n],
                &mut |row: &[i64]| all.extend(row),
                |sum, a, b| {
                    *sum = sum.wrapping_add(a.wrapping_mul(b));
                },
            );
            return Ok(Some(Tensor::whole(vec![m, n], all, x.kind())));
        }
        let (a, b) = (x.to_floats(), y.to_floats());
        let mut all: Vec<f32> = Vec::with_capacity(m * n);
        let mut push = |row: &[f64]| all.extend(row.iter().map(|&sum| sum as f32));
        rows(&a, &b, [m, k, n], &mut push, |sum, a, b| {
            *sum += f64::from(a) * f64::from(b);
        });
        Ok(Some(Tensor::floats(vec![m, n], all)))
    }
}

/// Gives the rows of a product of matrices one by one; `add` adds the product of two elements.
fn rows<T: Copy, W: Copy + Default>(
    a: &[T],
    b: &[T],
    [m, k, n]: [usize; 3],
    take: &mut dyn FnMut(&[W]),
    add: impl Fn(&mut W, T, T),
) {
    let mut row = vec![W::default(); n];
    for i in 0..m {
        row.fill(W::default());
        for t in 0..k {
            let factor = a[i * k + t];
            for (sum, &b) in row.iter_mut().zip(&b[t * n..][..n]) {
                add(sum, factor, b);
            }
        }
        take(&row);
    }
}

/// The number of a type of whole numbers that is nearest, towards 0.
fn nearest(x: f64, kind: i32) -> i64 {
    match kind {
        ty::UINT8 => (x as u8).into(),
        ty::INT8 => (x as i8).into(),
        ty::UINT16 => (x as u16).into(),
        ty::INT16 => (x as i16).into(),
        ty::UINT32 => (x as u32).into(),
        ty::INT32 => (x as i32).into(),
        ty::UINT64 => x as u64 as i64,
        _ => x as i64,
    }
}
