//! Habits from other languages, in text that does not parse: what is written here instead.

use super::form::{FORMS, LET, TRAIN, word_at};
use crate::frameworks;
use std::ops::Range;

/// What somebody is used to.
pub(super) struct Habit {
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// What is said of it.
    pub(super) message: &'static str,
    /// What is written here.
    pub(super) written: Written,
}

/// What is written instead of a habit.
pub(super) enum Written {
    /// This, in its place.
    So(String),
    /// Something of this form, which takes more than these words.
    Like(String),
}

impl Habit {
    fn so(range: Range<usize>, message: &'static str, written: impl Into<String>) -> Option<Habit> {
        let written = Written::So(written.into());
        Some(Habit {
            range,
            message,
            written,
        })
    }

    fn like(range: Range<usize>, message: &'static str, form: impl Into<String>) -> Option<Habit> {
        let written = Written::Like(form.into());
        Some(Habit {
            range,
            message,
            written,
        })
    }
}

/// What is said of a comment of another language.
pub(super) const COMMENT: &str = "a comment begins with `#`";

const LETTER: &str = "extents are joined by the letter x";
const BATCH: &str = "shapes are without the batch";
const EQUALS: &str = "a value follows its name without `=`";
const BLANKS: &str = "values are separated by blanks";
const CALLED: &str = "parameters follow the layer, without parentheses and without `=`";
const NESTED: &str = "a layer with parameters is a statement of its own";
const NAMELESS: &str = "arguments of a block stand in its order, without names";

/// Signs that have another form here.
const SIGNS: &[(&str, &str, &str)] = &[
    ("=", EQUALS, " "),
    (
        "///",
        "`///` stands before what it documents; behind it a comment begins with `#`",
        "#",
    ),
    ("//", COMMENT, "#"),
    ("/*", COMMENT, "#"),
    ("&&", "`and` is written as a word", "and"),
    ("||", "`or` is written as a word", "or"),
    ("!", "`not` is written as a word", "not "),
];

/// What stands between layers elsewhere.
const ARROWS: &[&str] = &["->", "=>", "→", "|>", ">>", "|"];

/// How comments begin elsewhere, where a statement could begin.
const COMMENTS: &[&str] = &["//", "/*", "--", "%"];

/// What comes before a label in other languages, and says nothing here.
const TITLES: &[&str] = &[
    "layer", "node", "op", "var", "const", "tensor", "output", "outputs",
];

/// Statements with a body.
const BODIES: &[&str] = &[
    "repeat", "for", "if", "branch", "residual", "shared", "block", "model",
];

/// What is said of text that does not parse at that place, if it is a habit.
pub(super) fn habit(text: &str, at: usize) -> Option<Habit> {
    let rest = &text[at..];
    if let Some(sign) = comment(text) {
        return commented(text, 0).or_else(|| Habit::so(0..sign.len(), COMMENT, "#"));
    }
    match (word_at(text, 0), rest) {
        ("if", rest) if rest.starts_with("= ") && !text[..at].contains('{') => {
            return Habit::so(at..at + 1, "values are compared by `==`", "==");
        }
        ("weights", rest) if rest.starts_with("=>") => {
            return Habit::so(at..at + 2, "names are mapped by `->`", "->");
        }
        _ => {}
    }
    if rest.starts_with(':') {
        return colon(text, at);
    }
    if let Some(quoted) = rest.strip_prefix('\'') {
        let inside = quoted.split(['\'', '\n']).next().unwrap_or("");
        let closed = quoted[inside.len()..].starts_with('\'');
        let end = at + 1 + inside.len() + usize::from(closed);
        let message = "strings are in double quotes";
        return Habit::so(at..end, message, format!("\"{inside}\""));
    }
    if rest.starts_with("==") || (word_at(text, 0) == "weights" && rest.starts_with("->")) {
        return None;
    }
    if let Some(found) = label_with_equals(text, at)
        .or_else(|| shape(text, at))
        .or_else(|| extents(text, at))
        .or_else(|| arrows(text, at))
        .or_else(|| equals(text, at))
        .or_else(|| commas(text, at))
    {
        return Some(found);
    }
    // A failed attempt may have read the first character of the sign.
    let starts = [at.checked_sub(1), Some(at)];
    starts.into_iter().flatten().find_map(|start| {
        let rest = text.get(start..)?;
        let &(sign, message, written) = SIGNS.iter().find(|(sign, ..)| rest.starts_with(sign))?;
        let end = start + sign.len();
        if let Some(comment) = commented(text, start).filter(|_| end > at) {
            return Some(comment);
        }
        (end > at).then(|| Habit::so(start..end, message, written))?
    })
}

