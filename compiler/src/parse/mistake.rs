//! What to say about text that does not parse.

use super::{Grammar, Rule};
use crate::diagnostic::{Diagnostic, codes};
use crate::frameworks;
use crate::span::{FileId, Span};
use pest::Parser;
use pest::error::{Error, ErrorVariant, InputLocation};
use std::ops::Range;

/// How each statement is written, by its first word.
const FORMS: &[(&str, &str)] = &[
    ("input", "input name: 3x224x224 { resize 256 crop 224 }"),
    ("defaults", "defaults { pad half bn.eps 1e-5 }"),
    ("repeat", "repeat 3 as i { … }"),
    ("for", "for i, (a, b) in [(1, 2), (3, 4)] { … }"),
    ("if", "if a == b { … } else { … }"),
    ("branch", "branch { … }"),
    ("residual", "residual { … } shortcut auto { … }"),
    ("shortcut", "residual { … } shortcut { … }"),
    ("route", "route label"),
    ("tap", "tap label"),
    ("shared", "shared name { … }"),
    ("head", "head classify { … }"),
    ("expect", "expect { params 61_706 }"),
    (
        "weights",
        "weights map { \"name in the file\" -> \"label\" }",
    ),
    (
        TRAIN,
        "train { optimizer sgd { momentum 0.9 } rate 0.1 batch 64 epochs 4 }",
    ),
    (LET, "let name = value"),
    ("import", "import \"file.cnn\""),
    ("preset", "preset name { … }"),
    ("block", "block name(a, b) { … }"),
    ("model", "model Name { … }"),
];

/// How the end of a statement is called.
const END: &str = "the end of the statement";

const COMMENT: &str = "a comment begins with `#`";

/// What a file consists of.
const ITEMS: [&str; 4] = ["import", "preset", "block", "model"];

/// Both an item and a statement.
const LET: &str = "let";

