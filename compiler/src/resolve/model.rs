//! The model: inputs, statements, head, outputs, and what is expected of them.

use super::section::LossPlaces;
use super::{Resolver, Tensor};
use crate::ast::{Body, Model, Name, Statement, StatementKind, Term, TermKind};
use crate::diagnostic::{Diagnostic, codes};
use crate::graph::{Graph, Output};
use crate::id::ValueId;
use crate::span::Span;
use std::collections::HashSet;

/// What stands in the model and is looked at when the network is complete.
#[derive(Default)]
struct Later<'a> {
    head: Option<(&'a Name, Option<&'a Body>, Span)>,
    taps: Vec<&'a Name>,
    expect: Vec<&'a [Term]>,
    labels: Option<&'a [Term]>,
    train: Option<Span>,
    loss: LossPlaces,
}

impl<'a> Resolver<'a> {
    /// The network of the spec's model; `None` if there is none because of mistakes.
    pub(super) fn model(&mut self) -> Option<Graph> {
        let program = self.program;
        let model = self.the_model(program.models())?;
        self.graph.name = model.name.value.clone();
        self.graph.doc = model.doc.clone();
        self.file_constants();
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
        self.glance_at_items();
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
                self.input(names, shape, settings);
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
            StatementKind::Train(lines) => {
                if let Some(first) = later.train {
                    let message = "there is already a `train` section";
                    let problem = Diagnostic::new(codes::DUPLICATE, span, message);
                    self.error(problem.also(first, "this one"));
                }
                later.train = Some(span);
                let (recipe, loss) = self.training(lines);
                (self.recipe, later.loss) = (Some(recipe), loss);
                "train"
            }
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
        let last = self.current;
        let raw = match &head {
            Some(head) => self.entering(head, last),
            None => last.and_then(Tensor::known),
        };
        let at = self.graph.outputs.len();
        self.graph.outputs.extend(raw.map(|value| Output {
            name: "raw".to_owned(),
            value,
        }));
        // What the head has made on the way to it comes behind it.
        self.graph.outputs.rotate_left(at);
        if let (Some(head), Some(raw)) = (head, raw) {
            self.attach(head, raw);
        }
        if let Some(raw) = raw {
            self.loss_fits(&later.loss, raw);
            let head = later.head.map(|(name, ..)| name.value.as_str());
            self.batch_fits(&later.loss, head);
        }
        self.settle_names();
        self.tap(&later.taps);
        if raw.is_some() {
            self.prune();
            self.warn_of_channels_last();
        }
        self.expectations(&later.expect);
        self.tuning_fits();
    }

    /// Makes tensors outputs.
    fn tap(&mut self, names: &[&Name]) {
        if names.is_empty() {
            return;
        }
        let directory = self.graph.directory();
        let found: Vec<Option<ValueId>> = names
            .iter()
            .map(|name| directory.get(&*name.value).copied())
            .collect();
        let outputs = self.graph.outputs.iter();
        let mut known: HashSet<String> = outputs.map(|output| output.name.clone()).collect();
        for (name, value) in names.iter().zip(found) {
            if self.spend(1).is_err() {
                return;
            }
            let Some(value) = value else {
                // It may be one of those that failed.
                if !self.tensors.contains_key(&name.value) {
                    let problem = self.no_tensor(&name.value, name.span);
                    self.error(problem);
                }
                continue;
            };
            if known.insert(name.value.clone()) {
                let name = name.value.clone();
                self.graph.outputs.push(Output { name, value });
            } else {
                let message = format!("there is already an output `{}`", name.value);
                self.error(Diagnostic::new(codes::DUPLICATE, name.span, message));
            }
        }
    }

    pub(super) fn no_tensor(&mut self, name: &str, span: Span) -> Diagnostic {
        let known = self.graph.names.iter().map(|(name, _)| name.clone());
        let inputs = self.graph.inputs.iter().map(|input| input.name.clone());
        let known: Vec<String> = known.chain(inputs).collect();
        let message = format!("there is no tensor `{name}`");
        let problem = Diagnostic::new(codes::UNKNOWN_TENSOR, span, message);
        self.suggest(problem, name, span, "tensors", &known)
    }
}

fn is_word(terms: &[Term], word: &str) -> bool {
    matches!(terms.first().map(|term| &term.kind), Some(TermKind::Word(first)) if first == word)
}
