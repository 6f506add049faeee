//! The model: inputs, statements, head, outputs, and what is expected of them.

use super::{Note, Resolver, Tensor};
use crate::ast::{Body, Model, Name, Statement, StatementKind, Term, TermKind};
use crate::diagnostic::{Diagnostic, codes};
use crate::graph::{Def, Graph, NodeId, Output, Span, ValueId};
use crate::head::{self, Head, HeadDecl};
use crate::id::Id;
use crate::layer::Literal;
use std::collections::HashSet;

/// What stands in the model and is looked at when the network is complete.
#[derive(Default)]
struct Later<'a> {
    head: Option<(&'a Name, Option<&'a Body>, Span)>,
    taps: Vec<&'a Name>,
    expect: Vec<&'a [Term]>,
    labels: Option<&'a [Term]>,
}

impl<'a> Resolver<'a> {
    /// The network of the spec's model; `None` if there is none because of mistakes.
    pub(super) fn model(&mut self) -> Option<Graph> {
        let program = self.program;
        let model = self.the_model(program.models())?;
        self.graph.name = model.name.value.clone();
        self.graph.doc = model.doc.clone();
        let mut later = Later::default();
        // A halt has been reported.
        self.scope(&model.body, |this| {
            for statement in &model.body.statements {
                this.top(statement, &mut later);
            }
            if this.graph.inputs.is_empty() && !this.incomplete {
                let message = format!("the model `{}` has no input", model.name.value);
                let problem = Diagnostic::new(codes::INPUT, model.name.span, message)
                    .help("declare one: `input image: 3x224x224`");
                this.error(problem);
            }
            this.finish(&later, model.name.span);
        });
        Some(std::mem::take(&mut self.graph))
    }

