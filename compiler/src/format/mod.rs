//! The printer of specs: one layout for all of them.
//!
//! ```text
//! model M{                              model M {
//! input x:1x28x28                         input x: 1x28x28
//! c1:conv 5x5 6   pad 2 tanh    ─▶        c1:  conv 5x5 6   pad 2 tanh
//! flatten                                      flatten
//! out :  dense 10   tanh}                 out: dense 10     tanh
//!                                       }
//! ```
//!
//! What the author decides stays: which statements share a line, blank lines (one at most), comments, whether an operator has blanks around
//! it, and where columns begin. Two blanks or more between elements of a chain begin a column, which stands beneath that of the lines around
//! it; so do two blanks within the brackets of a table. All other blanks are the printer's. Statements in braces that do not fit on the
//! line of the brace have lines of their own; labels, chains, comments and the pairs of `weights map` stand in columns.
//!
//! Formatting twice is formatting once, and neither changes what a text means.

mod columns;
mod lines;
mod row;

use crate::diagnostic::{Diagnostics, Files};
use crate::parse::tokens::tokens;
use std::path::PathBuf;

/// The text in the canonical layout.
///
/// # Errors
/// What a text is told that does not parse. What it means is not looked at: layers may be unknown.
pub fn format(text: &str) -> Result<String, Diagnostics> {
    format_file("net.cnn", text)
}

/// [`format`](fn@format), with mistakes told of that file.
///
/// # Errors
/// What a text is told that does not parse.
pub fn format_file(path: impl Into<PathBuf>, text: &str) -> Result<String, Diagnostics> {
    let mut files = Files::default();
    let id = files.add(path, text);
    match tokens(id, text) {
        Ok(tokens) => Ok(columns::print(&lines::lines(tokens))),
        Err(problems) => Err(Diagnostics::new(problems, &files)),
    }
}
