//! A spec with a new head on the trunk of another one, to be trained on other classes.

use super::error::TrainError;
use crate::{Model, compile_file, compile_str};
use cnnc_compiler::ast::{Body, File, Statement, StatementKind, TermKind};
use cnnc_compiler::diagnostic::Files;
use cnnc_compiler::graph::{Def, Graph, Node};
use cnnc_compiler::layer::dropout::Dropout;
use cnnc_compiler::parse::parse;
use cnnc_compiler::span::Span;
use std::fs;
use std::ops::Range;
use std::path::Path;

/// What a new spec is made of.
#[derive(Clone, Copy, Debug)]
pub struct NewHead<'a> {
    /// The spec whose trunk it keeps.
    pub from: &'a Path,
    /// The weights of the trunk.
    pub weights: &'a Path,
    /// Its name.
    pub name: &'a str,
    /// Its classes.
    pub classes: &'a [String],
    /// How many samples there are to learn from.
    pub samples: usize,
}

impl NewHead<'_> {
    /// The text of the spec, as it stands beside the one that it comes from, and its model. The last layer with weights and all behind it give way to a dense layer
    /// on what is before, averaged over pixels; only that layer learns.
    ///
    /// # Errors
    /// A spec with mistakes, one whose last layer is written within a block, or weights that do not fit.
    pub fn write(&self) -> Result<(String, Model), TrainError> {
        let old = compile_file(self.from)?;
        let read = |error| TrainError::File(self.from.to_owned(), error);
        let text = fs::read_to_string(self.from).map_err(read)?;
        let mut files = Files::default();
        let id = files.add(self.from, text.as_str());
        let File { models, .. } = parse(id, &text).file;
        let model = models.last().expect("it has been compiled");
        let Cut {
            at,
            dropped,
            pooled,
        } = Cut::of(old.graph()).ok_or_else(|| self.refuse(&old, "has no layer with weights"))?;
        let mut edits: Vec<Range<usize>> = Vec::new();
        let found = at.file == id && edit(&model.body, at, true, &mut edits);
        if !found {
            return Err(self.refuse(&old, "writes its last layer within a block"));
        }
        // What a file says of its layers' spans holds for the spec itself only.
        edits.extend(dropped.iter().filter(|span| span.file == id).map(range));
        edits.push(range(&model.name.span));
        let end = model.body.span.end as usize - 1;
        let taken = |label: &str| {
            let nodes = old.graph().live();
            nodes
                .filter(|(_, node)| is_before(node, at))
                .any(|(_, node)| {
                    node.label == label || node.label.starts_with(&format!("{label}."))
                })
        };
        let label = ["fc", "classifier", "new_head"]
            .into_iter()
            .find(|label| !taken(label));
        let label = label.unwrap_or("new_head");
        let mut text = without(&text, edits, range(&model.name.span).start, self.name, end);
        let brace = text.rfind('}').expect("the model ends with one");
        let tail = self.tail(&old, label, pooled, at);
        text.replace_range(brace.., &format!("{tail}}}\n"));
        let new = compile_str(self.from, &text)?;
        Ok((text, new))
    }

    fn refuse(&self, model: &Model, why: &str) -> TrainError {
        TrainError::Network(format!(
            "{}: `{}` {why}, so that a new head is to be written by hand: `globalavgpool ; fc: dense {} ; head classify`",
            self.from.display(),
            model.graph().name,
            self.classes.len()
        ))
    }

    /// Everything behind the trunk.
    fn tail(&self, old: &Model, label: &str, pooled: bool, at: Span) -> String {
        let pool = if pooled { "" } else { "  globalavgpool\n" };
        let labels: Vec<String> = self
            .classes
            .iter()
            .map(|class| format!("\"{class}\""))
            .collect();
        let trunk = trunk(old.graph(), at).join(" ");
        let weights = std::path::absolute(self.weights).unwrap_or_else(|_| self.weights.to_owned());
        format!(
            "{pool}  {label}: dense {} bias\n  head classify {{ labels [{}] }}\n  train {{\n    \
             init \"{}\" except \"{label}\"\n    freeze {trunk}\n    \
             optimizer adam  rate 0.003 {{ warmup 0 }}\n    batch {}  epochs 40\n  }}\n",
            self.classes.len(),
            labels.join(", "),
            weights.display(),
            self.samples.clamp(1, 32),
        )
    }
}

