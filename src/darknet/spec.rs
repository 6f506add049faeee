//! Statements as the text of a `.cnn`.

use super::Options;
use super::blocks::Block;
use super::fold::{Form, Statement, references};
use super::network::Network;
use super::node::{Shape, Value};
use cnnc_compiler::words;
use std::collections::{HashMap, HashSet};

/// The text of a spec, and where it comes from.
#[derive(Default)]
pub(super) struct Spec {
    pub text: String,
    /// For each line of the text, that of the section of the `.cfg`.
    pub origins: Vec<usize>,
}

impl Spec {
    fn line(&mut self, depth: usize, text: &str, origin: usize) {
        self.text.push_str(&"  ".repeat(depth));
        self.text.push_str(text.trim_end());
        self.text.push('\n');
        self.origins.push(origin);
    }
}

/// Writes the spec of a network.
pub(super) fn write(
    network: &Network,
    blocks: &[Block],
    statements: &[Statement],
    options: &Options,
) -> Spec {
    let mut labels = Labels::default();
    labels.name(0, "image".to_owned());
    labels.body(statements, &mut 0);
    let mut spec = Spec::default();
    let net = network.line;
    spec.line(0, "cnn 1", net);
    if let Some(note) = &network.note {
        spec.line(0, &format!("# {note}"), net);
    }
    let defaults = Defaults {
        bias: !network.batch_norms,
    };
    for block in blocks {
        let head = format!("block {}({}) {{", block.name, block.params.join(", "));
        spec.line(0, &head, block.line);
        spec.line(1, "residual {", block.line);
        for (line, origin) in &block.lines {
            spec.line(2, &defaults.left_out(line), *origin);
        }
        spec.line(1, &format!("}} {}", block.then), block.line);
        spec.line(0, "}", block.line);
    }
    for line in options.doc.lines() {
        spec.line(0, &format!("/// {}", printable(line)), net);
    }
    spec.line(0, &format!("model {} {{", model_name(&options.name)), net);
    let bias = if defaults.bias { "on" } else { "off" };
    let line = format!("defaults {{ pad half  bias {bias}  leaky.slope 0.1 }}");
    spec.line(1, &line, net);
    spec.line(1, &input(network, options), net);
    let mut writer = Writer {
        spec,
        labels,
        defaults,
        current: 0,
    };
    // Tensors that are named by statements, the head or a tap.
    let mut named = references(statements);
    named.extend(network.head.maps());
    named.extend(&network.unread);
    writer.body(1, statements, &named, true);
    let Writer {
        mut spec, labels, ..
    } = writer;
    let end = network.head_line;
    if !network.unread.is_empty() {
        let taps: Vec<&str> = network
            .unread
            .iter()
            .map(|&value| labels.of(value))
            .collect();
        spec.line(1, &format!("tap {}", taps.join(", ")), end);
    }
    for (depth, line) in head(network, &labels, options) {
        spec.line(depth, &line, end);
    }
    let params = words::grouped(network.params as usize);
    spec.line(1, &format!("expect {{ params {params} }}"), end);
    spec.line(0, "}", end);
    spec
}

/// Labels of tensors.
#[derive(Default)]
struct Labels {
    labels: HashMap<Value, String>,
    taken: HashSet<String>,
}

impl Labels {
    fn name(&mut self, value: Value, label: String) {
        let mut unique = label.clone();
        let mut more = 1;
        while !self.taken.insert(unique.clone()) {
            more += 1;
            unique = format!("{label}_{more}");
        }
        self.labels.insert(value, unique);
    }

    /// Names what statements make: kind and darknet's number, as darknet prints them. Stages are counted.
    fn body(&mut self, body: &[Statement], stages: &mut usize) {
        for statement in body {
            let label = match &statement.form {
                Form::Repeat { .. } => {
                    *stages += 1;
                    format!("stage{stages}")
                }
                _ => format!("{}{}", statement.kind, statement.number),
            };
            self.name(statement.value, label);
            if let Form::Residual { body, .. } = &statement.form {
                self.body(body, stages);
            }
        }
    }

    fn of(&self, value: Value) -> &str {
        &self.labels[&value]
    }
}

/// What layers do if nothing is written.
struct Defaults {
    bias: bool,
}

impl Defaults {
    /// A line without what it need not say.
    fn left_out(&self, line: &str) -> String {
        let (without, with) = (" bias off", " bias");
        match self.bias {
            false => line.replace(without, ""),
            true => {
                let parts = line.split(without).map(|part| part.replace(with, ""));
                parts.collect::<Vec<_>>().join(without)
            }
        }
    }
}

struct Writer {
    spec: Spec,
    labels: Labels,
    defaults: Defaults,
    current: Value,
}

