//! A text as tokens, each with what the grammar says of it: what a printer needs, comments and line breaks included.
//!
//! The tree has no comments, and a token by itself does not know whether a `-` is a sign or a difference, or whether a `{` belongs to the
//! `repeat` above it. Here the grammar's pairs say so, and what lies between them is keywords, brackets and blanks.

use super::Rule;
use super::brackets;
use super::build::Pair;
use super::grammar::Grammar;
use super::parse;
use crate::diagnostic::Diagnostic;
use crate::span::FileId;
use pest::Parser;

/// A word, a value, a sign or a comment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'t> {
    /// As it is written, without blanks around it.
    pub text: &'t str,
    /// What it is.
    pub kind: Kind,
    /// Line breaks before it,
    pub lines: usize,
    /// and blanks behind the last of them.
    pub blanks: usize,
    /// What the grammar says of it: [`TIGHT`], [`JOINS`] and so on.
    pub marks: u8,
}

impl Token<'_> {
    /// Whether that is said of it.
    pub(crate) fn is(&self, mark: u8) -> bool {
        self.marks & mark != 0
    }
}

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// `# …`
    Comment,
    /// `/// …`
    Doc,
    /// `{`, `(` or `[`
    Open,
    /// `}`, `)` or `]`
    Close,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// Any other.
    Plain,
}

/// No blank stands before it.
pub(crate) const TIGHT: u8 = 1;
/// It stands on the line of the token before it.
pub(crate) const JOINS: u8 = 2;
/// An item of the file begins.
pub(crate) const ITEM: u8 = 4;
/// A chain begins that is a statement, with its label if it has one.
pub(crate) const CHAIN: u8 = 8;
/// The colon behind a label.
pub(crate) const LABEL: u8 = 16;
/// An arrow between two names, and the name before it.
pub(crate) const NAMED: u8 = 32;

/// The tokens of a text that has no syntax errors.
///
/// # Errors
/// What [`parse`](fn@parse) says of it.
pub(crate) fn tokens(id: FileId, text: &str) -> Result<Vec<Token<'_>>, Vec<Diagnostic>> {
    let parsed = parse(id, text);
    if !parsed.problems.is_empty() {
        return Err(parsed.problems);
    }
    let (Some(balanced), _) = brackets::balance(id, text) else {
        return Ok(Vec::new());
    };
    let mut reader = Reader {
        text,
        marks: vec![0; balanced.text.len() + 1],
        leaves: Vec::new(),
    };
    if let Ok(pairs) = Grammar::parse(Rule::file, &balanced.text) {
        pairs.for_each(|pair| reader.read(&pair));
    }
    Ok(reader.cut())
}

/// Walks the pairs.
struct Reader<'t> {
    text: &'t str,
    /// What is said of the token at each byte.
    marks: Vec<u8>,
    /// Where tokens begin and end that are pairs.
    leaves: Vec<(usize, usize)>,
}

impl<'t> Reader<'t> {
    fn mark(&mut self, at: usize, mark: u8) {
        self.marks[at] |= mark;
    }

    fn read(&mut self, pair: &Pair<'_>) {
        let at = start(pair);
        let leaf = match pair.as_rule() {
            Rule::doc
            | Rule::ident
            | Rule::path
            | Rule::number
            | Rule::extent
            | Rule::string
            | Rule::operator
            | Rule::within
            | Rule::equals
            | Rule::text
            | Rule::plain => true,
            Rule::quantity | Rule::extents | Rule::negative | Rule::stride | Rule::short => {
                !pair.as_str().contains('(')
            }
            _ => false,
        };
        if leaf {
            self.leaves.push((at, pair.as_span().end()));
            return;
        }
        match pair.as_rule() {
            Rule::arrow | Rule::colon => {
                let arrow = pair.as_rule() == Rule::arrow;
                self.mark(at, if arrow { NAMED } else { TIGHT });
                self.leaves.push((at, pair.as_span().end()));
                return;
            }
            Rule::infix | Rule::prefix => {
                self.sign(pair);
                return;
            }
            // `3x(s)x(s)`: the `x` is no pair.
            Rule::quantity => {
                for part in pair.clone().into_inner().skip(1) {
                    let at = start(&part);
                    self.mark(at, TIGHT);
                    self.mark(at - 1, TIGHT);
                }
            }
            Rule::stride | Rule::short => self.mark(at + 1, TIGHT),
            Rule::args | Rule::index | Rule::params => self.mark(at, TIGHT),
            Rule::label => self.label(pair),
            Rule::mapping => {
                for name in pair.clone().into_inner().step_by(3) {
                    self.mark(start(&name), NAMED);
                }
            }
            Rule::edition | Rule::item => self.mark(at, ITEM),
            Rule::statement => self.statement(pair),
            // What opens them may stand on the next line.
            Rule::body
            | Rule::settings
            | Rule::clauses
            | Rule::otherwise
            | Rule::shortcut
            | Rule::arm => self.mark(at, JOINS),
            _ => {}
        }
        if pair.as_rule() == Rule::group {
            // But for that of a group, which is a statement by itself.
            let body = pair.clone().into_inner().next();
            let parts = body.map(|body| body.into_inner());
            parts
                .into_iter()
                .flatten()
                .for_each(|part| self.read(&part));
            return;
        }
        pair.clone().into_inner().for_each(|part| self.read(&part));
    }