/// Where the old head begins.
struct Cut {
    at: Span,
    /// Dropouts in front of it.
    dropped: Vec<Span>,
    /// Whether what is before has no pixels any more.
    pooled: bool,
}

impl Cut {
    /// In front of the last layer with weights, and of dropouts before it.
    fn of(graph: &Graph) -> Option<Cut> {
        let (_, last) = graph.live().rfind(|(_, node)| node.inferred.macs > 0)?;
        let mut value = last.inputs[0];
        let mut dropped = Vec::new();
        while let Def::Node(id) = graph.values[value].def {
            let node = &graph.nodes[id];
            if node.layer.downcast::<Dropout>().is_none() {
                break;
            }
            dropped.push(node.span);
            value = node.inputs[0];
        }
        let shape = &graph.values[value].shape;
        Some(Cut {
            at: last.span,
            dropped,
            pooled: shape.elements() == shape.channels(),
        })
    }
}

fn is_before(node: &Node, at: Span) -> bool {
    node.span.file != at.file || node.span.start < at.start
}

/// Patterns of all that is trained in front of the head: `"features.*" "conv1"`.
fn trunk(graph: &Graph, at: Span) -> Vec<String> {
    let mut patterns: Vec<String> = Vec::new();
    for (_, node) in graph.live().filter(|(_, node)| is_before(node, at)) {
        for id in &node.params {
            let name = &graph.params[*id].name;
            let dots = name.matches('.').count();
            let first = name.split('.').next().unwrap_or(name);
            let pattern = match dots {
                0 | 1 => format!("\"{first}\""),
                _ => format!("\"{first}.*\""),
            };
            if !patterns.contains(&pattern) {
                patterns.push(pattern);
            }
        }
    }
    patterns
}

