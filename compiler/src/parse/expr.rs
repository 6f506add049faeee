//! Expressions, by precedence climbing over the grammar's flat list of operands and operators.

use super::Rule;
use super::build::{Builder, Pair};
use super::mistake;
use crate::ast::{Expr, ExprKind, Infix, Name, Prefix, Term, TermKind};
use crate::diagnostic::{Diagnostic, codes};
use crate::span::Span;
use std::iter::Peekable;

/// Most operators around a value, over all brackets; it bounds the depth of the tree.
const MAX_OPERATORS: usize = 256;

/// Precedence of `not`.
const NOT: u8 = 3;
/// Precedence of a minus sign.
const MINUS: u8 = 7;

impl<'t> Builder<'t> {
    /// `expr` or `condition`
    pub(super) fn expr(&mut self, pair: Pair<'t>) -> Expr {
        let span = self.span(&pair);
        let parts = pair.into_inner();
        let operand = |part: &Pair<'t>| matches!(part.as_rule(), Rule::operand | Rule::simple);
        let operators = parts.clone().filter(|part| !operand(part)).count();
        self.around(operators, span, |this| this.climb(&mut parts.peekable(), 0))
    }

    /// Reads what has so many operators around it.
    fn around(
        &mut self,
        operators: usize,
        span: Span,
        read: impl FnOnce(&mut Self) -> Expr,
    ) -> Expr {
        if self.operators + operators > MAX_OPERATORS {
            let message = format!("the expression has more than {MAX_OPERATORS} operators");
            self.report(Diagnostic::new(codes::LIMIT, span, message));
            return error(span);
        }
        self.operators += operators;
        let expr = read(self);
        self.operators -= operators;
        expr
    }

    /// As many operands as operators of at least that precedence join.
    fn climb(&mut self, parts: &mut Peekable<impl Iterator<Item = Pair<'t>>>, least: u8) -> Expr {
        let Some(first) = parts.next() else {
            return error(self.nowhere());
        };
        let mut left = match first.as_rule() {
            Rule::prefix => {
                let span = self.span(&first);
                let (op, precedence) = match first.as_str() {
                    "-" => (Prefix::Minus, MINUS),
                    _ => (Prefix::Not, NOT),
                };
                let operand = self.climb(parts, precedence);
                Expr {
                    span: span.to(operand.span),
                    kind: ExprKind::Prefix(op, Box::new(operand)),
                }
            }
            _ => self.operand(first),
        };
        while let Some(op) = parts.peek().and_then(|part| infix(part.as_str())) {
            if op.precedence() < least {
                break;
            }
            parts.next();
            let right = self.climb(parts, op.precedence() + 1);
            left = Expr {
                span: left.span.to(right.span),
                kind: ExprKind::Infix(op, Box::new(left), Box::new(right)),
            };
        }
        left
    }

