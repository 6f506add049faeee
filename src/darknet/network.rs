//! From sections to layers: what each computes, from which values, of which shape.

use super::cfg::Section;
use super::error::{CfgError, Mistake};
use super::heads::{self, Head};
use super::keys;
use super::layers::activation;
use cnnc_compiler::words;

/// A tensor: 0 is the input, `n + 1` what darknet's layer `n` makes.
pub(super) type Value = usize;

/// Values from here on are shortcuts that had to be made fit for the sum of that number.
pub(super) const FITTED: Value = 1 << 20;

/// What a value is called after: darknet's number of the layer.
pub(super) fn layer_of(value: Value) -> usize {
    value % FITTED - 1
}

/// A tensor's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Map { c: usize, h: usize, w: usize },
    Vector(usize),
}

impl Shape {
    pub fn channels(self) -> usize {
        match self {
            Shape::Map { c, .. } => c,
            Shape::Vector(n) => n,
        }
    }

    pub fn elements(self) -> usize {
        match self {
            Shape::Map { c, h, w } => c * h * w,
            Shape::Vector(n) => n,
        }
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Shape::Map { c, h, w } => write!(f, "{c}x{h}x{w}"),
            Shape::Vector(n) => write!(f, "{n}"),
        }
    }
}

/// What a layer computes, as the language writes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// Layers applied to one operand, each on a line of its own but for activations.
    Chain(Vec<String>),
    /// A layer of several operands, and what follows on the line.
    Join { word: &'static str, then: String },
}

/// A layer.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub value: Value,
    pub inputs: Vec<Value>,
    pub what: What,
    /// What its label begins with.
    pub kind: &'static str,
    /// Whether it has weights.
    pub weights: bool,
}

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
}

/// Elements that a tensor has at most: the language's own limit.
const MOST_ELEMENTS: usize = 1 << 31;
/// Parameters that a network has at most: the language's own limit.
const MOST_PARAMS: u64 = 1 << 35;
/// Layers that a network has at most.
const MOST_LAYERS: usize = 20_000;

/// Reads the layers of all sections.
pub(super) fn read(sections: &[Section]) -> Result<Network, CfgError> {
    let (net, sections) = match sections {
        [] => return Err(CfgError::file(Mistake::NoNet)),
        [net, sections @ ..] => (net, sections),
    };
    if !matches!(net.name.as_str(), "net" | "network") {
        return Err(net.error(Mistake::NoNet));
    }
    if sections.is_empty() {
        return Err(net.error(Mistake::NoLayers));
    }
    if let Some(section) = sections.get(MOST_LAYERS) {
        let what = format!("a network of more than {MOST_LAYERS} layers");
        return Err(section.unsupported(None, what));
    }
    net.check_keys(keys::NET, keys::NET_TRAINING)?;
    let extent = |key: &str| {
        let found = net.maybe_int(key, 1)?;
        found.ok_or_else(|| net.key_error(key, Mistake::Missing))
    };
    let input = Shape::Map {
        c: extent("channels")?,
        h: extent("height")?,
        w: extent("width")?,
    };
    let mut reader = Reader {
        values: vec![(0, input)],
        decoded: vec![false],
        layers: Vec::new(),
        batch_norms: false,
        params: 0,
        head: Head::None,
        head_line: None,
        last_softmax: None,
    };
    reader.check(net, input)?;
    for (index, section) in sections.iter().enumerate() {
        reader.section(section, sections.get(index + 1..).unwrap_or_default())?;
    }
    reader.finish(net.int("letter_box", 0, 0)? == 1, input)
}

/// What has been read so far.
pub(super) struct Reader {
    /// For the input and each layer: the value that it stands for (another's, for routes and training layers), and its shape.
    pub values: Vec<(Value, Shape)>,
    /// Whether darknet decodes in place there, so that no layer can go on from it.
    pub decoded: Vec<bool>,
    pub layers: Vec<Layer>,
    pub batch_norms: bool,
    params: u64,
    pub head: Head,
    /// The head that nothing can follow: its section.
    pub head_line: Option<String>,
    /// The operand of a softmax that nothing but `cost` has followed.
    pub last_softmax: Option<Value>,
}

