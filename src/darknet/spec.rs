//! Statements as the text of a `.cnn`.

use super::Options;
use super::blocks::Block;
use super::fold::{Form, Statement, references};
use super::heads::Head;
use super::layers::number;
use super::network::{Network, Shape, Value, layer_of};
use cnnc_compiler::words;
use std::collections::{HashMap, HashSet};

/// Writes the spec of a network.
pub(super) fn write(
    network: &Network,
    blocks: &[Block],
    statements: &[Statement],
    options: &Options,
) -> String {
    let mut labels = Labels::default();
    labels.name(0, "image".to_owned());
    let mut stages = 0;
    for statement in statements {
        let label = match &statement.form {
            Form::Repeat { .. } => {
                stages += 1;
                format!("stage{stages}")
            }
            // Counted as darknet prints them.
            _ => format!("{}{}", statement.kind, layer_of(statement.value)),
        };
        labels.name(statement.value, label);
        if let Form::Residual { body, .. } = &statement.form {
            labels.body(body);
        }
    }
    let mut text = Text::default();
    text.line(0, "cnn 1");
    let default_bias = if network.batch_norms { "" } else { " bias" };
    for block in blocks {
        text.line(
            0,
            &format!("block {}({}) {{", block.name, block.params.join(", ")),
        );
        text.line(1, "residual {");
        for line in &block.lines {
            text.line(2, &line.replace(default_bias, ""));
        }
        text.line(1, &format!("}} {}", block.then));
        text.line(0, "}");
    }
    for line in options.doc.lines() {
        text.line(0, &format!("/// {}", printable(line)));
    }
    text.line(0, &format!("model {} {{", model_name(&options.name)));
    let bias = if network.batch_norms { "off" } else { "on" };
    text.line(
        1,
        &format!("defaults {{ pad half  bias {bias}  leaky.slope 0.1 }}"),
    );
    text.line(1, &input(network, options));
    let mut writer = Writer {
        text,
        labels,
        default_bias,
        current: 0,
    };
    // Tensors that are named by statements, the head or a tap.
    let mut named = references(statements);
    if let Head::Yolo3 { maps, .. } = &network.head {
        named.extend(maps);
    }
    named.extend(&network.unread);
    writer.body(1, statements, &named, true);
    let Writer {
        mut text, labels, ..
    } = writer;
    if !network.unread.is_empty() {
        let taps: Vec<&str> = network
            .unread
            .iter()
            .map(|&value| labels.of(value))
            .collect();
        text.line(1, &format!("tap {}", taps.join(", ")));
    }
    head(&mut text, network, &labels, options);
    text.line(
        1,
        &format!(
            "expect {{ params {} }}",
            words::grouped(network.params as usize)
        ),
    );
    text.line(0, "}");
    text.0
}

/// Labels of tensors.
#[derive(Default)]
struct Labels(HashMap<Value, String>);

impl Labels {
    fn name(&mut self, value: Value, label: String) {
        self.0.insert(value, label);
    }

    fn body(&mut self, body: &[Statement]) {
        for statement in body {
            self.name(
                statement.value,
                format!("{}{}", statement.kind, layer_of(statement.value)),
            );
            if let Form::Residual { body, .. } = &statement.form {
                self.body(body);
            }
        }
    }

    fn of(&self, value: Value) -> &str {
        &self.0[&value]
    }
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, depth: usize, text: &str) {
        self.0.push_str(&"  ".repeat(depth));
        self.0.push_str(text.trim_end());
        self.0.push('\n');
    }
}

