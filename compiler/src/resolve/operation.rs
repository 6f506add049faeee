//! Functions and operators of constant expressions.

use super::value::Value;
use super::{Resolver, Result};
use crate::ast::{Expr, Infix, Spanned};
use crate::diagnostic::{Diagnostic, codes};
use crate::span::Span;

/// What can be called in an expression.
const FUNCTIONS: [&str; 3] = ["min", "max", "sqrt"];

impl<'a> Resolver<'a> {
    pub(super) fn function(
        &mut self,
        name: &str,
        name_span: Span,
        args: &[Spanned<Value<'a>>],
        span: Span,
    ) -> Result<Value<'a>> {
        let least = match name {
            "min" => true,
            "max" => false,
            "sqrt" => return self.sqrt(args, span),
            _ => {
                let message = format!("`{name}` is no function of constants");
                let problem = Diagnostic::new(codes::UNKNOWN_NAME, name_span, message).suggest(
                    name,
                    name_span,
                    "functions",
                    FUNCTIONS,
                );
                return Err(self.error(problem));
            }
        };
        let mut best: Option<&Value<'a>> = None;
        if args.iter().any(|arg| arg.value == Value::Unknown) {
            return Ok(Value::Unknown);
        }
        for arg in args {
            if !matches!(arg.value, Value::Int(_) | Value::Float(_)) {
                return Err(self.wrong(arg.span, "`min` and `max` need numbers", &arg.value));
            }
            let better = best.is_none_or(|best| {
                compare(&arg.value, best)
                    .is_some_and(|order| order.is_lt() == least && order.is_ne())
            });
            if better {
                best = Some(&arg.value);
            }
        }
        best.cloned().ok_or_else(|| {
            let message = format!("`{name}` needs at least one number");
            self.error(Diagnostic::new(codes::CALL_ARGUMENTS, span, message))
        })
    }

    fn sqrt(&mut self, args: &[Spanned<Value<'a>>], span: Span) -> Result<Value<'a>> {
        let [Spanned { value, span }] = args else {
            let message = format!("`sqrt` takes one number, not {}", args.len());
            return Err(self.error(Diagnostic::new(codes::CALL_ARGUMENTS, span, message)));
        };
        let root = match *value {
            Value::Unknown => return Ok(Value::Unknown),
            Value::Int(n) if n >= 0 => integer_root(n),
            Value::Float(x) if x >= 0.0 => x.sqrt(),
            Value::Int(_) | Value::Float(_) => {
                let message = format!("there is no square root of {value}");
                let problem = Diagnostic::new(codes::OVERFLOW, *span, message);
                return Err(self.error(problem.label("this is negative")));
            }
            _ => return Err(self.wrong(*span, "`sqrt` needs a number", value)),
        };
        Ok(Value::Float(root))
    }

    pub(super) fn infix(
        &mut self,
        op: Infix,
        left: &'a Expr,
        right: &'a Expr,
        span: Span,
    ) -> Result<Value<'a>> {
        let a = self.eval(left)?;
        // `and` and `or` decide before they look further: `n > 0 and 8 / n > 1` is total.
        match (op, &a) {
            (Infix::And, Value::Bool(false)) | (Infix::Or, Value::Bool(true)) => {
                self.glance(right.span, [right]);
                return Ok(a);
            }
            (Infix::And | Infix::Or, Value::Bool(_) | Value::Unknown) => {
                let b = self.condition(right)?;
                let known = b.filter(|_| a != Value::Unknown);
                return Ok(known.map_or(Value::Unknown, Value::Bool));
            }
            (Infix::And | Infix::Or, _) => {
                let message = format!("`{}` needs truth values", op.symbol());
                return Err(self.wrong(left.span, &message, &a));
            }
            _ => {}
        }
        let b = self.eval(right)?;
        if a.is_unknown() || b.is_unknown() {
            return Ok(Value::Unknown);
        }
        if let (Value::Chain(_), _) | (_, Value::Chain(_)) = (&a, &b) {
            return Err(self.chain_among_values(op, (left, &a), (right, &b), span));
        }
        let order = compare(&a, &b);
        let value = match op {
            Infix::Equal | Infix::Unequal => {
                self.spend(a.size().min(b.size()))?;
                let same = match order {
                    Some(order) => order.is_eq(),
                    None if std::mem::discriminant(&a) == std::mem::discriminant(&b) => {
                        same(&a, &b)
                    }
                    None => {
                        let message = format!("{} is never equal to {}", b.kind(), a.kind());
                        return Err(self.mismatch(
                            codes::TYPE,
                            span,
                            message,
                            (left, &a),
                            (right, &b),
                        ));
                    }
                };
                Some(Value::Bool(same == (op == Infix::Equal)))
            }
            Infix::Less => order.map(|order| Value::Bool(order.is_lt())),
            Infix::LessEqual => order.map(|order| Value::Bool(order.is_le())),
            Infix::Greater => order.map(|order| Value::Bool(order.is_gt())),
            Infix::GreaterEqual => order.map(|order| Value::Bool(order.is_ge())),
            _ => match (&a, &b) {
                (Value::Int(a), Value::Int(b)) => {
                    Some(self.integers(op, *a, *b, right.span, span)?)
                }
                _ => match (float(&a), float(&b)) {
                    (Some(a), Some(b)) => Some(self.floats(op, a, b, span)?),
                    _ => None,
                },
            },
        };
        value.ok_or_else(|| {
            let message = format!("`{}` needs numbers", op.symbol());
            self.mismatch(codes::TYPE, span, message, (left, &a), (right, &b))
        })
    }

    fn integers(
        &mut self,
        op: Infix,
        a: i64,
        b: i64,
        divisor: Span,
        span: Span,
    ) -> Result<Value<'a>> {
        if b == 0 && matches!(op, Infix::Divide | Infix::Remainder) {
            let problem = Diagnostic::new(codes::DIVISION, span, format!("{a} is divided by zero"))
                .also(divisor, "this is 0");
            return Err(self.error(problem));
        }
        let result = match op {
            Infix::Add => a.checked_add(b),
            Infix::Subtract => a.checked_sub(b),
            Infix::Multiply => a.checked_mul(b),
            Infix::Divide => a.checked_div(b),
            _ => a.checked_rem(b),
        };
        match result {
            Some(n) => Ok(Value::Int(n)),
            None => Err(self.overflow(span)),
        }
    }

