//! Nodes whose operands are all constant: computed once, when the network is read. Shapes are the most of it.

use super::ctx::pay;
use super::error::{Why, invalid, unsupported};
use super::node::{Attrs, axes, axis};
use super::proto::data_type as ty;
use super::shapes;
use super::tensor::{AXES, Data, Tensor, broadcast, product, strides};

/// Operands of a node that is computed.
pub(super) struct Folding<'a> {
    pub op: &'a str,
    pub attrs: &'a Attrs,
    pub inputs: &'a [Option<&'a Tensor>],
    pub outputs: usize,
    /// Elements that may still be made.
    pub budget: &'a mut usize,
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
            one(match (like.is_float(), like.is_bool()) {
                (true, _) => cast(x, ty::FLOAT.into())?,
                (_, true) => cast(x, ty::BOOL.into())?,
                _ => cast(x, ty::INT64.into())?,
            })
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
                let list = vec![&tensor; n as usize];
                tensor = match n {
                    1 => tensor,
                    _ if list.is_empty() => return unsupported("a tensor without elements"),
                    _ => f.concat(&list, at)?,
                };
            }
            one(tensor)
        }
        "ConstantOfShape" => {
            let dims = shapes::ints(Some(x))?.unwrap_or_default();
            let dims: Option<Vec<usize>> = dims.iter().map(|&n| usize::try_from(n).ok()).collect();
            let Some(dims) = dims else {
                return invalid("a constant of negative extents");
            };
            f.pay_dims(&dims)?;
            let count = product(&dims).unwrap_or(0);
            let data = match attrs.tensor("value")? {
                None => Data::Float(vec![0.0; count].into()),
                Some(value) => {
                    let value = super::tensor::read(value, None)?;
                    match &value.data {
                        _ if value.len() != 1 => {
                            return invalid("a constant whose value is no number");
                        }
                        Data::Int(v) => Data::Int(vec![v[0]; count].into()),
                        Data::Bool(v) => Data::Bool(vec![v[0]; count].into()),
                        _ => Data::Float(vec![value.to_floats()[0]; count].into()),
                    }
                }
            };
            one(Tensor { dims, data })
        }
        "Range" => {
            let (from, to, step) = (x, f.get(1)?, f.get(2)?);
            if let (Some(from), Some(to), Some(step)) = (
                first(from.to_ints()),
                first(to.to_ints()),
                first(step.to_ints()),
            ) {
                if step == 0 {
                    return invalid("a range with a step of 0");
                }
                let span = i128::from(to) - i128::from(from);
                let count =
                    (span + i128::from(step) - i128::from(step.signum())) / i128::from(step);
                let count = count.clamp(0, 1 << 40) as usize;
                f.pay(count)?;
                let values = (0..count as i64).map(|i| from + i * step).collect();
                return one(Tensor::ints(vec![count], values));
            }
            let number = |t: &Tensor| t.scalar().map(f64::from).unwrap_or(f64::NAN);
            let (from, to, step) = (number(from), number(to), number(step));
            let count = ((to - from) / step).ceil();
            if !count.is_finite() {
                return invalid("a range without end");
            }
            let count = count.clamp(0.0, 1e12) as usize;
            f.pay(count)?;
            let values = (0..count)
                .map(|i| (from + i as f64 * step) as f32)
                .collect();
            one(Tensor::floats(vec![count], values))
        }
        "NonZero" => {
            let values = x.to_floats();
            let found: Vec<usize> = (0..x.len()).filter(|&i| values[i] != 0.0).collect();
            f.pay(found.len().saturating_mul(rank.max(1)))?;
            let steps = strides(&x.dims);
            let mut all = Vec::new();
            for (step, extent) in steps.iter().zip(&x.dims) {
                all.extend(found.iter().map(|i| ((i / step) % extent.max(&1)) as i64));
            }
            one(Tensor::ints(vec![rank, found.len()], all))
        }
        "Where" => {
            let (a, b) = (f.get(1)?, f.get(2)?);
            let dims = broadcast(&broadcast(&x.dims, &a.dims)?, &b.dims)?;
            f.pay_dims(&dims)?;
            let (c, a, b) = (x.broadcast(&dims), a.broadcast(&dims), b.broadcast(&dims));
            let c = c.to_floats();
            one(match (a.to_ints(), b.to_ints()) {
                (Some(a), Some(b)) => Tensor::ints(
                    dims,
                    (0..c.len())
                        .map(|i| if c[i] != 0.0 { a[i] } else { b[i] })
                        .collect(),
                ),
                _ => {
                    let (a, b) = (a.to_floats(), b.to_floats());
                    Tensor::floats(
                        dims,
                        (0..c.len())
                            .map(|i| if c[i] != 0.0 { a[i] } else { b[i] })
                            .collect(),
                    )
                }
            })
        }
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
        | "Less" | "GreaterOrEqual" | "LessOrEqual" | "And" | "Or" | "Xor" => {
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
        "MatMul" => {
            let y = f.get(1)?;
            let (&[m, k], &[l, n]) = (&x.dims[..], &y.dims[..]) else {
                return Ok(None);
            };
            if k != l || m.saturating_mul(k).saturating_mul(n) > 1 << 26 {
                return Ok(None);
            }
            f.pay(m * n)?;
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
            one(Tensor::floats(vec![m, n], all))
        }
        _ => {
            let Some(function) = unary(f.op) else {
                return Ok(None);
            };
            f.pay(x.len())?;
            one(match (x.to_ints(), f.op) {
                (Some(values), "Not") => Tensor {
                    dims: x.dims.clone(),
                    data: Data::Bool(values.iter().map(|&v| i64::from(v == 0)).collect()),
                },
                (Some(values), "Neg") => Tensor::ints(
                    x.dims.clone(),
                    values.iter().map(|v| v.wrapping_neg()).collect(),
                ),
                (Some(values), "Abs") => Tensor::ints(
                    x.dims.clone(),
                    values.iter().map(|v| v.wrapping_abs()).collect(),
                ),
                (Some(values), "Sign") => {
                    Tensor::ints(x.dims.clone(), values.iter().map(|v| v.signum()).collect())
                }
                (Some(_), _) => return Ok(None),
                (None, _) => Tensor::floats(
                    x.dims.clone(),
                    x.to_floats()
                        .iter()
                        .map(|&v| function(f64::from(v)) as f32)
                        .collect(),
                ),
            })
        }
    }
}

