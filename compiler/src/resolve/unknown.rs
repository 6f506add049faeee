//! Words that are nothing here: what was meant, or what another framework calls so.

use super::{Reported, Resolver};
use crate::ast::{Name, Term, TermKind};
use crate::diagnostic::{Diagnostic, codes};
use crate::foreign::{self, Foreign, Framework, Ours};
use crate::graph::Span;
use crate::head;
use crate::layer::{self, Decl, Kind, LAYERS};
use crate::words;

impl Resolver<'_> {
    /// A word in a chain that is no layer, block or tensor.
    pub(super) fn unknown_word(
        &mut self,
        word: &str,
        span: Span,
        terms: &[Term],
        at: usize,
    ) -> Reported {
        if self.program.is_lost(word) {
            return Reported;
        }
        let called = matches!(terms[at].kind, TermKind::Call(..));
        let before = terms[..at].iter().rev().find_map(|term| match &term.kind {
            TermKind::Word(word) => layer::find(word),
            TermKind::Call(name, _) => layer::find(&name.value),
            _ => None,
        });
        let params = before.filter(|_| !called).map_or(Vec::new(), takes);
        let meant = foreign::ours(word).find(|ours| params.contains(ours));
        let mut problem = match (meant, self.foreign_row(word, terms, at)) {
            (None, Some(row)) => {
                let whole = (terms.len() > 1 || called).then_some(terms[at].span);
                let problem = self.foreign_layer(row, word, span, whole);
                return self.error(problem);
            }
            (Some(ours), _) => unknown(word, span).fix(did_you_mean(ours), span, ours),
            (None, None) => self.nearest_word(word, span, called, params),
        };
        if let Some(decl) = before.filter(|decl| !decl.params.is_empty()) {
            let params: Vec<&str> = decl.params.iter().map(|param| param.name).collect();
            let (keyword, params) = (decl.keyword, words::list(&params));
            problem = problem.note(format!("parameters of `{keyword}`: {params}"));
        }
        self.error(problem)
    }

    /// The nearest of all that could stand there, or what there is.
    fn nearest_word(
        &mut self,
        word: &str,
        span: Span,
        called: bool,
        params: Vec<&str>,
    ) -> Diagnostic {
        let mut near: Vec<String> = params.into_iter().map(str::to_owned).collect();
        near.extend(self.variables.names().map(str::to_owned));
        near.extend(self.program.block_names().map(str::to_owned));
        near.extend(self.shared.iter().map(|net| net.name.value.clone()));
        near.extend(LAYERS.iter().map(|decl| decl.keyword.to_owned()));
        if !called {
            near.extend(self.tensors.keys().cloned());
        }
        let known: Vec<&str> = near.iter().map(String::as_str).collect();
        self.charge(words::effort(word, known.iter().copied()));
        let problem = unknown(word, span);
        if let Some(name) = words::nearest(word, &known) {
            return problem.fix(did_you_mean(name), span, name);
        }
        let mut layers: Vec<&str> = LAYERS.iter().map(|decl| decl.keyword).collect();
        layers.sort_unstable();
        let problem = problem.note(format!("layers: {}", words::list(&layers)));
        let mut blocks: Vec<&str> = self.program.block_names().collect();
        blocks.sort_unstable();
        match blocks.is_empty() {
            true => problem,
            false => problem.note(format!("blocks: {}", words::list(&blocks))),
        }
    }

    /// What another framework calls so, in a chain.
    fn foreign_row(&self, word: &str, terms: &[Term], at: usize) -> Option<&'static Foreign> {
        let row = foreign::layer(word, None)?;
        // `linear`: a dense layer says how many outputs it has, an activation says nothing.
        let needs = row
            .keyword()
            .and_then(layer::find)
            .is_some_and(|decl| decl.params.iter().any(|param| param.default.is_none()));
        let follows = matches!(
            terms.get(at + 1).map(|term| &term.kind),
            Some(TermKind::Value(_))
        );
        if needs && !follows && matches!(terms[at].kind, TermKind::Word(_)) {
            let mut rows = foreign::layers(word).iter();
            let nothing = rows.rfind(|row| matches!(row.ours, Ours::Nothing(_)));
            return nothing.or(Some(&row)).copied();
        }
        Some(row)
    }

    /// A layer by the name that it has in another framework; `whole` is what may be replaced with its arguments.
    pub(super) fn foreign_layer(
        &self,
        row: &'static Foreign,
        word: &str,
        name: Span,
        whole: Option<Span>,
    ) -> Diagnostic {
        let problem = |message: String| {
            let problem = Diagnostic::new(codes::UNKNOWN_WORD, name, message);
            match row.framework {
                Framework::Common => problem,
                framework => problem.label(format!("a name of {framework}")),
            }
        };
        match row.ours {
            Ours::Layer(text) => {
                let keyword = row.keyword().unwrap_or(text);
                let problem = problem(format!("`{word}` is called `{keyword}` here"));
                let example =
                    example(row, keyword).map(|(theirs, ours)| format!("`{theirs}` is `{ours}`"));
                let problem = example.into_iter().fold(problem, Diagnostic::note);
                let call = whole
                    .and_then(|span| Some((span, foreign::translate(self.files.slice(span))?)));
                match call {
                    Some((span, chain)) => problem.fix("the same layer here", span, chain),
                    None => problem.fix(did_you_mean(keyword), name, with_words(text)),
                }
            }
            Ours::Write(text) => {
                problem(format!("`{word}` is no layer here")).help(format!("write {text}"))
            }
            Ours::Nothing(why) => {
                let problem = problem(format!("`{word}` is no layer here"));
                match whole {
                    Some(span) => problem.fix(format!("leave it out: {why}"), span, ""),
                    None => problem.help(format!("leave it out: {why}")),
                }
            }
            Ours::Missing(what) => problem(format!("there is no layer for `{word}`"))
                .note(format!("not supported yet: {what}")),
        }
    }

    /// A head that there is not.
    pub(super) fn unknown_head(&mut self, name: &Name) -> Reported {
        let word = name.value.as_str();
        let problem = Diagnostic::new(codes::HEAD, name.span, format!("there is no head `{word}`"));
        let known = head::HEADS.iter().map(|head| head.keyword);
        let problem = match foreign::head(word) {
            None => problem.suggest(word, name.span, "heads", known),
            Some((_, "", what)) => {
                let known: Vec<&str> = known.collect();
                problem
                    .note(format!("heads: {}", words::list(&known)))
                    .note(format!("not supported yet: {what}"))
                    .help("without a head, `cnnc run --raw FILE` writes what the network computes")
            }
            Some((_, ours, _)) => problem
                .note(format!(
                    "heads: {}",
                    words::list(&known.collect::<Vec<_>>())
                ))
                .fix(did_you_mean(ours), name.span, *ours),
        };
        self.error(problem)
    }
}