    /// `operand` or `simple`: an index is an operator, too.
    fn operand(&mut self, pair: Pair<'t>) -> Expr {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let Some(first) = parts.next() else {
            return error(self.nowhere());
        };
        let indices = parts.clone().count();
        self.around(indices, span, |this| {
            let list = this.atom(first);
            parts.fold(list, |list, index| {
                let span = list.span.to(this.span(&index));
                let Some(inner) = index.into_inner().next() else {
                    return list;
                };
                let inner = this.expr(inner);
                Expr {
                    kind: ExprKind::Index(Box::new(list), Box::new(inner)),
                    span,
                }
            })
        })
    }

    /// A choice, quantity, number, string, list or call.
    pub(super) fn atom(&mut self, pair: Pair<'t>) -> Expr {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::quantity => return self.quantity(pair),
            Rule::string => ExprKind::Str(unquoted(pair.as_str()).to_owned()),
            Rule::list => ExprKind::List(self.exprs(pair)),
            Rule::call => {
                let mut parts = pair.into_inner();
                let name = parts.next().map(|path| self.name(&path));
                match (name, parts.next()) {
                    (Some(name), Some(args)) => ExprKind::Call(name, self.exprs(args)),
                    (Some(name), None) => ExprKind::Name(name.value),
                    (None, _) => return error(span),
                }
            }
            Rule::choice => {
                let mut exprs: Vec<Expr> = pair
                    .into_inner()
                    .filter_map(|part| match part.as_rule() {
                        Rule::arm => self.exprs(part).pop(),
                        _ => Some(self.expr(part)),
                    })
                    .collect();
                let Some(otherwise) = exprs.pop() else {
                    return error(span);
                };
                let mut arms = Vec::new();
                let mut rest = exprs.into_iter();
                while let (Some(condition), Some(value)) = (rest.next(), rest.next()) {
                    arms.push((condition, value));
                }
                ExprKind::If {
                    arms,
                    otherwise: Box::new(otherwise),
                }
            }
            _ => return error(span),
        };
        Expr { kind, span }
    }

    /// `3`, `-3`, `3x4`, `(a)`, `(a, b)`, `(a)x3`
    pub(super) fn quantity(&mut self, pair: Pair<'t>) -> Expr {
        let span = self.span(&pair);
        let mut parts: Vec<Expr> = pair
            .into_inner()
            .map(|part| match part.as_rule() {
                Rule::paren => self.paren(part),
                _ => self.number(&part, 1),
            })
            .collect();
        match parts.len() {
            1 => parts.remove(0),
            _ => Expr {
                kind: ExprKind::Dims(parts),
                span,
            },
        }
    }

    fn paren(&mut self, pair: Pair<'t>) -> Expr {
        let span = self.span(&pair);
        let mut exprs = self.exprs(pair);
        match exprs.len() {
            // Parentheses belong to the expression they hold: a fix replaces both.
            1 => Expr {
                span,
                ..exprs.remove(0)
            },
            _ => Expr {
                kind: ExprKind::List(exprs),
                span,
            },
        }
    }

    /// Values in brackets.
    pub(super) fn exprs(&mut self, pair: Pair<'t>) -> Vec<Expr> {
        let mut exprs = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::steps => self.chained(&mut exprs, part),
                _ => exprs.push(self.expr(part)),
            }
        }
        exprs
    }

    /// The value of a `let`.
    pub(super) fn value(&mut self, parts: impl Iterator<Item = Pair<'t>>) -> Option<Expr> {
        let mut exprs = Vec::new();
        for part in parts {
            match part.as_rule() {
                Rule::expr => exprs.push(self.expr(part)),
                Rule::tail => self.chained(&mut exprs, part),
                _ => {}
            }
        }
        exprs.pop()
    }

    /// `steps` or `tail`: makes the last expression the first element of a chain.
    pub(super) fn chained(&mut self, exprs: &mut Vec<Expr>, pair: Pair<'t>) {
        let in_brackets = pair.as_rule() == Rule::steps;
        let (Some(first), mut steps) = (exprs.pop(), self.terms(pair)) else {
            return;
        };
        let kind = match first.kind {
            ExprKind::Name(name) => TermKind::Word(name),
            ExprKind::Call(name, args) => TermKind::Call(name, args),
            _ => {
                if let Some(second) = steps.first() {
                    self.report(mistake::apart(first.span, second.span, in_brackets));
                }
                exprs.push(error(first.span));
                exprs.extend(steps.iter().map(|step| error(step.span)));
                return;
            }
        };
        let mut span = first.span;
        span.end = steps.last().map_or(span.end, |last| last.span.end);
        let first = Term {
            kind,
            span: first.span,
        };
        steps.insert(0, first);
        let kind = ExprKind::Chain(steps);
        exprs.push(Expr { kind, span });
    }

    /// `number` or `extent`, times a sign.
    pub(super) fn number(&mut self, pair: &Pair<'t>, sign: i64) -> Expr {
        let span = self.span(pair);
        let digits = pair.as_str().replace('_', "");
        if !digits.contains(['.', 'e', 'E']) {
            return match digits.parse::<i64>() {
                Ok(n) => Expr {
                    kind: ExprKind::Int(sign * n),
                    span,
                },
                Err(_) => {
                    let message = "the integer does not fit in 64 bits";
                    self.report(Diagnostic::new(codes::NUMBER, span, message));
                    error(span)
                }
            };
        }
        match digits.parse::<f64>() {
            Ok(x) if x.is_finite() => Expr {
                kind: ExprKind::Float(sign as f64 * x),
                span,
            },
            _ => {
                let message = "the number is too large";
                self.report(Diagnostic::new(codes::NUMBER, span, message));
                error(span)
            }
        }
    }

    pub(super) fn name(&self, pair: &Pair<'t>) -> Name {
        Name {
            value: unquoted(pair.as_str()).to_owned(),
            span: self.span(pair),
        }
    }
}

/// What stands for an expression that has been complained about.
fn error(span: Span) -> Expr {
    Expr {
        kind: ExprKind::Error,
        span,
    }
}

fn infix(text: &str) -> Option<Infix> {
    Infix::ALL
        .iter()
        .find(|(symbol, ..)| *symbol == text)
        .map(|&(_, op, _)| op)
}

/// A string without its quotes; any other text as it is.
pub(super) fn unquoted(text: &str) -> &str {
    text.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(text)
}
