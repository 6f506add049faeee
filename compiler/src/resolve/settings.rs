//! Settings: `defaults`, and lists of keys in general.

use super::args::{Given, all_param_names};
use super::defaults::Setting;
use super::kinds::{describe, fits};
use super::{Resolver, Result};
use crate::ast::{Name, Spanned, Term, TermKind};
use crate::diagnostic::{Diagnostic, codes};
use crate::layer::{self, Kind, LAYERS, Literal, ParamDecl};
use crate::span::Span;
use crate::words;
use std::collections::HashMap;
use std::sync::LazyLock;

impl<'a> Resolver<'a> {
    /// `defaults preset { name value  layer.name value }`
    pub(super) fn read_defaults(&mut self, preset: Option<&Name>, settings: &'a [Term]) {
        if self.spend(1).is_err() {
            return;
        }
        let program = self.program;
        if let Some(name) = preset {
            match program.preset(&name.value) {
                Some(preset) => {
                    self.seen.insert(preset.name.span);
                    self.default_list(&preset.settings);
                }
                None => {
                    let message = format!("there is no preset `{}`", name.value);
                    let problem = Diagnostic::new(codes::UNKNOWN_SETTING, name.span, message);
                    let known: Vec<String> = program.preset_names().map(str::to_owned).collect();
                    let (word, at) = (&name.value, name.span);
                    let mut problem = self.suggest(problem, word, at, "presets", &known);
                    if program.preset_names().next().is_none() {
                        problem = problem.help("some come with `import \"std/presets.cnn\"`");
                    }
                    self.error(problem);
                }
            }
        }
        self.default_list(settings);
    }

    pub(super) fn default_list(&mut self, terms: &'a [Term]) {
        let mut at = 0;
        while at < terms.len() {
            at = match self.default(terms, at) {
                Ok(next) => next,
                Err(_) if self.halted => return,
                Err(_) => behind(terms, at, |word| word.contains('.') || is_default(word)),
            };
        }
    }

    /// One default; returns the position of the next.
    fn default(&mut self, terms: &'a [Term], at: usize) -> Result<usize> {
        self.spend(1)?;
        let term = &terms[at];
        let TermKind::Word(word) = &term.kind else {
            let text = self.quoted(term.span);
            let message = format!("`{text}` belongs to no default");
            return Err(self.error(Diagnostic::new(codes::UNEXPECTED, term.span, message)));
        };
        let takers = takers(word);
        let Some(&(keyword, first)) = takers.first() else {
            return Err(self.unknown_default(word, term.span));
        };
        let value = match terms.get(at + 1) {
            Some(next) => match &next.kind {
                TermKind::Word(word) => Some(Spanned {
                    value: Literal::Word(word.clone()),
                    span: next.span,
                }),
                TermKind::Value(expr) | TermKind::Stride(expr) => Some(Spanned {
                    value: self.eval_literal(expr)?,
                    span: next.span,
                }),
                _ => None,
            },
            None => None,
        };
        let suits = |value: &Spanned<Literal>| {
            takers
                .iter()
                .any(|(_, param)| fits(&param.kind, &value.value))
        };
        let flag = takers.iter().any(|(_, param)| param.kind == Kind::Flag);
        let (value, next) = match value {
            Some(value) if suits(&value) => (value, at + 2),
            _ if flag => {
                let value = Literal::Word("on".to_owned());
                (
                    Spanned {
                        value,
                        span: term.span,
                    },
                    at + 1,
                )
            }
            Some(value) => {
                let text = self.quoted(value.span);
                let message = format!(
                    "the default `{word}` takes {}, not `{text}`",
                    describe(&first.kind)
                );
                let problem = Diagnostic::new(codes::WRONG_KIND, value.span, message);
                return Err(self.error(problem));
            }
            None => {
                let message = format!("the default `{word}` has no value");
                let problem = Diagnostic::new(codes::NO_VALUE, term.span, message)
                    .label(format!("{} should follow", describe(&first.kind)));
                return Err(self.error(problem));
            }
        };
        self.defaults.push(Setting {
            layer: word.contains('.').then_some(keyword),
            name: first.name,
            value,
        });
        Ok(next)
    }

