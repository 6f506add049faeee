//! Files that are no specs: what they are, and the way to go.

use super::python;
use crate::diagnostic::{Diagnostic, codes};
use crate::span::{FileId, Span};
use cnnc_runtime::files::open_ordinary;
use cnnc_runtime::sniff::{self, Kind};
use std::io::Read;
use std::path::Path;

const WEIGHTS: &str = "weights stand behind `--weights`, the spec before them: `cnnc run net.cnn --weights FILE picture.jpg`";
const PICTURE: &str =
    "a picture stands behind the spec: `cnnc run net.cnn --weights FILE picture.jpg`";

const DARKNET: &str = sniff::DARKNET_WEIGHTS;

/// What to do with files that have their place beside a spec.
const PLACES: &[(&str, &str)] = &[
    ("a safetensors file", WEIGHTS),
    ("a PyTorch file", WEIGHTS),
    (DARKNET, WEIGHTS),
    ("a Python pickle", WEIGHTS),
    ("a file of numpy arrays (`.npz`)", WEIGHTS),
    (
        "a numpy array",
        "an array stands behind the spec, as an input: `cnnc run net.cnn --weights FILE array.npy`",
    ),
    ("a PNG picture", PICTURE),
    ("a JPEG picture", PICTURE),
    ("a BMP picture", PICTURE),
];

/// Texts that are known by a line, beside those that the runtime knows by their first 512 bytes: how the line begins, however far down, and
/// what the text is.
const LINES: &[(&str, &str)] = &[
    ("backbone:", "a model of Ultralytics (YAML)"),
    ("node {", "a graph as text (ONNX, TensorFlow)"),
    ("layer {", "a Caffe network (prototxt)"),
    ("layers {", "a Caffe network (prototxt)"),
];

/// Lines that are looked at.
const LOOKED_AT: usize = 400;

/// One error for a text that is no spec; `None` if it may be one.
pub(crate) fn diagnose(file: FileId, path: &Path, text: &str) -> Option<Diagnostic> {
    let text_at = |at: usize| at + text[at..].len() - text[at..].trim_start().len();
    // The first line that says something.
    let mut at = text_at(if text.starts_with('\u{feff}') { 3 } else { 0 });
    while text[at..].starts_with('#') {
        at = text_at(text[at..].find('\n').map_or(text.len(), |end| at + end));
    }
    let line = text[at..].lines().next().unwrap_or("");
    if at >= text.len() || is_spec(line) {
        return None;
    }
    let span = |start: usize, end: usize| Span::new(file, start..end);
    let place = span(at, at + line.trim_end().len());
    let problem =
        |what: &str| Diagnostic::new(codes::FOREIGN, place, format!("this is {what}, not a spec"));
    if line.starts_with('[') && line.trim_end().ends_with(']') {
        let written = path.with_extension("cnn");
        let command = match written == path {
            true => format!("`cnnc import {}`", path.display()),
            false => format!("`cnnc import {} -o {}`", path.display(), written.display()),
        };
        return Some(problem(sniff::DARKNET_CFG).help(format!("{command} makes a spec of it")));
    }
    let kind = known_kind(path, text.as_bytes());
    // Of what is no text, no line is shown.
    if let Some(kind) = kind.filter(|_| text.contains('\0')) {
        return Some(named(path, kind));
    }
    if kind.is_none_or(|kind| kind.name == "Python source") {
        let found = python::read(&text[at..], |start, end| span(at + start, at + end));
        if let Some(mut problem) = found.diagnose(false, false) {
            problem.span = Some(place);
            return Some(problem);
        }
    }
    let lines = || text[at..].lines().take(LOOKED_AT);
    let known = || {
        LINES
            .iter()
            .find(|(start, _)| lines().any(|line| line.starts_with(start)))
    };
    match kind {
        Some(kind) => Some(problem(kind.name).help(way(kind))),
        None => known().map(|(_, name)| problem(name).help(way(Kind { name, advice: "" }))),
    }
}

/// Whether a spec begins with that line.
fn is_spec(line: &str) -> bool {
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let (word, rest) = line.split_at(end.unwrap_or(line.len()));
    // `model = Sequential()`, `model.add(…)`
    let python = rest.trim_start().starts_with(['=', '.', '(']);
    match word {
        "cnn" | "model" | "block" | "preset" => !python,
        "import" => line.contains('"'),
        _ => line.starts_with("///"),
    }
}

/// What to do with a file of that kind.
fn way(kind: Kind) -> String {
    let place = PLACES.iter().find(|(name, _)| *name == kind.name);
    match (place, kind.advice) {
        (Some((_, way)), _) => (*way).to_owned(),
        (None, "") => "write the network as a spec: docs/language.md describes the language, README.md has a table of what PyTorch calls layers".to_owned(),
        (None, advice) => advice.to_owned(),
    }
}