fn first(values: Option<&[i64]>) -> Option<i64> {
    match values {
        Some(&[value]) => Some(value),
        _ => None,
    }
}

fn unary(op: &str) -> Option<fn(f64) -> f64> {
    Some(match op {
        "Neg" => |x| -x,
        "Abs" => f64::abs,
        "Floor" => f64::floor,
        "Ceil" => f64::ceil,
        "Round" => f64::round_ties_even,
        "Sqrt" => f64::sqrt,
        "Exp" => f64::exp,
        "Log" => f64::ln,
        "Sin" => f64::sin,
        "Cos" => f64::cos,
        "Tanh" => f64::tanh,
        "Reciprocal" => |x| 1.0 / x,
        "Sigmoid" => |x| 1.0 / (1.0 + (-x).exp()),
        "Relu" => |x| x.max(0.0),
        "Sign" => |x| if x == 0.0 { 0.0 } else { x.signum() },
        "Not" => |x| f64::from(x == 0.0),
        _ => return None,
    })
}

/// Extents of the second operand as they combine today: before operator set 7, `axis` said where it begins.
pub(super) fn old_broadcast(a: &[usize], b: &[usize], at: i64) -> Result<Vec<usize>, Why> {
    let at = match at {
        -1 => a.len().checked_sub(b.len()),
        at => Some(axis(at, a.len().max(1))?),
    };
    let behind = at.and_then(|at| a.len().checked_sub(at + b.len()));
    let Some(behind) = behind else {
        return invalid(format!("{b:?} does not fit into {a:?}"));
    };
    let mut dims = b.to_vec();
    dims.extend(std::iter::repeat_n(1, behind));
    Ok(dims)
}

