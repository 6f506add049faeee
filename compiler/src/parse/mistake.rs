//! What to say about text that does not parse.

use super::form::{FORMS, LET, word_at};
use super::habit::{COMMENT, Habit, Written, comment, habit};
use super::{Grammar, Rule};
use crate::diagnostic::{Diagnostic, codes};
use crate::span::{FileId, Span};
use pest::Parser;
use pest::error::{Error, ErrorVariant, InputLocation};

/// How the end of a statement is called.
const END: &str = "the end of the statement";

/// What a file consists of.
const ITEMS: [&str; 4] = ["import", "preset", "block", "model"];

/// The diagnostic of a statement that does not parse; `offset` is where it begins in the file.
pub(super) fn statement(file: FileId, offset: usize, text: &str) -> Diagnostic {
    let word = word_at(text, 0);
    let span = Span::new(file, offset..offset + word.len());
    if ITEMS.contains(&word) && !is_label(text) {
        let message = format!("`{word}` stands outside of models and blocks");
        return Diagnostic::new(codes::SYNTAX, span, message);
    }
    match Grammar::parse(Rule::lone_statement, text) {
        Err(error) => diagnose(file, offset, text, &error),
        Ok(_) => stray(file, offset, text),
    }
}

/// The diagnostic of an item that does not parse.
pub(super) fn item(file: FileId, offset: usize, text: &str) -> Diagnostic {
    let word = word_at(text, 0);
    if ITEMS.contains(&word) || word == LET {
        if let Err(error) = Grammar::parse(Rule::lone_item, text) {
            return diagnose(file, offset, text, &error);
        }
        return stray(file, offset, text);
    }
    if word == "cnn" {
        let span = Span::new(file, offset..offset + word.len());
        return Diagnostic::new(codes::EDITION, span, "the edition is not understood")
            .help("the first line is `cnn 1`");
    }
    if let Some(sign) = comment(text) {
        let span = Span::new(file, offset..offset + sign.len());
        return Diagnostic::new(codes::SYNTAX, span, COMMENT).fix("write it so", span, "#");
    }
    let length = token(text, 0).len();
    let span = Span::new(file, offset..offset + length);
    Diagnostic::new(
        codes::SYNTAX,
        span,
        format!("unexpected {}", shown(text, 0)),
    )
    .label("no item begins like this")
    .suggest(word, span, "items", ITEMS.into_iter().chain([LET]))
}

/// What is said of a value behind another, of which a comma, or the end of a statement, should keep it apart.
pub(super) fn apart(first: Span, second: Span, in_brackets: bool) -> Diagnostic {
    let (message, sign) = match in_brackets {
        true => ("values are separated by commas", ","),
        false => ("a statement ends with its line, or with `;`", ";"),
    };
    let between = Span {
        start: first.end,
        ..first
    };
    Diagnostic::new(codes::SYNTAX, second, message)
        .label("the next begins here")
        .fix("write it so", between, sign)
}

/// The name that a text that does not parse would have made: `let w = 4`.
pub(super) fn lost_name(text: &str) -> Option<String> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut names = text.match_indices(LET).filter_map(|(at, _)| {
        let rest = text[at + LET.len()..].strip_prefix([' ', '\t'])?;
        let name = word_at(rest.trim_start(), 0);
        (!text[..at].ends_with(part) && !name.is_empty()).then(|| name.to_owned())
    });
    names.next()
}

/// Whether the statement begins with a label, which may be any word.
fn is_label(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let rest = text.trim_start_matches(plain);
    rest.trim_start_matches([' ', '\t']).starts_with(':')
}

fn stray(file: FileId, offset: usize, text: &str) -> Diagnostic {
    let end = text.lines().next().unwrap_or("").len();
    let span = Span::new(file, offset..offset + end);
    Diagnostic::new(codes::SYNTAX, span, "this is no statement")
}

