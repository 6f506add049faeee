//! Brackets and strings, before the grammar sees them: a partner for each, and a bound on depth.
//!
//! The grammar's parser is recursive, so depth is checked first. Where a partner is missing, the
//! odd bracket is blanked in a copy of the text (all offsets stay), so that the rest still
//! parses; the statements that were touched are not complained about a second time.

use crate::diagnostic::{Diagnostic, codes};
use crate::span::{FileId, Span};
use std::ops::Range;

/// Deepest nesting of brackets.
pub const MAX_DEPTH: usize = 64;

/// After so many the rest is not looked at.
const MAX_PROBLEMS: usize = 100;

/// A text with brackets that match.
pub struct Balanced {
    /// The text; at every byte it has, the bytes are the original's but for those blanked.
    pub text: String,
    /// What was blanked.
    pub touched: Vec<Range<usize>>,
    /// Whether braces were closed at the end of the text: what follows the first open one is then doubtful.
    pub closed_at_end: bool,
}

/// Checks and repairs; the text is `None` if nothing can be made of it.
pub fn balance(file: FileId, text: &str) -> (Option<Balanced>, Vec<Diagnostic>) {
    let mut scan = Scan {
        file,
        open: Vec::new(),
        blank: Vec::new(),
        replace: Vec::new(),
        problems: Vec::new(),
    };
    if let Err(problem) = scan.run(text) {
        scan.problems.push(*problem);
        return (None, scan.problems);
    }
    let mut bytes = text.as_bytes().to_vec();
    for range in &scan.blank {
        bytes[range.clone()].fill(b' ');
    }
    for &(at, byte) in &scan.replace {
        bytes[at] = byte;
    }
    // Braces that are still open are closed behind the last line, as a reader would.
    bytes.push(b'\n');
    bytes.resize(bytes.len() + scan.open.len(), b'}');
    // What was replaced is whole characters.
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let balanced = Balanced {
        text,
        touched: scan.blank,
        closed_at_end: !scan.open.is_empty(),
    };
    (Some(balanced), scan.problems)
}

struct Scan {
    file: FileId,
    open: Vec<(u8, usize)>,
    blank: Vec<Range<usize>>,
    /// Closing brackets that stand for others.
    replace: Vec<(usize, u8)>,
    problems: Vec<Diagnostic>,
}

impl Scan {
    fn span(&self, at: usize) -> Span {
        Span::new(self.file, at..at + 1)
    }

    fn run(&mut self, text: &str) -> Result<(), Box<Diagnostic>> {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                b'#' => at = line_end(bytes, at),
                // No statement has two slashes behind one another: what follows is prose, whatever brackets it has.
                b'/' if bytes[at..].starts_with(b"//") => at = line_end(bytes, at),
                b'"' => at = self.string(bytes, at),
                open @ (b'{' | b'(' | b'[') => {
                    self.open.push((open, at));
                    if self.open.len() > MAX_DEPTH {
                        let message = format!("brackets are nested deeper than {MAX_DEPTH}");
                        return Err(Box::new(Diagnostic::new(
                            codes::LIMIT,
                            self.span(at),
                            message,
                        )));
                    }
                }
                close @ (b'}' | b')' | b']') => self.close(close, at),
                _ => {}
            }
            if self.problems.len() > MAX_PROBLEMS {
                let message = "too many brackets without partner: this is no spec";
                return Err(Box::new(Diagnostic::new(
                    codes::BRACKET,
                    self.span(at),
                    message,
                )));
            }
            at += 1;
        }
        self.finish(text.trim_end().len());
        Ok(())
    }

    /// Returns the string's last byte.
    fn string(&mut self, bytes: &[u8], start: usize) -> usize {
        let inside = bytes[start + 1..].iter();
        let length = inside.clone().position(|&b| b == b'"' || b == b'\n');
        let line = start + 1 + length.unwrap_or(inside.len());
        if bytes.get(line) == Some(&b'"') {
            return line;
        }
        // The bracket that should follow it still counts.
        let rest = &bytes[start + 1..line];
        let bracket = rest.iter().position(|b| b"]})".contains(b));
        let mut end = bracket.map_or(line, |length| start + 1 + length);
        while end > start + 1 && bytes[end - 1].is_ascii_whitespace() {
            end -= 1;
        }
        let span = Span::new(self.file, start..end);
        let problem = Diagnostic::new(codes::STRING, span, "the string has no end on its line")
            .label("begins here")
            .fix("close it", Span::new(self.file, end..end), "\"");
        self.problems.push(problem);
        self.blank.push(start..end);
        end - 1
    }

    fn close(&mut self, close: u8, at: usize) {
        let partner = match close {
            b'}' => b'{',
            b')' => b'(',
            _ => b'[',
        };
        match self.open.last() {
            Some(&(open, _)) if open == partner => {
                self.open.pop();
            }
            // An inner bracket was forgotten: a brace ends all that is within it, other brackets end at braces.
            _ if self.closes(close, partner) => {
                while let Some((open, start)) = self.open.pop() {
                    if open == partner {
                        break;
                    }
                    self.unclosed(open, start);
                }
            }
            // `(8]`
            Some(&(open @ (b'(' | b'['), start)) if close != b'}' => {
                let right = closing(open);
                let message = format!("`{}` is closed by `{}`", open as char, close as char);
                let problem = Diagnostic::new(codes::BRACKET, self.span(at), message)
                    .also(self.span(start), "opened here")
                    .fix("close it by its partner", self.span(at), char::from(right));
                self.problems.push(problem);
                self.replace.push((at, right));
                self.open.pop();
            }
            _ => {
                let problem = Diagnostic::new(
                    codes::BRACKET,
                    self.span(at),
                    format!("`{}` closes nothing", close as char),
                )
                .fix("remove it", self.span(at), "");
                self.problems.push(problem);
                self.blank.push(at..at + 1);
            }
        }
    }

    /// Whether the partner is open, with no brace between.
    fn closes(&self, close: u8, partner: u8) -> bool {
        self.open
            .iter()
            .rev()
            .take_while(|&&(open, _)| close == b'}' || open != b'{')
            .any(|&(open, _)| open == partner)
    }

    fn unclosed(&mut self, open: u8, at: usize) {
        let close = char::from(closing(open));
        let problem = Diagnostic::new(
            codes::BRACKET,
            self.span(at),
            format!("`{}` is never closed", open as char),
        )
        .label(format!("`{close}` is missing"));
        self.problems.push(problem);
        self.blank.push(at..at + 1);
    }

    /// Parentheses open at the end are blanked; braces stay open and are closed by the caller.
    fn finish(&mut self, end: usize) {
        let open = std::mem::take(&mut self.open);
        for (bracket, at) in open {
            if bracket == b'{' {
                let problem = Diagnostic::new(codes::BRACKET, self.span(at), "`{` is never closed")
                    .label("`}` is missing")
                    .fix("close it at the end", Span::new(self.file, end..end), "\n}");
                self.problems.push(problem);
                self.open.push((bracket, at));
            } else {
                self.unclosed(bracket, at);
            }
        }
    }
}

fn closing(open: u8) -> u8 {
    match open {
        b'{' => b'}',
        b'(' => b')',
        _ => b']',
    }
}

/// The index of the line's newline, or of the end.
fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..]
        .iter()
        .position(|&b| b == b'\n')
        .map_or(bytes.len(), |length| from + length)
}
