//! From the grammar's pairs to the syntax tree: items and statements.

use super::Rule;
use super::brackets::Balanced;
use super::mistake;
use crate::ast::*;
use crate::diagnostic::Diagnostic;
use crate::foreign::Python;
use crate::span::{FileId, Span};
use std::collections::HashSet;

pub(super) type Pair<'t> = pest::iterators::Pair<'t, Rule>;

/// After so many syntax errors the rest is read, but not complained about.
const MAX_PROBLEMS: usize = 100;

/// Makes the tree.
pub(super) struct Builder<'t> {
    file: FileId,
    balanced: &'t Balanced,
    /// Length of the original text: what was appended to close it has no place of its own.
    length: usize,
    /// Operators around the expression that is being read.
    pub(super) operators: usize,
    pub(super) problems: Vec<Diagnostic>,
    /// Names that statements would have made that do not parse.
    lost: HashSet<String>,
    /// Statements that are Python, for one error,
    python: Python,
    /// and the byte behind the last of them.
    python_end: usize,
}

impl<'t> Builder<'t> {
    pub(super) fn new(file: FileId, balanced: &'t Balanced, length: usize) -> Self {
        Builder {
            file,
            balanced,
            length,
            operators: 0,
            problems: Vec::new(),
            lost: HashSet::new(),
            python: Python::default(),
            python_end: 0,
        }
    }

    pub(super) fn span(&self, pair: &Pair<'t>) -> Span {
        let span = pair.as_span();
        Span::new(
            self.file,
            span.start().min(self.length)..span.end().min(self.length),
        )
    }

    pub(super) fn nowhere(&self) -> Span {
        Span::new(self.file, 0..0)
    }

    /// Records a mistake, unless it is in what was appended.
    pub(super) fn report(&mut self, mut problem: Diagnostic) {
        let length = self.length as u32;
        let appended = problem.span.is_some_and(|span| span.start >= length);
        if self.full() || (appended && self.balanced.closed_at_end) {
            return;
        }
        let spans = problem.span.iter_mut();
        for span in spans.chain(problem.fixes.iter_mut().map(|fix| &mut fix.span)) {
            span.start = span.start.min(length);
            span.end = span.end.min(length);
        }
        self.problems.push(problem);
    }

    /// Whether there are as many mistakes as are told.
    fn full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    /// Whether brackets were repaired within the span: it has then been complained about.
    fn touched(&self, span: Span) -> bool {
        let range = span.range();
        self.balanced
            .touched
            .iter()
            .any(|touched| touched.start < range.end && range.start < touched.end)
    }

    /// `file`
    pub(super) fn file(&mut self, root: Pair<'t>) -> File {
        let mut file = File::default();
        for pair in root.into_inner() {
            match pair.as_rule() {
                Rule::edition => {
                    file.edition = pair.into_inner().next().map(|number| self.name(&number));
                }
                Rule::item => self.item(pair, &mut file),
                _ => {}
            }
        }
        file.lost = std::mem::take(&mut self.lost);
        let mut lines = self.balanced.text.lines();
        let has_input = lines.any(|line| line.trim_start().starts_with("input "));
        if let Some(problem) = std::mem::take(&mut self.python).diagnose(true, has_input) {
            self.report(problem);
        }
        file
    }

    fn item(&mut self, pair: Pair<'t>, file: &mut File) {
        let (doc, Some(item)) = documented(pair) else {
            return;
        };
        let span = self.span(&item);
        let rule = item.as_rule();
        if rule == Rule::strange {
            self.lost.extend(mistake::lost_name(item.as_str()));
            if !self.touched(span) && !self.full() {
                let problem = mistake::item(self.file, item.as_span().start(), item.as_str());
                self.report(problem);
            }
            return;
        }
        let mut parts = item.into_inner();
        let Some(name) = parts.next().map(|part| self.name(&part)) else {
            return;
        };
        match rule {
            Rule::import => file.imports.push(name),
            Rule::preset => file.presets.push(Preset {
                name,
                settings: parts.next().map_or(Vec::new(), |part| self.terms(part)),
                doc,
            }),
            Rule::constant => {
                let value = self.value(parts);
                let constant = value.map(|value| Constant { name, value });
                file.constants.extend(constant);
            }
            Rule::block => {
                let (params, body) = self.params_and_body(parts, span);
                file.blocks.push(Block {
                    name,
                    params,
                    body,
                    doc,
                });
            }
            Rule::model => {
                let (_, body) = self.params_and_body(parts, span);
                file.models.push(Model { name, body, doc });
            }
            _ => {}
        }
    }

