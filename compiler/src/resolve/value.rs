//! Constants and the expressions that make them: pure, total, checked.

use super::element::Steps;
use super::{CHANNELS, Reported, Resolver, Result};
use crate::ast::{Expr, ExprKind, Infix, Prefix, Spanned};
use crate::diagnostic::{Code, Diagnostic, codes};
use crate::graph::Span;
use crate::layer::{Kind, LAYERS, Literal};
use crate::parse::MAX_DEPTH;
use crate::words::excerpt;
use std::collections::HashSet;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::LazyLock;

/// What can be called in an expression.
const FUNCTIONS: [&str; 3] = ["min", "max", "sqrt"];

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Int(i64),
    Float(f64),
    Bool(bool),
    Str(Rc<str>),
    /// `half`, `nearest`: a word that some layer takes.
    Word(Rc<str>),
    Dims(Rc<[i64]>),
    List(List<'a>),
    /// `relu`, `leaky 0.1`: an element of a chain, or several.
    Chain(Steps<'a>),
    /// It depends on a parameter of a block that nobody calls, or on a tensor that has been complained about.
    Unknown,
}

/// Items, which other lists may have too: `[a, a]` copies nothing, and is twice as large as `a`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct List<'a> {
    items: Rc<[Spanned<Value<'a>>]>,
    /// Constants in it, or as many as can be counted.
    size: usize,
    /// How deep lists are nested in it, itself included.
    depth: usize,
    /// Whether something in it is unknown.
    unknown: bool,
}

impl<'a> List<'a> {
    fn new(items: Rc<[Spanned<Value<'a>>]>) -> List<'a> {
        let sizes = items.iter().map(|item| item.value.size());
        let depths = items.iter().map(|item| match &item.value {
            Value::List(list) => list.depth,
            _ => 0,
        });
        List {
            size: sizes.fold(1, usize::saturating_add),
            depth: 1 + depths.max().unwrap_or(0),
            unknown: items.iter().any(|item| item.value.is_unknown()),
            items,
        }
    }
}

impl<'a> Deref for List<'a> {
    type Target = [Spanned<Value<'a>>];
    fn deref(&self) -> &[Spanned<Value<'a>>] {
        &self.items
    }
}

/// As it would be written, in short.
impl std::fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Int(n) => write!(f, "{n}"),
            Value::Float(x) => write!(f, "{x}"),
            Value::Bool(yes) => f.write_str(if *yes { "on" } else { "off" }),
            Value::Str(text) => write!(f, "\"{}\"", excerpt(text)),
            Value::Word(word) => f.write_str(&excerpt(word)),
            Value::Dims(dims) if dims.len() <= 4 => {
                let dims: Vec<String> = dims.iter().map(i64::to_string).collect();
                f.write_str(&dims.join("x"))
            }
            Value::Dims(_) => f.write_str("…"),
            // A table of a network's sizes says too much.
            Value::List(_) => f.write_str("[…]"),
            Value::Chain(steps) => f.write_str(&steps.text),
            Value::Unknown => f.write_str("?"),
        }
    }
}

impl Value<'_> {
    /// What it is, with its article.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Int(_) => "an integer",
            Value::Float(_) => "a number",
            Value::Bool(_) => "a truth value",
            Value::Str(_) => "a string",
            Value::Word(_) => "a word",
            Value::Dims(_) => "extents",
            Value::List(_) => "a list",
            Value::Chain(_) => "a chain",
            Value::Unknown => "something unknown",
        }
    }

    /// Whether it, or something in it, is unknown.
    pub(super) fn is_unknown(&self) -> bool {
        match self {
            Value::Unknown => true,
            Value::List(list) => list.unknown,
            _ => false,
        }
    }

    /// Number of constants in it; what a copy costs.
    fn size(&self) -> usize {
        match self {
            Value::List(list) => list.size,
            Value::Dims(dims) => dims.len(),
            Value::Str(text) | Value::Word(text) => letters(text),
            _ => 1,
        }
    }

    /// As layers see it.
    fn literal(&self) -> Literal {
        match self {
            unknown if unknown.is_unknown() => Literal::Unknown,
            Value::Unknown => Literal::Unknown,
            Value::Int(n) => Literal::Int(*n),
            Value::Float(x) => Literal::Float(*x),
            Value::Bool(true) => Literal::Word("on".to_owned()),
            Value::Bool(false) => Literal::Word("off".to_owned()),
            Value::Str(text) => Literal::Str(text.to_string()),
            Value::Word(word) => Literal::Word(word.to_string()),
            // No layer takes it: it is the next.
            Value::Chain(steps) => Literal::Word(steps.text.to_string()),
            Value::Dims(dims) => Literal::Dims(dims.to_vec()),
            Value::List(items) => Literal::List(
                items
                    .iter()
                    .map(|item| Spanned {
                        value: item.value.literal(),
                        span: item.span,
                    })
                    .collect(),
            ),
        }
    }
}

