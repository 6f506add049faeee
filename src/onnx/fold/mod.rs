//! Nodes whose operands are all constant: computed once, when the network is read. Shapes are the most of it.

mod arithmetic;
mod cast;
mod made;
mod places;
mod sums;

pub(super) use arithmetic::old_broadcast;
pub(super) use places::{places_of, written_places};

use super::ctx::{pay, work};
use super::error::{Why, invalid, unsupported};
use super::node::{Attrs, axis};
use super::proto::data_type as ty;
use super::shapes;
use super::tensor::{AXES, Tensor, broadcast, product};
use cast::cast;

/// Operands of a node that is computed.
pub(super) struct Folding<'a> {
    pub op: &'a str,
    pub attrs: &'a Attrs<'a>,
    pub inputs: &'a [Option<&'a Tensor>],
    pub outputs: usize,
    /// Elements that may still be made.
    pub budget: &'a mut usize,
    /// Elements that may still be read.
    pub work: &'a mut usize,
}

/// Computes a node; `None` if it is of an operator that is not computed here.
pub(super) fn fold(mut f: Folding<'_>) -> Result<Option<Vec<Tensor>>, Why> {
    let one = |tensor| Ok(Some(vec![tensor]));
    let Some(x) = f.inputs.first().copied().flatten() else {
        return match f.op {
            "Constant" => invalid("a constant without a value"),
            _ => Ok(None),
        };
    };
    let attrs = f.attrs;
    let rank = x.dims.len();
    match f.op {
        "Identity" | "Dropout" => one(x.clone()),
        "Shape" => {
            let bound = |name: &str, default: i64| -> Result<usize, Why> {
                let at = attrs.int(name, default)?;
                let at = if at < 0 {
                    at.saturating_add(rank as i64)
                } else {
                    at
                };
                Ok(at.clamp(0, rank as i64) as usize)
            };
            let (start, end) = (bound("start", 0)?, bound("end", rank as i64)?);
            let dims: Vec<i64> = x.dims[start..end.max(start)]
                .iter()
                .map(|&n| n as i64)
                .collect();
            one(Tensor::ints(vec![dims.len()], dims))
        }
        "Size" => one(Tensor::ints(Vec::new(), vec![x.len() as i64])),
        "Cast" => {
            let to = attrs.int("to", 1)?;
            // Floating point stays as it is.
            if !x.is_float() || ![ty::FLOAT, ty::DOUBLE].map(i64::from).contains(&to) {
                f.pay(x.len())?;
            }
            one(cast(x, to)?)
        }
        "CastLike" => {
            let like = f.get(1)?;
            if !(x.is_float() && like.is_float()) {
                f.pay(x.len())?;
            }
            one(cast(x, like.kind().into())?)
        }
        "Reshape" => {
            let wanted = shapes::listed(attrs, "shape", f.inputs.get(1).copied().flatten())?;
            let wanted = wanted.ok_or_else(|| Why::Invalid("a reshape without extents".into()))?;
            one(x.with_dims(shapes::reshape(
                &x.dims,
                &wanted,
                attrs.int("allowzero", 0)? == 1,
            )?))
        }
        "Flatten" => {
            let at = match attrs.int("axis", 1)? {
                at if at == rank as i64 => rank,
                at => axis(at, rank)?,
            };
            one(x.with_dims(vec![
                x.dims[..at].iter().product(),
                x.dims[at..].iter().product(),
            ]))
        }
        "Squeeze" => {
            let list = shapes::listed(attrs, "axes", f.inputs.get(1).copied().flatten())?;
            one(x.with_dims(shapes::squeeze(&x.dims, list.as_deref())?))
        }
        "Unsqueeze" => {
            let list = shapes::listed(attrs, "axes", f.inputs.get(1).copied().flatten())?;
            one(x.with_dims(shapes::unsqueeze(&x.dims, &list.unwrap_or_default())?))
        }
        "Transpose" => {
            f.pay(x.len())?;
            one(x.permuted(&shapes::permutation(attrs, rank)?))
        }
        "Concat" => {
            let list: Vec<&Tensor> = f.inputs.iter().flatten().copied().collect();
            let at = axis(attrs.int("axis", 1)?, rank)?;
            one(f.concat(&list, at)?)
        }
        "Slice" => {
            let ranges = shapes::slices(&x.dims, attrs, f.inputs)?;
            one(f.slice(x, &ranges)?)
        }
        "Split" => {
            let at = axis(attrs.int("axis", 0)?, rank)?;
            let parts = shapes::split(
                x.dims[at],
                attrs,
                f.inputs.get(1).copied().flatten(),
                f.outputs,
            )?;
            let mut first = 0;
            let mut all = Vec::new();
            f.pay(parts.len())?;
            for count in parts {
                all.push(f.slice(
                    x,
                    &[shapes::Range {
                        axis: at,
                        first,
                        count,
                        step: 1,
                    }],
                )?);
                first += count;
            }
            Ok(Some(all))
        }
        "Gather" => {
            let places = f.get(1)?;
            let at = axis(attrs.int("axis", 0)?, rank)?;
            one(f.gather(x, places, at)?)
        }
        "ScatterND" => Ok(f.scattered(x)?.map(|all| vec![all])),
        "Expand" => {
            let wanted = shapes::ints(Some(f.get(1)?))?.unwrap_or_default();
            let wanted: Option<Vec<usize>> =
                wanted.iter().map(|&n| usize::try_from(n).ok()).collect();
            let Some(wanted) = wanted else {
                return invalid("an expansion to negative extents");
            };
            let dims = broadcast(&x.dims, &wanted)?;
            f.pay_dims(&dims)?;
            one(x.broadcast(&dims))
        }
        "Tile" => {
            let repeats = shapes::ints(Some(f.get(1)?))?.unwrap_or_default();
            if repeats.len() != rank || repeats.iter().any(|&n| !(0..=1 << 24).contains(&n)) {
                return invalid("tiles that do not fit their operand");
            }
            let mut tensor = x.clone();
            for (at, &n) in repeats.iter().enumerate() {
                let mut dims = tensor.dims.clone();
                dims[at] = dims[at].saturating_mul(n as usize);
                f.pay_dims(&dims)?;
                f.pay(n as usize)?;
                let list = vec![&tensor; n as usize];
                tensor = match n {
                    1 => tensor,
                    _ if list.is_empty() => return unsupported("a tensor without elements"),
                    _ => f.concat(&list, at)?,
                };
            }
            one(tensor)
        }
        "ConstantOfShape" => one(f.constant_of_shape(x)?),
        "Range" => one(f.range(x)?),
        "NonZero" => one(f.non_zero(x)?),
        "Where" => one(f.chosen(x)?),
        "Sum" | "Min" | "Max" if f.inputs.len() != 2 => {
            let op = if f.op == "Sum" { "Add" } else { f.op };
            let mut total = x.clone();
            for at in 1..f.inputs.len() {
                let next = f.get(at)?;
                total = f.binary(op, &total, next)?;
            }
            one(total)
        }
        "Sum" => {
            let y = f.get(1)?;
            one(f.binary("Add", x, y)?)
        }
        "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Min" | "Max" | "Mod" | "Equal" | "Greater"
        | "Less" | "GreaterOrEqual" | "LessOrEqual" | "And" | "Or" | "Xor" | "BitwiseAnd"
        | "BitwiseOr" | "BitwiseXor" | "BitShift" => {
            let y = f.get(1)?;
            let op = f.op;
            // Before operator set 7, `axis` said where the second begins.
            let moved = match attrs.has("broadcast") && attrs.has("axis") {
                true => Some(y.with_dims(old_broadcast(&x.dims, &y.dims, attrs.int("axis", 0)?)?)),
                false => None,
            };
            one(f.binary(op, x, moved.as_ref().unwrap_or(y))?)
        }
        "ReduceProd" | "ReduceSum" | "ReduceMax" | "ReduceMin" | "ReduceMean" => one(f.reduce(x)?),
        "Clip" => one(f.clipped(x)?),
        "MatMul" => Ok(f.matmul(x)?.map(|all| vec![all])),
        _ => Ok(f.each(x)?.map(|all| vec![all])),
    }
}

impl<'a> Folding<'a> {
    fn get(&self, at: usize) -> Result<&'a Tensor, Why> {
        match self.inputs.get(at).copied().flatten() {
            Some(tensor) => Ok(tensor),
            None => invalid(format!("operand {at} is missing")),
        }
    }

    fn pay(&mut self, elements: usize) -> Result<(), Why> {
        pay(self.budget, elements)
    }

    /// Products of two elements, several of which take as long as one that is read.
    fn work(&mut self, products: usize) -> Result<(), Why> {
        work(self.work, products / 4)
    }

    fn pay_dims(&mut self, dims: &[usize]) -> Result<(), Why> {
        match product(dims) {
            Some(count) if dims.len() <= AXES => self.pay(count),
            _ => invalid(format!("a constant of extents {dims:?} is too large")),
        }
    }
}
