//! `expect { params 61_706  macs 416_520  shape c1 6x28x28 }`

use super::Resolver;
use super::value::Value;
use crate::ast::{Term, TermKind};
use crate::diagnostic::{Diagnostic, codes};
use crate::id::ValueId;
use crate::layer::Literal;
use crate::recipe::Goal;
use crate::span::Span;
use crate::words::grouped;
use std::collections::HashMap;

/// What can be expected.
pub const EXPECTED: [&str; 4] = ["params", "macs", "shape", "accuracy"];

/// What is held against expectations.
struct Facts {
    params: u64,
    macs: u64,
    tensors: HashMap<String, ValueId>,
}

impl<'a> Resolver<'a> {
    /// Every `expect` of the model.
    pub(super) fn expectations(&mut self, all: &[&'a [Term]]) {
        if all.is_empty() {
            return;
        }
        let tensors = self.graph.directory().into_iter();
        let facts = Facts {
            params: self.graph.parameters(),
            macs: self.graph.macs(),
            tensors: tensors
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        };
        for terms in all {
            self.expect(&facts, terms);
        }
    }

    fn expect(&mut self, facts: &Facts, terms: &'a [Term]) {
        let mut at = 0;
        while let Some(term) = terms.get(at) {
            if self.spend(1).is_err() {
                return;
            }
            let word = match &term.kind {
                TermKind::Word(word) => word.as_str(),
                _ => "",
            };
            let used = match word {
                "params" => self.expect_total("learned parameters", facts.params, terms, at),
                "macs" => self.expect_total("multiplications", facts.macs, terms, at),
                "shape" => self.expect_shape(&facts.tensors, terms, at),
                "accuracy" => self.expect_accuracy(terms, at),
                _ => {
                    let text = self.quoted(term.span);
                    let message = format!("nothing called `{text}` can be expected");
                    let problem = Diagnostic::new(codes::UNKNOWN_SETTING, term.span, message)
                        .suggest(&text, term.span, "expectations", EXPECTED);
                    self.error(problem);
                    None
                }
            };
            // Behind a mistake, the next word that is one of them again.
            let known = |term: &Term| matches!(&term.kind, TermKind::Word(word) if EXPECTED.contains(&&**word));
            at = match used {
                Some(used) => at + used,
                None => match terms[at + 1..].iter().position(known) {
                    Some(skip) => at + 1 + skip,
                    None => return,
                },
            };
        }
    }

    fn expect_total(
        &mut self,
        what: &str,
        actual: u64,
        terms: &'a [Term],
        at: usize,
    ) -> Option<usize> {
        let Some((expected, span)) = self.expected_integer(terms.get(at + 1)) else {
            let message = format!("`{}` needs a number", self.quoted(terms[at].span));
            self.error(Diagnostic::new(codes::NO_VALUE, terms[at].span, message));
            return None;
        };
        if !self.incomplete && i128::from(expected) != i128::from(actual) {
            let (expected, actual) = (grouped(expected), grouped(actual));
            let message = format!("expected {expected} {what}, but there are {actual}");
            let problem = Diagnostic::new(codes::EXPECT, span, message).fix(
                "if the network is right and the number wrong",
                span,
                actual,
            );
            self.problems.push(problem);
        }
        Some(2)
    }

    fn expected_integer(&mut self, term: Option<&'a Term>) -> Option<(i64, Span)> {
        let term = term?;
        match &term.kind {
            TermKind::Value(expr) => match self.eval(expr) {
                Ok(Value::Int(n)) => Some((n, term.span)),
                _ => None,
            },
            _ => None,
        }
    }

    fn expect_shape(
        &mut self,
        tensors: &HashMap<String, ValueId>,
        terms: &'a [Term],
        at: usize,
    ) -> Option<usize> {
        let name = terms.get(at + 1).map(|term| {
            let text = self.files.slice(term.span).trim_matches('"').to_owned();
            (text, term.span)
        });
        let dims = match terms.get(at + 2).map(|term| &term.kind) {
            Some(TermKind::Value(expr)) => match self.eval(expr) {
                Ok(Value::Int(n)) => Some(vec![n]),
                Ok(Value::Dims(dims)) => Some(dims.to_vec()),
                _ => None,
            },
            _ => None,
        };
        let (Some((name, name_span)), Some(dims)) = (name, dims) else {
            let problem = Diagnostic::new(
                codes::NO_VALUE,
                terms[at].span,
                "`shape` needs a label and a shape",
            )
            .help("for example `shape conv1 64x112x112`");
            self.error(problem);
            return None;
        };
        let Some(&value) = tensors.get(&name) else {
            if !self.incomplete && !self.tensors.contains_key(&name) {
                let problem = self.no_tensor(&name, name_span);
                self.error(problem);
            }
            return Some(3);
        };
        let actual = self.shape(value).clone();
        let same = dims.len() == actual.dims().len()
            && dims.iter().zip(actual.dims()).all(|(a, b)| *a == *b as i64);
        if !same {
            let span = terms[at + 2].span;
            let expected = self.quoted(span);
            let message = format!("expected `{name}` to be {expected}, but it is {actual}");
            let problem = Diagnostic::new(codes::EXPECT, span, message)
                .also(self.maker(value), format!("this is {actual}"))
                .fix(
                    "if the network is right and the shape wrong",
                    span,
                    actual.to_string(),
                );
            self.problems.push(problem);
        }
        Some(3)
    }

    /// `accuracy 0.98 on "data"`, which those check who have weights.
    fn expect_accuracy(&mut self, terms: &'a [Term], at: usize) -> Option<usize> {
        let number = terms.get(at + 1).and_then(|term| {
            let TermKind::Value(expr) = &term.kind else {
                return None;
            };
            let value = self.eval_literal(expr).ok()?;
            Some((value.as_number()?, term.span))
        });
        let Some((accuracy, span)) = number else {
            let message = "`accuracy` needs a share of the samples";
            let problem = Diagnostic::new(codes::NO_VALUE, terms[at].span, message);
            self.error(problem.help("for example `accuracy 0.98 on \"data\"`"));
            return None;
        };
        if !(accuracy > 0.0 && accuracy <= 1.0) {
            let text = self.quoted(span);
            let message = format!("an accuracy is a share, above 0 and at most 1, not {text}");
            self.error(Diagnostic::new(codes::ARGUMENT, span, message));
            return None;
        }
        let on = terms
            .get(at + 2)
            .is_some_and(|term| matches!(&term.kind, TermKind::Word(word) if word == "on"));
        let folder = terms
            .get(at + 3)
            .filter(|_| on)
            .and_then(|term| match &term.kind {
                TermKind::Value(expr) => match self.eval_literal(expr) {
                    Ok(Literal::Str(name)) => Some(self.files.resolve(term.span.file, &name)),
                    _ => None,
                },
                _ => None,
            });
        if on && folder.is_none() {
            let message = "`on` needs a folder";
            let problem = Diagnostic::new(codes::NO_VALUE, terms[at + 2].span, message);
            self.error(problem.help("for example `accuracy 0.98 on \"data\"`"));
            return None;
        }
        self.goals.push(Goal {
            accuracy,
            on: folder,
        });
        Some(if on { 4 } else { 2 })
    }
}