/// `/* … */` with something behind it, which `#` would hide.
fn commented(text: &str, start: usize) -> Option<Habit> {
    let line = text[start..].lines().next()?;
    let (inside, behind) = line.strip_prefix("/*")?.split_once("*/")?;
    let end = start + inside.len() + 4;
    let message = "a comment begins with `#` and ends with its line";
    let hidden = !behind.trim().is_empty();
    hidden.then(|| Habit::so(start..end, message, " "))?
}

/// What begins a comment elsewhere, if the text begins with it.
pub(super) fn comment(text: &str) -> Option<&'static str> {
    let begins = |sign: &&&str| text.starts_with(**sign) && !text.starts_with("///");
    COMMENTS.iter().find(begins).copied()
}

/// A colon that is not that of a label.
fn colon(text: &str, at: usize) -> Option<Habit> {
    let first = word_at(text, 0);
    if first == TRAIN {
        let message = "a value follows its name without `:`";
        return Habit::so(at..at + 1, message, " ");
    }
    if first == LET {
        return Habit::so(at..at + 1, "the value of a constant follows `=`", " =");
    }
    if first == "head" {
        return Habit::so(at..at + 1, "settings follow the head without `:`", "");
    }
    if BODIES.contains(&first) {
        let form = FORMS.iter().find(|(word, _)| *word == first);
        let form = form.map_or_else(String::new, |(_, form)| format!("the form is `{form}`"));
        return Habit::like(at..at + 1, "a body stands in braces", form);
    }
    let word = text[..at].trim_end();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
    let start = word.trim_end_matches(plain).len();
    if start == 0 || start == word.len() {
        return None;
    }
    if TITLES.contains(&text[..start].trim_end()) {
        return Habit::so(0..start, "a label is the first word of its statement", "");
    }
    Habit::so(start..start, "a label begins a statement", "; ")
}