fn unknown(word: &str, span: Span) -> Diagnostic {
    let message = format!("`{word}` is no layer, block or tensor");
    Diagnostic::new(codes::UNKNOWN_WORD, span, message).label("not known here")
}

fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}

/// Names of parameters, and words that are values of one.
fn takes(decl: &Decl) -> Vec<&'static str> {
    let params: &'static [layer::ParamDecl] = decl.params;
    let words = params.iter().flat_map(|param| match param.kind {
        Kind::Word(words) => words,
        _ => &[],
    });
    params
        .iter()
        .map(|param| param.name)
        .chain(words.copied())
        .collect()
}

/// A call of a framework and the chain that it is, of a layer that has parameters.
fn example(row: &'static Foreign, keyword: &str) -> Option<(&'static str, String)> {
    layer::find(keyword).filter(|decl| !decl.params.is_empty())?;
    let alike = foreign::FOREIGN
        .iter()
        .filter(|other| other.ours == row.ours);
    let rows = std::iter::once(row).chain(alike);
    rows.flat_map(Foreign::examples).next()
}

/// The keyword with those parameters of the row that are words, which may stand before all others: `flatten spatial`.
fn with_words(text: &str) -> String {
    let mut parts = text.split(' ');
    let mut written = parts.next().unwrap_or(text).to_owned();
    let decl = layer::find(&written);
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        let param = decl.and_then(|decl| decl.params.iter().find(|param| param.name == name));
        if param.is_some_and(|param| matches!(param.kind, Kind::Word(_))) {
            written += &format!(" {value}");
        }
    }
    written
}