fn range(span: &Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

/// Collects what is to be taken out of a body: everything from a layer on but for rules of weights, and of a model what speaks of the old head. Whether the
/// layer is in it, as it stands.
fn edit(body: &Body, at: Span, outermost: bool, edits: &mut Vec<Range<usize>>) -> bool {
    let mut behind = false;
    for statement in &body.statements {
        let weights = matches!(statement.kind, StatementKind::Weights { .. });
        if (behind && !weights) || (outermost && is_of_head(statement)) {
            edits.push(range(&statement.span));
        } else if !behind && statement.span.start <= at.start && at.end <= statement.span.end {
            behind = match &statement.kind {
                StatementKind::Chain(terms) => {
                    let first = terms
                        .first()
                        .is_some_and(|term| term.span.start == at.start);
                    let start = if first {
                        statement.span.start
                    } else {
                        at.start
                    };
                    edits.push(start as usize..statement.span.end as usize);
                    true
                }
                StatementKind::Group(inner) => edit(inner, at, false, edits),
                _ => return false,
            };
            if !behind {
                return false;
            }
        }
    }
    behind
}

fn is_of_head(statement: &Statement) -> bool {
    match &statement.kind {
        StatementKind::Head { .. }
        | StatementKind::Expect(_)
        | StatementKind::Train(_)
        | StatementKind::Tap(_) => true,
        StatementKind::Chain(terms) => {
            matches!(terms.first().map(|term| &term.kind), Some(TermKind::Word(word)) if word == "labels")
        }
        _ => false,
    }
}

/// The text up to `end` without those ranges, and without lines that are empty then; at `named` stands the name.
fn without(
    text: &str,
    mut edits: Vec<Range<usize>>,
    named: usize,
    name: &str,
    end: usize,
) -> String {
    edits.sort_by_key(|range| range.start);
    let mut out = String::new();
    let mut at = 0;
    for range in edits {
        if range.start < at {
            at = at.max(range.end);
            continue;
        }
        out += &text[at..range.start];
        if range.start == named {
            out += name;
        } else {
            // What would be an empty line.
            out.push('\u{0}');
        }
        at = range.end;
    }
    out += &text[at.min(end)..=end];
    let emptied = |line: &&str| {
        !(line.contains('\u{0}') && line.trim_matches(['\u{0}', ' ', '\t', ';']).is_empty())
    };
    let lines = out.lines().filter(emptied);
    let lines: Vec<String> = lines
        .map(|line| line.replace('\u{0}', "").trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// The name of a model for a folder: `sign_digits` becomes `SignDigits`.
pub fn name_of(folder: &Path) -> String {
    let name = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    let name: String = words
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect();
    match name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        true => name,
        false => format!("Net{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The spec with a new head on a spec.
    fn new(spec: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let from = folder.path().join("old.cnn");
        fs::write(&from, spec).expect("written");
        let head = NewHead {
            from: &from,
            weights: Path::new("/w.safetensors"),
            name: "Signs",
            classes: &["no".to_owned(), "yes".to_owned()],
            samples: 20,
        };
        let text = head.write().map(|(text, _)| text);
        text.map_err(|error| error.to_string())
    }

    const TRAIN: &str = "  head classify { labels [\"no\", \"yes\"] }
  train {
    init \"/w.safetensors\" except \"fc\"
    freeze FROZEN
    optimizer adam  rate 0.003 { warmup 0 }
    batch 20  epochs 40
  }
}
";

    #[test]
    fn the_last_layer_gives_way() {
        let squeeze = "cnn 1\n/// As it was.\nmodel Old {\n  input x: 3x8x8\n  features.0: conv 3x3 4 relu\n              dropout 0.5\n  last: conv 1x1 9 relu\n        globalavgpool\n  head classify { labels \"a.txt\" }\n  expect { params 157 }\n}\n";
        let squeeze = squeeze.replace(" { labels \"a.txt\" }", "");
        let expected = "cnn 1\n/// As it was.\nmodel Signs {\n  input x: 3x8x8\n  features.0: conv 3x3 4 relu\n  globalavgpool\n  fc: dense 2 bias\n".to_owned();
        let expected = expected + &TRAIN.replace("FROZEN", "\"features.*\"");
        assert_eq!(new(&squeeze).expect("it can be"), expected);
        // In the middle of a line, with another layer of that name before, and with rules of weights behind.
        let dense = "cnn 1\nmodel Old { input x: 8 ; fc: dense 4 relu\n  dense 3 relu dense 9\n  head classify\n  weights map { \"a\" -> \"fc\" }\n  train { rate 0.1 } }\n";
        let text = new(dense).expect("it can be");
        assert!(
            text.contains("\n  dense 3 relu\n  weights map { \"a\" -> \"fc\" }\n"),
            "{text}"
        );
        assert!(text.contains("  classifier: dense 2 bias\n"), "{text}");
        assert!(text.contains("freeze \"a\" \"dense_1\""), "{text}");
        // Within braces.
        let group = "cnn 1\nmodel Old { input x: 8\n  top: { a: dense 4 relu\n    b: dense 9\n    softmax }\n}\n";
        let text = new(group).expect("it can be");
        assert!(text.contains("top: { a: dense 4 relu\n"), "{text}");
    }

    #[test]
    fn what_cannot_have_a_new_head_says_why() {
        let block = "cnn 1\nblock last() { dense 4 }\nmodel Old { input x: 8; last() }\n";
        let error = new(block).expect_err("it is in a block");
        assert!(
            error.contains("old.cnn: `Old` writes its last layer within a block"),
            "{error}"
        );
        let error = new("cnn 1\nmodel Old { input x: 8; relu }\n").expect_err("nothing to replace");
        assert!(error.contains("`Old` has no layer with weights"), "{error}");
        assert!(error.contains("fc: dense 2 ; head classify"), "{error}");
    }

    #[test]
    fn names_are_those_of_folders() {
        for (folder, name) in [
            ("../sign_digits/", "SignDigits"),
            ("a b-c", "ABC"),
            ("3d", "Net3d"),
            ("/", "Net"),
        ] {
            assert_eq!(name_of(Path::new(folder)), name);
        }
    }
}