/// `y = conv 3x3 8`
fn label_with_equals(text: &str, at: usize) -> Option<Habit> {
    let name = text[..at].trim_end();
    let word = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let layer = text[at..].strip_prefix('=')?.trim_start();
    let message = "a label is followed by `:`, not by `=`";
    let named = word && layer.starts_with(|c: char| c.is_ascii_alphabetic());
    named.then(|| Habit::so(name.len()..at + 1, message, ":"))?
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// `input x: None, 3, 32, 32`, `[3, 32, 32]`, `3 x 32 x 32`, `-1x3x32x32`: the shape of an input, however it is written.
fn shape(text: &str, at: usize) -> Option<Habit> {
    let after = text.strip_prefix("input")?;
    let start = text.len() - after.split_once(':')?.1.trim_start().len();
    let end = text[start..].find(['{', '#', '\n', ';', '}']);
    let whole = text[start..end.map_or(text.len(), |end| start + end)].trim_end();
    let end = start + whole.len();
    if !(start..=end).contains(&at) {
        return None;
    }
    let inside = whole.trim_matches(['(', ')', '[', ']']);
    let sign = |c: char| ",xX×* \t".contains(c);
    let mut parts: Vec<&str> = inside.split(sign).filter(|part| !part.is_empty()).collect();
    let batch = ["-1", "?", "None", "N", "n", "B", "batch", "null"];
    let batched = parts.first().is_some_and(|first| batch.contains(first));
    if batched {
        parts.remove(0);
    }
    if parts.is_empty() || !parts.iter().all(|part| is_number(part)) {
        return None;
    }
    let message = match batched {
        true => BATCH,
        false if whole.contains('X') => LOWER,
        false => LETTER,
    };
    Habit::so(start..end, message, parts.join("x"))
}

const LOWER: &str = "extents are joined by a lower-case x";

/// `3X3`, `3×3`, `3*3`: the extents of a kernel.
fn extents(text: &str, at: usize) -> Option<Habit> {
    let part = |c: char| c.is_ascii_digit() || "xX×*".contains(c);
    let start = text[..at].trim_end_matches(part).len();
    let end = at + text[at..].find(|c| !part(c)).unwrap_or(text.len() - at);
    let whole = &text[start..end];
    if !whole.contains(['X', '×', '*']) || !whole.split(['x', 'X', '×', '*']).all(is_number) {
        return None;
    }
    if whole.contains('*') {
        let message = "extents are joined by the letter x, and products stand in parentheses";
        return Habit::like(start..end, message, "as in `3x3` and `(4 * 16)`");
    }
    let message = if whole.contains('X') { LOWER } else { LETTER };
    Habit::so(start..end, message, whole.replace(['X', '×'], "x"))
}

/// The line from there on, without a comment, as far as it is outside of brackets that were opened before it.
fn line_from(text: &str, at: usize) -> &str {
    let line = text[at..].split('\n').next().unwrap_or("");
    let (mut depth, mut quoted) = (0usize, false);
    let end = line.char_indices().find(|&(at, c)| {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '#' => return true,
            '/' => return line[at..].starts_with("//") || line[at..].starts_with("/*"),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return true,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        false
    });
    &line[..end.map_or(line.len(), |(end, _)| end)]
}

/// Places of a sign in a line, outside of brackets and strings.
fn outside<'t>(line: &'t str, signs: &'t [&'t str]) -> impl Iterator<Item = (usize, &'t str)> {
    let (mut depth, mut quoted, mut done) = (0usize, false, 0);
    line.char_indices().filter_map(move |(at, c)| {
        match c {
            '"' => quoted = !quoted,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > 0 || quoted || at < done {
            return None;
        }
        let sign = signs.iter().find(|sign| line[at..].starts_with(**sign))?;
        done = at + sign.len();
        Some((at, *sign))
    })
}

/// Takes signs out of a line, from the first on: a blank stands for each, and for the blanks around it.
fn without(text: &str, start: usize, signs: &[&str], message: &'static str) -> Option<Habit> {
    let blank = |c: char| c == ' ' || c == '\t';
    let line = line_from(text, start);
    let (mut written, mut end) = (String::new(), 0);
    for (at, sign) in outside(line, signs) {
        written += line[end..at].trim_end_matches(blank);
        written.push(' ');
        let behind = &line[at + sign.len()..];
        end = line.len() - behind.trim_start_matches(blank).len();
    }
    let begin = text[..start].trim_end_matches(blank).len();
    let stop = start + end;
    let last = text[..stop].trim_end_matches(blank).len();
    // Blanks before what follows are its own.
    let written = match last < stop {
        true => written.trim_end(),
        false => &written,
    };
    // A comment behind them is a habit of the same line.
    let comment = start + line.len();
    if end > 0 && text[comment..].starts_with('/') {
        let written = format!("{written}{}#", &text[last..comment]);
        return Habit::so(begin..comment + 2, message, written);
    }
    (end > 0).then(|| Habit::so(begin..last, message, written))?
}

/// `conv 3x3 16 -> relu`
fn arrows(text: &str, at: usize) -> Option<Habit> {
    let compared = ["weights", "if", "let"].contains(&word_at(text, 0));
    let within = text[..at].matches('(').count() > text[..at].matches(')').count();
    if compared || within || text[at..].starts_with("||") {
        return None;
    }
    let begins = |start: usize| {
        let rest = text.get(start..)?;
        ARROWS.iter().find(|arrow| rest.starts_with(**arrow))
    };
    let before = at
        .checked_sub(1)
        .filter(|&start| begins(start).is_some_and(|arrow| start + arrow.len() > at));
    let start = before.or_else(|| begins(at).map(|_| at))?;
    let message = "layers stand behind one another, with nothing between them";
    without(text, start, ARROWS, message)
}

/// `stride=2, padding="same"`: names and values of a line that are joined by `=`, from the first on.
fn equals(text: &str, at: usize) -> Option<Habit> {
    text[at..].strip_prefix('=')?;
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let start = text[..at].trim_end().trim_end_matches(part).len();
    if let Some(call) = call(text, start) {
        return Some(call);
    }
    let (written, end) = pairs(line_from(text, start))?;
    (start + end > at).then(|| Habit::so(start..start + end, EQUALS, written))?
}

/// `Conv(3x3, filters=8)`, `concat(a, b, axis=1)`: a call with parameters.
fn call(text: &str, inside: usize) -> Option<Habit> {
    let open = text[..inside].rfind('(')?;
    let begin = text[..open]
        .trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "_.".contains(c))
        .len();
    let name = &text[begin..open];
    let args = line_from(text, open + 1);
    let end = open + 1 + args.len() + 1;
    // What it is called on is not a matter of parameters.
    let behind = text.get(end - 1..)?;
    if name.is_empty() || !behind.starts_with(')') || behind.starts_with(")(") {
        return None;
    }
    let first = args.get(..inside - open - 1)?;
    let (written, length) = pairs(&args[first.len()..])?;
    let rest = &args[first.len() + length..];
    let foreign = frameworks::layer(name, None).and_then(|row| row.keyword());
    let Some(layer) = frameworks::own_layer(name).or(foreign) else {
        return Habit::like(begin..end, NAMELESS, "as in `block(16, 64)`");
    };
    let opened = |sign: char| text[..begin].matches(sign).count();
    if opened('(') > opened(')') {
        return Habit::like(begin..end, NESTED, "its label stands in the call");
    }
    let operands = first.trim_matches([',', ' ', '\t']);
    let all = |is: fn(&str) -> bool| words(operands).all(|word| is(&word));
    let mut parts = match () {
        () if rest.contains(['(', '[', '"', '=']) => Vec::new(),
        () if all(|word| word.split('x').all(is_number)) => {
            let extents = words(operands);
            [layer.to_owned()].into_iter().chain(extents).collect()
        }
        () if all(is_name) => vec![format!("{layer}({operands})")],
        () => Vec::new(),
    };
    if parts.is_empty() {
        let form = "as in `concat(a, b) axis 1` and `conv 3x3 8 pad 1`";
        return Habit::like(begin..end, CALLED, form);
    }
    parts.push(written);
    parts.extend(words(rest));
    Habit::so(begin..end, CALLED, parts.join(" "))
}