/// What a copy of the text costs.
fn letters(text: &str) -> usize {
    1 + text.len() / 64
}

/// Whether some layer takes the word as a value.
fn is_word(word: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        let params = LAYERS.iter().flat_map(|decl| decl.params);
        let words = params.flat_map(|param| match param.kind {
            Kind::Word(words) => words,
            Kind::Padding => &super::args::PADDINGS,
            _ => &[],
        });
        words.copied().collect()
    });
    WORDS.contains(word)
}

impl<'a> Resolver<'a> {
    /// The expression's value.
    pub(super) fn eval(&mut self, expr: &'a Expr) -> Result<Value<'a>> {
        self.spend(1)?;
        let span = expr.span;
        Ok(match &expr.kind {
            ExprKind::Int(n) => Value::Int(*n),
            ExprKind::Float(x) => Value::Float(*x),
            ExprKind::Str(text) => {
                self.spend(letters(text))?;
                Value::Str(text.as_str().into())
            }
            ExprKind::Dims(parts) => {
                let parts = parts.iter().map(|part| self.integer(part));
                let parts: Vec<Option<i64>> = parts.collect::<Result<_>>()?;
                match parts.into_iter().collect() {
                    Some(dims) => Value::Dims(dims),
                    None => Value::Unknown,
                }
            }
            ExprKind::List(items) => self.list(items, span)?,
            ExprKind::Name(name) => self.variable(expr, name, false)?,
            ExprKind::Chain(_) => self.chain_value(expr),
            ExprKind::Call(name, _) if self.program.block(&name.value).is_some() => {
                self.chain_value(expr)
            }
            ExprKind::Call(name, args) => {
                let values: Vec<Spanned<Value<'a>>> = args
                    .iter()
                    .map(|arg| {
                        let value = self.eval(arg)?;
                        let span = arg.span;
                        Ok(Spanned { value, span })
                    })
                    .collect::<Result<_>>()?;
                self.function(&name.value, name.span, &values, span)?
            }
            ExprKind::Prefix(op, operand) => {
                let value = self.eval(operand)?;
                match (op, value) {
                    (Prefix::Minus, Value::Int(n)) => match n.checked_neg() {
                        Some(n) => Value::Int(n),
                        None => return Err(self.overflow(span)),
                    },
                    (Prefix::Minus, Value::Float(x)) => Value::Float(-x),
                    (Prefix::Not, Value::Bool(b)) => Value::Bool(!b),
                    (_, Value::Unknown) => Value::Unknown,
                    (Prefix::Minus, other) => {
                        return Err(self.wrong(operand.span, "`-` needs a number", &other));
                    }
                    (Prefix::Not, other) => {
                        return Err(self.wrong(operand.span, "`not` needs a truth value", &other));
                    }
                }
            }
            ExprKind::Infix(op, left, right) => self.infix(*op, left, right, span)?,
            ExprKind::Index(list, index) => {
                let items = self.eval(list)?;
                let at = self.integer(index)?;
                let (items, at) = match (items, at) {
                    (Value::Unknown, _) | (Value::List(_), None) => return Ok(Value::Unknown),
                    (Value::List(items), Some(at)) => (items, at),
                    (other, _) => {
                        return Err(self.wrong(list.span, "only lists have items", &other));
                    }
                };
                match usize::try_from(at).ok().and_then(|at| items.get(at)) {
                    Some(item) => item.value.clone(),
                    None => {
                        let message = format!("there is no item {at} in a list of {}", items.len());
                        return Err(self.error(Diagnostic::new(codes::INDEX, index.span, message)));
                    }
                }
            }
            ExprKind::If { arms, otherwise } => {
                let mut chosen = None;
                for (condition, value) in arms {
                    match self.condition(condition)? {
                        Some(false) => {}
                        Some(true) => {
                            chosen = Some(value);
                            break;
                        }
                        None => {
                            self.glance_at_arms(span, arms, otherwise);
                            return Ok(Value::Unknown);
                        }
                    }
                }
                self.glance_at_arms(span, arms, otherwise);
                self.eval(chosen.unwrap_or(otherwise))?
            }
            ExprKind::Error => return Err(Reported),
        })
    }

    /// The list of these values.
    pub(super) fn list(&mut self, items: &'a [Expr], span: Span) -> Result<Value<'a>> {
        let items = items.iter().map(|item| {
            let value = self.eval(item)?;
            let span = item.span;
            Ok(Spanned { value, span })
        });
        let list = List::new(items.collect::<Result<_>>()?);
        if list.depth > MAX_DEPTH {
            let message = format!("lists are nested deeper than {MAX_DEPTH}");
            return Err(self.error(Diagnostic::new(codes::LIMIT, span, message)));
        }
        Ok(Value::List(list))
    }

    /// The constant as layers see it: a copy, which is work.
    pub(super) fn literal(&mut self, value: &Value<'a>) -> Result<Literal> {
        self.spend(value.size())?;
        Ok(value.literal())
    }

    /// An expression's value as layers see it.
    pub(super) fn eval_literal(&mut self, expr: &'a Expr) -> Result<Literal> {
        let value = self.eval(expr)?;
        self.literal(&value)
    }

    /// Looks for mistakes in the values that are not chosen, once.
    fn glance_at_arms(&mut self, span: Span, arms: &'a [(Expr, Expr)], otherwise: &'a Expr) {
        let exprs = arms
            .iter()
            .flat_map(|(condition, value)| [condition, value]);
        self.glance(span, exprs.chain([otherwise]));
    }

    /// An expression that must be true or false; `None` if it is not known.
    pub(super) fn condition(&mut self, expr: &'a Expr) -> Result<Option<bool>> {
        match self.eval(expr)? {
            Value::Bool(b) => Ok(Some(b)),
            Value::Unknown => Ok(None),
            other => Err(self.wrong(expr.span, "a condition is true or false", &other)),
        }
    }

    /// An expression that must be an integer; `None` if it is not known.
    pub(super) fn integer(&mut self, expr: &'a Expr) -> Result<Option<i64>> {
        match self.eval(expr)? {
            Value::Int(n) => Ok(Some(n)),
            Value::Float(x) if whole(x).is_some() => Ok(whole(x)),
            Value::Unknown => Ok(None),
            other => Err(self.wrong(expr.span, "an integer is needed here", &other)),
        }
    }

    /// What the name stands for. Where elements of chains may stand, one of them may be meant.
    pub(super) fn variable(
        &mut self,
        expr: &'a Expr,
        name: &str,
        elements: bool,
    ) -> Result<Value<'a>> {
        let span = expr.span;
        if let Some(value) = self.find_constant(name) {
            return Ok(value);
        }
        match name {
            CHANNELS if self.blind.is_some() => return Ok(Value::Unknown),
            "on" => return Ok(Value::Bool(true)),
            "off" => return Ok(Value::Bool(false)),
            word if is_word(word) => return Ok(Value::Word(word.into())),
            word if self.is_element(word) => return Ok(self.chain_value(expr)),
            _ => {}
        }
        if self.program.is_lost(name) {
            return Err(Reported);
        }
        if self.knows_tensor(name) {
            let message = format!("`{name}` is a tensor, not a constant");
            return Err(self.error(Diagnostic::new(codes::MIXED, span, message)));
        }
        let message = format!("`{name}` is not known here");
        let problem = Diagnostic::new(codes::UNKNOWN_NAME, span, message);
        if let Some(later) = self.value_further_down(name, span) {
            let problem = problem.also(later, "it has its value from here on");
            return Err(self.error(problem));
        }
        let known: Vec<String> = self.variables.names().map(str::to_owned).collect();
        let problem = match self.nearest_element(name).filter(|_| elements) {
            Some(near) => problem.fix(format!("did you mean `{near}`?"), span, near),
            None => self.suggest(problem, name, span, "variables", &known),
        };
        Err(self.error(problem))
    }

    fn function(
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

    fn infix(
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

    fn overflow(&mut self, span: Span) -> Reported {
        let problem = Diagnostic::new(codes::OVERFLOW, span, "the result is too large")
            .note("integers have 64 bits, numbers are finite doubles");
        self.error(problem)
    }

    fn wrong(&mut self, span: Span, message: &str, value: &Value<'a>) -> Reported {
        let problem =
            Diagnostic::new(codes::TYPE, span, message).label(format!("this is {}", value.kind()));
        self.error(problem)
    }

    fn mismatch(
        &mut self,
        code: Code,
        span: Span,
        message: String,
        left: (&Expr, &Value<'a>),
        right: (&Expr, &Value<'a>),
    ) -> Reported {
        let problem = Diagnostic::new(code, span, message)
            .also(left.0.span, format!("this is {}", left.1.kind()))
            .also(right.0.span, format!("this is {}", right.1.kind()));
        self.error(problem)
    }
}

/// The integer that the number is, if it is one.
pub(super) fn whole(x: f64) -> Option<i64> {
    /// Up to here every integer is a double.
    const MOST: f64 = (1u64 << f64::MANTISSA_DIGITS) as f64;
    (x.fract() == 0.0 && x.abs() <= MOST).then_some(x as i64)
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