struct Writer {
    text: Text,
    labels: Labels,
    /// What is not written, since it is the default.
    default_bias: &'static str,
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
        let line = |writer: &mut Writer, label: &str, text: &str| {
            let text = text.replace(writer.default_bias, "");
            writer.text.line(depth, &format!("{label:width$}{text}"));
        };
        for statement in body {
            if let Some(input) = statement.input
                && input != self.current
            {
                let route = format!("route {}", self.labels.of(input));
                line(self, "", &route);
            }
            let label_text = label_of(self, statement);
            match &statement.form {
                Form::Chain(lines) => {
                    let (last, before) = lines.split_last().expect("a layer does something");
                    for text in before {
                        line(self, "", text);
                    }
                    line(self, &label_text, last);
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
                    line(self, &label_text, &text);
                }
                Form::Residual { body, then } => {
                    self.text.line(depth, &format!("{label_text}residual {{"));
                    self.current = statement.input.expect("a residual has one input");
                    self.body(depth + 1, body, &HashSet::new(), label);
                    self.text.line(depth, &format!("}} {then}"));
                }
                Form::Call(call) => line(self, &label_text, call),
                Form::Repeat { count, body } => {
                    if let [
                        Statement {
                            form: Form::Call(call),
                            ..
                        },
                    ] = &body[..]
                    {
                        let text = format!("repeat {count} {{ {call} }}");
                        line(self, &label_text, &text);
                        self.current = statement.value;
                        continue;
                    }
                    self.text
                        .line(depth, &format!("{label_text}repeat {count} {{"));
                    self.current = body[0].input.expect("what is repeated goes on");
                    self.body(depth + 1, body, &HashSet::new(), false);
                    self.text.line(depth, "}");
                }
            }
            self.current = statement.value;
        }
    }
}

fn input(network: &Network, options: &Options) -> String {
    let shape = network.input;
    let Shape::Map { h, w, .. } = shape else {
        return format!("input image: {shape}");
    };
    if !matches!(shape.channels(), 1 | 3) {
        return format!("input image: {shape}");
    }
    let boxes = !matches!(network.head, Head::None | Head::Classify);
    let how = match boxes {
        _ if options.letterbox || network.letterbox => format!("letterbox {w}x{h}"),
        // Darknet classifies the middle.
        false if w == h => format!("resize {w}  crop {w}"),
        _ => format!("resize {w}x{h}"),
    };
    format!("input image: {shape} {{ {how}  filter bilinear }}")
}

fn head(text: &mut Text, network: &Network, labels: &Labels, options: &Options) {
    let (keyword, keys): (&str, Vec<String>) = match &network.head {
        Head::None => return,
        Head::Classify => ("classify", Vec::new()),
        Head::Yolo1 { side, boxes } => (
            "yolo1",
            vec![
                format!("side {side}  boxes {boxes}"),
                "keep 0.2  nms class iou 0.4".to_owned(),
            ],
        ),
        Head::Yolo2 { anchors } => (
            "yolo2",
            vec![
                format!("anchors cells {}", pairs(anchors)),
                "keep 0.5  nms class iou 0.45".to_owned(),
            ],
        ),
        Head::Yolo3 {
            maps,
            anchors,
            masks,
            stretch,
            squared,
            ..
        } => {
            let names: Vec<&str> = maps.iter().map(|&value| labels.of(value)).collect();
            let masks: Vec<String> = masks
                .iter()
                .map(|mask| {
                    let indices: Vec<String> = mask.iter().map(usize::to_string).collect();
                    match &indices[..] {
                        // In brackets it would be a number.
                        [index] => format!("[{index}]"),
                        several => format!("({})", several.join(", ")),
                    }
                })
                .collect();
            let mut keys = vec![
                format!("anchors pixels {}", pairs(anchors)),
                format!("maps {}", names.join(" ")),
                format!("masks {}", masks.join(" ")),
            ];
            if stretch.iter().any(|&factor| factor != 1.0) {
                let factors: Vec<String> = stretch.iter().map(|&factor| number(factor)).collect();
                keys.push(match factors.iter().all(|factor| *factor == factors[0]) {
                    true => format!("stretch {}", factors[0]),
                    false => format!("stretch ({})", factors.join(", ")),
                });
            }
            if *squared {
                keys.push("squared on".to_owned());
            }
            keys.push("keep 0.5  nms class iou 0.45".to_owned());
            ("yolo3", keys)
        }
    };
    let labels = options.labels.as_ref();
    let labels = labels.map(|file| format!("labels \"{}\"", printable(file).replace('"', "")));
    let keys: Vec<String> = labels.into_iter().chain(keys).collect();
    if keys.is_empty() {
        text.line(1, &format!("head {keyword}"));
        return;
    }
    text.line(1, &format!("head {keyword} {{"));
    for key in keys {
        text.line(2, &key);
    }
    text.line(1, "}");
}

fn pairs(pairs: &[(f64, f64)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|&(w, h)| format!("({}, {})", number(w), number(h)))
        .collect();
    pairs.join(" ")
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
