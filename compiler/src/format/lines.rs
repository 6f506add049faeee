//! What stands on each line, and how far in.

use crate::parse::tokens::{ITEM, JOINS, Kind, TIGHT, Token};

/// A line of the result.
pub(super) struct Line<'t> {
    /// What stands on it; the last may be a comment.
    pub tokens: Vec<Token<'t>>,
    /// How many brackets it stands in, those that were opened on one line being one.
    pub depth: usize,
    /// Whether a blank line is before it.
    pub spaced: bool,
    /// Whether all brackets that are opened on it are closed on it, and the other way round.
    pub whole: bool,
}

/// The lines of a text.
pub(super) fn lines(tokens: Vec<Token<'_>>) -> Vec<Line<'_>> {
    let mut tokens = without_semicolons(tokens);
    break_lines(&mut tokens);
    let mut lines: Vec<Line> = Vec::new();
    // Depths of the lines on which brackets were opened that are open.
    let mut open: Vec<usize> = Vec::new();
    for token in tokens {
        if token.lines > 0 || lines.is_empty() {
            let depth = match (token.kind, open.last()) {
                (_, None) => 0,
                (Kind::Close, Some(&depth)) => depth,
                (_, Some(&depth)) => depth + 1,
            };
            lines.push(Line {
                tokens: Vec::new(),
                depth,
                spaced: token.lines > 1,
                whole: true,
            });
        }
        let Some(line) = lines.last_mut() else {
            continue;
        };
        match token.kind {
            Kind::Open => open.push(line.depth),
            Kind::Close => _ = open.pop(),
            _ => {}
        }
        line.tokens.push(token);
    }
    for line in &mut lines {
        line.whole = whole(&line.tokens);
    }
    lines
}

fn whole(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0_usize;
    for token in tokens {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close if depth == 0 => return false,
            Kind::Close => depth -= 1,
            _ => {}
        }
    }
    depth == 0
}

/// Without those that separate nothing: at the end of a line, and at either end of braces.
fn without_semicolons(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let mut kept: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut lines = 0;
    for (at, token) in tokens.iter().enumerate() {
        let mut token = *token;
        token.lines = token.lines.max(std::mem::take(&mut lines));
        let idle = match (kept.last(), tokens.get(at + 1)) {
            (None, _) | (_, None) => true,
            (Some(before), Some(next)) => {
                token.lines > 0
                    || before.kind == Kind::Open
                    || next.lines > 0
                    || next.is(ITEM)
                    || matches!(
                        next.kind,
                        Kind::Close | Kind::Semicolon | Kind::Comment | Kind::Doc
                    )
            }
        };
        match token.kind == Kind::Semicolon && idle {
            true => lines = token.lines,
            false => kept.push(token),
        }
    }
    kept
}

/// Decides where lines begin: `Token::lines` becomes 0, 1, or 2 for a blank line.
fn break_lines(tokens: &mut [Token<'_>]) {
    // Where brackets are open that have the next token within them, and whether a line begins there.
    let mut open: Vec<(usize, bool)> = Vec::new();
    for at in 0..tokens.len() {
        let before = at.checked_sub(1).map(|before| tokens[before].kind);
        let token = &mut tokens[at];
        token.lines = match before {
            None => 0,
            Some(Kind::Comment | Kind::Doc) => token.lines.clamp(1, 2),
            _ if token.kind == Kind::Doc || token.is(ITEM) => token.lines.clamp(1, 2),
            _ if token.is(JOINS) || token.kind == Kind::Comma => 0,
            // What is tight and begins a line is an operand.
            _ if token.is(TIGHT) && token.kind != Kind::Plain => 0,
            Some(Kind::Open) => token.lines.min(1),
            _ if token.kind == Kind::Close => token.lines.min(1),
            _ => token.lines.min(2),
        };
        let broken = token.lines > 0;
        if let Some((_, within)) = open.last_mut() {
            *within |= broken;
        }
        match token.kind {
            Kind::Open => open.push((at, false)),
            Kind::Close => {
                let Some((start, broken)) = open.pop() else {
                    continue;
                };
                if broken && tokens[start].text == "{" {
                    tokens[at].lines = tokens[at].lines.max(1);
                    let first = &mut tokens[start + 1];
                    // A comment may stand behind the brace.
                    if first.kind != Kind::Comment {
                        first.lines = first.lines.max(1);
                    }
                }
                if let Some((_, within)) = open.last_mut() {
                    *within |= broken;
                }
            }
            _ => {}
        }
    }
}