/// The one statement with names before values on lines of their own.
const TRAIN: &str = "train";

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
    if text.starts_with("//") && !text.starts_with("///") {
        let span = Span::new(file, offset..offset + 2);
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
    if let Some((range, message, replacement)) = habit(text, at) {
        let span = place(range.start, range.end);
        return Diagnostic::new(codes::SYNTAX, span, message).fix("write it so", span, replacement);
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

/// Habits from other languages: range, message, replacement.
fn habit(text: &str, at: usize) -> Option<(Range<usize>, &'static str, String)> {
    const SIGNS: &[(&str, &str, &str)] = &[
        ("=", "a value follows its name without `=`", " "),
        (
            "///",
            "`///` stands before what it documents; behind it a comment begins with `#`",
            "#",
        ),
        ("//", COMMENT, "#"),
        ("&&", "`and` is written as a word", "and"),
        ("||", "`or` is written as a word", "or"),
        ("!", "`not` is written as a word", "not "),
        ("×", "extents are joined by the letter x", "x"),
        (",", "values are separated by blanks", " "),
    ];
    if text[at..].starts_with("==") || text[at..].starts_with("->") {
        return None;
    }
    // A label is not in the middle of a line.
    if text[at..].starts_with(':') {
        if word_at(text, 0) == TRAIN {
            let message = "a value follows its name without `:`";
            return Some((at..at + 1, message, " ".to_owned()));
        }
        let word = text[..at].trim_end();
        let start = word.rfind(|c: char| !(c.is_ascii_alphanumeric() || "_.".contains(c)))? + 1;
        let message = "a label begins a statement";
        return (start < word.len()).then(|| (start..start, message, "; ".to_owned()));
    }
    if let Some(rest) = text[at..].strip_prefix('\'') {
        let inside = rest.split(['\'', '\n']).next().unwrap_or("");
        let closed = rest[inside.len()..].starts_with('\'');
        let end = at + 1 + inside.len() + usize::from(closed);
        return Some((
            at..end,
            "strings are in double quotes",
            format!("\"{inside}\""),
        ));
    }
    let token = token(text, at);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if token.contains('X') && token.split(['X', 'x']).all(digits) {
        let message = "extents are joined by a lower-case x";
        return Some((at..at + token.len(), message, token.replace('X', "x")));
    }
    // `y = conv 3x3 8`
    let name = text[..at].trim_end();
    let word = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let layer = text[at..].strip_prefix('=').map(str::trim_start);
    if word && layer.is_some_and(|layer| layer.starts_with(|c: char| c.is_ascii_alphabetic())) {
        let message = "a label is followed by `:`, not by `=`";
        return Some((name.len()..at + 1, message, ":".to_owned()));
    }
    if let Some(found) = equals(text, at).or_else(|| commas(text, at)) {
        return Some(found);
    }
    // `Nx3x32x32`
    if text.starts_with("input")
        && let Some((batch, rest)) = token.split_once('x')
        && !digits(batch)
        && rest.split('x').all(digits)
    {
        let message = "shapes are without the batch";
        return Some((at..at + token.len(), message, rest.to_owned()));
    }
    // A failed attempt may have read the first character of the sign.
    let starts = [at.checked_sub(1), Some(at)];
    starts.into_iter().flatten().find_map(|start| {
        let rest = text.get(start..)?;
        let &(sign, message, replacement) =
            SIGNS.iter().find(|(sign, ..)| rest.starts_with(sign))?;
        let end = start + sign.len();
        (end > at).then(|| (start..end, message, replacement.to_owned()))
    })
}

/// `stride=2 padding=1`: all values of a line that follow their names with `=`, from the first on.
fn equals(text: &str, at: usize) -> Option<(Range<usize>, &'static str, String)> {
    let rest = text[at..].strip_prefix('=')?;
    let message = "a value follows its name without `=`";
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./x- \t=".contains(c);
    let line = &rest[..rest.find(|c| !plain(c)).unwrap_or(rest.len())];
    let between = |c: &str| c.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let mut end = at + 1;
    for (sign, _) in line.match_indices('=') {
        if !between(&line[..sign]) || line[sign + 1..].starts_with('=') {
            break;
        }
        end = at + 1 + sign + 1;
    }
    // An activation is a layer, without a name before it.
    let name = text[..at]
        .trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_')
        .len();
    let written = |name: &str| format!("{name} ");
    let mut parts = text[name..end].split_inclusive('=');
    let mut replacement = String::new();
    for part in &mut parts {
        let part = part.trim_end_matches('=');
        let word = part.rfind([' ', '\t']).map_or(0, |at| at + 1);
        let (before, word) = part.split_at(word);
        replacement += before;
        if !frameworks::is_activation(word) {
            replacement += &written(word);
        }
    }
    Some((name..end, message, replacement))
}

/// `3,32,32`: extents with commas.
fn commas(text: &str, at: usize) -> Option<(Range<usize>, &'static str, String)> {
    // Settings in braces have lists.
    if !text[at..].starts_with(',') || text[..at].contains(['{', '(', '[']) {
        return None;
    }
    let digits = |c: char| c.is_ascii_digit();
    let blanks: &[char] = match text.starts_with("input") {
        true => &[' ', '\t'],
        false => &[],
    };
    let before = text[..at].trim_end_matches(blanks);
    let start = before.trim_end_matches(digits).len();
    let mut extents = vec![&before[start..]];
    let mut end = at;
    while let Some(rest) = text[end..].trim_start_matches(blanks).strip_prefix(',') {
        let rest = rest.trim_start_matches(blanks);
        let length = rest.find(|c| !digits(c)).unwrap_or(rest.len());
        extents.push(&rest[..length]);
        end = text.len() - rest.len() + length;
    }
    let message = "extents are joined by the letter x";
    let whole = extents.iter().all(|extent| !extent.is_empty());
    whole.then(|| (start..end, message, extents.join("x")))
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
fn token(text: &str, at: usize) -> &str {
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

fn word_at(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or("");
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(rest.len());
    &rest[..end]
}

fn shown(text: &str, at: usize) -> String {
    match token(text, at) {
        "" => "end of the statement".to_owned(),
        token => format!("`{token}`"),
    }
}
