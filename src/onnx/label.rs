//! Labels: what layers are called in the file, as far as it speaks.

use super::net::Hint;
use std::collections::{HashMap, HashSet};

/// The label that a file's names suggest.
pub(super) fn suggested(hint: &Hint, has_weights: bool) -> Option<String> {
    let weights = has_weights.then(|| of_weights(&hint.weights)).flatten();
    weights.or_else(|| of_node(&hint.node))
}

/// `layer1.0.conv1.weight` is of `layer1.0.conv1`; numbers and exporters' own names say nothing.
fn of_weights(name: &str) -> Option<String> {
    let stem = name
        .strip_suffix(".weight")
        .or_else(|| name.strip_suffix(".bias"))
        .or_else(|| name.strip_suffix(".kernel"))?;
    let stem = stem.strip_prefix("module.").unwrap_or(stem);
    sound(stem)
}

/// `/layer1/layer1.0/conv1/Conv` is `layer1.0.conv1`.
fn of_node(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (_, scopes) = parts.split_last()?;
    if scopes.is_empty() {
        return None;
    }
    let mut label: Vec<&str> = Vec::new();
    for part in scopes {
        // Torch repeats the name of a list before that of its member.
        if let Some(last) = label.last()
            && part
                .strip_prefix(last)
                .is_some_and(|rest| rest.starts_with('.'))
        {
            label.pop();
        }
        label.push(part);
    }
    sound(&label.join("."))
}

/// A label of letters, digits, `_` and dots; none, if nothing of the kind is left.
fn sound(text: &str) -> Option<String> {
    let part = |c: char| {
        if c.is_ascii_alphanumeric() || c == '.' || c == '_' {
            c
        } else {
            '_'
        }
    };
    let label: String = text.chars().take(96).map(part).collect();
    let label = label.trim_matches(['.', '_']).to_owned();
    let speaks = label.chars().any(|c| c.is_ascii_alphabetic())
        && !label.contains("..")
        && !label.starts_with("onnx__");
    speaks.then_some(label)
}

/// Labels that are taken.
#[derive(Default)]
pub(super) struct Labels {
    taken: HashSet<String>,
    /// The last number that was put behind a label.
    numbers: HashMap<String, usize>,
}

impl Labels {
    /// A label that no other layer has.
    pub fn unique(&mut self, wanted: String) -> String {
        if self.taken.insert(wanted.clone()) {
            return wanted;
        }
        let more = self.numbers.entry(wanted.clone()).or_insert(1);
        loop {
            *more += 1;
            let label = format!("{wanted}_{more}");
            if self.taken.insert(label.clone()) {
                return label;
            }
        }
    }

    /// A name that is no keyword: the word, or the word and a number.
    pub fn word(&mut self, word: &str) -> String {
        let more = self.numbers.entry(word.to_owned()).or_insert(0);
        loop {
            *more += 1;
            let name = match *more {
                1 => word.to_owned(),
                more => format!("{word}{more}"),
            };
            if cnnc_compiler::layer::find(&name).is_none() && self.taken.insert(name.clone()) {
                return name;
            }
        }
    }

    /// The word and a number.
    pub fn numbered(&mut self, word: &str) -> String {
        let number = self.numbers.entry(word.to_owned()).or_insert(0);
        loop {
            *number += 1;
            let label = format!("{word}{number}");
            if self.taken.insert(label.clone()) {
                return label;
            }
        }
    }

    /// Takes labels as they are.
    pub fn take(&mut self, labels: impl Iterator<Item = String>) {
        self.taken.extend(labels);
    }
}

/// A name of a model: letters and digits.
pub(super) fn model(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let mut all: String = words
        .filter(|word| !word.is_empty())
        .map(|word| word[..1].to_ascii_uppercase() + &word[1..])
        .collect();
    all.truncate(64);
    match all.chars().next() {
        None => "Imported".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("Net{all}"),
        Some(_) => all,
    }
}

/// A name of an input that is a word of the language's own neither.
pub(super) fn input(name: &str) -> String {
    let part = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let label: String = name.chars().take(64).map(part).collect();
    let label = label.trim_matches('_').to_owned();
    let first = label.chars().next();
    let sound = first.is_some_and(|c| c.is_ascii_alphabetic());
    let taken = RESERVED.contains(&&*label) || cnnc_compiler::layer::find(&label).is_some();
    match (sound, taken) {
        (true, false) => label,
        (true, true) => format!("{label}_in"),
        (false, _) => format!("x{label}"),
    }
}

/// Words of the language that are no layers.
pub(super) const RESERVED: [&str; 27] = [
    "model", "block", "import", "preset", "input", "defaults", "repeat", "for", "if", "else", "in",
    "as", "branch", "residual", "shortcut", "route", "tap", "shared", "head", "expect", "weights",
    "train", "let", "and", "or", "not", "channels",
];

/// A label where it is referred to.
pub(super) fn reference(label: &str) -> String {
    let word = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && label.starts_with(|c: char| c.is_ascii_alphabetic());
    match word && !RESERVED.contains(&label) && cnnc_compiler::layer::find(label).is_none() {
        true => label.to_owned(),
        false => format!("\"{label}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_speak_and_names_that_do_not() {
        let of = |weights: &str, node: &str| {
            let hint = Hint {
                weights: weights.to_owned(),
                node: node.to_owned(),
            };
            suggested(&hint, true)
        };
        assert_eq!(
            of("layer1.0.conv1.weight", "Conv_12").as_deref(),
            Some("layer1.0.conv1")
        );
        assert_eq!(
            of("onnx::Conv_529", "/layer1/layer1.0/conv1/Conv").as_deref(),
            Some("layer1.0.conv1")
        );
        assert_eq!(of("onnx::Conv_529", "Conv_12"), None);
        assert_eq!(of("529", ""), None);
        assert_eq!(model("resnet50-v1.onnx"), "Resnet50V1Onnx");
        assert_eq!(
            [input("input"), input("data_0"), input("0"), input("conv")],
            ["input_in", "data_0", "x0", "conv_in"]
        );
        let mut labels = Labels::default();
        assert_eq!(
            ["a", "a_3", "a", "a", "a_3"].map(|wanted| labels.unique(wanted.to_owned())),
            ["a", "a_3", "a_2", "a_4", "a_3_2"]
        );
        assert_eq!(
            [reference("a"), reference("0.conv"), reference("conv")],
            ["a", "\"0.conv\"", "\"conv\""]
        );
    }
}