/// A word that may name a tensor.
fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.".contains(c))
}

/// Names and values up to the last that `=` joins, as they are written here, and how far they reach.
fn pairs(line: &str) -> Option<(String, usize)> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut written, mut done) = (Vec::new(), 0);
    for (sign, _) in outside(line, &["="]) {
        let before = line[..sign].trim_end();
        let name = before.trim_end_matches(part).len();
        let value = &line[sign + 1..];
        let behind = value.trim_start_matches([' ', '\t']);
        let length = value_length(behind);
        if name < done || name == before.len() || length == 0 {
            break;
        }
        written.extend(words(&line[done..name]));
        written.push(pair(&before[name..], &behind[..length]));
        done = line.len() - behind.len() + length;
    }
    (done > 0).then(|| (written.join(" "), done))
}

/// Words of a text with commas.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split([',', ' ', '\t'])
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
}

/// Length of the value that begins the text.
fn value_length(text: &str) -> usize {
    if let Some(quote) = text.chars().next().filter(|c| "\"'".contains(*c)) {
        return text[1..].find(quote).map_or(0, |end| end + 2);
    }
    if text.starts_with(['(', '[']) {
        let inside = line_from(text, 1).len();
        let closed = text[1 + inside..].starts_with([')', ']']);
        return if closed { inside + 2 } else { 0 };
    }
    let value = |c: char| c.is_ascii_alphanumeric() || "_.+-/".contains(c);
    text.find(|c| !value(c)).unwrap_or(text.len())
}

