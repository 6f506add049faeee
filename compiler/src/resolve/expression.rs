//! Expressions, and the constants that they make: pure, total, checked.

use super::kinds::PADDINGS;
use super::value::{List, Value, letters, whole};
use super::{CHANNELS, Reported, Resolver, Result};
use crate::ast::{Expr, ExprKind, Prefix, Spanned};
use crate::diagnostic::{Code, Diagnostic, codes};
use crate::layer::{Kind, LAYERS, Literal};
use crate::parse::MAX_DEPTH;
use crate::span::Span;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Whether some layer takes the word as a value.
fn is_word(word: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        let params = LAYERS.iter().flat_map(|decl| decl.params);
        let words = params.flat_map(|param| match param.kind {
            Kind::Word(words) => words,
            Kind::Padding => &PADDINGS,
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

    pub(super) fn overflow(&mut self, span: Span) -> Reported {
        let problem = Diagnostic::new(codes::OVERFLOW, span, "the result is too large")
            .note("integers have 64 bits, numbers are finite doubles");
        self.error(problem)
    }

    pub(super) fn wrong(&mut self, span: Span, message: &str, value: &Value<'a>) -> Reported {
        let problem =
            Diagnostic::new(codes::TYPE, span, message).label(format!("this is {}", value.kind()));
        self.error(problem)
    }

    pub(super) fn mismatch(
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