impl Writer {
    /// Writes statements; `label` says whether those with weights get labels.
    fn body(&mut self, depth: usize, body: &[Statement], named: &HashSet<Value>, label: bool) {
        let wanted = |statement: &Statement| {
            named.contains(&statement.value)
                || matches!(statement.form, Form::Repeat { .. })
                || (label && (statement.weights || matches!(statement.form, Form::Call(_))))
        };
        let label_of = |writer: &Writer, statement: &Statement| match wanted(statement) {
            true => format!("{}: ", writer.labels.of(statement.value)),
            false => String::new(),
        };
        let lengths = body.iter().filter(|statement| match &statement.form {
            Form::Chain(_) | Form::Join { .. } | Form::Call(_) => true,
            Form::Repeat { body, .. } => matches!(body[0].form, Form::Call(_)) && body.len() == 1,
            Form::Residual { .. } => false,
        });
        let width = lengths
            .map(|statement| label_of(self, statement).len())
            .max()
            .unwrap_or(0);
        let line = |writer: &mut Writer, label: &str, text: &str, origin: usize| {
            let text = writer.defaults.left_out(text);
            let line = format!("{label:width$}{text}");
            writer.spec.line(depth, &line, origin);
        };
        for statement in body {
            let origin = statement.line;
            if let Some(input) = statement.input
                && input != self.current
            {
                let route = format!("route {}", self.labels.of(input));
                line(self, "", &route, origin);
            }
            let label_text = label_of(self, statement);
            match &statement.form {
                Form::Chain(lines) => {
                    let (last, before) = lines.split_last().expect("a layer does something");
                    for text in before {
                        line(self, "", text, origin);
                    }
                    line(self, &label_text, last, origin);
                }
                Form::Join {
                    word,
                    operands,
                    then,
                } => {
                    let operands: Vec<&str> = operands
                        .iter()
                        .map(|&value| self.labels.of(value))
                        .collect();
                    let text = format!("{word}({}) {then}", operands.join(", "));
                    line(self, &label_text, &text, origin);
                }
                Form::Residual { body, then } => {
                    let head = format!("{label_text}residual {{");
                    let first = body.first().map_or(origin, |first| first.line);
                    self.spec.line(depth, &head, first);
                    self.current = statement.input.expect("a residual has one input");
                    self.body(depth + 1, body, &HashSet::new(), label);
                    self.spec.line(depth, &format!("}} {then}"), origin);
                }
                Form::Call(call) => line(self, &label_text, call, origin),
                Form::Repeat { count, body } => {
                    if let [
                        Statement {
                            form: Form::Call(call),
                            ..
                        },
                    ] = &body[..]
                    {
                        let text = format!("repeat {count} {{ {call} }}");
                        line(self, &label_text, &text, origin);
                        self.current = statement.value;
                        continue;
                    }
                    let head = format!("{label_text}repeat {count} {{");
                    self.spec.line(depth, &head, origin);
                    self.current = body[0].input.expect("what is repeated goes on");
                    self.body(depth + 1, body, &HashSet::new(), false);
                    self.spec.line(depth, "}", origin);
                }
            }
            self.current = statement.value;
        }
    }
}

fn input(network: &Network, options: &Options) -> String {
    let shape = network.input;
    let Shape::Map { c, h, w } = shape else {
        return format!("input image: {shape}");
    };
    if !matches!(c, 1 | 3) {
        return format!("input image: {shape}");
    }
    let how = match network.head.detects() {
        _ if options.letterbox || network.letterbox => format!("letterbox {w}x{h}"),
        // Darknet classifies the middle.
        false if w == h => format!("resize {w}  crop {w}"),
        _ => format!("resize {w}x{h}"),
    };
    format!("input image: {shape} {{ {how}  filter bilinear }}")
}

/// The lines of the head, and how deep they stand.
fn head(network: &Network, labels: &Labels, options: &Options) -> Vec<(usize, String)> {
    let written = network.head.written(|value| labels.of(value));
    let Some((keyword, keys)) = written else {
        return Vec::new();
    };
    let labels = options.labels.as_ref();
    let labels = labels.map(|file| format!("labels \"{}\"", printable(file).replace('"', "")));
    let keys: Vec<String> = labels.into_iter().chain(keys).collect();
    if keys.is_empty() {
        return vec![(1, format!("head {keyword}"))];
    }
    let mut lines = vec![(1, format!("head {keyword} {{"))];
    lines.extend(keys.into_iter().map(|key| (2, key)));
    lines.push((1, "}".to_owned()));
    lines
}

/// A file's name as a model's: `yolov3-tiny` is `Yolov3Tiny`.
fn model_name(file: &str) -> String {
    let words = file.split(|c: char| !c.is_ascii_alphanumeric());
    let mut name: String = words
        .filter(|word| !word.is_empty())
        .map(|word| word[..1].to_ascii_uppercase() + &word[1..])
        .collect();
    name.truncate(64);
    match name.chars().next() {
        None => "Imported".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("Net{name}"),
        Some(_) => name,
    }
}

/// Text without control characters.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