    fn floats(&mut self, op: Infix, a: f64, b: f64, span: Span) -> Result<Value<'a>> {
        let result = match op {
            Infix::Add => a + b,
            Infix::Subtract => a - b,
            Infix::Multiply => a * b,
            Infix::Divide => a / b,
            _ => a % b,
        };
        if result.is_finite() {
            Ok(Value::Float(result))
        } else if b == 0.0 {
            let problem = Diagnostic::new(codes::DIVISION, span, format!("{a} is divided by zero"));
            Err(self.error(problem))
        } else {
            Err(self.overflow(span))
        }
    }
}

/// The square root of an integer that is not negative. It is whole for squares only.
fn integer_root(n: i64) -> f64 {
    let below = n.isqrt();
    let root = (n as f64).sqrt();
    match below * below == n {
        true => below as f64,
        // Rounding made it whole.
        false if root <= below as f64 => (below as f64).next_up(),
        false if root >= (below + 1) as f64 => ((below + 1) as f64).next_down(),
        false => root,
    }
}

fn float(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Int(n) => Some(*n as f64),
        Value::Float(x) => Some(*x),
        _ => None,
    }
}

/// The order of two numbers.
fn compare(a: &Value<'_>, b: &Value<'_>) -> Option<std::cmp::Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        _ => float(a)?.partial_cmp(&float(b)?),
    }
}

/// Equality of values of one kind, wherever they are written.
fn same(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b.iter())
                    .all(|(a, b)| same(&a.value, &b.value))
        }
        _ => compare(a, b).map_or_else(|| a == b, std::cmp::Ordering::is_eq),
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::whole;
    use super::*;

    #[test]
    fn roots_are_whole_for_squares_only() {
        for root in [0, 1, 2, 8, 46_340, 3_037_000_498, 3_037_000_499_i64] {
            let square = root * root;
            assert_eq!(whole(integer_root(square)), Some(root), "{square}");
            let others = [square.checked_add(1), square.checked_add(2 * root)];
            for other in others.into_iter().flatten().filter(|_| root > 1) {
                assert_eq!(whole(integer_root(other)), None, "{other}");
            }
        }
        assert_eq!(integer_root(2), 2f64.sqrt());
        assert_eq!(whole(0.5), None);
        assert_eq!(whole(1e17), None);
        assert_eq!(whole(-3.0), Some(-3));
    }
}