impl Reader {
    /// Reads one section; `next` are those behind it.
    fn section(&mut self, section: &Section, next: &[Section]) -> Result<(), CfgError> {
        let Some(&(keyword, read)) = keys::SECTIONS
            .iter()
            .find(|(_, names, _)| names.contains(&section.name.as_str()))
            .map(|(keyword, _, read)| (keyword, read))
            .as_ref()
        else {
            return Err(match keys::unsupported(&section.name) {
                Some(what) => section.unsupported(None, what),
                None => {
                    let names = keys::SECTIONS.iter().map(|(_, names, _)| names[0]);
                    let names: Vec<&str> = names.collect();
                    let nearest = words::nearest(&section.name, &names).map(str::to_owned);
                    section.error(Mistake::UnknownSection { nearest })
                }
            });
        };
        section.check_keys(read, keys::TRAINING)?;
        section.refuse(keys::REFUSED)?;
        if let Some(head) = &self.head_line
            && *keyword != "cost"
        {
            let what = format!("a layer behind [{head}]");
            return Err(section.unsupported(None, what));
        }
        if *keyword != "cost" {
            self.last_softmax = None;
        }
        match *keyword {
            "convolutional" => self.convolutional(section),
            "local" => self.local(section),
            "connected" => self.connected(section),
            "maxpool" => self.maxpool(section),
            "avgpool" => self.avgpool(section, next),
            "route" => self.route(section),
            "shortcut" => self.shortcut(section),
            "scale_channels" => self.scale_channels(section),
            "sam" => self.sam(section),
            "upsample" => self.upsample(section),
            "reorg" => self.reorg(section),
            "crop" => self.crop(section),
            "dropout" => self.dropout(section),
            "softmax" => self.softmax(section),
            "activation" => {
                let (act, shape) = (activation(section, "linear")?, self.before(section)?.1);
                match act.is_empty() {
                    true => self.alias(self.last()),
                    false => self.chain(section, vec![act], "act", shape),
                }
            }
            "logistic" => {
                let (_, shape) = self.before(section)?;
                self.chain(section, vec!["sigmoid".to_owned()], "logistic", shape)
            }
            "lrn" => self.lrn(section),
            "cost" | "empty" => self.alias(self.last()),
            "yolo" | "region" | "detection" => heads::read(self, section, keyword),
            other => unreachable!("a row of SECTIONS without its code: {other}"),
        }
    }

    /// Index of the layer before.
    pub fn last(&self) -> usize {
        self.values.len() - 1
    }

    /// The operand: what the layer before has made.
    pub fn before(&self, section: &Section) -> Result<(Value, Shape), CfgError> {
        self.at(section, self.last())
    }

    pub fn at(&self, section: &Section, index: usize) -> Result<(Value, Shape), CfgError> {
        if self.decoded[index] {
            let what = "a layer that goes on from what [yolo] has decoded";
            return Err(section.unsupported(None, what));
        }
        Ok(self.values[index])
    }

    pub fn map(&self, section: &Section) -> Result<(Value, [usize; 3]), CfgError> {
        match self.before(section)? {
            (value, Shape::Map { c, h, w }) => Ok((value, [c, h, w])),
            (_, Shape::Vector(n)) => {
                let why = format!("its operand is a vector of {n}, and no map");
                Err(section.shapes(why))
            }
        }
    }

    /// The layer of an index as it is written: from the first where it is not negative, back from this one where it is.
    pub fn layer(
        &self,
        section: &Section,
        key: &str,
        index: i64,
    ) -> Result<(Value, Shape), CfgError> {
        let layers = self.last();
        let found = match index {
            0.. => usize::try_from(index).ok().filter(|&index| index < layers),
            _ => usize::try_from(index.unsigned_abs())
                .ok()
                .and_then(|back| layers.checked_sub(back)),
        };
        let Some(found) = found else {
            let index = index.to_string();
            return Err(section.key_error(key, Mistake::NoSuchLayer { index, layers }));
        };
        // Values count the input too.
        self.at(section, found + 1)
    }