    fn params_and_body(
        &mut self,
        parts: impl Iterator<Item = Pair<'t>>,
        span: Span,
    ) -> (Vec<Name>, Body) {
        let mut params = Vec::new();
        let mut body = Body {
            statements: Vec::new(),
            span,
        };
        for part in parts {
            match part.as_rule() {
                Rule::params => params = self.names(part),
                _ => body = self.body(part),
            }
        }
        (params, body)
    }

    pub(super) fn names(&self, pair: Pair<'t>) -> Vec<Name> {
        pair.into_inner()
            .filter(|part| part.as_rule() != Rule::arrow)
            .map(|part| self.name(&part))
            .collect()
    }

    pub(super) fn body(&mut self, pair: Pair<'t>) -> Body {
        let span = self.span(&pair);
        let statements = pair
            .into_inner()
            .filter(|part| part.as_rule() == Rule::statement)
            .map(|part| self.statement(part))
            .collect();
        Body { statements, span }
    }

    fn statement(&mut self, pair: Pair<'t>) -> Statement {
        let mut label = None;
        let mut span = self.span(&pair);
        let mut kind = StatementKind::Error;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::doc => {}
                Rule::label => {
                    span.start = self.span(&part).start;
                    label = Some(self.label(part));
                }
                Rule::bad => {
                    span = self.span(&part);
                    label = self.rescue_label(&part);
                    self.bad(&part);
                }
                _ => {
                    if label.is_none() {
                        span.start = self.span(&part).start;
                    }
                    span.end = self.span(&part).end;
                    kind = self.statement_kind(part);
                }
            }
        }
        if self.touched(span) {
            kind = StatementKind::Error;
        }
        Statement { label, kind, span }
    }

    fn bad(&mut self, part: &Pair<'t>) {
        let misplaced_item = ["model", "block", "preset", "import", "cnn"]
            .iter()
            .any(|word| part.as_str().starts_with(word));
        let known = self.touched(self.span(part))
            || (self.balanced.closed_at_end && misplaced_item)
            || self.full();
        if !known && !self.is_python(part) {
            let problem = mistake::statement(self.file, part.as_span().start(), part.as_str());
            self.report(problem);
        }
        self.lost.extend(mistake::lost_name(part.as_str()));
    }

    /// Whether the statement is Python, which is reported when all of it has been seen.
    fn is_python(&mut self, part: &Pair<'t>) -> bool {
        let (start, end) = (part.as_span().start(), part.as_span().end());
        let between = self.balanced.text.get(self.python_end..start).unwrap_or("");
        let taken = self.python.take(part.as_str(), self.span(part), between);
        if taken {
            self.python_end = end;
        }
        taken
    }

    /// The label of a statement that does not parse, so that what refers to it is not an error too.
    fn rescue_label(&self, part: &Pair<'t>) -> Option<Label> {
        let (before, _) = part.as_str().split_once([':', '='])?;
        let word = before.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        (!word.is_empty() && word.chars().all(plain)).then(|| Label {
            parts: vec![LabelPart::Text(word.to_owned())],
            span: self.span(part),
        })
    }

    fn label(&mut self, pair: Pair<'t>) -> Label {
        let mut span = self.span(&pair);
        let parts = pair
            .into_inner()
            .filter_map(|part| part.into_inner().next())
            .map(|part| {
                span.end = self.span(&part).end;
                match part.as_rule() {
                    Rule::expr => {
                        span.end += 1;
                        LabelPart::Expr(self.expr(part))
                    }
                    _ => LabelPart::Text(part.as_str().to_owned()),
                }
            })
            .collect();
        Label { parts, span }
    }

    fn statement_kind(&mut self, pair: Pair<'t>) -> StatementKind {
        let rule = pair.as_rule();
        match rule {
            Rule::chain => whole(self.terms(pair)),
            Rule::tap => StatementKind::Tap(self.names(pair)),
            Rule::train => StatementKind::Train(self.clauses(pair)),
            Rule::expect => {
                let settings = pair.into_inner().next();
                StatementKind::Expect(settings.map_or(Vec::new(), |part| self.terms(part)))
            }
            Rule::group => match pair.into_inner().next() {
                Some(body) => StatementKind::Group(self.body(body)),
                None => StatementKind::Error,
            },
            _ => self.composed(pair),
        }
    }

    pub(super) fn when(&mut self, pair: Pair<'t>) -> TermKind {
        let mut arms = Vec::new();
        let mut otherwise = None;
        let mut condition = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::condition => condition = Some(self.expr(part)),
                Rule::body => {
                    let body = self.body(part);
                    arms.extend(condition.take().map(|condition| (condition, body)));
                }
                _ => otherwise = part.into_inner().next().map(|body| self.body(body)),
            }
        }
        TermKind::If { arms, otherwise }
    }

    /// Statements that are told apart by their rule and consist of parts that are told apart by theirs.
    fn composed(&mut self, pair: Pair<'t>) -> StatementKind {
        let rule = pair.as_rule();
        let (mut names, mut exprs, mut settings) = (Vec::new(), Vec::new(), Vec::new());
        let (mut params, mut map) = (Vec::new(), Vec::new());
        let (mut body, mut binding) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::ident => names.push(self.name(&part)),
                Rule::expr => exprs.push(self.expr(part)),
                Rule::tail => self.chained(&mut exprs, part),
                Rule::quantity => exprs.push(self.quantity(part)),
                Rule::binding => binding = Some(self.binding(part)),
                Rule::params => params = self.names(part),
                Rule::settings => settings = self.terms(part),
                Rule::mapping => {
                    let strings = self.names(part);
                    map = strings
                        .chunks_exact(2)
                        .map(|pair| (pair[0].clone(), pair[1].clone()))
                        .collect();
                }
                Rule::body => body = Some(self.body(part)),
                _ => {}
            }
        }
        let (mut names, mut exprs) = (names.into_iter(), exprs.into_iter());
        let made = match rule {
            Rule::repeat => exprs.next().zip(body).map(|(count, body)| {
                let var = names.next();
                StatementKind::Repeat { count, var, body }
            }),
            Rule::each => binding
                .zip(exprs.next())
                .zip(body)
                .map(|((binding, items), body)| StatementKind::For {
                    index: names.next(),
                    binding,
                    items,
                    body,
                }),
            Rule::shared => names
                .next()
                .zip(body)
                .map(|(name, body)| StatementKind::Shared { name, params, body }),
            Rule::head => names.next().map(|name| StatementKind::Head { name, body }),
            Rule::weights => names
                .next()
                .map(|rule| StatementKind::Weights { rule, map }),
            Rule::constant => names
                .next()
                .zip(exprs.next())
                .map(|(name, value)| StatementKind::Let(Constant { name, value })),
            Rule::defaults => Some(StatementKind::Defaults {
                preset: names.next(),
                settings,
            }),
            Rule::input => exprs.next().map(|shape| StatementKind::Input {
                names: names.collect(),
                shape,
                settings,
            }),
            _ => None,
        };
        made.unwrap_or(StatementKind::Error)
    }

    fn binding(&self, pair: Pair<'t>) -> Binding {
        let span = self.span(&pair);
        let tuple = pair.as_str().starts_with('(');
        let mut names = self.names(pair);
        if tuple || names.len() != 1 {
            Binding::Tuple(names, span)
        } else {
            Binding::One(names.remove(0))
        }
    }
}

/// The statement of these terms: an `if` alone chooses statements, not elements of a chain.
fn whole(mut terms: Vec<Term>) -> StatementKind {
    let alone = terms.len() == 1;
    match terms.pop() {
        Some(Term {
            kind: TermKind::If { arms, otherwise },
            ..
        }) if alone => StatementKind::If { arms, otherwise },
        last => {
            terms.extend(last);
            StatementKind::Chain(terms)
        }
    }
}

/// The doc comment before an item, and the item.
fn documented(pair: Pair<'_>) -> (String, Option<Pair<'_>>) {
    let mut doc = String::new();
    for part in pair.into_inner() {
        if part.as_rule() != Rule::doc {
            return (doc, Some(part));
        }
        let line = part.as_str().trim_start_matches('/');
        // A `#` begins a comment here as everywhere.
        let line = line.split(" #").next().unwrap_or("").trim();
        if !doc.is_empty() {
            doc.push('\n');
        }
        doc.push_str(line);
    }
    (doc, None)
}
