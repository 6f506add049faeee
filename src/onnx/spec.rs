//! The text of a spec, and what tensors its weights are.

use super::label::reference;
use super::net::{Id, Net, Op};
use super::statement::{Body, Defaults, Statement};

/// What stands around the layers.
pub(super) struct Frame<'a> {
    pub name: &'a str,
    pub doc: &'a str,
    /// Name, extents, and how a picture becomes it.
    pub inputs: Vec<(String, Vec<usize>, String)>,
    pub defaults: Defaults,
    /// Tensors that are outputs besides the last.
    pub taps: Vec<Id>,
    /// The head, as it is written.
    pub head: Option<String>,
}

/// Writes a spec.
pub(super) fn write(frame: &Frame<'_>, body: &Body) -> String {
    let mut text = "cnn 1\n".to_owned();
    for line in frame.doc.lines() {
        text += &format!("/// {line}\n");
    }
    text += &format!("model {} {{\n", frame.name);
    if let Some(defaults) = frame.defaults.text() {
        text += &format!("  {defaults}\n");
    }
    for (name, dims, settings) in &frame.inputs {
        let settings = match settings.is_empty() {
            true => String::new(),
            false => format!(" {{ {settings} }}"),
        };
        text += &format!("  input {name}: {}{settings}\n", super::text::extents(dims));
    }
    lines(&mut text, &body.statements, body);
    if !frame.taps.is_empty() {
        let names: Vec<String> = frame
            .taps
            .iter()
            .map(|id| reference(&body.labels[id]))
            .collect();
        text += &format!("  tap {}\n", names.join(", "));
    }
    if let Some(head) = &frame.head {
        text += &format!("  head {head}\n");
    }
    text + "}\n"
}

fn lines(text: &mut String, statements: &[Statement], body: &Body) {
    let width = |statement: &Statement| statement.label.as_ref().map_or(0, |label| label.len() + 2);
    let widest = statements
        .iter()
        .map(width)
        .filter(|&n| n <= 28)
        .max()
        .unwrap_or(0);
    for statement in statements {
        let label = statement
            .label
            .as_ref()
            .map_or(String::new(), |label| format!("{label}: "));
        let route = statement.route.map_or(String::new(), |id| {
            format!("route {} ", reference(&body.labels[&id]))
        });
        let line = format!("  {label:widest$}{route}{}", statement.words.join(" "));
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

/// Layers that outputs need, in order.
pub(super) fn order(net: &Net, outputs: &[Id]) -> Vec<Id> {
    let (live, _) = net.live(outputs);
    (0..live.len())
        .filter(|&id| live[id] && net.values[id].layer.is_some())
        .collect()
}

/// Whether a layer's only part is to be left out.
pub(super) fn is_softmax(net: &Net, id: Id) -> bool {
    net.op(id) == Some(&Op::Word("softmax"))
}
