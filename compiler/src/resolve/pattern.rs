//! Patterns of names: `layer{i+1}.{j}.*`.

use std::str::CharIndices;

/// A pattern of names.
pub(super) struct Pattern(Vec<Piece>);

enum Piece {
    Text(String),
    /// `{i+1}`, `{part:word}`: what it stands for, and what is added to it.
    Variable {
        name: String,
        kind: Kind,
        plus: i64,
    },
    Rest,
}

/// What a variable stands for.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// `{i}`: digits.
    Number,
    /// `{part:word}`: one component of a path, or a part of it.
    Word,
}

/// Most texts and variables in a pattern.
const MAX_PIECES: usize = 32;
/// Most steps of matching one label with one pattern.
const MAX_MATCHING: usize = 100_000;

/// On which side of a pair a pattern stands.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Side {
    /// The name in the file: variables are filled in, with arithmetic.
    File,
    /// The label: it says what variables stand for.
    Label,
}

/// What the variables of a pattern stand for.
pub(super) type Found<'p, 't> = Vec<(&'p str, &'t str)>;

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// One sentence: what is wrong with it.
    pub(super) fn read(text: &str, side: Side) -> Result<Pattern, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '*']) {
            if at > 0 {
                pieces.push(Piece::Text(rest[..at].to_owned()));
            }
            if rest[at..].starts_with('*') {
                if pieces.iter().any(|piece| matches!(piece, Piece::Rest)) {
                    return Err("a pattern has one `*` at most".to_owned());
                }
                pieces.push(Piece::Rest);
                rest = &rest[at + 1..];
            } else {
                let end = rest[at..].find('}').ok_or("`{` is never closed")?;
                pieces.push(variable(rest[at + 1..at + end].trim(), side)?);
                rest = &rest[at + end + 1..];
            }
            if pieces.len() > MAX_PIECES {
                return Err(format!("a pattern has at most {MAX_PIECES} parts"));
            }
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        if pieces.is_empty() {
            return Err("the pattern is empty".to_owned());
        }
        Ok(Pattern(pieces))
    }

    /// A variable (or `*`, as `*`) that the other pattern does not have.
    pub(super) fn unknown(&self, other: &Pattern) -> Option<&str> {
        self.names()
            .find(|name| !other.names().any(|known| known == *name))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Variable { name, .. } => Some(name.as_str()),
            Piece::Rest => Some("*"),
        })
    }

    /// The text that it begins with, and whether that is all.
    pub(super) fn prefix(&self) -> (&str, bool) {
        match self.0.as_slice() {
            [Piece::Text(text), rest @ ..] => (text, rest.is_empty()),
            _ => ("", false),
        }
    }

    /// What each variable stands for, if the text is of this pattern; and the steps that it took.
    pub(super) fn matches<'t>(&self, text: &'t str) -> (Option<Found<'_, 't>>, usize) {
        let mut found = Vec::new();
        let mut steps = MAX_MATCHING;
        let fits = matches(&self.0, text, &mut found, &mut steps);
        (fits.then_some(found), MAX_MATCHING - steps)
    }

    /// The text with those values; `None` if what is added to is no number.
    pub(super) fn fill(&self, found: &[(&str, &str)]) -> Option<String> {
        let value = |name: &str| {
            found
                .iter()
                .find(|(known, _)| *known == name)
                .map_or("", |(_, value)| value)
        };
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => Some(text.clone()),
            Piece::Rest => Some(value("*").to_owned()),
            Piece::Variable { name, plus: 0, .. } => Some(value(name).to_owned()),
            Piece::Variable { name, plus, .. } => {
                let number: i64 = value(name).parse().ok()?;
                Some(number.checked_add(*plus)?.to_string())
            }
        };
        self.0.iter().map(piece).collect()
    }
}