    fn unknown_default(&mut self, word: &str, span: Span) -> super::Reported {
        let problem = match word.split_once('.') {
            Some((keyword, param)) => match layer::find(keyword) {
                Some(decl) => {
                    let known: Vec<&str> = decl.params.iter().map(|param| param.name).collect();
                    let at = Span {
                        start: span.start + keyword.len() as u32 + 1,
                        ..span
                    };
                    let message = format!("`{keyword}` has no parameter `{param}`");
                    Diagnostic::new(codes::UNKNOWN_SETTING, at, message).suggest(
                        param,
                        at,
                        "its parameters",
                        known,
                    )
                }
                None => {
                    let at = Span {
                        end: span.start + keyword.len() as u32,
                        ..span
                    };
                    let known = LAYERS.iter().map(|decl| decl.keyword);
                    let message = format!("there is no layer `{keyword}`");
                    Diagnostic::new(codes::UNKNOWN_SETTING, at, message)
                        .suggest(keyword, at, "layers", known)
                }
            },
            None => {
                let message = format!("no layer has a parameter `{word}`");
                Diagnostic::new(codes::UNKNOWN_SETTING, span, message).suggest(
                    word,
                    span,
                    "parameters",
                    all_param_names(),
                )
            }
        };
        self.error(problem)
    }

    /// Reads settings that are all declared; what belongs to none is an error.
    pub(super) fn keys(
        &mut self,
        owner: &str,
        keys: &'static [ParamDecl],
        terms: &'a [Term],
    ) -> Result<Given> {
        match self.read_keys(owner, keys, terms)? {
            (given, false) => Ok(given),
            (_, true) => Err(super::Reported),
        }
    }

    /// The same, with what could be read over mistakes, and whether there were any.
    pub(super) fn read_keys(
        &mut self,
        owner: &str,
        keys: &'static [ParamDecl],
        terms: &'a [Term],
    ) -> Result<(Given, bool)> {
        let mut all = Given::new();
        let (mut at, mut failed) = (0, false);
        while at < terms.len() {
            let matched = self.match_terms(owner, keys, terms, at)?;
            all.extend(matched.given);
            failed |= matched.failed;
            let Some(term) = terms.get(matched.next) else {
                break;
            };
            failed = true;
            let text = self.quoted(term.span);
            let message = format!("`{owner}` has no setting `{text}`");
            let mut known: Vec<&str> = keys.iter().map(|key| key.name).collect();
            known.sort_unstable();
            let problem = Diagnostic::new(codes::UNKNOWN_SETTING, term.span, message);
            // A number names no classes.
            let number = terms
                .get(matched.next + 1)
                .is_some_and(|next| self.files.slice(next.span).parse::<f64>().is_ok());
            let names = |name: &str| {
                let key = keys.iter().find(|key| key.name == name);
                key.is_some_and(|key| key.kind == Kind::Strings)
            };
            let problem = match words::nearest(&text, &known) {
                Some(near) if number && names(near) => problem
                    .note(format!("settings: {}", words::list(&known)))
                    .help("how many there are follows from the shape before"),
                near => problem.offer(near, term.span, "settings", &known),
            };
            self.error(problem);
            self.spend(1)?;
            let is_key = |word: &str| keys.iter().any(|key| key.name == word);
            at = behind(terms, matched.next, is_key);
        }
        Ok((all, failed))
    }
}

/// Where a list of settings goes on behind a name that is a mistake: behind its values, or the word that is its value.
fn behind(terms: &[Term], name: usize, is_name: impl Fn(&str) -> bool) -> usize {
    let rest = &terms[name + 1..];
    let value = |term: &&Term| matches!(term.kind, TermKind::Value(_) | TermKind::Stride(_));
    let skip = match rest.first().map(|term| &term.kind) {
        Some(TermKind::Word(word)) => usize::from(!is_name(word)),
        _ => rest.iter().take_while(value).count(),
    };
    name + 1 + skip
}

/// A parameter and the keyword of its layer.
type Taker = (&'static str, &'static ParamDecl);

/// The parameters of each name.
static TAKERS: LazyLock<HashMap<&str, Vec<Taker>>> = LazyLock::new(|| {
    let mut takers: HashMap<&str, Vec<Taker>> = HashMap::new();
    for decl in LAYERS {
        for param in decl.params {
            let known = takers.entry(param.name).or_default();
            known.push((decl.keyword, param));
        }
    }
    takers
});

/// The parameters that a default is for, with their layers.
fn takers(word: &str) -> Vec<Taker> {
    let (layer, name) = match word.split_once('.') {
        Some((layer, name)) => (Some(layer), name),
        None => (None, word),
    };
    let all = TAKERS.get(name).into_iter().flatten().copied();
    all.filter(|(keyword, _)| layer.is_none_or(|layer| layer == *keyword))
        .collect()
}

fn is_default(word: &str) -> bool {
    !takers(word).is_empty()
}
