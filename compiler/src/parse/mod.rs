//! From text to syntax tree, with recovery: what does not parse becomes [`StatementKind::Error`] and a
//! diagnostic, and parsing goes on behind it.
//!
//! [`StatementKind::Error`]: crate::ast::StatementKind::Error

mod brackets;
mod build;
mod dump;
mod expr;
mod form;
mod habit;
mod mistake;
mod term;
pub(crate) mod tokens;

pub use brackets::MAX_DEPTH;
pub use dump::dump;

use crate::ast::File;
use crate::diagnostic::{Diagnostic, MAX_FILE_BYTES, codes};
use crate::span::{FileId, Span};
use pest::Parser;

/// What pest makes of the grammar.
mod grammar {
    #![allow(missing_docs)]

    #[derive(pest_derive::Parser)]
    #[grammar = "cnn.pest"]
    pub struct Grammar;
}

use grammar::{Grammar, Rule};

/// A file's tree and its syntax errors.
#[derive(Debug, Default)]
pub struct Parsed {
    /// What could be read.
    pub file: File,
    /// What could not.
    pub problems: Vec<Diagnostic>,
}

/// Reads a text.
pub fn parse(id: FileId, text: &str) -> Parsed {
    if text.len() > MAX_FILE_BYTES {
        let message = format!("the text is larger than {} KiB", MAX_FILE_BYTES / 1024);
        return Parsed {
            problems: vec![Diagnostic::new(codes::LIMIT, Span::new(id, 0..0), message)],
            ..Parsed::default()
        };
    }
    let (balanced, mut problems) = brackets::balance(id, text);
    let Some(balanced) = balanced else {
        return Parsed {
            problems,
            ..Parsed::default()
        };
    };
    let mut file = File::default();
    match Grammar::parse(Rule::file, &balanced.text) {
        Ok(mut pairs) => {
            let mut builder = build::Builder::new(id, &balanced, text.len());
            if let Some(root) = pairs.next() {
                file = builder.file(root);
            }
            problems.extend(builder.problems);
        }
        // Items and statements that do not parse are items and statements in the grammar, so this is
        // the exception; its place is right all the same.
        Err(error) => problems.push(mistake::diagnose(id, 0, text, &error)),
    }
    Parsed { file, problems }
}
