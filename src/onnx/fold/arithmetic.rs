//! What is computed element by element.

use super::super::error::{Why, invalid, unsupported};
use super::super::node::axis;
use super::super::proto::data_type as ty;
use super::super::tensor::{Tensor, broadcast};
use super::Folding;
use super::cast::truncated;

impl Folding<'_> {
    /// An operator of two operands.
    pub fn binary(&mut self, op: &str, a: &Tensor, b: &Tensor) -> Result<Tensor, Why> {
        let dims = broadcast(&a.dims, &b.dims)?;
        self.pay_dims(&dims)?;
        let exponent = b.scalar();
        let (a, b) = (a.broadcast(&dims), b.broadcast(&dims));
        if let (Some(x), "Pow") = (a.to_ints(), op) {
            return Ok(power(dims, (x, a.kind()), &b, exponent));
        }
        match (a.to_ints(), b.to_ints()) {
            (Some(x), Some(y)) => self.whole(op, dims, (x, y), a.kind()),
            _ => self.float(op, dims, &a, &b),
        }
    }

    /// Of whole numbers of a type, of which the result is as well; what it has no bits for is lost.
    fn whole(
        &self,
        op: &str,
        dims: Vec<usize>,
        (x, y): (&[i64], &[i64]),
        kind: i32,
    ) -> Result<Tensor, Why> {
        let all = |f: &dyn Fn(i64, i64) -> i64| {
            let values = x.iter().zip(y).map(|(&x, &y)| f(x, y)).collect();
            Ok(Tensor::whole(dims.clone(), values, kind))
        };
        let test = |f: &dyn Fn(i64, i64) -> bool| {
            let values = x.iter().zip(y).map(|(&x, &y)| i64::from(f(x, y)));
            Ok(Tensor::whole(dims.clone(), values.collect(), ty::BOOL))
        };
        if matches!(op, "Div" | "Mod") && y.contains(&0) {
            return invalid("a division by 0");
        }
        // 64 bits without a sign are those of a number that may have one.
        let unsigned = kind == ty::UINT64;
        let order = |x: i64| if unsigned { x ^ i64::MIN } else { x };
        match op {
            "Add" => all(&i64::wrapping_add),
            "Sub" => all(&i64::wrapping_sub),
            "Mul" => all(&i64::wrapping_mul),
            "Div" if unsigned => all(&|x, y| (x as u64 / y as u64) as i64),
            "Div" => all(&i64::wrapping_div),
            "Mod" if unsigned => all(&|x, y| (x as u64 % y as u64) as i64),
            // As C's `fmod`: with the sign of what is divided.
            "Mod" if self.attrs.int("fmod", 0)? != 0 => all(&i64::wrapping_rem),
            "Mod" => all(&modulo),
            "Min" => all(&|x, y| if order(y) < order(x) { y } else { x }),
            "Max" => all(&|x, y| if order(y) > order(x) { y } else { x }),
            "BitwiseAnd" => all(&|x, y| x & y),
            "BitwiseOr" => all(&|x, y| x | y),
            "BitwiseXor" => all(&|x, y| x ^ y),
            "BitShift" => {
                // Behind the last bit there is none.
                let by = |y: i64| u32::try_from(y).unwrap_or(u32::MAX);
                match &*self.attrs.text("direction", "")? {
                    "LEFT" => all(&|x, y| x.checked_shl(by(y)).unwrap_or(0)),
                    "RIGHT" => all(&|x, y| (x as u64).checked_shr(by(y)).unwrap_or(0) as i64),
                    _ => invalid("a shift in no direction"),
                }
            }
            "Equal" => test(&|x, y| x == y),
            "Greater" => test(&|x, y| order(x) > order(y)),
            "Less" => test(&|x, y| order(x) < order(y)),
            "GreaterOrEqual" => test(&|x, y| order(x) >= order(y)),
            "LessOrEqual" => test(&|x, y| order(x) <= order(y)),
            "And" => test(&|x, y| x != 0 && y != 0),
            "Or" => test(&|x, y| x != 0 || y != 0),
            _ => test(&|x, y| (x != 0) != (y != 0)),
        }
    }

    /// Of which one at least is of floating point.
    fn float(&self, op: &str, dims: Vec<usize>, a: &Tensor, b: &Tensor) -> Result<Tensor, Why> {
        let (x, y) = (a.to_floats(), b.to_floats());
        let pairs = || x.iter().copied().zip(y.iter().copied());
        let all = |f: &dyn Fn(f32, f32) -> f32| {
            let values = pairs().map(|(x, y)| f(x, y)).collect();
            Ok(Tensor::floats(dims.clone(), values))
        };
        let test = |f: &dyn Fn(f32, f32) -> bool| {
            let values = pairs().map(|(x, y)| i64::from(f(x, y))).collect();
            Ok(Tensor::whole(dims.clone(), values, ty::BOOL))
        };
        match op {
            "Add" => all(&|x, y| x + y),
            "Sub" => all(&|x, y| x - y),
            "Mul" => all(&|x, y| x * y),
            "Div" => all(&|x, y| x / y),
            "Mod" if self.attrs.int("fmod", 0)? != 0 => all(&|x, y| x % y),
            "Mod" => all(&modulo_float),
            "Min" => all(&f32::min),
            "Max" => all(&f32::max),
            "Pow" => all(&|x, y| f64::from(x).powf(f64::from(y)) as f32),
            "Equal" => test(&|x, y| x == y),
            "Greater" => test(&|x, y| x > y),
            "Less" => test(&|x, y| x < y),
            "GreaterOrEqual" => test(&|x, y| x >= y),
            "LessOrEqual" => test(&|x, y| x <= y),
            _ => unsupported("bits and truth values that are of floating point"),
        }
    }

    /// A function of each element; `None` if it is none that is computed here.
    pub fn each(&mut self, x: &Tensor) -> Result<Option<Tensor>, Why> {
        let Some(values) = x.to_ints() else {
            let Some(function) = unary(self.op) else {
                return Ok(None);
            };
            self.pay(x.len())?;
            let values = x.to_floats();
            let values = values.iter().map(|&v| function(f64::from(v)) as f32);
            return Ok(Some(Tensor::floats(x.dims.clone(), values.collect())));
        };
        let unsigned = x.kind() == ty::UINT64;
        let function: fn(i64) -> i64 = match self.op {
            "Not" | "BitwiseNot" if x.kind() == ty::BOOL => |v| i64::from(v == 0),
            "BitwiseNot" => |v| !v,
            "Neg" => i64::wrapping_neg,
            "Abs" | "Relu" if unsigned => |v| v,
            "Abs" => i64::wrapping_abs,
            "Relu" => |v| v.max(0),
            "Sign" if unsigned => |v| i64::from(v != 0),
            "Sign" => i64::signum,
            _ => return Ok(None),
        };
        self.pay(x.len())?;
        let values = values.iter().map(|&v| function(v)).collect();
        Ok(Some(Tensor::whole(x.dims.clone(), values, x.kind())))
    }

    /// `Clip`: bounds are operands, and were attributes.
    pub fn clipped(&mut self, x: &Tensor) -> Result<Tensor, Why> {
        let mut tensor = x.clone();
        for (at, name, op) in [(1, "min", "Max"), (2, "max", "Min")] {
            let bound = match self.inputs.get(at).copied().flatten() {
                Some(bound) => bound.clone(),
                None if !self.attrs.has(name) => continue,
                None => Tensor::floats(Vec::new(), vec![self.attrs.float(name, 0.0)?]),
            };
            if bound.len() != 1 {
                return invalid(format!("`{name}` is no number"));
            }
            tensor = self.binary(op, &tensor, &bound.with_dims(Vec::new()))?;
        }
        Ok(tensor)
    }

    /// `Where`.
    pub fn chosen(&mut self, x: &Tensor) -> Result<Tensor, Why> {
        let (a, b) = (self.get(1)?, self.get(2)?);
        let dims = broadcast(&broadcast(&x.dims, &a.dims)?, &b.dims)?;
        self.pay_dims(&dims)?;
        let (c, a, b) = (x.broadcast(&dims), a.broadcast(&dims), b.broadcast(&dims));
        let c = c.to_floats();
        Ok(match (a.to_ints(), b.to_ints()) {
            (Some(x), Some(y)) => {
                let choice = |i| if c[i] != 0.0 { x[i] } else { y[i] };
                Tensor::whole(dims, (0..c.len()).map(choice).collect(), a.kind())
            }
            _ => {
                let (x, y) = (a.to_floats(), b.to_floats());
                let choice = |i| if c[i] != 0.0 { x[i] } else { y[i] };
                Tensor::floats(dims, (0..c.len()).map(choice).collect())
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

/// Powers of whole numbers, of whose type they are. A square or a cube of all is a product, any other is that of floating point.
fn power(dims: Vec<usize>, (x, kind): (&[i64], i32), b: &Tensor, exponent: Option<f32>) -> Tensor {
    let x = x.iter();
    let values: Vec<i64> = match (exponent, b.to_ints()) {
        (Some(2.0), _) => x.map(|x| x.wrapping_mul(*x)).collect(),
        (Some(3.0), _) => x.map(|x| x.wrapping_mul(*x).wrapping_mul(*x)).collect(),
        (_, Some(y)) => {
            let of = |(&x, &y): (&i64, &i64)| truncated((x as f64).powf(y as f64), kind);
            x.zip(y).map(of).collect()
        }
        (_, None) => {
            let y = b.to_floats();
            let of = |(&x, &y): (&i64, &f32)| truncated((x as f64).powf(y.into()), kind);
            x.zip(y.iter()).map(of).collect()
        }
    };
    Tensor::whole(dims, values, kind)
}