    /// A layer that makes nothing of its own.
    pub fn alias(&mut self, of: usize) -> Result<(), CfgError> {
        self.values.push(self.values[of]);
        self.decoded.push(self.decoded[of]);
        Ok(())
    }

    /// A layer whose result darknet decodes in place.
    pub fn decoded(&mut self) {
        self.values.push(self.values[self.last()]);
        self.decoded.push(true);
    }

    pub fn chain(
        &mut self,
        section: &Section,
        lines: Vec<String>,
        kind: &'static str,
        shape: Shape,
    ) -> Result<(), CfgError> {
        let (input, _) = self.before(section)?;
        self.add(section, vec![input], What::Chain(lines), kind, shape)
    }

    pub fn add(
        &mut self,
        section: &Section,
        inputs: Vec<Value>,
        what: What,
        kind: &'static str,
        shape: Shape,
    ) -> Result<(), CfgError> {
        self.check(section, shape)?;
        let value = self.values.len();
        let weights = matches!(kind, "conv" | "local" | "dense");
        self.layers.push(Layer {
            value,
            inputs,
            what,
            kind,
            weights,
        });
        self.values.push((value, shape));
        self.decoded.push(false);
        Ok(())
    }

    fn check(&self, section: &Section, shape: Shape) -> Result<(), CfgError> {
        let (c, h, w) = match shape {
            Shape::Map { c, h, w } => (c, h, w),
            Shape::Vector(n) => (n, 1, 1),
        };
        let elements = c.checked_mul(h).and_then(|n| n.checked_mul(w));
        match elements {
            Some(1..=MOST_ELEMENTS) => Ok(()),
            Some(0) => Err(section.shapes("nothing is left of its operand")),
            _ => Err(section.shapes("its result is larger than any tensor may be")),
        }
    }

    pub fn count(&mut self, section: &Section, factors: &[usize]) -> Result<(), CfgError> {
        let product = factors
            .iter()
            .try_fold(1u64, |n, &factor| n.checked_mul(factor as u64));
        let sum = product.and_then(|n| self.params.checked_add(n));
        self.params = sum
            .filter(|&sum| sum <= MOST_PARAMS)
            .ok_or_else(|| section.shapes("its weights are more than any network may have"))?;
        Ok(())
    }

    /// Checks what can be checked at the end only.
    fn finish(mut self, letterbox: bool, input: Shape) -> Result<Network, CfgError> {
        // A softmax at the end belongs to the head.
        if matches!(self.head, Head::None)
            && let Some(logits) = self.last_softmax
        {
            let softmax = self.layers.last_mut().expect("a softmax is a layer");
            softmax.what = match &softmax.what {
                What::Chain(lines) if lines.len() > 1 => What::Chain(vec!["flatten".to_owned()]),
                _ => What::Chain(Vec::new()),
            };
            let value = softmax.value;
            if softmax.what == What::Chain(Vec::new()) {
                self.layers.pop();
                self.values
                    .iter_mut()
                    .filter(|(known, _)| *known == value)
                    .for_each(|known| known.0 = logits);
            }
            self.head = Head::Classify;
        }
        let answer = self.values[self.last()].0;
        let mut read: std::collections::HashSet<Value> = self
            .layers
            .iter()
            .flat_map(|layer| layer.inputs.iter().copied())
            .collect();
        match &self.head {
            Head::Yolo3 { maps, .. } => read.extend(maps),
            _ => {
                read.insert(answer);
            }
        }
        let unread = self
            .layers
            .iter()
            .map(|layer| layer.value)
            .filter(|value| !read.contains(value));
        Ok(Network {
            input,
            letterbox,
            unread: unread.collect(),
            layers: self.layers,
            head: self.head,
            params: self.params,
            batch_norms: self.batch_norms,
        })
    }
}
