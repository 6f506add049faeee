//! The head of a model: its keys, its statements, what it adds to the network.

use super::project::Projector;
use super::{Resolver, Tensor};
use crate::ast::{Body, Name, Spanned, StatementKind, Term, TermKind};
use crate::diagnostic::{Diagnostic, codes};
use crate::graph::Output;
use crate::head::{self, Enters, Head, HeadDecl, Misfit};
use crate::id::ValueId;
use crate::layer::{Kind, Literal};
use crate::shape::Shape;
use crate::span::Span;
use std::collections::HashSet;

/// A head as it is written.
pub(super) struct Written {
    head: Head,
    /// Where its labels are named, if they are.
    labels: Option<Span>,
    span: Span,
}

impl<'a> Resolver<'a> {
    /// Reads the head and expands its statements.
    pub(super) fn head(
        &mut self,
        name: &Name,
        body: Option<&'a Body>,
        labels: Option<&'a [Term]>,
        span: Span,
    ) -> Option<Written> {
        let Some(decl) = head::find(&name.value) else {
            self.unknown_head(name);
            return None;
        };
        let owner = format!("head {}", decl.keyword);
        let mut given = Vec::new();
        let mut failed = false;
        let mut read =
            |this: &mut Self, terms: &'a [Term]| match this.keys(&owner, decl.keys, terms) {
                Ok(more) => given.extend(more),
                Err(_) => failed = true,
            };
        if let Some(terms) = labels {
            read(self, terms);
        }
        if let Some(body) = body {
            self.scope(body, |this| {
                for statement in &body.statements {
                    match &statement.kind {
                        StatementKind::Chain(terms)
                            if statement.label.is_none() && this.is_setting(decl, terms) =>
                        {
                            read(this, terms);
                        }
                        _ => {
                            let _ = this.statement(statement);
                        }
                    }
                }
            });
        }
        if failed {
            return None;
        }
        let mut head = Head {
            decl,
            labels: Vec::new(),
            given: Vec::new(),
            tensors: Vec::new(),
        };
        let mut places: Vec<(&str, Span)> = Vec::new();
        let mut written = None;
        for (key, value) in given {
            if let Some(&(_, first)) = places.iter().find(|(known, _)| *known == key) {
                let message = format!("`{key}` of `{owner}` is given twice");
                let problem = Diagnostic::new(codes::GIVEN_TWICE, value.span, message);
                self.error(problem.also(first, "given here first"));
                return None;
            }
            places.push((key, value.span));
            if key == "labels" {
                head.labels = self.labels(&value)?;
                written = Some(value.span);
                continue;
            }
            if decl
                .keys
                .iter()
                .any(|param| param.name == key && param.kind == Kind::Tensors)
            {
                head.tensors.extend(self.named_tensors(&value)?);
            }
            head.given.push((key, value));
        }
        let labels = written;
        Some(Written { head, labels, span })
    }

    /// The tensors of a list of labels; `None` if there is none of such a label, or it failed.
    fn named_tensors(&mut self, names: &Spanned<Literal>) -> Option<Vec<(String, ValueId)>> {
        let mut tensors = Vec::new();
        for item in names.value.as_items() {
            let Literal::Str(name) = &item.value else {
                continue;
            };
            match self.tensor(name, item.span) {
                Ok(Tensor::Known(value)) => tensors.push((name.clone(), value)),
                _ => return None,
            }
        }
        Some(tensors)
    }

    /// Whether the statement is about the head: its first word is a key, or at least no layer.
    fn is_setting(&self, decl: &HeadDecl, terms: &[Term]) -> bool {
        match terms.first().map(|term| &term.kind) {
            Some(TermKind::Word(word)) => {
                decl.keys.iter().any(|key| key.name == word) || !self.is_callable(word)
            }
            _ => false,
        }
    }

    /// A list of labels, or a file of them.
    fn labels(&mut self, value: &Spanned<Literal>) -> Option<Vec<String>> {
        match &value.value {
            Literal::List(items) => Some(
                items
                    .iter()
                    .filter_map(|item| match &item.value {
                        Literal::Str(text) => Some(text.clone()),
                        _ => None,
                    })
                    .collect(),
            ),
            Literal::Str(name) => {
                let path = self.files.resolve(value.span.file, name);
                match self.files.load(&path) {
                    Ok(text) => {
                        let text = text.trim_start_matches('\u{feff}');
                        let lines = text.trim_end().lines();
                        Some(lines.map(|line| line.trim().to_owned()).collect())
                    }
                    Err(why) => {
                        let message = format!("`{name}` cannot be read: {why}");
                        let problem = Diagnostic::new(codes::READ, value.span, message)
                            .note(format!("looked for `{}`", path.display()));
                        self.error(problem);
                        None
                    }
                }
            }
            _ => None,
        }
    }

    /// What enters the head's decode; `last` is the result of the last chain.
    pub(super) fn entering(&mut self, written: &Written, last: Option<Tensor>) -> Option<ValueId> {
        let Written { head, span, .. } = written;
        let first = head.tensors.first().map(|&(_, value)| value);
        match head.decl.enters {
            Enters::LastChain => last?.known(),
            Enters::Maps => first.or(last.and_then(Tensor::known)),
            Enters::Made(make) => make(head, &mut Projector::new(self, *span)),
        }
    }

    /// Adds what the head computes; `raw` is an output already.
    pub(super) fn attach(&mut self, written: Written, raw: ValueId) {
        let Written { head, labels, span } = written;
        let decl = head.decl;
        let mut entering = vec![raw];
        if let Enters::Maps = decl.enters {
            // The first of the maps is `raw`.
            let outputs = self.graph.outputs.iter();
            let mut known: HashSet<String> = outputs.map(|output| output.name.clone()).collect();
            for (name, value) in head.tensors.iter().skip(1) {
                entering.push(*value);
                if !known.insert(name.clone()) {
                    let message = format!("there is already an output `{name}`");
                    self.error(Diagnostic::new(codes::DUPLICATE, span, message));
                    return;
                }
                let (name, value) = (name.clone(), *value);
                self.graph.outputs.push(Output { name, value });
            }
        }
        let shapes: Vec<Shape> = entering
            .iter()
            .map(|&value| self.shape(value).clone())
            .collect();
        let classes = match head.fit(&self.graph.entering(&shapes)) {
            Ok(classes) => classes,
            Err(misfit) => {
                self.misfits(misfit, &entering, &shapes, span);
                return;
            }
        };
        (decl.project)(&head, raw, &mut Projector::new(self, span));
        // What a detector without classes finds is one thing, which has a name.
        let classes = match decl.detects {
            true => classes.max(1),
            false => classes,
        };
        if let Some(named) = labels
            && head.labels.len() != classes
        {
            let what = decl.classes;
            let message = match head.labels.len() {
                0 if self.files.slice(named).starts_with('"') => {
                    format!("the file has no labels, the network {classes} {what}")
                }
                0 => format!("the list has no labels, the network {classes} {what}"),
                count => format!("there are {count} labels for {classes} {what}"),
            };
            let problem = Diagnostic::new(codes::LABELS, span, message)
                .also(self.maker(raw), format!("this has {classes} {what}"));
            self.error(problem);
        }
        self.graph.head = Some(head);
    }

    fn misfits(&mut self, misfit: Misfit, entering: &[ValueId], shapes: &[Shape], span: Span) {
        let at = misfit.span.unwrap_or(span);
        let mut problem = Diagnostic::new(misfit.code, at, misfit.message);
        if let Some(index) = misfit.tensor {
            let shape = &shapes[index];
            problem = problem.also(self.maker(entering[index]), format!("this is {shape}"));
        }
        if let Some(help) = misfit.help {
            problem = problem.help(help);
        }
        self.error(problem);
    }
}