/// The diagnostic of a failed parse of `text`, which begins at `offset`.
pub(super) fn diagnose(file: FileId, offset: usize, text: &str, error: &Error<Rule>) -> Diagnostic {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at.min(text.len()),
    };
    let place = |start: usize, end: usize| Span::new(file, offset + start..offset + end);
    // The parser has given up: its stack was too small for what is around this.
    if matches!(error.variant, ErrorVariant::CustomError { .. }) {
        let message = "this is nested too deep for the stack";
        return Diagnostic::new(codes::LIMIT, place(at, at), message);
    }
    // Blanks are never what is wrong; where only they follow, the end of what there is says more.
    let blanks = text[at..].len() - text[at..].trim_start_matches([' ', '\t', '\r']).len();
    let at = match text[at..].trim() {
        "" => text[..at].trim_end().len(),
        _ => at + blanks,
    };
    if let Some(Habit {
        range,
        message,
        written,
    }) = habit(text, at)
    {
        let span = place(range.start, range.end);
        let problem = Diagnostic::new(codes::SYNTAX, span, message);
        return match written {
            Written::So(text) => problem.fix("write it so", span, text),
            Written::Like(form) => problem.help(form),
        };
    }
    let span = place(at, at + token(text, at).len());
    let expected = expected(error);
    let word = word_at(text, at);
    let alphabetic = word.starts_with(|c: char| c.is_ascii_alphabetic());
    let chained = ["branch", "residual", "route", "if"].contains(&word) || ITEMS.contains(&word);
    let starts = FORMS.iter().any(|(first, _)| *first == word) && !chained;
    let count = |set: &[char]| text[..at].matches(set).count();
    let outside = at > 0 && count(&['(', '[', '{']) == count(&[')', ']', '}']);
    if alphabetic && (expected.as_deref() == Some(END) || (starts && outside)) {
        let message = "a statement ends with its line, or with `;`";
        return Diagnostic::new(codes::SYNTAX, span, message)
            .label("the next begins here")
            .fix("write it so", place(at, at), "; ");
    }
    let mut problem = Diagnostic::new(
        codes::SYNTAX,
        span,
        format!("unexpected {}", shown(text, at)),
    );
    if let Some(expected) = expected {
        problem = problem.label(format!("expected {expected}"));
    }
    let first = word_at(text, 0);
    let form = FORMS.iter().find(|(word, _)| *word == first);
    if let Some((_, form)) = form.filter(|_| !is_label(text)) {
        problem = problem.help(format!("the form is `{form}`"));
    }
    problem
}

/// What the grammar could have gone on with, if that is a short list.
fn expected(error: &Error<Rule>) -> Option<String> {
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
        return None;
    };
    let mut names: Vec<&str> = positives
        .iter()
        .filter_map(|&rule| describe(rule))
        .collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        [init @ .., last] if names.len() <= 4 => Some(format!("{} or {last}", init.join(", "))),
        _ => None,
    }
}

fn describe(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::ident => "a name",
        Rule::path | Rule::text => "a word",
        Rule::number | Rule::extent => "a number",
        Rule::string => "a string",
        Rule::expr
        | Rule::operand
        | Rule::condition
        | Rule::simple
        | Rule::quantity
        | Rule::call => "a value",
        Rule::list => "a list",
        Rule::paren | Rule::args | Rule::params => "`(`",
        Rule::body | Rule::group | Rule::settings | Rule::arm | Rule::mapping | Rule::clauses => {
            "`{`"
        }
        Rule::infix | Rule::operator => "an operator",
        Rule::index => "`[`",
        Rule::stride => "a stride",
        Rule::word | Rule::chain => "a layer",
        Rule::label => "a label",
        Rule::colon => "`:`",
        Rule::equals => "`=`",
        Rule::within => "`in`",
        Rule::arrow => "`->`",
        Rule::EOI => END,
        _ => return None,
    })
}

/// The word, number or single character there.
pub(super) fn token(text: &str, at: usize) -> &str {
    let word = word_at(text, at);
    if !word.is_empty() {
        return word;
    }
    let rest = &text[at..];
    let length = rest
        .chars()
        .next()
        .filter(|&c| c != '\n')
        .map_or(0, char::len_utf8);
    &rest[..length]
}

fn shown(text: &str, at: usize) -> String {
    match token(text, at) {
        "" => "end of the statement".to_owned(),
        token => format!("`{token}`"),
    }
}
