//! How tensors are called in weights files: `weights torchvision`, `weights map { … }`.

use super::label::{Naming, follower};
use super::{Note, Resolver};
use crate::ast::Name;
use crate::diagnostic::{Diagnostic, codes};
use crate::graph::Span;
use std::collections::HashMap;

/// A rule for names.
pub(super) enum Rule {
    Torchvision,
    /// Name in the file, label.
    Map(Vec<(Pattern, Pattern)>),
}

/// `layer{i+1}.{j}.*`
pub(super) struct Pattern(Vec<Piece>);

enum Piece {
    Text(String),
    /// `{i+1}`: one component or number, and what is added to it.
    Variable(String, i64),
    Rest,
}

/// Most texts and variables in a pattern.
const MAX_PIECES: usize = 32;
/// Most steps of matching one label with one pattern.
const MAX_MATCHING: usize = 100_000;

impl Resolver<'_> {
    /// A `weights` statement.
    pub(super) fn weights_rule(&mut self, rule: &Name, map: &[(Name, Name)]) {
        match rule.value.as_str() {
            "torchvision" if map.is_empty() => self.rules.push(Rule::Torchvision),
            "map" => {
                let mut pairs = Vec::new();
                for (file, label) in map {
                    let Some(label_pattern) = self.pattern(label, false) else {
                        continue;
                    };
                    let Some(file_pattern) = self.pattern(file, true) else {
                        continue;
                    };
                    if let Some(name) = file_pattern.unknown(&label_pattern) {
                        let message = format!("`{{{name}}}` is not in the label pattern");
                        let problem = Diagnostic::new(codes::WEIGHTS, file.span, message);
                        self.error(problem.also(label.span, "which is this"));
                        continue;
                    }
                    pairs.push((file_pattern, label_pattern));
                }
                self.rules.push(Rule::Map(pairs));
            }
            other => {
                let message = match other {
                    "keras" | "darknet" => format!("weights named by {other} cannot be read yet"),
                    "torchvision" => "`weights torchvision` has no map".to_owned(),
                    _ => format!("`{other}` is no rule for weight names"),
                };
                let problem = Diagnostic::new(codes::WEIGHTS, rule.span, message)
                    .suggest(other, rule.span, "rules", ["torchvision", "map"])
                    .help(
                        "spell the rule out: `weights map { \"name in the file\" -> \"label\" }`",
                    );
                self.error(problem);
            }
        }
    }

    fn pattern(&mut self, text: &Name, arithmetic: bool) -> Option<Pattern> {
        match Pattern::read(&text.value, arithmetic) {
            Ok(pattern) => Some(pattern),
            Err(why) => {
                self.error(Diagnostic::new(codes::WEIGHTS, text.span, why));
                None
            }
        }
    }

    /// The name of a parameter in the weights file.
    pub(super) fn tensor_name(&self, note: &Note, path: &str, role: &str) -> String {
        let whole = format!("{path}.{role}");
        for rule in &self.rules {
            match rule {
                Rule::Torchvision => return format!("{}.{role}", torchvision(note, path)),
                Rule::Map(pairs) => {
                    for (file, label) in pairs {
                        let named = |text| label.matches(text).and_then(|found| file.fill(&found));
                        if let Some(name) = named(path) {
                            return format!("{name}.{role}");
                        }
                        if let Some(name) = named(&whole) {
                            return name;
                        }
                    }
                }
            }
        }
        whole
    }

    /// No two parameters may be read from the same tensor.
    pub(super) fn check_tensor_names(&mut self) {
        let mut first: HashMap<&str, Span> = HashMap::new();
        let mut problem = None;
        for param in self.graph.params.values() {
            if let Some(&span) = first.get(param.name.as_str()) {
                let message = format!("two layers take their weights from `{}`", param.name);
                problem.get_or_insert_with(|| {
                    Diagnostic::new(codes::WEIGHTS, param.span, message)
                        .also(span, "the first")
                        .help(
                            "layers that are to have the same weights stand in a `shared` network",
                        )
                });
            }
            first.insert(&param.name, param.span);
        }
        // Labels that are there twice have been complained about.
        if let Some(problem) = problem
            && !self.incomplete
        {
            self.error(problem);
        }
    }
}

/// torchvision's names: a batch norm is called by its convolution, stages count from 1.
fn torchvision(note: &Note, path: &str) -> String {
    let named = match &note.weights {
        Naming::Follower {
            label,
            keyword: keyword @ "bn",
            nth: 1,
        } => {
            let (prefix, last) = split(label);
            match last {
                "downsample" => format!("{label}.1"),
                conv if conv.starts_with("conv") => format!("{prefix}bn{}", &conv[4..]),
                number => match number.parse::<u32>() {
                    Ok(number) => format!("{prefix}{}", u64::from(number) + 1),
                    Err(_) => follower(label, keyword, 1),
                },
            }
        }
        Naming::Given(label) if split(label).1 == "downsample" => format!("{label}.0"),
        _ => path.to_owned(),
    };
    match named.split_once('.') {
        Some((stage, rest)) if note.staged => match stage.parse::<u32>() {
            Ok(stage) => format!("layer{}.{rest}", u64::from(stage) + 1),
            Err(_) => named,
        },
        _ => named,
    }
}