fn matches<'p, 't>(
    pieces: &'p [Piece],
    text: &'t str,
    found: &mut Found<'p, 't>,
    steps: &mut usize,
) -> bool {
    let Some((piece, rest)) = pieces.split_first() else {
        return text.is_empty();
    };
    let run = |taken: fn(char) -> bool| {
        let mut chars: CharIndices<'_> = text.char_indices();
        chars
            .find(|&(_, c)| !taken(c))
            .map_or(text.len(), |(at, _)| at)
    };
    let (name, least, most) = match piece {
        Piece::Text(literal) => {
            return text
                .strip_prefix(literal.as_str())
                .is_some_and(|text| matches(rest, text, found, steps));
        }
        Piece::Variable { name, kind, .. } => match kind {
            Kind::Number => (name.as_str(), 1, run(|c| c.is_ascii_digit())),
            Kind::Word => (name.as_str(), 1, run(|c| c != '.')),
        },
        Piece::Rest => ("*", 0, text.len()),
    };
    // The longest first, at whole characters.
    for end in (least..=most)
        .rev()
        .filter(|&end| text.is_char_boundary(end))
    {
        if *steps == 0 {
            return false;
        }
        *steps -= 1;
        if let Some((_, before)) = found.iter().find(|(known, _)| *known == name)
            && *before != &text[..end]
        {
            continue;
        }
        found.push((name, &text[..end]));
        if matches(rest, &text[end..], found, steps) {
            return true;
        }
        found.pop();
    }
    false
}

/// What stands in braces.
fn variable(inside: &str, side: Side) -> Result<Piece, String> {
    let (name, kind) = match inside.split_once(':') {
        None => (inside, Kind::Number),
        Some(_) if side == Side::File => {
            return Err("what a variable stands for is said in the label".to_owned());
        }
        Some((name, "word")) => (name.trim(), Kind::Word),
        Some((_, kind)) => {
            return Err(format!(
                "a variable is a number or a `word`, not a `{kind}`"
            ));
        }
    };
    let (name, plus) = match name.find(['+', '-']) {
        None => (name, 0),
        Some(_) if side == Side::Label => {
            return Err("arithmetic belongs to the name in the file, not to the label".to_owned());
        }
        Some(at) => {
            let number: i64 = name[at + 1..]
                .trim()
                .parse::<u32>()
                .map_err(|_| format!("`{{{inside}}}` is no variable plus or minus a number"))?
                .into();
            let minus = name[at..].starts_with('-');
            (name[..at].trim(), if minus { -number } else { number })
        }
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(format!("`{{{inside}}}` is no variable"));
    }
    let name = name.to_owned();
    Ok(Piece::Variable { name, kind, plus })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(file: &str, label: &str, text: &str) -> Option<String> {
        let file = Pattern::read(file, Side::File).unwrap();
        let label = Pattern::read(label, Side::Label).unwrap();
        label.matches(text).0.and_then(|found| file.fill(&found))
    }

    #[test]
    fn patterns_capture_numbers_words_and_the_rest() {
        let stage = map("layer{i+1}.{j}.*", "{i}.{j}.*", "0.2.conv1");
        assert_eq!(stage.as_deref(), Some("layer1.2.conv1"));
        let norm = map("*.bn{i}", "*.conv{i}_bn", "layer1.0.conv2_bn");
        assert_eq!(norm.as_deref(), Some("layer1.0.bn2"));
        assert_eq!(map("a{i}", "b{i}", "b1.c"), None);
        assert_eq!(map("x", "y", "z"), None);
        assert_eq!(map("{i}", "{i}.{i}", "3.3").as_deref(), Some("3"));
        assert_eq!(map("{i}", "{i}.{i}", "3.4"), None);
        assert_eq!(map("layer{i+1}", "{i}", "last"), None);
        // Digits, unless the label says otherwise.
        assert_eq!(map("k{i}", "conv{i}", "conv1_bn"), None);
        assert_eq!(
            map("k{i}", "conv{i:word}", "conv1_bn").as_deref(),
            Some("k1_bn")
        );
        assert_eq!(map("k{i}", "{i:word}.b", "a.b").as_deref(), Some("ka"));
        assert_eq!(map("k{i}", "{i:word}.c", "a.b.c"), None);
        assert_eq!(map("k{i+1}", "{i:word}", "a"), None);
    }

    #[test]
    fn broken_patterns_are_refused() {
        for (text, side) in [
            ("{", Side::File),
            ("{}", Side::File),
            ("a*b*", Side::File),
            ("{i+x}", Side::File),
            ("{i:word}", Side::File),
            ("{i+1}", Side::Label),
            ("{i:text}", Side::Label),
            ("", Side::File),
        ] {
            assert!(Pattern::read(text, side).is_err(), "{text}");
        }
    }

    #[test]
    fn matching_is_bounded() {
        let text = "{a:word}{b:word}{c:word}{d:word}{e:word}{f:word}{g:word}{h:word}!";
        let pattern = Pattern::read(text, Side::Label).unwrap();
        assert!(pattern.matches(&"x".repeat(200)).0.is_none());
    }
}