/// What a file is, if it is neither a spec nor any text.
fn known_kind(path: &Path, bytes: &[u8]) -> Option<Kind> {
    let kind = sniff::kind(bytes);
    // Weights of darknet have no signature: they begin with the number of a version.
    let darknet = path.extension().is_some_and(|end| end == "weights");
    if kind.is_none() && darknet && bytes.contains(&0) {
        let (name, advice) = (DARKNET, "");
        return Some(Kind { name, advice });
    }
    kind.filter(|kind| kind.name != sniff::TEXT && kind.name != sniff::SPEC)
}

/// One error that names the file, of which there is no text to show.
fn named(path: &Path, kind: Kind) -> Diagnostic {
    let message = format!("`{}` is {}, not a spec", path.display(), kind.name);
    Diagnostic::without_span(codes::FOREIGN, message).help(way(kind))
}

/// One error for a file that cannot be read as text, if it is known what it is.
pub(crate) fn unreadable(path: &Path) -> Option<Diagnostic> {
    let mut start = Vec::new();
    let file = open_ordinary(path).ok()?;
    file.take(1 << 16).read_to_end(&mut start).ok()?;
    Some(named(path, known_kind(path, &start)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    fn told(text: &str) -> Option<(String, String)> {
        let problem = diagnose(FileId::new(0), Path::new("dir/net.cfg"), text)?;
        let help = problem
            .help
            .into_iter()
            .chain(problem.fixes.into_iter().map(|fix| fix.replacement));
        Some((problem.message, help.collect()))
    }

    #[test]
    fn texts_are_called_what_they_are() {
        for (text, name, way) in [
            (
                "# YOLO\n[net]\nwidth=416\n",
                "a configuration of darknet",
                "cnnc import dir/net.cfg -o dir/net.cnn",
            ),
            (
                "name: \"LeNet\"\nlayer {\n  type: \"Convolution\"\n}\n",
                "a Caffe network",
                "write the network as a spec",
            ),
            (
                "{\"class_name\": \"Sequential\"}",
                "JSON text",
                "docs/language.md",
            ),
            (
                "nc: 80\nbackbone:\n  - [-1, 1, Conv, [64, 6, 2, 2]]\n",
                "a model of Ultralytics",
                "docs/language.md",
            ),
            (
                "import torch\nfrom torch import nn\nnet = nn.Sequential(nn.Conv2d(3, 8, 3))\n",
                "Python (PyTorch)",
                "conv 3x3 8",
            ),
            (
                "model = Sequential([\n    Conv2D(16, (3, 3), input_shape=(28, 28, 1)),\n    MaxPooling2D((2, 2)),\n    ReLU(max_value=6),\n])\n",
                "Python (Keras)",
                "relu6",
            ),
            ("<!DOCTYPE html>\n<html>", "an HTML page", "download"),
            (
                "GGUF\u{3}\0\0\0",
                "a GGUF model",
                "no convolutional network",
            ),
        ] {
            let (message, help) = told(text).unwrap_or_else(|| panic!("{text}"));
            let first = ["this is", "`dir/net.cfg` is"];
            let called = |start: &&str| message.starts_with(&format!("{start} {name}"));
            assert!(first.iter().any(called), "{message}");
            assert!(help.contains(way), "{text}: {help}");
        }
    }

    #[test]
    fn what_may_be_a_spec_is_left_to_the_parser() {
        for text in [
            "",
            "# nothing but a comment",
            "\u{feff}cnn 1\nmodel M {}",
            "# a comment\n\n/// LeNet\nmodel M {}",
            "import \"std/blocks.cnn\"\n",
            "modle M { input x: 3 }",
            "conv 3x3 8\nrelu\n",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }

    #[test]
    fn every_place_is_of_a_kind_that_there_is() {
        let starts: [&[u8]; 5] = [
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff",
            b"BM",
            b"\x93NUMPY",
            b"\x80\x02}q\0",
        ];
        let pickle = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
        let header = b"\x10\0\0\0\0\0\0\0{}";
        let member = |name: &str| {
            let mut bytes = b"PK\x03\x04".to_vec();
            bytes.resize(26, 0);
            bytes.extend([name.len() as u8, 0, 0, 0]);
            bytes.extend(name.bytes());
            bytes
        };
        let npz = member("a.npy");
        let all = starts
            .into_iter()
            .chain([&pickle[..], &header[..], &npz[..]]);
        let names: Vec<&str> = all
            .filter_map(|bytes| Some(sniff::kind(bytes)?.name))
            .collect();
        for (name, _) in PLACES.iter().filter(|(name, _)| *name != DARKNET) {
            assert!(names.contains(name), "{name}: {names:?}");
        }
    }
}
