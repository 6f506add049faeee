//! From the grammar's pairs to the syntax tree: what stands in a chain.

use super::Rule;
use super::build::{Builder, Pair};
use crate::ast::*;

impl<'t> Builder<'t> {
    /// `chain` or `settings`
    pub(super) fn terms(&mut self, pair: Pair<'t>) -> Vec<Term> {
        pair.into_inner().map(|part| self.term(part)).collect()
    }

    /// `train`
    pub(super) fn clauses(&mut self, pair: Pair<'t>) -> Vec<Clause> {
        let lines = pair.into_inner().flat_map(Pair::into_inner);
        lines.map(|line| self.clause(line)).collect()
    }

    fn clause(&mut self, pair: Pair<'t>) -> Clause {
        let span = self.span(&pair);
        let (mut terms, mut settings) = (Vec::new(), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::settings => settings = Some(self.terms(part)),
                _ => terms.push(self.term(part)),
            }
        }
        Clause {
            terms,
            settings,
            span,
        }
    }

    fn term(&mut self, pair: Pair<'t>) -> Term {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::quantity | Rule::string | Rule::list => TermKind::Value(self.atom(pair)),
            Rule::negative => {
                let number = pair.into_inner().next();
                TermKind::Value(match number {
                    Some(number) => Expr {
                        span,
                        ..self.number(&number, -1)
                    },
                    None => Expr {
                        kind: ExprKind::Error,
                        span,
                    },
                })
            }
            Rule::call => match self.atom(pair).kind {
                ExprKind::Call(name, args) => TermKind::Call(name, args),
                ExprKind::Name(name) => TermKind::Word(name),
                _ => TermKind::Word(String::new()),
            },
            Rule::operator => TermKind::Operator(pair.as_str().chars().next().unwrap_or('+')),
            Rule::stride | Rule::short => self.stride(pair),
            Rule::route => match pair.into_inner().next() {
                Some(name) => TermKind::Route(self.name(&name)),
                None => TermKind::Word(String::new()),
            },
            Rule::branch | Rule::residual => self.paths(pair),
            Rule::when => self.when(pair),
            Rule::plain => TermKind::Word(pair.as_str().to_owned()),
            _ => self.word(pair),
        };
        Term { kind, span }
    }

    fn stride(&mut self, pair: Pair<'t>) -> TermKind {
        let Some(part) = pair.into_inner().next() else {
            return TermKind::Word(String::new());
        };
        let span = self.span(&part);
        TermKind::Stride(match part.as_rule() {
            Rule::quantity | Rule::extents => self.quantity(part),
            _ => Expr {
                kind: ExprKind::Name(part.as_str().to_owned()),
                span,
            },
        })
    }

    /// `word`: a path, perhaps with arguments or a body.
    fn word(&mut self, pair: Pair<'t>) -> TermKind {
        let mut parts = pair.into_inner();
        let Some(name) = parts.next().map(|path| self.name(&path)) else {
            return TermKind::Word(String::new());
        };
        match parts.next() {
            None => TermKind::Word(name.value),
            Some(part) if part.as_rule() == Rule::args => TermKind::Call(name, self.exprs(part)),
            Some(part) => TermKind::Branch {
                join: Some(Join {
                    layer: name,
                    terms: Vec::new(),
                }),
                body: self.body(part),
            },
        }
    }

    /// `branch` or `residual`
    fn paths(&mut self, pair: Pair<'t>) -> TermKind {
        let residual = pair.as_rule() == Rule::residual;
        let span = self.span(&pair);
        let mut join = None;
        let mut body = Body {
            statements: Vec::new(),
            span,
        };
        let mut shortcut = Shortcut::Identity;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::join => join = self.join(part),
                Rule::body => body = self.body(part),
                _ => shortcut = self.shortcut(part),
            }
        }
        if residual {
            TermKind::Residual {
                join,
                body,
                shortcut,
            }
        } else {
            TermKind::Branch { join, body }
        }
    }

    /// `join`
    fn join(&mut self, pair: Pair<'t>) -> Option<Join> {
        let mut parts = pair.into_inner();
        Some(Join {
            layer: self.name(&parts.next()?),
            terms: parts.next().map_or(Vec::new(), |tail| self.terms(tail)),
        })
    }

    fn shortcut(&mut self, pair: Pair<'t>) -> Shortcut {
        let (mut word, mut body) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::body => body = Some(self.body(part)),
                _ => word = Some(self.name(&part)),
            }
        }
        match (word, body) {
            (None, Some(body)) => Shortcut::Body(body),
            (Some(word), Some(body)) if word.value == "auto" => Shortcut::Auto(body),
            (Some(word), None) if word.value == "identity" => Shortcut::Identity,
            (Some(word), _) => Shortcut::Unknown(word),
            (None, None) => Shortcut::Identity,
        }
    }
}
