//! Names: where a label stands, and what unlabelled layers are called.
//!
//! A node's label is the name of the tensor it makes; a separate name says where its weights are, since
//! `c1: conv 3x3 8 bn relu` is one tensor `c1` made by three nodes, with weights `c1` and `c1_bn`.
//! Numbers (`relu_1`) are given last, so that they avoid what is written.

use super::value::Value;
use super::{MAX_LABEL, Resolver, Result, Tensor};
use crate::ast::{Label, LabelPart};
use crate::diagnostic::{Diagnostic, codes};
use crate::id::{Id, NodeId};
use crate::span::Span;
use std::collections::{HashMap, HashSet};

/// A part of a path.
#[derive(Clone, Debug)]
pub(super) struct Component {
    pub(super) text: String,
    /// Whether it is the index of a loop.
    pub(super) index: bool,
}

/// How something will be called.
#[derive(Clone, Debug)]
pub(super) enum Naming {
    /// As it is written.
    Given(String),
    /// The weights of a layer that follows in the chain of that label.
    Follower {
        label: String,
        keyword: &'static str,
        /// `c1_relu_2`
        nth: usize,
    },
    /// By keyword and number within the path (which ends with a dot, or is empty).
    Auto {
        scope: String,
        keyword: &'static str,
    },
    /// Not at all: it has no weights of its own.
    None,
}

/// A label with the path in front of it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) labels: Vec<Component>,
    pub(super) weights: Vec<Component>,
    pub(super) span: Span,
}

impl Place {
    pub(super) fn label(&self) -> String {
        join(&self.labels)
    }
    pub(super) fn weight(&self) -> String {
        join(&self.weights)
    }
}

pub(super) fn join(path: &[Component]) -> String {
    let parts: Vec<&str> = path.iter().map(|part| part.text.as_str()).collect();
    parts.join(".")
}

/// The path as a prefix.
pub(super) fn scope(path: &[Component]) -> String {
    let mut text = join(path);
    if !text.is_empty() {
        text.push('.');
    }
    text
}

/// Whether the path begins with the indices of two loops: a stage of a network, and a block in it.
pub(super) fn staged(path: &[Component]) -> bool {
    path.len() >= 2 && path[..2].iter().all(|part| part.index)
}

impl<'a> Resolver<'a> {
    /// The label's text, with what is in front of it. A label with expressions says all of its place
    /// itself: loops around it, up to the block they are in, add nothing.
    pub(super) fn place(&mut self, label: &'a Label) -> Result<Place> {
        let mut text = String::new();
        let mut whole = false;
        for part in &label.parts {
            let expr = match part {
                LabelPart::Text(piece) => {
                    text.push_str(piece);
                    continue;
                }
                LabelPart::Expr(expr) => expr,
            };
            whole = true;
            match self.eval(expr)? {
                Value::Int(n) => text.push_str(&n.to_string()),
                Value::Unknown => text.push('?'),
                Value::Str(piece) | Value::Word(piece) => text.push_str(&piece),
                other => {
                    let message = format!("a label cannot contain {}", other.kind());
                    return Err(self.error(Diagnostic::new(codes::TYPE, expr.span, message)));
                }
            }
        }
        self.charge(self.labels.len() + self.weights.len() + text.len() / 16);
        let last = Component { text, index: false };
        let with_prefix = |prefix: &[Component], entry: usize| {
            let kept = prefix
                .iter()
                .enumerate()
                .filter(|(at, part)| !(whole && part.index && *at >= entry));
            let kept = kept.map(|(_, part)| part.clone());
            kept.chain([last.clone()]).collect::<Vec<_>>()
        };
        let place = Place {
            labels: with_prefix(&self.labels, self.entry.0),
            weights: with_prefix(&self.weights, self.entry.1),
            span: label.span,
        };
        // A long label on each of many layers would fill the memory.
        if place.label().len() > MAX_LABEL {
            let message = format!("the label is longer than {MAX_LABEL} characters");
            return Err(self.error(Diagnostic::new(codes::LIMIT, label.span, message)));
        }
        Ok(place)
    }

