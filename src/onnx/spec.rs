//! The text of a spec, and what tensors its weights are.

use super::blocks::{self, Block};
use super::label::{Labels, reference};
use super::lines::Writer;
use super::loops;
use super::nested;
use super::net::{Id, Net, Op};
use super::statement::{Body, anew, drops, readers};
use super::tree::{self, Form};
use super::word::Defaults;
use std::collections::HashMap;

/// What stands around the layers.
pub(super) struct Frame<'a> {
    pub name: &'a str,
    pub doc: &'a str,
    /// Name, extents, and how a picture becomes it.
    pub inputs: Vec<(String, Vec<usize>, String)>,
    /// The inputs' tensors.
    pub ids: Vec<Id>,
    pub defaults: Defaults,
    /// Tensors that are outputs besides the last.
    pub taps: Vec<Id>,
    /// The head.
    pub head: Option<Head>,
}

/// A head.
pub(super) struct Head {
    pub keyword: &'static str,
    /// The tensors that it names.
    pub maps: Vec<Id>,
    /// Its other keys, as they are written.
    pub keys: Vec<String>,
}

impl Head {
    /// The head as it is written, with what tensors are called.
    fn text(&self, labels: &HashMap<Id, String>) -> String {
        let name = |id: &Id| reference(labels.get(id).map_or("", String::as_str));
        let maps: Vec<String> = self.maps.iter().map(name).collect();
        let keyword = self.keyword;
        match (&self.maps[..], &self.keys[..]) {
            ([], []) => format!("  head {keyword}\n"),
            ([], keys) => format!("  head {keyword} {{ {} }}\n", keys.join("  ")),
            (_, keys) => {
                let mut text = format!("  head {keyword} {{\n    maps {}\n", maps.join(" "));
                for key in keys {
                    text += &format!("    {key}\n");
                }
                text + "  }\n"
            }
        }
    }
}

/// Writes a spec with a line for each chain of layers.
pub(super) fn write(frame: &Frame<'_>, body: &Body) -> String {
    let mut lines = Vec::new();
    for statement in &body.statements {
        let route = statement.route.map_or(String::new(), |id| {
            format!("route {} ", reference(&body.labels[&id]))
        });
        let label = statement
            .label
            .as_ref()
            .map_or(String::new(), |label| format!("{label}: "));
        lines.push(format!("{label}{route}{}", statement.words.join(" ")));
    }
    framed(frame, &body.labels, &[], &lines)
}

/// A spec of blocks and loops.
pub(super) struct Folded {
    pub text: String,
    /// Layers in the order in which they are written.
    pub order: Vec<Id>,
    /// What every tensor that is referred to is called.
    pub labels: HashMap<Id, String>,
}

/// What belongs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folding {
    /// Blocks, and a shared network.
    Shared,
    /// Blocks, and blocks within them.
    Nested,
    /// Blocks.
    Plain,
}

/// Writes a spec with what belongs together in blocks and loops; nothing, if there is no shared network.
pub(super) fn fold(
    frame: &Frame<'_>,
    net: &Net,
    body: &Body,
    outputs: &[Id],
    folding: Folding,
) -> Option<Folded> {
    let share = folding == Folding::Shared;
    let deep = folding == Folding::Nested;
    let inputs: Vec<Id> = frame.ids.clone();
    let mut items = tree::grow(net, body, outputs);
    let shared = match share {
        true => tree::share(net, &mut items, outputs)?,
        false => Vec::new(),
    };
    let items = tree::runs(net, items, outputs, deep);
    let mut writer = Writer {
        net,
        defaults: frame.defaults,
        labels: body.labels.clone(),
    };
    let mut taken = Labels::default();
    taken.take(frame.inputs.iter().map(|input| input.0.clone()));
    let (blocks, mut items) = match deep {
        true => nested::extract(&writer, items, &mut taken),
        false => blocks::extract(&writer, items, &mut taken),
    };
    let mut referred = loops::referred(net, &items, &inputs, outputs);
    if frame
        .head
        .as_ref()
        .is_some_and(|head| !head.maps.is_empty())
    {
        // Outputs are those that the head names, and taps.
        referred.extend(outputs);
    }
    for item in &mut items {
        let bare = match &item.form {
            Form::Chain(_, weighty) => !weighty,
            _ => false,
        };
        if bare && !referred.contains(&item.value) {
            item.label = None;
        }
    }
    let mut items = loops::repeats(items, &referred);
    taken.take(items.iter().filter_map(|item| item.label.clone()));
    for item in &mut items {
        let call = matches!(&item.form, Form::Text(text, _) if !text.starts_with("repeat "));
        if item.label.is_none() && (call || referred.contains(&item.value)) {
            item.label = Some(taken.numbered("part"));
        }
        if let Some(label) = &item.label {
            writer.labels.insert(item.value, label.clone());
        }
    }
    let mut lines = Vec::new();
    if share {
        lines.push("shared twin {".to_owned());
        lines.extend(
            writer
                .all(&shared, None)
                .iter()
                .map(|line| format!("  {line}")),
        );
        lines.push("}".to_owned());
    }
    let mut order = Vec::new();
    for item in &items {
        item.layers(&mut order);
    }
    let readers = readers(net, &order);
    let mut current = match inputs[..] {
        [only] => Some(only),
        _ => None,
    };
    for item in &items {
        let mut own = writer.lines(item, item.label.as_deref());
        if let Form::Chain(ids, _) = &item.form
            && drops(net, current, ids[0], &readers, outputs)
        {
            own[0] = anew(&own[0]);
        }
        let route = match item.needs[..] {
            [need] if current != Some(need) => {
                format!(
                    "route {} ",
                    reference(writer.labels.get(&need).map_or("", String::as_str))
                )
            }
            _ => String::new(),
        };
        let label = item
            .label
            .as_ref()
            .map_or(String::new(), |label| format!("{label}: "));
        own[0] = format!("{label}{route}{}", own[0]);
        lines.extend(own);
        current = Some(item.value);
    }
    Some(Folded {
        text: framed(frame, &writer.labels, &blocks, &lines),
        order,
        labels: writer.labels,
    })
}

/// Blocks, and the model of these lines.
fn framed(
    frame: &Frame<'_>,
    labels: &HashMap<Id, String>,
    blocks: &[Block],
    lines: &[String],
) -> String {
    let mut text = "cnn 1\n".to_owned();
    for block in blocks {
        text += &match block.params.is_empty() {
            true => format!("block {} {{\n", block.name),
            false => format!("block {}({}) {{\n", block.name, block.params.join(", ")),
        };
        for line in &block.lines {
            text += &format!("{}\n", plain(line));
        }
        text += "}\n";
    }
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
    for line in lines {
        text += &format!("  {}\n", plain(line.trim_end()));
    }
    if !frame.taps.is_empty() {
        let names: Vec<String> = frame
            .taps
            .iter()
            .map(|id| reference(labels.get(id).map_or("", String::as_str)))
            .collect();
        text += &format!("  tap {}\n", names.join(", "));
    }
    if let Some(head) = &frame.head {
        text += &head.text(labels);
    }
    text + "}\n"
}

/// A line without strides that need not be said, and with the blanks of calls.
fn plain(line: &str) -> String {
    let line = line.replace(" /=1 ", " ").replace(" /=", " /");
    line.replace("( ", "(")
        .replace(" , ", ", ")
        .replace(" )", ")")
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
