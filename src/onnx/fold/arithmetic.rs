//! What is computed element by element.

use super::super::error::{Why, invalid, unsupported};
use super::super::node::axis;
use super::super::tensor::{Data, Tensor, broadcast};
use super::Folding;

impl Folding<'_> {
    /// An operator of two operands.
    pub fn binary(&mut self, op: &str, a: &Tensor, b: &Tensor) -> Result<Tensor, Why> {
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

    /// A function of each element; `None` if it is none that is computed here.
    pub fn each(&mut self, x: &Tensor) -> Result<Option<Tensor>, Why> {
        let Some(function) = unary(self.op) else {
            return Ok(None);
        };
        self.pay(x.len())?;
        Ok(Some(match (x.to_ints(), self.op) {
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
        }))
    }

    /// `Where`.
    pub fn chosen(&mut self, x: &Tensor) -> Result<Tensor, Why> {
        let (a, b) = (self.get(1)?, self.get(2)?);
        let dims = broadcast(&broadcast(&x.dims, &a.dims)?, &b.dims)?;
        self.pay_dims(&dims)?;
        let (c, a, b) = (x.broadcast(&dims), a.broadcast(&dims), b.broadcast(&dims));
        let c = c.to_floats();
        Ok(match (a.to_ints(), b.to_ints()) {
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
pub fn old_broadcast(a: &[usize], b: &[usize], at: i64) -> Result<Vec<usize>, Why> {
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
