//! One line of the canonical layout: its tokens, and the blanks before each.

use super::lines::Line;
use crate::parse::tokens::{JOINS, Kind, LABEL, NAMED, TIGHT, Token};
use std::ops::Range;

/// Blanks for each depth.
const INDENT: usize = 2;
/// Blanks between columns, and before a comment.
pub(super) const GAP: usize = 2;

pub(super) fn pad(out: &mut String, blanks: usize) {
    out.extend(std::iter::repeat_n(' ', blanks));
}

pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}

/// A line and the blanks that its place among others asks for.
pub(super) struct Row<'l, 't> {
    pub(super) line: &'l Line<'t>,
    /// Blanks before each token, beyond those that it has anyway.
    pub(super) more: Vec<usize>,
    /// Of each token, whether the innermost bracket around it on its line is none of braces.
    bracketed: Vec<bool>,
    /// The token behind the place of a stride that other lines have, or behind that stride.
    pub(super) slot: Option<usize>,
}

impl<'l, 't> Row<'l, 't> {
    pub(super) fn new(line: &'l Line<'t>) -> Row<'l, 't> {
        let mut open = Vec::new();
        let bracketed = line.tokens.iter().map(|token| {
            let within = open.last().is_some_and(|&text| text != "{");
            match token.kind {
                Kind::Open => open.push(token.text),
                Kind::Close => _ = open.pop(),
                _ => {}
            }
            within
        });
        Row {
            line,
            more: vec![0; line.tokens.len()],
            bracketed: bracketed.collect(),
            slot: None,
        }
    }

    pub(super) fn tokens(&self) -> &'l [Token<'t>] {
        &self.line.tokens
    }

    /// How many tokens there are before the comment.
    pub(super) fn code(&self) -> usize {
        let comment = self.comment().is_some();
        self.line.tokens.len() - usize::from(comment)
    }

    pub(super) fn comment(&self) -> Option<&'t str> {
        let last = self.line.tokens.last()?;
        (last.kind == Kind::Comment).then_some(last.text)
    }

    /// Blanks before a token that is not the line's first.
    pub(super) fn blanks(&self, at: usize) -> usize {
        let (before, token) = (&self.line.tokens[at - 1], &self.line.tokens[at]);
        let bracket =
            |token: &Token, kind| token.kind == kind && token.text != "}" && token.text != "{";
        let least = if token.is(TIGHT)
            || token.kind == Kind::Comma
            || bracket(before, Kind::Open)
            || bracket(token, Kind::Close)
        {
            0
        } else if self.gap(at) {
            GAP
        } else {
            1
        };
        least + self.more[at]
    }

    /// Whether two blanks are between it and the token before, as the author has it, or as pairs of names have.
    pub(super) fn gap(&self, at: usize) -> bool {
        let (before, token) = (&self.line.tokens[at - 1], &self.line.tokens[at]);
        let pair = token.is(NAMED) && token.text.starts_with('"');
        let brace = before.text == "{" && before.kind == Kind::Open || token.text == "}";
        let label = before.is(LABEL);
        let sign = token.is(NAMED) || before.is(NAMED);
        if pair {
            return before.kind != Kind::Comma && !brace;
        }
        let body = token.text == "{" && token.is(JOINS);
        token.blanks >= GAP && !brace && !label && !sign && !body && !self.bracketed[at]
    }

    /// Width of those tokens, with the blanks between them.
    pub(super) fn width(&self, tokens: Range<usize>) -> usize {
        let first = tokens.start;
        tokens
            .map(|at| {
                let blanks = if at > first { self.blanks(at) } else { 0 };
                blanks + width(self.line.tokens[at].text)
            })
            .sum()
    }

    /// The line without its comment.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        pad(&mut out, INDENT * self.line.depth);
        for (at, token) in self.line.tokens[..self.code()].iter().enumerate() {
            pad(
                &mut out,
                if at > 0 {
                    self.blanks(at)
                } else {
                    self.more[0]
                },
            );
            out += token.text;
        }
        out
    }

    /// The tokens of the label, its colon included; 0 if there is none.
    pub(super) fn label(&self) -> usize {
        let mut tokens = self.tokens().iter().enumerate().skip(1);
        // All of it joins; the colon of a statement within the line has something before it that does not.
        let label = tokens.find(|(_, token)| token.is(LABEL) || !token.is(JOINS));
        label.map_or(0, |(at, token)| if token.is(LABEL) { at + 1 } else { 0 })
    }

    /// Where the columns of a chain begin.
    pub(super) fn columns(&self) -> Vec<usize> {
        let label = self.label();
        let mut columns = vec![label];
        let mut depth = 0;
        for at in label..self.code() {
            let token = &self.tokens()[at];
            if token.kind == Kind::Close {
                depth -= 1;
            }
            if at > label && depth == 0 && self.slot != Some(at) && self.gap(at) {
                columns.push(at);
            }
            if token.kind == Kind::Open {
                depth += 1;
            }
        }
        columns
    }

    /// What the bracket at a token has in it, as ranges of tokens without the commas behind them.
    pub(super) fn arguments(&self, open: usize) -> Vec<Range<usize>> {
        let mut arguments = Vec::new();
        let mut depth = 0;
        let mut start = open + 1;
        for (at, token) in self.tokens().iter().enumerate().skip(open) {
            match token.kind {
                Kind::Open => depth += 1,
                Kind::Close => depth -= 1,
                Kind::Comma if depth == 1 => {
                    arguments.push(start..at);
                    start = at + 1;
                }
                _ => {}
            }
            if depth == 0 {
                if start < at {
                    arguments.push(start..at);
                }
                break;
            }
        }
        arguments
    }

    /// Where the arguments begin if the chain begins with a call of a block.
    pub(super) fn call(&self) -> Option<(&'t str, usize)> {
        let label = self.label();
        let [name, open, ..] = self.tokens().get(label..)? else {
            return None;
        };
        let call = open.kind == Kind::Open && open.text == "(" && open.is(TIGHT);
        call.then_some((name.text, label + 1))
    }
}