/// The path up to its last dot, and what follows.
fn split(path: &str) -> (&str, &str) {
    path.rfind('.')
        .map_or(("", path), |dot| path.split_at(dot + 1))
}

impl Pattern {
    fn read(text: &str, arithmetic: bool) -> Result<Pattern, String> {
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
                continue;
            }
            let end = rest[at..].find('}').ok_or("`{` is never closed")?;
            let inside = rest[at + 1..at + end].trim();
            pieces.push(variable(inside, arithmetic)?);
            rest = &rest[at + end + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        if pieces.is_empty() {
            return Err("the pattern is empty".to_owned());
        }
        if pieces.len() > MAX_PIECES {
            return Err(format!("a pattern has at most {MAX_PIECES} parts"));
        }
        Ok(Pattern(pieces))
    }

    /// A variable (or `*`, as `*`) that the other pattern does not have.
    fn unknown(&self, other: &Pattern) -> Option<&str> {
        self.names()
            .find(|name| !other.names().any(|known| known == *name))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Variable(name, _) => Some(name.as_str()),
            Piece::Rest => Some("*"),
        })
    }

    /// What each variable stands for, if the text is of this pattern.
    fn matches<'t>(&self, text: &'t str) -> Option<Vec<(&str, &'t str)>> {
        let mut found = Vec::new();
        let mut steps = MAX_MATCHING;
        matches(&self.0, text, &mut found, &mut steps).then_some(found)
    }

    /// The text with those values; `None` if what is added to is no number.
    fn fill(&self, found: &[(&str, &str)]) -> Option<String> {
        let value = |name: &str| {
            found
                .iter()
                .find(|(known, _)| *known == name)
                .map_or("", |(_, value)| value)
        };
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => Some(text.clone()),
            Piece::Rest => Some(value("*").to_owned()),
            Piece::Variable(name, 0) => Some(value(name).to_owned()),
            Piece::Variable(name, plus) => {
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
    found: &mut Vec<(&'p str, &'t str)>,
    steps: &mut usize,
) -> bool {
    let Some((piece, rest)) = pieces.split_first() else {
        return text.is_empty();
    };
    let name = match piece {
        Piece::Text(literal) => {
            return text
                .strip_prefix(literal.as_str())
                .is_some_and(|text| matches(rest, text, found, steps));
        }
        Piece::Variable(name, _) => name.as_str(),
        Piece::Rest => "*",
    };
    let most = match piece {
        Piece::Rest => text.len(),
        _ => text.find('.').unwrap_or(text.len()),
    };
    let least = usize::from(name != "*");
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

fn variable(inside: &str, arithmetic: bool) -> Result<Piece, String> {
    let (name, plus) = match inside.find(['+', '-']) {
        None => (inside, 0),
        Some(_) if !arithmetic => {
            return Err("arithmetic belongs to the name in the file, not to the label".to_owned());
        }
        Some(at) => {
            let number: i64 = inside[at + 1..]
                .trim()
                .parse::<u32>()
                .map_err(|_| format!("`{{{inside}}}` is no variable plus or minus a number"))?
                .into();
            let number = if inside[at..].starts_with('-') {
                -number
            } else {
                number
            };
            (inside[..at].trim(), number)
        }
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(format!("`{{{inside}}}` is no variable"));
    }
    Ok(Piece::Variable(name.to_owned(), plus))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(file: &str, label: &str, text: &str) -> Option<String> {
        let (file, label) = (
            Pattern::read(file, true).unwrap(),
            Pattern::read(label, false).unwrap(),
        );
        label.matches(text).and_then(|found| file.fill(&found))
    }

    #[test]
    fn patterns_capture_components_numbers_and_the_rest() {
        let stage = map("layer{i+1}.{j}.*", "{i}.{j}.*", "0.2.conv1");
        assert_eq!(stage.as_deref(), Some("layer1.2.conv1"));
        let norm = map("*.bn{i}", "*.conv{i}_bn", "layer1.0.conv2_bn");
        assert_eq!(norm.as_deref(), Some("layer1.0.bn2"));
        assert_eq!(map("a{i}", "b{i}", "b1.c"), None);
        assert_eq!(map("x", "y", "z"), None);
        assert_eq!(map("{i}", "{i}.{i}", "3.3").as_deref(), Some("3"));
        assert_eq!(map("{i}", "{i}.{i}", "3.4"), None);
        assert_eq!(map("layer{i+1}", "{i}", "last"), None);
    }

    #[test]
    fn broken_patterns_are_refused() {
        for (text, arithmetic) in [
            ("{", true),
            ("{}", true),
            ("a*b*", true),
            ("{i+x}", true),
            ("{i+1}", false),
            ("", true),
        ] {
            assert!(Pattern::read(text, arithmetic).is_err(), "{text}");
        }
    }

    #[test]
    fn matching_is_bounded() {
        let pattern = Pattern::read("{a}{b}{c}{d}{e}{f}{g}{h}{i}!", false).unwrap();
        assert!(pattern.matches(&"x".repeat(200)).is_none());
    }
}