    /// Runs in a block or shared network: what is around it is no longer around its labels.
    pub(super) fn entered<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let entry = (self.labels.len(), self.weights.len());
        let before = std::mem::replace(&mut self.entry, entry);
        let result = run(self);
        self.entry = before;
        result
    }

    /// Runs with the paths of that place, if there is one.
    pub(super) fn within<T>(
        &mut self,
        place: Option<&Place>,
        run: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let Some(place) = place else {
            return run(self);
        };
        let labels = std::mem::replace(&mut self.labels, place.labels.clone());
        let weights = std::mem::replace(&mut self.weights, place.weights.clone());
        let result = run(self);
        self.labels = labels;
        self.weights = weights;
        result
    }

    /// Names the tensor that a labelled statement ends with.
    pub(super) fn name_tensor(&mut self, place: &Place, tensor: Tensor) {
        let path = place.label();
        self.charge(1 + path.len() / 16);
        if let Tensor::Known(value) = tensor
            && self.blind.is_none()
        {
            self.graph.names.push((path.clone(), value));
        }
        self.set_tensor(path, tensor);
    }

    /// Makes a tensor known by that path.
    pub(super) fn set_tensor(&mut self, path: String, tensor: Tensor) {
        let before = self.tensors.insert(path.clone(), tensor);
        if let Some(journal) = &mut self.blind {
            journal.push((path, before));
        }
    }

    /// Names the nodes of a chain, first to last.
    pub(super) fn name_chain(&mut self, place: Option<&Place>, nodes: &[NodeId]) {
        let Some(place) = place else {
            return;
        };
        let (label, weight) = (place.label(), place.weight());
        let Some((&last, before)) = nodes.split_last() else {
            return;
        };
        let mut counts: HashMap<&'static str, usize> = HashMap::new();
        for &node in before {
            let keyword = self.graph.nodes[node].layer.keyword();
            let nth = counts.entry(keyword).or_default();
            *nth += 1;
            self.notes[node.index()].label = Naming::Given(follower(&label, keyword, *nth));
        }
        self.notes[last.index()].label = Naming::Given(label);
        let mut counts: HashMap<&'static str, usize> = HashMap::new();
        let mut first = true;
        for &node in nodes {
            if self.graph.nodes[node].params.is_empty() {
                continue;
            }
            let keyword = self.graph.nodes[node].layer.keyword();
            let naming = if first {
                Naming::Given(weight.clone())
            } else {
                let nth = counts.entry(keyword).or_default();
                *nth += 1;
                Naming::Follower {
                    label: weight.clone(),
                    keyword,
                    nth: *nth,
                }
            };
            first = false;
            let note = &mut self.notes[node.index()];
            if !matches!(note.weights, Naming::None) {
                note.weights = naming;
                note.staged = staged(&place.weights);
            }
        }
        for &node in nodes {
            self.notes[node.index()].span = place.span;
        }
    }

    /// Gives every node its label and every parameter its name.
    pub(super) fn settle_names(&mut self) {
        let notes = std::mem::take(&mut self.notes);
        let labels = self.settle(notes.iter().map(|note| (&note.label, note.span)));
        for (index, label) in labels.into_iter().enumerate() {
            self.graph.nodes[NodeId::new(index)].label = label.unwrap_or_default();
        }
        let paths = self.settle(notes.iter().map(|note| (&note.weights, note.span)));
        let mut named = Vec::new();
        for (param, node) in std::mem::take(&mut self.owned) {
            let path = paths[node.index()].as_deref().unwrap_or_default();
            let role = self.graph.params[param].role;
            named.push((path, role));
            if let Some(name) = self.otherwise(&notes[node.index()], path, role) {
                self.torchvision.push((param, name));
            }
            match self.tensor_name(&notes[node.index()], path, role) {
                Ok(name) => self.graph.params[param].name = name,
                Err(_) => break,
            }
        }
        self.notes = notes;
        // Of a label that is there twice, the last tensor.
        let mut seen = HashSet::new();
        let names = self.graph.names.iter().rev();
        let last: Vec<bool> = names.map(|(name, _)| seen.insert(name)).collect();
        let mut last = last.into_iter().rev();
        self.graph.names.retain(|_| last.next() == Some(true));
        self.check_tensor_names();
        self.warn_of_pairs(&named);
    }

    fn settle<'n>(
        &mut self,
        names: impl Iterator<Item = (&'n Naming, Span)> + Clone,
    ) -> Vec<Option<String>> {
        let mut taken: HashMap<String, Span> = HashMap::new();
        let given: Vec<Option<String>> = names
            .clone()
            .map(|(naming, span)| {
                let name = match naming {
                    Naming::Given(name) => name.clone(),
                    Naming::Follower {
                        label,
                        keyword,
                        nth,
                    } => follower(label, keyword, *nth),
                    Naming::Auto { .. } | Naming::None => return None,
                };
                match taken.get(&name) {
                    Some(&first) => self.label_twice(&name, first, span),
                    None => {
                        taken.insert(name.clone(), span);
                    }
                }
                Some(name)
            })
            .collect();
        let taken: HashSet<String> = taken.into_keys().collect();
        let mut counts: HashMap<(&str, &str), usize> = HashMap::new();
        names
            .zip(given)
            .map(|((naming, _), given)| match naming {
                Naming::Auto { scope, keyword } => {
                    let count = counts.entry((scope, keyword)).or_default();
                    loop {
                        *count += 1;
                        let name = format!("{scope}{keyword}_{count}");
                        if !taken.contains(&name) {
                            return Some(name);
                        }
                    }
                }
                _ => given,
            })
            .collect()
    }

    fn label_twice(&mut self, name: &str, first: Span, span: Span) {
        // Every label of a block that is called twice is there twice: one mistake.
        if first == span && std::mem::replace(&mut self.repeated, true) {
            return;
        }
        let problem = Diagnostic::new(
            codes::LABEL_TWICE,
            span,
            format!("the label `{name}` is used twice"),
        );
        let problem = if first == span {
            problem.help("label the call of the block, or the loop around it, to tell them apart")
        } else {
            problem.also(first, "first here")
        };
        self.error(problem);
    }
}

/// `c1_bn`, `c1_relu_2`
pub(super) fn follower(label: &str, keyword: &str, nth: usize) -> String {
    match nth {
        1 => format!("{label}_{keyword}"),
        _ => format!("{label}_{keyword}_{nth}"),
    }
}
