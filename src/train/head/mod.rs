//! A spec with a new head on the trunk of another one, to be trained on other classes.

mod cut;

use super::error::TrainError;
use crate::{Model, compile_file, compile_str};
use cnnc_compiler::ast::File;
use cnnc_compiler::diagnostic::Files;
use cnnc_compiler::graph::{Def, Graph};
use cnnc_compiler::layer::dropout::Dropout;
use cnnc_compiler::parse::parse;
use cnnc_compiler::span::Span;
use cut::{Edits, cut};
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
    /// on what is before, averaged over pixels; only that layer learns. Where it stands in a branch, all branches of that place go with it.
    ///
    /// # Errors
    /// A spec with mistakes, one whose last layer is written where a text cannot end, or weights that do not fit.
    pub fn write(&self) -> Result<(String, Model), TrainError> {
        let old = compile_file(self.from)?;
        let read = |error| TrainError::File(self.from.to_owned(), error);
        let text = crate::model::read(self.from).map_err(read)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let (text, old) = self.with_import(&text).unwrap_or((text, old));
        let mut files = Files::default();
        let id = files.add(self.from, text.as_str());
        let file: File = parse(id, &text).file;
        let model = file.models.last().expect("it has been compiled");
        let Old { at, dropped } =
            Old::of(old.graph()).ok_or_else(|| self.refuse(&old, "has no layer with weights"))?;
        let edits = cut(&text, &file, model, at)
            .map_err(|place| self.refuse(&old, &format!("writes its last layer {place}")))?;
        let end = model.body.span.range().end - 1;
        let start = model.name.span.range().start;
        let start = text[..start].rfind("model").unwrap_or(start);
        let edits = self.edits(edits, &dropped, model.name.span);
        let copies = edits.copies.iter();
        let copies = copies.map(|(part, of)| of.apply(&text, part.clone()) + "\n");
        let copies: String = copies.collect();
        // Doc comments of the model stand in front of it; what is copied comes before them.
        let head = text[..start].split_inclusive('\n').rev();
        let docs: usize = head
            .take_while(|line| line.trim_start().starts_with("///"))
            .map(str::len)
            .sum();
        let first = start.saturating_sub(docs);
        let before = edits.apply(&text, 0..first);
        let trunk = edits.apply(&text, first..end);
        let newline = if before.is_empty() || before.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        let trunk = format!("{before}{newline}{copies}{}", trunk.trim_end());
        let network = compile_str(self.from, &format!("{trunk}\n}}\n"));
        let network = network.map_err(|error| {
            let why = format!(
                "is no network without its last layer ({})",
                first_line(&error)
            );
            self.refuse(&old, &why)
        })?;
        let text = format!("{trunk}\n{}}}\n", self.tail(network.graph()));
        let new = compile_str(self.from, &text)?;
        Ok((text, new))
    }

    /// The text with what it imports in place of the `import`, and its model, if the last layer is written there: what is imported is of others, too, and stays.
    fn with_import(&self, text: &str) -> Option<(String, Model)> {
        let here = |model: &Model| {
            let old = Old::of(model.graph());
            old.is_none_or(|old| old.at.file == Span::none().file)
        };
        let parsed = |text: &str| parse(Files::default().add(self.from, text), text).file;
        if here(&compile_str(self.from, text).ok()?) {
            return None;
        }
        let home = self.from.parent().unwrap_or(Path::new(""));
        parsed(text).imports.iter().find_map(|import| {
            let imported = crate::model::read(&home.join(&import.value)).ok()?;
            let imported = String::from_utf8_lossy(&imported).into_owned();
            let File {
                edition, imports, ..
            } = parsed(&imported);
            // Paths are as seen from the file that they stand in.
            let body = imported.get(edition?.span.range().end..)?;
            let span = import.span.range();
            let start = text[..span.start].rfind("import")?;
            let whole = format!("{}{}{}", &text[..start], body.trim(), &text[span.end..]);
            let model = imports
                .is_empty()
                .then(|| compile_str(self.from, &whole).ok())??;
            here(&model).then_some((whole, model))
        })
    }

    /// The name of the model is the new one, and dropouts in front of the layer go where they are written once.
    fn edits(&self, mut edits: Edits, dropped: &[Span], named: Span) -> Edits {
        edits.renamed.push((named.range(), self.name.to_owned()));
        for span in dropped.iter().filter(|span| span.file == named.file) {
            let within = edits
                .copies
                .iter_mut()
                .find(|(part, _)| part.start <= span.range().start && span.range().end <= part.end);
            match within {
                Some((_, copy)) => copy.out.push(span.range()),
                None => edits.out.push(span.range()),
            }
        }
        edits
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
    fn tail(&self, trunk: &Graph) -> String {
        let shape = &trunk.values[trunk.outputs[0].value].shape;
        let pool = match shape.elements() == shape.channels() {
            true => "",
            false => "  globalavgpool\n",
        };
        let taken = |label: &str| {
            let mut nodes = trunk.live();
            nodes.any(|(_, node)| {
                node.label == label || node.label.starts_with(&format!("{label}."))
            })
        };
        let label = ["fc", "classifier", "new_head"]
            .into_iter()
            .find(|label| !taken(label));
        let label = label.unwrap_or("new_head");
        let labels: Vec<String> = self
            .classes
            .iter()
            .map(|class| format!("\"{class}\""))
            .collect();
        let frozen = match patterns(trunk) {
            patterns if patterns.is_empty() => String::new(),
            patterns => format!("    freeze {}\n", patterns.join(" ")),
        };
        let weights = std::path::absolute(self.weights).unwrap_or_else(|_| self.weights.to_owned());
        format!(
            "{pool}  {label}: dense {} bias\n  head classify {{ labels [{}] }}\n  train {{\n    \
             init \"{}\" except \"{label}\"\n{frozen}    \
             optimizer adam  rate 0.003 {{ warmup 0 }}\n    batch {}  epochs 40\n  }}\n",
            self.classes.len(),
            labels.join(", "),
            weights.display(),
            self.samples.clamp(1, 32),
        )
    }
}

