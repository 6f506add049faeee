//! How tensors are called in weights files: `weights torchvision`, `weights map { … }`.

use super::label::{Naming, follower};
use super::pattern::{Pattern, Side};
use super::{Note, Resolver, Result};
use crate::ast::Name;
use crate::diagnostic::{Diagnostic, codes};
use crate::span::Span;
use std::collections::{BTreeSet, HashMap};

/// How the model's weights are called in files: by the first pair that fits, or by the rest of the rules.
#[derive(Default)]
pub(super) struct Rules {
    map: Map,
    torchvision: bool,
}

/// All pairs of `weights map { … }`
#[derive(Default)]
struct Map {
    pairs: Vec<Pair>,
    /// Pairs whose label is a plain text, by that text, and all others by the text that it begins with.
    plain: HashMap<String, Vec<usize>>,
    prefixed: HashMap<String, Vec<usize>>,
    /// The lengths of those texts.
    lengths: BTreeSet<usize>,
}

/// `"name in the file" -> "label"`
struct Pair {
    file: Pattern,
    label: Pattern,
    /// All of it.
    span: Span,
    /// How many names it has made.
    made: usize,
}

/// Most pairs that are warned of; to find out why they name nothing takes time.
const MAX_WARNINGS: usize = 20;

impl Map {
    fn push(&mut self, pair: Pair) {
        let (prefix, whole) = pair.label.prefix();
        let places = if whole {
            &mut self.plain
        } else {
            self.lengths.insert(prefix.len());
            &mut self.prefixed
        };
        let places = places.entry(prefix.to_owned()).or_default();
        places.push(self.pairs.len());
        self.pairs.push(pair);
    }

    /// The pairs whose labels may be that text.
    fn candidates<'m>(&'m self, text: &'m str) -> impl Iterator<Item = usize> + 'm {
        let lengths = self.lengths.iter().take_while(|&&len| len <= text.len());
        let prefixes = lengths.filter_map(|&len| self.prefixed.get(text.get(..len)?));
        let plain = self.plain.get(text).into_iter();
        prefixes.chain(plain).flatten().copied()
    }
}

impl Resolver<'_> {
    /// A `weights` statement.
    pub(super) fn weights_rule(&mut self, rule: &Name, map: &[(Name, Name)]) {
        match rule.value.as_str() {
            "torchvision" if map.is_empty() => self.rules.torchvision = true,
            "map" => {
                for (file, label) in map {
                    match self.pair(file, label) {
                        // Every tensor has its name before this.
                        Ok(pair) if self.rules.torchvision => self.rules.map.pairs.push(pair),
                        Ok(pair) => self.rules.map.push(pair),
                        Err(_) => {}
                    }
                }
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

    fn pair(&mut self, file: &Name, label: &Name) -> Result<Pair> {
        let mut read = |text: &Name, side| {
            let wrong = |why| self.error(Diagnostic::new(codes::WEIGHTS, text.span, why));
            Pattern::read(&text.value, side).map_err(wrong)
        };
        let (file_pattern, label_pattern) = (read(file, Side::File)?, read(label, Side::Label)?);
        if let Some(name) = file_pattern.unknown(&label_pattern) {
            let message = format!("`{{{name}}}` is not in the label pattern");
            let problem = Diagnostic::new(codes::WEIGHTS, file.span, message);
            return Err(self.error(problem.also(label.span, "which is this")));
        }
        Ok(Pair {
            file: file_pattern,
            label: label_pattern,
            span: file.span.to(label.span),
            made: 0,
        })
    }

    /// The name of a parameter in the weights file.
    pub(super) fn tensor_name(&mut self, note: &Note, path: &str, role: &str) -> Result<String> {
        let whole = format!("{path}.{role}");
        let found = self.mapped(path, &whole, role);
        self.spend(1)?;
        Ok(match found {
            Some((pair, name)) => {
                let pair = &mut self.rules.map.pairs[pair];
                pair.made += 1;
                self.by_pair.push((name.clone(), pair.span));
                name
            }
            None if self.rules.torchvision => format!("{}.{role}", torchvision(note, path)),
            None => whole,
        })
    }

    /// The name of a parameter as torchvision would have it, where the spec has no rule and that is another one.
    pub(super) fn otherwise(&self, note: &Note, path: &str, role: &str) -> Option<String> {
        let ruled = self.rules.torchvision || !self.rules.map.pairs.is_empty();
        let named = (!ruled).then(|| torchvision(note, path))?;
        (named != path).then(|| format!("{named}.{role}"))
    }

    /// The first pair that fits, and the name that it makes.
    fn mapped(&self, path: &str, whole: &str, role: &str) -> Option<(usize, String)> {
        let map = &self.rules.map;
        let named = |index: usize, text: &str| {
            let Pair { file, label, .. } = &map.pairs[index];
            let (found, steps) = label.matches(text);
            self.charge(1 + steps / 4);
            file.fill(&found?)
        };
        let mut best: Option<(usize, String)> = None;
        for (text, end) in [(path, role), (whole, "")] {
            self.charge(map.lengths.len() / 4);
            for index in map.candidates(text) {
                if best.as_ref().is_some_and(|(first, _)| *first <= index) || self.spent() {
                    continue;
                }
                if let Some(name) = named(index, text) {
                    let dot = if end.is_empty() { "" } else { "." };
                    best = Some((index, format!("{name}{dot}{end}")));
                }
            }
        }
        best
    }

    /// Names that pairs have made, and each pair as it is written.
    pub(super) fn named_pairs(&self) -> HashMap<String, String> {
        let written = |span| {
            self.files
                .slice(span)
                .split_whitespace()
                .collect::<Vec<_>>()
        };
        let named = self.by_pair.iter();
        named
            .map(|(name, span)| (name.clone(), written(*span).join(" ")))
            .collect()
    }

    /// Warns of pairs that have named nothing; given are the path and role of all weights.
    pub(super) fn warn_of_pairs(&mut self, named: &[(&str, &str)]) {
        if self.incomplete {
            return;
        }
        let pairs = self.rules.map.pairs.iter();
        let mut warnings = Vec::new();
        for pair in pairs.filter(|pair| pair.made == 0).take(MAX_WARNINGS) {
            let taken = named.iter().find(|(path, role)| pair.fits(path, role));
            let problem = match taken {
                None => Diagnostic::new(codes::UNUSED_PAIR, pair.span, "this pair fits no weights")
                    .help("`{i}` stands for a number, `{part:word}` for a part of a label, `*` for any rest"),
                Some((path, role)) => {
                    let message = "this pair names nothing: one before it decides";
                    Diagnostic::new(codes::UNUSED_PAIR, pair.span, message)
                        .note(format!("it fits `{path}.{role}`, which already has its name"))
                }
            };
            warnings.push(problem);
        }
        warnings.into_iter().for_each(|problem| self.warn(problem));
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

impl Pair {
    /// Whether the pair is about the weights of that path and role.
    fn fits(&self, path: &str, role: &str) -> bool {
        let whole = format!("{path}.{role}");
        self.label.matches(path).0.is_some() || self.label.matches(&whole).0.is_some()
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
