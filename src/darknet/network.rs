//! From sections to layers: what each computes, from which values, of which shape.

use super::cfg::{Cfg, Section};
use super::error::{CfgError, Mistake};
use super::head::Head;
use super::keys;
use super::node::{Layer, Shape, Value, What};
use super::note::Notes;
use super::reader::Reader;
use std::collections::HashSet;

/// A network as the `.cfg` has it.
#[derive(Debug)]
pub(super) struct Network {
    pub input: Shape,
    pub letterbox: bool,
    pub layers: Vec<Layer>,
    pub head: Head,
    /// Learned parameters.
    pub params: u64,
    /// Whether there are layers with a batch norm in place of a bias.
    pub batch_norms: bool,
    /// Values that nobody reads.
    pub unread: Vec<Value>,
    /// What darknet ignores, in a line.
    pub note: Option<String>,
    /// Line of `[net]`.
    pub line: usize,
    /// Line of the first section of the head.
    pub head_line: usize,
}

/// Layers that a network has at most.
const MOST_LAYERS: usize = 20_000;

/// Reads the layers of all sections.
pub(super) fn read(cfg: &Cfg) -> Result<Network, CfgError> {
    let (net, sections) = match &cfg.sections[..] {
        [] => return Err(CfgError::file(Mistake::NoNet)),
        [net, sections @ ..] => (net, sections),
    };
    if !keys::NET.names.contains(&net.name.as_str()) {
        return Err(net.error(Mistake::NoNet));
    }
    if sections.is_empty() {
        return Err(net.error(Mistake::NoLayers));
    }
    if let Some(section) = sections.get(MOST_LAYERS) {
        let what = format!("a network of more than {MOST_LAYERS} layers");
        return Err(section.unsupported(None, what));
    }
    let mut notes = Notes::new(cfg);
    notes.unread(net, &keys::NET);
    let input = input(net)?;
    let mut reader = Reader::new(input, notes, net.line);
    reader.check(net, input)?;
    for (index, section) in sections.iter().enumerate() {
        let next = sections.get(index + 1..).unwrap_or_default();
        reader.section(index, section, next)?;
    }
    let letterbox = net.flag("letter_box")?;
    Ok(reader.finish(net, letterbox, input))
}

/// The shape of the network's input: that of a picture, or `inputs` numbers.
fn input(net: &Section) -> Result<Shape, CfgError> {
    let extents = ["channels", "height", "width"];
    if let Some(inputs) = net.maybe_int("inputs", 1)?
        && extents.iter().any(|key| net.text(key).is_none())
    {
        return Ok(Shape::Flat(inputs));
    }
    let extent = |key: &str| {
        let found = net.maybe_int(key, 1)?;
        found.ok_or_else(|| net.key_error(key, Mistake::Missing))
    };
    let [c, h, w] = extents.map(extent);
    Ok(Shape::Map {
        c: c?,
        h: h?,
        w: w?,
    })
}

impl Reader {
    /// What is known at the end only.
    fn finish(mut self, net: &Section, letterbox: bool, input: Shape) -> Network {
        // A softmax at the end belongs to the head, but for a softmax of another's result.
        let softmax = |value| {
            self.layers
                .iter()
                .any(|layer| layer.value == value && layer.kind == "softmax")
        };
        if matches!(self.head, Head::None)
            && let Some(logits) = self.last_softmax.filter(|&logits| !softmax(logits))
        {
            let softmax = self.layers.last_mut().expect("a softmax is a layer");
            let What::Chain(lines) = &mut softmax.what else {
                unreachable!("a softmax has one operand");
            };
            lines.pop();
            self.head_at = Some(softmax.line);
            if lines.is_empty() {
                let value = softmax.value;
                self.layers.pop();
                let aliases = self.values.iter_mut();
                let aliases = aliases.filter(|(known, _)| *known == value);
                aliases.for_each(|known| known.0 = logits);
            }
            self.head = Head::Classify;
        }
        let answer = self.values[self.last()].0;
        let mut read: HashSet<Value> = self
            .layers
            .iter()
            .flat_map(|layer| layer.inputs.iter().copied())
            .collect();
        match self.head.maps() {
            [] => {
                read.insert(answer);
            }
            maps => read.extend(maps),
        }
        let values = self.layers.iter().map(|layer| layer.value);
        let unread = values.filter(|value| !read.contains(value)).collect();
        Network {
            input,
            letterbox,
            unread,
            note: self.notes.line(),
            line: net.line,
            head_line: self.head_at.unwrap_or(net.line),
            layers: self.layers,
            head: self.head,
            params: self.params,
            batch_norms: self.batch_norms,
        }
    }
}