fn cast(x: &Tensor, to: i64) -> Result<Tensor, Why> {
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

/// What a division leaves, with the sign of the divisor.
fn modulo(x: i64, y: i64) -> i64 {
    match x.wrapping_rem(y) {
        rest if rest != 0 && (rest < 0) != (y < 0) => rest + y,
        rest => rest,
    }
}

/// The same of floating point; a remainder of 0 has the divisor's sign, too.
fn modulo_float(x: f32, y: f32) -> f32 {
    match x % y {
        0.0 => 0f32.copysign(y),
        rest if (rest < 0.0) != (y < 0.0) => rest + y,
        rest => rest,
    }
}

/// A power of whole numbers, towards 0 where it is none.
fn power(x: i64, y: i64) -> i64 {
    match (x, u32::try_from(y)) {
        (_, Ok(y)) => x.wrapping_pow(y),
        (1, _) => 1,
        (-1, _) => 1 - 2 * (y & 1),
        (0, _) if y > 0 => 0,
        _ => (x as f64).powf(y as f64) as i64,
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

    fn pay_dims(&mut self, dims: &[usize]) -> Result<(), Why> {
        match product(dims) {
            Some(count) if dims.len() <= AXES => self.pay(count),
            _ => invalid(format!("a constant of extents {dims:?} is too large")),
        }
    }

    fn concat(&mut self, list: &[&Tensor], at: usize) -> Result<Tensor, Why> {
        let mut dims = list[0].dims.clone();
        dims[at] = 0;
        for tensor in list {
            let fits = tensor.dims.len() == dims.len()
                && (0..dims.len()).all(|axis| axis == at || tensor.dims[axis] == dims[axis]);
            if !fits {
                return invalid(format!(
                    "{:?} and {:?} cannot stand behind one another along axis {at}",
                    list[0].dims, tensor.dims
                ));
            }
            dims[at] = dims[at].saturating_add(tensor.dims[at]);
        }
        self.pay_dims(&dims)?;
        let outer: usize = dims[..at].iter().product();
        let block = |tensor: &Tensor| tensor.dims[at..].iter().product::<usize>();
        let ints: Option<Vec<&[i64]>> = list.iter().map(|tensor| tensor.to_ints()).collect();
        if let Some(ints) = ints {
            let mut all = Vec::new();
            for i in 0..outer {
                for (tensor, values) in list.iter().zip(&ints) {
                    all.extend_from_slice(&values[i * block(tensor)..][..block(tensor)]);
                }
            }
            return Ok(Tensor::ints(dims, all));
        }
        let floats: Vec<_> = list.iter().map(|tensor| tensor.to_floats()).collect();
        let mut all = Vec::new();
        for i in 0..outer {
            for (tensor, values) in list.iter().zip(&floats) {
                all.extend_from_slice(&values[i * block(tensor)..][..block(tensor)]);
            }
        }
        Ok(Tensor::floats(dims, all))
    }

    fn slice(&mut self, x: &Tensor, ranges: &[shapes::Range]) -> Result<Tensor, Why> {
        let steps = strides(&x.dims);
        let mut places: Vec<Vec<usize>> = x.dims.iter().map(|&n| (0..n).collect()).collect();
        for range in ranges {
            let place = |i: usize| (range.first as i64 + i as i64 * range.step) as usize;
            places[range.axis] = (0..range.count).map(place).collect();
        }
        let dims: Vec<usize> = places.iter().map(Vec::len).collect();
        self.pay_dims(&dims)?;
        let mut at = vec![0];
        for (axis, places) in places.iter().enumerate() {
            at = at
                .iter()
                .flat_map(|&base| places.iter().map(move |&place| (base, place)))
                .map(|(base, place)| base + place * steps[axis])
                .collect();
        }
        Ok(x.picked(dims, &at))
    }

    fn gather(&mut self, x: &Tensor, places: &Tensor, at: usize) -> Result<Tensor, Why> {
        let n = x.dims[at];
        let list = places_of(places, n)?;
        let mut dims = x.dims[..at].to_vec();
        dims.extend(&places.dims);
        dims.extend(&x.dims[at + 1..]);
        self.pay_dims(&dims)?;
        let inner: usize = x.dims[at + 1..].iter().product();
        let outer: usize = x.dims[..at].iter().product();
        let mut all = Vec::new();
        for i in 0..outer {
            for &place in &list {
                all.extend((0..inner).map(|j| (i * n + place) * inner + j));
            }
        }
        Ok(x.picked(dims, &all))
    }

    fn binary(&mut self, op: &str, a: &Tensor, b: &Tensor) -> Result<Tensor, Why> {
        let dims = broadcast(&a.dims, &b.dims)?;
        self.pay_dims(&dims)?;
        let (a, b) = (a.broadcast(&dims), b.broadcast(&dims));
        // As C's `fmod`: with the sign of what is divided.
        let fmod = op == "Mod" && self.attrs.int("fmod", 0)? != 0;
        let truth = |values: Vec<bool>| Data::Bool(values.into_iter().map(i64::from).collect());
        if let (Some(x), Some(y)) = (a.to_ints(), b.to_ints()) {
            let pairs = || x.iter().copied().zip(y.iter().copied());
            let all = |f: fn(i64, i64) -> i64| Data::Int(pairs().map(|(x, y)| f(x, y)).collect());
            let test = |f: fn(&i64, &i64) -> bool| truth(pairs().map(|(x, y)| f(&x, &y)).collect());
            if matches!(op, "Div" | "Mod") && y.contains(&0) {
                return invalid("a division by 0");
            }
            let data = match op {
                "Add" => all(i64::wrapping_add),
                "Sub" => all(i64::wrapping_sub),
                "Mul" => all(i64::wrapping_mul),
                "Div" => all(i64::wrapping_div),
                "Mod" if fmod => all(i64::wrapping_rem),
                "Mod" => all(modulo),
                "Min" => all(i64::min),
                "Max" => all(i64::max),
                "Pow" => all(power),
                "Equal" => test(i64::eq),
                "Greater" => test(i64::gt),
                "Less" => test(i64::lt),
                "GreaterOrEqual" => test(i64::ge),
                "LessOrEqual" => test(i64::le),
                "And" => test(|x, y| *x != 0 && *y != 0),
                "Or" => test(|x, y| *x != 0 || *y != 0),
                _ => test(|x, y| (*x != 0) != (*y != 0)),
            };
            return Ok(Tensor { dims, data });
        }
        let (x, y) = (a.to_floats(), b.to_floats());
        let pairs = || x.iter().copied().zip(y.iter().copied());
        let all = |f: fn(f32, f32) -> f32| Data::Float(pairs().map(|(x, y)| f(x, y)).collect());
        let test = |f: fn(&f32, &f32) -> bool| truth(pairs().map(|(x, y)| f(&x, &y)).collect());
        let data = match op {
            "Add" => all(|x, y| x + y),
            "Sub" => all(|x, y| x - y),
            "Mul" => all(|x, y| x * y),
            "Div" => all(|x, y| x / y),
            "Mod" if fmod => all(|x, y| x % y),
            "Mod" => all(modulo_float),
            "Min" => all(f32::min),
            "Max" => all(f32::max),
            // The result is of the base's type.
            "Pow" if !a.is_float() => Data::Int(
                pairs()
                    .map(|(x, y)| f64::from(x).powf(f64::from(y)) as i64)
                    .collect(),
            ),
            "Pow" => all(|x, y| f64::from(x).powf(f64::from(y)) as f32),
            "Equal" => test(f32::eq),
            "Greater" => test(f32::gt),
            "Less" => test(f32::lt),
            "GreaterOrEqual" => test(f32::ge),
            "LessOrEqual" => test(f32::le),
            _ => return unsupported("truth values that are of floating point"),
        };
        Ok(Tensor { dims, data })
    }

    fn reduce(&mut self, x: &Tensor) -> Result<Tensor, Why> {
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
}

/// Places along an axis of that extent, counted from the end where they are negative.
pub(super) fn places_of(places: &Tensor, extent: usize) -> Result<Vec<usize>, Why> {
    let Some(list) = places.to_ints() else {
        return invalid("places that are no whole numbers");
    };
    let place = |&i: &i64| {
        let at = if i < 0 {
            i.saturating_add(extent as i64)
        } else {
            i
        };
        usize::try_from(at).ok().filter(|&at| at < extent)
    };
    match list.iter().map(place).collect() {
        Some(list) => Ok(list),
        None => invalid(format!(
            "places {:?} of an axis with {extent}",
            &list[..list.len().min(8)]
        )),
    }
}
