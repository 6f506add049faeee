//! Fine-tuning: where tensors begin, which of them stay as they are and until when, what of a run is kept, and when it stops.

use crate::graph::{Graph, Param};
use crate::id::ParamId;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What a `train` section says of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tuning {
    /// The weights that tensors begin with.
    pub init: Option<Init>,
    /// Tensors all of whose numbers begin as one.
    pub start: Vec<Start>,
    /// Patterns of tensors that stay as they are.
    pub freeze: Vec<String>,
    /// When some of them are trained after all, in the order of epochs.
    pub unfreeze: Vec<Unfreeze>,
    /// Patterns of tensors that do not decay, beside those of one dimension.
    pub spared: Vec<String>,
    /// Which epoch is the best.
    pub keep: Keep,
    /// Epochs without a better one, behind which a run stops.
    pub stop: Option<usize>,
}

/// Weights that tensors begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// The file.
    pub file: PathBuf,
    /// Patterns of tensors that begin at random all the same.
    pub except: Vec<String>,
}

/// Tensors all of whose numbers begin as one.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// Their patterns.
    pub patterns: Vec<String>,
    /// The number.
    pub value: f64,
}

/// Frozen tensors that are trained from an epoch on.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfreeze {
    /// Their patterns.
    pub patterns: Vec<String>,
    /// Epochs that are done before.
    pub at: usize,
    /// The rate from then on, whose curve begins anew.
    pub rate: Option<f64>,
}

/// What says which epoch is the best.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Most test samples right.
    #[default]
    Accuracy,
    /// Least mean loss of the training samples.
    Loss,
}

impl Keep {
    /// All, as they are written.
    pub const NAMES: [&'static str; 2] = ["accuracy", "loss"];

    /// As it is written.
    pub fn name(self) -> &'static str {
        Keep::NAMES[self as usize]
    }

    /// The one of that name.
    pub fn find(name: &str) -> Option<Keep> {
        let all = [Keep::Accuracy, Keep::Loss];
        all.into_iter().find(|measure| measure.name() == name)
    }
}

impl Tuning {
    /// Names of the network's tensors that stay as they are, once so many epochs are done.
    pub fn frozen(&self, graph: &Graph, epochs: usize) -> BTreeSet<String> {
        let mut frozen = named(graph, &self.freeze);
        for unfreeze in self.unfreeze.iter().filter(|of| of.at <= epochs) {
            let free = named(graph, &unfreeze.patterns);
            frozen.retain(|name| !free.contains(name));
        }
        frozen
    }

    /// Epochs behind which other tensors are trained, or at another rate; the first is 0.
    pub fn phases(&self) -> Vec<usize> {
        let mut phases: Vec<usize> = self.unfreeze.iter().map(|of| of.at).collect();
        phases.push(0);
        phases.sort_unstable();
        phases.dedup();
        phases
    }
}

/// Names of the tensors that patterns are of.
pub fn named(graph: &Graph, patterns: &[String]) -> BTreeSet<String> {
    let ids = patterns.iter().flat_map(|pattern| matching(graph, pattern));
    ids.map(|id| graph.params[id].name.clone()).collect()
}

/// The tensors that a pattern is of: those with a name in weights, or of a layer with a label, that it fits, as a whole or up to one of its dots.
pub fn matching(graph: &Graph, pattern: &str) -> BTreeSet<ParamId> {
    let mut found = BTreeSet::new();
    for (_, node) in graph.live() {
        let layer = is_within(pattern, &node.label);
        let params = node.params.iter();
        found.extend(params.filter(|id| layer || is_of(pattern, &node.label, &graph.params[**id])));
    }
    found
}

fn is_of(pattern: &str, label: &str, param: &Param) -> bool {
    is_within(pattern, &param.name) || fits(pattern, &format!("{label}.{}", param.role))
}

fn is_within(pattern: &str, name: &str) -> bool {
    let dots = name.match_indices('.').map(|(at, _)| &name[..at]);
    dots.chain([name]).any(|part| fits(pattern, part))
}

/// Whether a pattern fits a name: `*` stands for anything, also for nothing, and `?` for a character.
pub fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    // The last star, and what it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match &mut star {
                Some((at, end)) => {
                    *end += 1;
                    (p, n) = (*at + 1, *end);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_names() {
        for (pattern, name, fit) in [
            ("conv1", "conv1", true),
            ("conv1", "conv12", false),
            ("conv?", "conv1", true),
            ("conv?", "conv", false),
            ("layer1.*", "layer1.0.conv1.weight", true),
            ("layer1.*", "layer10.0.conv1.weight", false),
            ("*.weight", "a.weight.weight", true),
            ("*a*b", "xaybzb", true),
            ("*a*b", "xaybzc", false),
            ("", "", true),
            ("*", "", true),
            ("**", "x", true),
        ] {
            assert_eq!(fits(pattern, name), fit, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_is_of_tensors_and_of_what_they_stand_in() {
        let text = "cnn 1\nmodel M { input x: 1x8x8\n conv1: conv 3x3 2\n bn1: bn\n conv2: conv 3x3 2\n flatten\n fc: dense 2 }";
        let model = crate::compile_source(&mut crate::diagnostic::Files::default(), "net", text);
        let graph = model
            .unwrap_or_else(|error| panic!("{}", error.render(false)))
            .graph;
        let names = |pattern: &str| {
            let names = named(&graph, &[pattern.to_owned()]);
            names.into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("conv1"), "conv1.bias conv1.weight");
        assert_eq!(names("conv*.weight"), "conv1.weight conv2.weight");
        assert_eq!(
            names("bn1"),
            "bn1.bias bn1.running_mean bn1.running_var bn1.weight"
        );
        assert_eq!(names("conv"), "");
    }
}