    /// An operator has blanks on both sides where it has one on either, unless it is a word; a sign has none behind it.
    fn sign(&mut self, pair: &Pair<'_>) {
        let (at, end) = (start(pair), pair.as_span().end());
        self.leaves.push((at, end));
        if pair.as_str().starts_with(|c: char| c.is_ascii_alphabetic()) {
            return;
        }
        let blank = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || c == '#');
        let behind = self.text[end..].find(|c: char| !c.is_whitespace());
        let behind = end + behind.unwrap_or(0);
        match pair.as_rule() {
            Rule::prefix => self.mark(behind, TIGHT | JOINS),
            _ if !blank(self.text[..at].chars().next_back())
                && !blank(self.text[end..].chars().next()) =>
            {
                self.mark(at, TIGHT);
                self.mark(behind, TIGHT);
            }
            _ => {}
        }
    }

    /// `layer{i+1}.{j}:`, on one line. Its braces are no brackets of statements.
    fn label(&mut self, pair: &Pair<'_>) {
        let span = pair.as_span();
        for at in span.start() + 1..span.end() {
            self.mark(at, JOINS);
        }
        for part in pair.clone().into_inner() {
            let (at, end) = (start(&part), part.as_span().end());
            match part.as_rule() {
                Rule::colon => self.mark(at, LABEL),
                _ if part.as_str().starts_with('{') => {
                    let inside = at + 1 + skip(&self.text[at + 1..]);
                    self.mark(inside, TIGHT);
                    self.mark(end - 1, TIGHT);
                    self.leaves.extend([(at, at + 1), (end - 1, end)]);
                }
                _ => {}
            }
            if at > span.start() {
                self.mark(at, TIGHT);
            }
        }
    }

    fn statement(&mut self, pair: &Pair<'_>) {
        let mut parts = pair.clone().into_inner();
        let Some(first) = parts.find(|part| part.as_rule() != Rule::doc) else {
            return;
        };
        let chain = match first.as_rule() {
            Rule::label => parts.next(),
            _ => Some(first.clone()),
        };
        let Some(chain) = chain.filter(|part| part.as_rule() == Rule::chain) else {
            return;
        };
        let begins = chain.into_inner().next();
        if begins.is_none_or(|term| term.as_rule() != Rule::when) {
            self.mark(start(&first), CHAIN);
        }
    }

    /// The tokens, and what lies between the pairs as more of them.
    fn cut(mut self) -> Vec<Token<'t>> {
        self.leaves.sort_unstable();
        let mut cutter = Cutter {
            text: self.text,
            marks: &self.marks,
            lines: 0,
            blanks: 0,
            tokens: Vec::new(),
            otherwise: false,
        };
        let mut at = 0;
        for &(start, end) in &self.leaves {
            let end = end.min(self.text.len());
            cutter.between(at, start);
            cutter.push(start, end, Kind::Plain, false);
            at = end;
        }
        cutter.between(at, self.text.len());
        cutter.tokens
    }
}

struct Cutter<'t, 'm> {
    text: &'t str,
    marks: &'m [u8],
    lines: usize,
    blanks: usize,
    tokens: Vec<Token<'t>>,
    /// Whether the token before is the keyword `else`.
    otherwise: bool,
}

impl<'t> Cutter<'t, '_> {
    fn push(&mut self, start: usize, end: usize, kind: Kind, keyword: bool) {
        let text = self.text[start..end].trim_end();
        if text.is_empty() {
            return;
        }
        let mut marks = self.marks[start];
        let otherwise = keyword && text == "else";
        if otherwise || (keyword && self.otherwise && text == "if") {
            marks |= JOINS;
        }
        self.otherwise = otherwise;
        let kind = match text.starts_with("///") {
            true => Kind::Doc,
            false => kind,
        };
        self.tokens.push(Token {
            text,
            kind,
            lines: std::mem::take(&mut self.lines),
            blanks: std::mem::take(&mut self.blanks),
            marks,
        });
    }

    /// Blanks, comments, brackets and keywords.
    fn between(&mut self, from: usize, to: usize) {
        let mut at = from;
        while at < to {
            let rest = &self.text[at..to];
            let Some(first) = rest.chars().next() else {
                break;
            };
            let length = match first {
                '#' => rest.find('\n').unwrap_or(rest.len()),
                c if c.is_ascii_alphanumeric() => rest
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                    .unwrap_or(rest.len()),
                c => c.len_utf8(),
            };
            let kind = match first {
                '#' => Kind::Comment,
                '{' | '(' | '[' => Kind::Open,
                '}' | ')' | ']' => Kind::Close,
                ',' => Kind::Comma,
                ';' => Kind::Semicolon,
                _ => Kind::Plain,
            };
            match first {
                '\n' => {
                    self.lines += 1;
                    self.blanks = 0;
                }
                // A tab is a gap, as wide as it looks.
                '\t' => self.blanks += 2,
                ' ' => self.blanks += 1,
                '\r' | '\u{feff}' => {}
                _ => self.push(at, at + length, kind, true),
            }
            at += length;
        }
    }
}

fn start(pair: &Pair<'_>) -> usize {
    pair.as_span().start()
}

/// How many bytes of blanks a text begins with.
fn skip(text: &str) -> usize {
    text.len() - text.trim_start().len()
}