/// A name with its value, as both are written here.
fn pair(name: &str, value: &str) -> String {
    let activation = frameworks::is_activation(name);
    let inside = value.trim_matches(['"', '\'']);
    let lower = inside.to_lowercase();
    let value = match value {
        "True" | "true" => "on".to_owned(),
        "False" | "false" => "off".to_owned(),
        _ if inside.len() == value.len() => value.to_owned(),
        _ if (activation && is_name(inside)) || frameworks::is_choice(&lower) => lower,
        _ => format!("\"{inside}\""),
    };
    match activation {
        true => value,
        false => format!("{} {value}", frameworks::parameter(name).unwrap_or(name)),
    }
}

/// `conv 3,3 8`, `conv 3x3, 8`: extents, or values, with commas between them.
fn commas(text: &str, at: usize) -> Option<Habit> {
    if !text[at..].starts_with(',') {
        return None;
    }
    if word_at(text, 0) == "route" {
        let line = line_from(text, at).len();
        let message = "`route` goes on from one tensor";
        return Habit::like(at..at + line, message, "`concat(a, b)` joins several");
    }
    // Settings in braces have lists.
    if text[..at].contains(['{', '(', '[']) {
        return Habit::so(at..at + 1, BLANKS, " ");
    }
    let digits = |c: char| c.is_ascii_digit();
    let start = text[..at].trim_end_matches(digits).len();
    let whole = text[start..]
        .find(|c| !digits(c) && c != ',')
        .unwrap_or(text.len() - start);
    let whole = &text[start..start + whole];
    if whole.split(',').all(is_number) {
        return Habit::so(start..start + whole.len(), LETTER, whole.replace(',', "x"));
    }
    without(text, at, &[","], BLANKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_written_as_here() {
        for (line, here, rest) in [
            ("pad=1", "pad 1", ""),
            (
                "padding=\"same\", strides=(2, 2) relu",
                "pad same stride (2, 2)",
                " relu",
            ),
            ("bias=False activation='relu'", "bias off relu", ""),
            ("3x3, filters=8, use_bias=True", "3x3 out 8 bias on", ""),
            ("a=1 relu b=2", "a 1 relu b 2", ""),
            ("alpha=0.1", "alpha 0.1", ""),
        ] {
            let (written, end) = pairs(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((written.as_str(), &line[end..]), (here, rest));
        }
        for line in [
            "", "=", "a=", "a==b", "a=\"b", "(a=1", "a=(1,", "a=[", "é=(é",
        ] {
            assert_eq!(pairs(line), None, "{line}");
        }
    }

    #[test]
    fn whatever_stands_there_is_read() {
        for text in [
            "x éy: relu",
            "é: é: relu",
            "conv pad=(1,\n 2)",
            "conv(é=(é",
            "input é: 3×é",
            "conv 3×",
            "relu → é, é → é",
            "route é, é",
            "input x: é3, 3",
        ] {
            for (at, _) in text.char_indices().chain([(text.len(), ' ')]) {
                if let Some(Habit {
                    range,
                    written: Written::So(written),
                    ..
                }) = habit(text, at)
                {
                    text.to_owned().replace_range(range, &written);
                }
            }
        }
    }
}