/// The first line of a message.
fn first_line(error: &crate::Error) -> String {
    let text = error.to_string();
    let line = text.lines().find(|line| !line.trim().is_empty());
    line.unwrap_or_default().trim().to_owned()
}

/// Where the old head begins.
struct Old {
    at: Span,
    /// Dropouts in front of it.
    dropped: Vec<Span>,
}

impl Old {
    /// In front of the last layer with weights, and of dropouts before it.
    fn of(graph: &Graph) -> Option<Old> {
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
        Some(Old {
            at: last.span,
            dropped,
        })
    }
}

/// Patterns of all that is trained: `"features.*" "conv1"`.
fn patterns(graph: &Graph) -> Vec<String> {
    let mut patterns: Vec<String> = Vec::new();
    for (_, node) in graph.live() {
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
    use std::fs;

    /// The spec with a new head on a spec.
    fn new(spec: &str) -> Result<String, String> {
        new_beside(spec, &[])
    }

    /// The same with files beside it.
    fn new_beside(spec: &str, files: &[(&str, &str)]) -> Result<String, String> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("written");
        }
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

    /// The last layer of a block that is called once gives way where it stands; of one that others call, too, a copy does.
    #[test]
    fn blocks_end_in_front_of_it() {
        let once = "cnn 1\nblock top(w, n) {\n  a: dense w relu dropout 0.5\n  b: dense n\n  softmax\n}\nmodel Old {\n  input x: 8\n  first: dense 6 relu\n  top: top(5, 9) relu\n  relu\n}\n";
        let expected = "cnn 1\nblock top(w, n) {\n  a: dense w relu\n}\nmodel Signs {\n  input x: 8\n  first: dense 6 relu\n  top: top(5, 9)\n  fc: dense 2 bias\n";
        let expected = expected.to_owned() + &TRAIN.replace("FROZEN", "\"first\" \"top.*\"");
        assert_eq!(new(once).expect("it can be"), expected);
        let twice = "cnn 1\nblock pair(w, n) {\n  a: dense w relu\n  b: dense n\n}\nblock outer(n) { pair: pair(4, n) tanh }\n/// As it was.\nmodel Old {\n  input x: 8\n  one: outer(7)\n  two: outer(9)\n}\n";
        let text = new(twice).expect("it can be");
        let expected = "cnn 1\nblock pair(w, n) {\n  a: dense w relu\n  b: dense n\n}\nblock outer(n) { pair: pair(4, n) tanh }\nblock pair_trunk(w, n) {\n  a: dense w relu\n}\nblock outer_trunk(n) { pair: pair_trunk(4, n) }\n/// As it was.\nmodel Signs {\n  input x: 8\n  one: outer(7)\n  two: outer_trunk(9)\n  fc: dense 2 bias\n";
        let expected = expected.to_owned() + &TRAIN.replace("FROZEN", "\"one.*\" \"two.*\"");
        assert_eq!(text, expected);
        // Line ends of two bytes change nothing.
        let text = new(&twice.replace('\n', "\r\n")).expect("it can be");
        assert_eq!(text, expected);
        // Which arm it stands in, the text says.
        let arms = "cnn 1\nblock top(n) { if n > 3 { a: dense 4 relu ; b: dense n } else { dense n } }\nmodel Old { input x: 8\n top(9) }\n";
        let text = new(arms).expect("it can be");
        assert!(text.contains("if n > 3 { a: dense 4 relu"), "{text}");
        assert!(text.contains("else { dense n }"), "{text}");
    }

    /// Of several calls that lead to the block of the last layer, the one that runs last is cut, directly or through another block.
    #[test]
    fn the_call_that_runs_last_is_cut() {
        let top = "block top(n) { dense 4 relu dense n }\n";
        let copy = "block top_trunk(n) { dense 4 relu }\n";
        let ended = "block top(n) { dense 4 relu }\n";
        for (blocks, calls, blocks_then, calls_then) in [
            // Through another block, behind a direct call.
            (
                "block outer(n) { top(n) tanh }\n",
                "  one: top(7)\n  two: outer(9)\n",
                "block outer(n) { top_trunk(n) }\n",
                "  one: top(7)\n  two: outer(9)\n",
            ),
            // Directly, behind a call through another block.
            (
                "block outer(n) { top(n) tanh }\n",
                "  one: outer(7)\n  two: top(9)\n",
                "block outer(n) { top(n) tanh }\n",
                "  one: outer(7)\n  two: top_trunk(9)\n",
            ),
            // Through the block that is written first.
            (
                "block late(n) { top(n) tanh }\nblock early(n) { top(n) relu }\n",
                "  one: early(7)\n  two: late(9)\n",
                "block late(n) { top_trunk(n) }\nblock early(n) { top(n) relu }\n",
                "  one: early(7)\n  two: late(9)\n",
            ),
            // In a block that calls it directly, and then through another one.
            (
                "block outer(n) { top(n) tanh }\nblock both(n) { c: top(n) ; d: outer(n) }\n",
                "  one: both(9)\n",
                "block outer(n) { top_trunk(n) }\nblock both(n) { c: top(n) ; d: outer(n) }\n",
                "  one: both(9)\n",
            ),
            // In an arm, if there is no other call.
            (
                "block outer(n) { if n > 3 { top(n) } else { tanh } }\n",
                "  one: outer(9)\n",
                "block outer(n) { if n > 3 { top(n) } else { tanh } }\n",
                "  one: outer(9)\n",
            ),
        ] {
            let spec = format!("cnn 1\n{top}{blocks}model Old {{\n  input x: 8\n{calls}}}\n");
            let text = new(&spec).expect("it can be");
            // The block is copied where it is called more than once.
            let (top, copy) = match (blocks_then, calls_then) == (blocks, calls) {
                true => (ended, ""),
                false => (top, copy),
            };
            let expected = format!(
                "cnn 1\n{top}{blocks_then}{copy}model Signs {{\n  input x: 8\n{calls_then}  fc: dense 2 bias\n"
            );
            assert!(text.starts_with(&expected), "{text}");
        }
    }

    /// What is imported stays as it is: its blocks come into the new spec, with a copy that ends in front of the layer.
    #[test]
    fn imported_blocks_are_copied() {
        let part = "cnn 1\n\nblock trunk() { a: dense 4 relu top() }\nblock other() { top() }\nblock top() { b: dense 9 }\n";
        let spec = "cnn 1\nimport \"part.cnn\"\nmodel Old { input x: 8\n trunk() }\n";
        let text = new_beside(spec, &[("part.cnn", part)]).expect("it can be");
        let expected = "cnn 1\nblock trunk() { a: dense 4 relu top_trunk() }\nblock other() { top() }\nblock top() { b: dense 9 }\nblock top_trunk() { }\nmodel Signs { input x: 8\n trunk()\n  fc: dense 2 bias\n";
        assert!(text.starts_with(expected), "{text}");
        let deep = part.replace("cnn 1\n", "cnn 1\nimport \"more.cnn\"\n");
        let more = "cnn 1\nlet w = 3\n";
        let error = new_beside(spec, &[("part.cnn", &deep), ("more.cnn", more)]).expect_err("no");
        assert!(
            error.contains("`Old` writes its last layer in a file that it imports"),
            "{error}"
        );
    }

    /// A branch begins with the value in front of it, from where the new head goes on.
    #[test]
    fn branches_go_as_a_whole() {
        let forked = "cnn 1\nmodel Old {\n  input x: 3x8x8\n  first: conv 3x3 4 relu\n  both: branch { { conv 1x1 2 } ; { conv 3x3 3 pad half } } relu\n  globalavgpool\n}\n";
        let text = new(forked).expect("it can be");
        assert!(
            text.contains("  first: conv 3x3 4 relu\n  globalavgpool\n  fc: dense 2 bias\n"),
            "{text}"
        );
        assert!(text.contains("freeze \"first\"\n"), "{text}");
        // In a branch of a block: the block ends in front of it.
        let inside = "cnn 1\nblock end() {\n  a: conv 1x1 5 relu\n  branch { { conv 1x1 2 } ; { conv 1x1 3 } }\n}\nmodel Old { input x: 3x8x8\n  end: end()\n  globalavgpool }\n";
        let text = new(inside).expect("it can be");
        assert!(
            text.contains("block end() {\n  a: conv 1x1 5 relu\n}\n"),
            "{text}"
        );
        assert!(
            text.contains("  end: end()\n  globalavgpool\n  fc:"),
            "{text}"
        );
    }

    #[test]
    fn what_cannot_have_a_new_head_says_why() {
        for (spec, why) in [
            (
                "cnn 1\nmodel Old { input x: 8; repeat 3 { dense 8 } }\n",
                "`Old` writes its last layer within a `repeat`",
            ),
            (
                "cnn 1\nmodel Old { input x: 8; for w in [4, 3] { dense w } }\n",
                "`Old` writes its last layer within a `for`",
            ),
            // Calls of its block in both arms, in one arm and before it, and in one arm of a block that is called twice.
            (
                "cnn 1\nblock top(n) { dense 4 relu dense n }\nmodel Old { input x: 8\n  if 2 > 1 { top(9) } else { top(5) } }\n",
                "`Old` writes its last layer within an `if`, which may take another arm",
            ),
            (
                "cnn 1\nblock top(n) { dense 4 relu dense n }\nblock outer(n) { top(n) ; if n > 3 { top(n) } }\nmodel Old { input x: 8\n  outer(2) }\n",
                "`Old` writes its last layer within an `if`, which may take another arm",
            ),
            (
                "cnn 1\nblock top(n) { dense 4 relu dense n }\nblock outer(n) { if n > 3 { top(n) } else { tanh } }\nmodel Old { input x: 8\n  outer(9)\n  outer(2) }\n",
                "`Old` writes its last layer within an `if`, which may take another arm",
            ),
            (
                "cnn 1\nblock last() { dense 4 }\nmodel Old { input x: 8; last() }\n",
                "`Old` is no network without its last layer",
            ),
            (
                "cnn 1\nmodel Old { input x: 8; relu }\n",
                "`Old` has no layer with weights",
            ),
        ] {
            let error = new(spec).expect_err("it cannot be");
            assert!(error.contains(why), "{error}");
            assert!(error.contains("fc: dense 2 ; head classify"), "{error}");
        }
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
