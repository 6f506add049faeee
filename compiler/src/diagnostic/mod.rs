//! Diagnostics: what is wrong with a spec, where, and how to put it right.
//!
//! ```text
//! error[E0201]: `rellu` is no layer, block or tensor
//!  --> net.cnn:5:19
//!   |
//! 5 |   c1: conv 3x3 8 rellu
//!   |                  ^^^^^ not known here
//! help: did you mean `relu`?
//! ```
//!
//! A diagnostic is data: the code, spans, notes and [`Fix`]es are what tools and the macro read;
//! [`Diagnostics::render`] makes the text above of it.

pub mod codes;
mod files;
mod json;
mod render;
mod repair;

pub use codes::Code;
pub use files::{DiskLoader, Files, Loader, MAX_FILE_BYTES, MemoryLoader};
pub use repair::Repair;

use crate::span::Span;
use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// There is no network.
    Error,
    /// There is one, but it may not be the one that was meant.
    Warning,
}

/// An edit that repairs a mistake, or most likely does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fix {
    /// What it does, lower case: "did you mean `relu`?".
    pub message: String,
    /// What is replaced; empty for an insertion.
    pub span: Span,
    /// What it is replaced by.
    pub replacement: String,
}

/// One mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Its kind.
    pub code: Code,
    /// One sentence, lower case.
    pub message: String,
    /// The place; `None` if it is in no text (a file that cannot be read).
    pub span: Option<Span>,
    /// What to say at that place.
    pub label: String,
    /// Other places that have to do with it.
    pub secondary: Vec<(Span, String)>,
    /// Facts.
    pub notes: Vec<String>,
    /// Remedies in words.
    pub help: Vec<String>,
    /// Remedies that a tool can apply, each by itself.
    pub fixes: Vec<Fix>,
}

/// Longest text of a diagnostic in bytes, since a word of the spec may be as long as the file.
const LONGEST: usize = 2000;

/// The text, cut where it is longer than anyone reads.
fn cut(text: impl Into<String>) -> String {
    let mut text = text.into();
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
    text
}

impl Diagnostic {
    /// A diagnostic at a place.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            span: Some(span),
            ..Diagnostic::without_span(code, message)
        }
    }
    /// A diagnostic about what no text says.
    pub fn without_span(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            message: cut(message),
            span: None,
            label: String::new(),
            secondary: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
            fixes: Vec::new(),
        }
    }
    /// Says something at the place itself.
    pub fn label(mut self, text: impl Into<String>) -> Diagnostic {
        self.label = cut(text);
        self
    }
    /// Says something at another place.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.secondary.push((span, cut(text)));
        self
    }
    /// Adds a fact.
    pub fn note(mut self, text: impl Into<String>) -> Diagnostic {
        // A list in columns begins on a line of its own.
        self.notes.push(cut(text.into().replace(": \n", ":\n")));
        self
    }
    /// Adds a remedy in words.
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help.push(cut(text));
        self
    }
    /// Adds a remedy that can be applied, unless it is longer than anyone reads.
    pub fn fix(
        mut self,
        message: impl Into<String>,
        span: Span,
        replacement: impl Into<String>,
    ) -> Diagnostic {
        let replacement = replacement.into();
        if replacement.len() <= LONGEST {
            self.fixes.push(Fix {
                message: cut(message),
                span,
                replacement,
            });
        }
        self
    }
    /// For an unknown word: offers the nearest of the known ones, and lists them all; a long list only if none is near.
    pub fn suggest<'a>(
        self,
        word: &str,
        span: Span,
        what: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Diagnostic {
        let mut known: Vec<&str> = known.into_iter().collect();
        known.sort_unstable();
        known.dedup();
        let near = crate::words::nearest(word, &known);
        self.offer(near, span, what, &known)
    }
    /// Offers the nearest of the known words, if one is near, and lists them all, as [`Diagnostic::suggest`] does.
    pub(crate) fn offer(
        self,
        near: Option<&str>,
        span: Span,
        what: &str,
        known: &[&str],
    ) -> Diagnostic {
        let list = crate::words::list(known);
        let with_fix = match near {
            Some(near) => {
                let problem = self.fix(format!("did you mean `{near}`?"), span, near);
                if list.starts_with('\n') {
                    return problem;
                }
                problem
            }
            None => self,
        };
        if known.is_empty() {
            return with_fix.note(format!("there are no {what}"));
        }
        with_fix.note(format!("{what}: {list}"))
    }
    /// How bad it is: the code says.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// Mistakes and warnings while they are collected: not more of each than anyone reads.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    items: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

impl Problems {
    /// Most errors, and most warnings, that are kept.
    const MOST: usize = 1000;

    /// Adds one, unless there are enough of its kind.
    pub(crate) fn push(&mut self, problem: Diagnostic) {
        let known = match problem.severity() {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if *known < Self::MOST {
            *known += 1;
            self.items.push(problem);
        }
    }

    /// Whether there is an error among them.
    pub(crate) fn failed(&self) -> bool {
        self.errors > 0
    }

    /// All of them.
    pub(crate) fn into_items(self) -> Vec<Diagnostic> {
        self.items
    }
}

/// Diagnostics of one compilation, with the texts they speak of.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
    files: Files,
}

impl Diagnostics {
    /// Those diagnostics, in the order of the text; of several at one place (a block that is called twice) the first.
    pub fn new(mut items: Vec<Diagnostic>, files: &Files) -> Diagnostics {
        use crate::id::Id;
        items.sort_by_key(|item| item.span.map(|span| (span.file.index(), span.start)));
        let mut seen = std::collections::HashSet::new();
        items.retain(|item| match item.span {
            Some(span) => seen.insert((item.code, span)),
            None => true,
        });
        Diagnostics {
            items,
            files: files.clone(),
        }
    }
    /// Every diagnostic.
    pub fn items(&self) -> &[Diagnostic] {
        &self.items
    }
    /// The texts they speak of.
    pub fn files(&self) -> &Files {
        &self.files
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
    /// As text, like rustc's; `color` adds ANSI colours.
    pub fn render(&self, color: bool) -> String {
        render::render(&self.items, &self.files, color)
    }
    /// What stands where a fix is, once it is applied: whole lines.
    pub fn applied(&self, fix: &Fix) -> String {
        render::applied(fix, &self.files)
    }
    /// As an array for tools; offsets are bytes, lines and columns count from 1.
    pub fn to_json(&self) -> serde_json::Value {
        json::to_json(&self.items, &self.files)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}