    fn the_model(&mut self, models: &'a [Model]) -> Option<&'a Model> {
        if let [first, second, ..] = models {
            let message = format!("there is a second model, `{}`", second.name.value);
            let problem = Diagnostic::new(codes::MODEL, second.name.span, message)
                .also(first.name.span, "the first")
                .help("a file has one model; what they have in common goes to an imported file");
            self.error(problem);
        }
        if models.is_empty() && !self.incomplete {
            let end = self.files.text(self.program.main).trim_end().len();
            let span = Span::new(self.program.main, end..end);
            let problem = Diagnostic::new(codes::MODEL, span, "there is no model in this file")
                .help("add one: `model Name { input x: 3x224x224 … }`");
            self.error(problem);
        }
        models.first()
    }

    /// A statement that stands directly in the model.
    fn top(&mut self, statement: &'a Statement, later: &mut Later<'a>) {
        if self.halted {
            return;
        }
        let span = statement.span;
        let word = match &statement.kind {
            StatementKind::Input {
                names,
                shape,
                settings,
            } => {
                let _ = self.input(names, shape, settings, span);
                "input"
            }
            StatementKind::Head { name, body } => {
                if let Some((first, ..)) = &later.head {
                    let problem =
                        Diagnostic::new(codes::DUPLICATE, name.span, "there is already a head");
                    self.error(problem.also(first.span, "this one"));
                }
                later.head = Some((name, body.as_ref(), span));
                "head"
            }
            StatementKind::Weights { rule, map } => {
                self.weights_rule(rule, map);
                "weights"
            }
            StatementKind::Expect(terms) => {
                later.expect.push(terms);
                "expect"
            }
            StatementKind::Tap(names) => {
                later.taps.extend(names);
                "tap"
            }
            StatementKind::Train => "train",
            StatementKind::Chain(terms) if is_word(terms, "labels") => {
                later.labels = Some(terms);
                "labels"
            }
            _ => {
                // What went wrong has been reported.
                let _ = self.statement(statement);
                return;
            }
        };
        if let Some(label) = &statement.label {
            let message = format!("`{word}` has no label");
            self.error(Diagnostic::new(codes::MISPLACED, label.span, message));
        }
    }

    /// Head, outputs, names and expectations.
    fn finish(&mut self, later: &Later<'a>, model: Span) {
        let mut head = None;
        if let Some((name, body, span)) = later.head {
            head = self.head(name, body, later.labels, span);
        } else if let Some(terms) = later.labels {
            let problem = Diagnostic::new(codes::MISPLACED, terms[0].span, "labels without a head")
                .help("write `head classify { labels … }`");
            self.error(problem);
        }
        if self.halted {
            return;
        }
        if self.graph.nodes.is_empty() && !self.incomplete {
            let problem = Diagnostic::new(codes::EMPTY, model, "the model has no layers");
            self.error(problem);
        }
        let raw = match self.current {
            Some(Tensor::Known(value)) => Some(value),
            _ => None,
        };
        self.graph.outputs.extend(raw.map(|value| Output {
            name: "raw".to_owned(),
            value,
        }));
        if let (Some((decl, head, span)), Some(raw)) = (head, raw) {
            self.attach(decl, head, raw, span);
        }
        self.settle_names();
        for tap in &later.taps {
            self.tap(tap);
        }
        if raw.is_some() {
            self.prune();
        }
        for terms in &later.expect {
            self.expect(terms);
        }
    }

    // ---- head -------------------------------------------------------------------------------------

    /// Reads the head and expands its statements.
    fn head(
        &mut self,
        name: &Name,
        body: Option<&'a Body>,
        labels: Option<&'a [Term]>,
        span: Span,
    ) -> Option<(&'static HeadDecl, Head, Span)> {
        let Some(decl) = head::find(&name.value) else {
            let message = format!("there is no head `{}`", name.value);
            let known = head::HEADS.iter().map(|head| head.keyword);
            let problem = Diagnostic::new(codes::HEAD, name.span, message).suggest(
                &name.value,
                name.span,
                "heads",
                known,
            );
            self.error(problem);
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
            keyword: decl.keyword,
            labels: Vec::new(),
            given: Vec::new(),
        };
        for (key, value) in given {
            if key == "labels" {
                head.labels = self.labels(&value)?;
            } else {
                head.given.push((key, value.value));
            }
        }
        Some((decl, head, span))
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
    fn labels(&mut self, value: &crate::ast::Spanned<Literal>) -> Option<Vec<String>> {
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

    /// Adds what the head computes.
    fn attach(&mut self, decl: &'static HeadDecl, head: Head, raw: ValueId, span: Span) {
        let shape = self.shape(raw).clone();
        if decl.probabilities {
            if shape.dims().len() != 1 {
                let message = format!("`head {}` needs a vector, not {shape}", decl.keyword);
                let problem = Diagnostic::new(codes::SHAPE, span, message)
                    .also(self.maker(raw), format!("this is {shape}"))
                    .help("put `globalavgpool` or `flatten` before it");
                self.error(problem);
                return;
            }
            self.warn_of_softmax(raw, span);
            let mut chain = super::chain::Chain {
                place: None,
                nodes: Vec::new(),
            };
            let made = self.builtin("softmax", vec![Tensor::Known(raw)], span, &mut chain);
            if let Ok(Tensor::Known(value)) = made {
                self.graph.outputs.push(Output {
                    name: "probabilities".to_owned(),
                    value,
                });
            }
        }
        let classes = shape.channels();
        if !head.labels.is_empty() && head.labels.len() != classes {
            let message = format!(
                "there are {} labels for {classes} outputs",
                head.labels.len()
            );
            let problem = Diagnostic::new(codes::LABELS, span, message)
                .also(self.maker(raw), format!("this has {classes} outputs"));
            self.error(problem);
        }
        if decl.keyword == "image" && !matches!((shape.dims().len(), classes), (3, 1 | 3)) {
            let message =
                format!("a picture has one or three channels, rows and columns, not {shape}");
            let problem = Diagnostic::new(codes::SHAPE, span, message)
                .also(self.maker(raw), format!("this is {shape}"));
            self.error(problem);
        }
        self.graph.head = Some(head);
    }

    fn warn_of_softmax(&mut self, raw: ValueId, span: Span) {
        if let Def::Node(node) = self.graph.values[raw].def
            && self.graph.nodes[node].layer.attributes().0 == "softmax"
        {
            let at = self.graph.nodes[node].span;
            let message = "softmax is applied twice";
            let problem = Diagnostic::new(codes::TWO_SOFTMAX, at, message)
                .also(span, "the head applies it too")
                .fix("remove it", at, "");
            self.warn(problem);
        }
    }

    // ---- outputs ------------------------------------------------------------------------------------

    fn tap(&mut self, name: &Name) {
        let Some(value) = self.graph.find(&name.value) else {
            // It may be one of those that failed.
            if self.tensors.contains_key(&name.value) {
                return;
            }
            let problem = self.no_tensor(&name.value, name.span);
            self.error(problem);
            return;
        };
        if self
            .graph
            .outputs
            .iter()
            .any(|output| output.name == name.value)
        {
            let message = format!("there is already an output `{}`", name.value);
            self.error(Diagnostic::new(codes::DUPLICATE, name.span, message));
            return;
        }
        self.graph.outputs.push(Output {
            name: name.value.clone(),
            value,
        });
    }

    fn no_tensor(&self, name: &str, span: Span) -> Diagnostic {
        let known = self.graph.names.iter().map(|(name, _)| name.as_str());
        let inputs = self.graph.inputs.iter().map(|input| input.name.as_str());
        let message = format!("there is no tensor `{name}`");
        Diagnostic::new(codes::UNKNOWN_TENSOR, span, message).suggest(
            name,
            span,
            "tensors",
            known.chain(inputs),
        )
    }

    /// Takes layers that no output needs out of the schedule, with a warning.
    fn prune(&mut self) {
        let mut needed: HashSet<ValueId> = self
            .graph
            .outputs
            .iter()
            .map(|output| output.value)
            .collect();
        let mut live: HashSet<NodeId> = HashSet::new();
        for &id in self.graph.order.iter().rev() {
            let node = &self.graph.nodes[id];
            if needed.contains(&node.output) {
                live.insert(id);
                needed.extend(&node.inputs);
            }
        }
        let used: HashSet<ValueId> = self
            .graph
            .live()
            .flat_map(|(_, node)| node.inputs.iter().copied())
            .collect();
        let ends: Vec<(String, Span)> = self
            .graph
            .live()
            .filter(|(id, node)| !live.contains(id) && !used.contains(&node.output))
            .map(|(_, node)| (node.label.clone(), node.span))
            .collect();
        for (label, span) in ends {
            let message = format!("nothing uses `{label}`");
            let problem = Diagnostic::new(codes::UNUSED, span, message)
                .help("join it, `tap` it, or remove it");
            self.warn(problem);
        }
        let unused: Vec<(String, ValueId)> = self
            .graph
            .inputs
            .iter()
            .filter(|input| !needed.contains(&input.value))
            .map(|input| (input.name.clone(), input.value))
            .collect();
        for (name, value) in unused {
            let message = format!("nothing uses the input `{name}`");
            let span = self.maker(value);
            self.warn(Diagnostic::new(codes::UNUSED, span, message));
        }
        self.graph.order.retain(|id| live.contains(id));
        // A name must not keep what is gone.
        self.graph.names.retain(|(_, value)| needed.contains(value));
    }

    // ---- expectations -------------------------------------------------------------------------------

    fn expect(&mut self, terms: &[Term]) {
        let mut at = 0;
        while let Some(term) = terms.get(at) {
            let word = match &term.kind {
                TermKind::Word(word) => word.as_str(),
                _ => "",
            };
            let used = match word {
                "params" | "macs" => self.expect_total(word, terms, at),
                "shape" => self.expect_shape(terms, at),
                _ => {
                    let text = self.files.slice(term.span).to_owned();
                    let message = format!("nothing called `{text}` can be expected");
                    let known = ["params", "macs", "shape"];
                    let problem = Diagnostic::new(codes::UNKNOWN_SETTING, term.span, message)
                        .suggest(&text, term.span, "expectations", known);
                    self.error(problem);
                    return;
                }
            };
            match used {
                Some(used) => at += used,
                None => return,
            }
        }
    }

    fn expect_total(&mut self, word: &str, terms: &[Term], at: usize) -> Option<usize> {
        let Some((expected, span)) = self.expected_integer(terms.get(at + 1)) else {
            let message = format!("`{word}` needs a number");
            self.error(Diagnostic::new(codes::NO_VALUE, terms[at].span, message));
            return None;
        };
        let actual = match word {
            "params" => self.learned(),
            _ => self.macs(),
        };
        if !self.incomplete && i128::from(expected) != i128::from(actual) {
            let what = match word {
                "params" => "learned parameters",
                _ => "multiplications",
            };
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

    fn expected_integer(&mut self, term: Option<&Term>) -> Option<(i64, Span)> {
        let term = term?;
        match &term.kind {
            TermKind::Value(expr) => match self.eval(expr) {
                Ok(super::Value::Int(n)) => Some((n, term.span)),
                _ => None,
            },
            _ => None,
        }
    }

    fn expect_shape(&mut self, terms: &[Term], at: usize) -> Option<usize> {
        let name = terms.get(at + 1).map(|term| {
            let text = self.files.slice(term.span).trim_matches('"').to_owned();
            (text, term.span)
        });
        let dims = match terms.get(at + 2).map(|term| &term.kind) {
            Some(TermKind::Value(expr)) => match self.eval(expr) {
                Ok(super::Value::Int(n)) => Some(vec![n]),
                Ok(super::Value::Dims(dims)) => Some(dims.to_vec()),
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
        let Some(value) = self.graph.find(&name) else {
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
            let expected = self.files.slice(span).to_owned();
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

    /// Learned parameters of live layers; shared ones count once.
    fn learned(&self) -> u64 {
        let params: HashSet<_> = self
            .graph
            .live()
            .flat_map(|(_, node)| node.params.iter().copied())
            .collect();
        params
            .into_iter()
            .map(|id| &self.graph.params[id])
            .filter(|param| param.learned)
            .map(|param| param.shape.iter().map(|&n| n as u64).product::<u64>())
            .sum()
    }

    fn macs(&self) -> u64 {
        let of = |id: NodeId| {
            self.notes
                .get(id.index())
                .map_or(0, |note: &Note| note.macs)
        };
        self.graph
            .order
            .iter()
            .fold(0, |sum: u64, &id| sum.saturating_add(of(id)))
    }
}

fn is_word(terms: &[Term], word: &str) -> bool {
    matches!(terms.first().map(|term| &term.kind), Some(TermKind::Word(first)) if first == word)
}

/// `61_706`
fn grouped(number: impl ToString) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len() - index;
        if index > 0 && left.is_multiple_of(3) && !out.ends_with('-') {
            out.push('_');
        }
        out.push(digit);
    }
    out
}
