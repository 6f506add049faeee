//! `data folder "signs/" split 80 10 10 by hash`, `data csv "a.csv" image label`

use super::{Resolver, Section, word};
use crate::ast::{Term, TermKind};
use crate::diagnostic::{Diagnostic, codes};
use crate::layer::Literal;
use crate::recipe::{DataKind, Source, Split};
use crate::resolve::Reported;
use crate::words;
use std::path::PathBuf;

/// What may stand behind the path.
const OPTIONS: [&str; 2] = ["split", "test"];
/// Columns of a table that may be named: that of the picture, and that of the label.
const COLUMNS: usize = 2;
const SPLIT: &str =
    "write `split 80 20 by hash`, `split 80 10 10 by hash` or `split list \"test.txt\"`";

type Result<T> = std::result::Result<T, Reported>;

impl<'a> Resolver<'a> {
    /// The clause: a kind, a path, and how samples are divided.
    pub(super) fn data(
        &mut self,
        section: &mut Section,
        terms: &'a [Term],
        settings: Option<&'a [Term]>,
    ) {
        if let Some([first, ..]) = settings {
            let message = "`data` has no settings in braces";
            self.error(Diagnostic::new(codes::UNKNOWN_SETTING, first.span, message));
        }
        if let Ok(source) = self.source(terms) {
            section.recipe.data = Some(source);
        }
    }

    fn source(&mut self, terms: &'a [Term]) -> Result<Source> {
        let mut source = Source::default();
        let mut at = 1;
        if let Some(kind) = terms.get(1).and_then(word) {
            source.kind = DataKind::find(kind);
            if source.kind.is_none() {
                let message = format!("there are no data of the kind `{kind}`");
                let span = terms[1].span;
                let problem = Diagnostic::new(codes::WRONG_KIND, span, message);
                return Err(self.error(problem.suggest(kind, span, "kinds", DataKind::NAMES)));
            }
            at = 2;
        }
        source.path = self.path_behind(terms, at - 1)?;
        at += 1;
        if source.kind == Some(DataKind::Csv) {
            at = self.columns(&mut source, terms, at)?;
        }
        while let Some(option) = terms.get(at) {
            match word(option) {
                Some("test") if source.test.is_none() && source.split.is_none() => {
                    source.test = Some(self.path_behind(terms, at)?);
                    at += 2;
                }
                Some("split") if source.test.is_none() && source.split.is_none() => {
                    let (split, next) = self.split(terms, at)?;
                    source.split = Some(split);
                    at = next;
                }
                Some("test" | "split") => {
                    let message = "what judges is said already";
                    let problem = Diagnostic::new(codes::GIVEN_TWICE, option.span, message);
                    return Err(self.error(problem));
                }
                text => {
                    let quoted = self.quoted(option.span);
                    let message = format!("`data` has no `{quoted}`");
                    let problem = Diagnostic::new(codes::UNKNOWN_SETTING, option.span, message);
                    let text = text.unwrap_or_default();
                    let problem = problem.suggest(text, option.span, "what may follow", OPTIONS);
                    return Err(self.error(problem));
                }
            }
        }
        Ok(source)
    }

    /// Whether a word is one of those that may follow, or nearly, with what belongs to it.
    fn is_option(&self, name: &str, next: Option<&Term>) -> bool {
        let belongs = match next.map(|term| &term.kind) {
            Some(TermKind::Value(_)) => true,
            Some(TermKind::Word(word)) => word == "list",
            _ => false,
        };
        OPTIONS.contains(&name) || (belongs && words::nearest(name, &OPTIONS).is_some())
    }

    /// Names of columns, as words or in quotation marks, and where they end.
    fn columns(&mut self, source: &mut Source, terms: &'a [Term], at: usize) -> Result<usize> {
        let mut next = at;
        while let Some(term) = terms.get(next) {
            let name = match &term.kind {
                TermKind::Word(name) if self.is_option(name, terms.get(next + 1)) => break,
                TermKind::Word(name) => name.clone(),
                TermKind::Value(expr) => match self.eval_literal(expr)? {
                    Literal::Str(name) if !name.is_empty() => name.to_string(),
                    _ => break,
                },
                _ => break,
            };
            if source.columns.len() == COLUMNS {
                let text = self.quoted(term.span);
                let message = format!("`csv` names two columns at most: `{text}` is too much");
                let problem = Diagnostic::new(codes::UNEXPECTED, term.span, message);
                let help = "write `data csv \"a.csv\" image label`, or the label's column alone";
                return Err(self.error(problem.help(help)));
            }
            source.columns.push(name);
            next += 1;
        }
        Ok(next)
    }

    /// The string behind a word.
    fn path_behind(&mut self, terms: &'a [Term], at: usize) -> Result<PathBuf> {
        let before = &terms[at];
        let Some(term) = terms.get(at + 1) else {
            let text = self.quoted(before.span);
            let message = format!("`{text}` has no path");
            let problem = Diagnostic::new(codes::NO_VALUE, before.span, message);
            return Err(self.error(problem.help("a file or folder in quotation marks follows")));
        };
        if let TermKind::Value(expr) = &term.kind
            && let Literal::Str(path) = self.eval_literal(expr)?
            && !path.is_empty()
        {
            return Ok(path.into());
        }
        let text = self.quoted(term.span);
        let message = format!("a path stands in quotation marks; `{text}` is none");
        Err(self.error(Diagnostic::new(codes::WRONG_KIND, term.span, message)))
    }

    /// A split, and where it ends.
    fn split(&mut self, terms: &'a [Term], at: usize) -> Result<(Split, usize)> {
        if terms.get(at + 1).and_then(word) == Some("list") {
            return Ok((Split::List(self.path_behind(terms, at + 1)?), at + 3));
        }
        let mut shares = Vec::new();
        let mut next = at + 1;
        while let Some(TermKind::Value(expr)) = terms.get(next).map(|term| &term.kind) {
            let span = terms[next].span;
            let share = match self.eval_literal(expr)? {
                Literal::Int(share) => u32::try_from(share).ok().filter(|share| *share <= 1000),
                _ => None,
            };
            let Some(share) = share else {
                let text = self.quoted(span);
                let message = format!("a share is a whole number from 0 to 1000, not {text}");
                return Err(self.error(Diagnostic::new(codes::ARGUMENT, span, message)));
            };
            shares.push(share);
            next += 1;
        }
        let span = terms[at].span.to(terms[next - 1].span);
        let by_hash = [next, next + 1].map(|at| terms.get(at).and_then(word));
        let whole = match (shares.as_slice(), by_hash) {
            (&[learn, judge], [Some("by"), Some("hash")]) => [learn, judge, 0],
            (&[learn, judge, apart], [Some("by"), Some("hash")]) => [learn, judge, apart],
            _ => {
                let message = "this says not how samples are divided";
                let problem = Diagnostic::new(codes::ARGUMENT, span, message);
                return Err(self.error(problem.help(SPLIT)));
            }
        };
        if whole[0] == 0 || whole[1] == 0 {
            let message = match whole[0] {
                0 => "nothing is left to learn from",
                _ => "nothing is left to be judged by",
            };
            return Err(self.error(Diagnostic::new(codes::ARGUMENT, span, message)));
        }
        Ok((Split::Hash(whole), next + 2))
    }
}
