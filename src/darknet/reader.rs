//! What has been read of a `.cfg` so far, and what every section adds to it.

use super::cfg::Section;
use super::error::{CfgError, Mistake};
use super::head::Head;
use super::keys::{self, Keys};
use super::node::{Layer, Shape, Value, What};
use super::note::Notes;
use cnnc_compiler::words;

/// Values from here on are made on the way to what a layer makes.
const BETWEEN: Value = 1 << 20;

/// Elements that a tensor has at most: the language's own limit.
const MOST_ELEMENTS: usize = 1 << 31;
/// Parameters that a network has at most: the language's own limit.
const MOST_PARAMS: u64 = 1 << 35;
/// The row of a section.
pub(super) fn keys_of(section: &Section) -> Result<&'static Keys, CfgError> {
    let name = section.name.as_str();
    let row = keys::SECTIONS
        .iter()
        .find(|keys| keys.names.contains(&name));
    row.ok_or_else(|| match keys::unsupported(name) {
        Some(what) => section.unsupported(None, what),
        None => {
            let names: Vec<&str> = keys::SECTIONS.iter().map(|keys| keys.keyword).collect();
            let nearest = words::nearest(name, &names).map(str::to_owned);
            section.error(Mistake::UnknownSection { nearest })
        }
    })
}

/// Whether what follows takes a vector: where it does not matter what extents the layer before has.
pub(super) fn vector_next(next: &[Section]) -> bool {
    let passive = |section: &&Section| matches!(section.name.as_str(), "dropout" | "cost");
    let next = next.iter().find(|section| !passive(section));
    let vector = ["connected", "conn", "softmax", "soft"];
    next.is_none_or(|section| vector.contains(&section.name.as_str()))
}

/// What has been read so far.
pub(super) struct Reader {
    /// For the input and each layer: the value that it stands for (another's, for routes and training layers), and its shape.
    pub values: Vec<(Value, Shape)>,
    /// Whether darknet decodes in place there, so that no layer can go on from it.
    pub decoded: Vec<bool>,
    pub layers: Vec<Layer>,
    pub notes: Notes,
    pub batch_norms: bool,
    pub params: u64,
    pub head: Head,
    /// Line of the first section of the head.
    pub head_at: Option<usize>,
    /// The head that nothing can follow: its section.
    pub closed: Option<String>,
    /// The operand of a softmax that nothing but `cost` has followed.
    pub last_softmax: Option<Value>,
    /// The next value that is made between layers.
    between: Value,
    /// The section that is being read: darknet's number of the layer, and its line.
    at: (usize, usize),
}

impl Reader {
    /// Nothing but the input has been read.
    pub fn new(input: Shape, notes: Notes, line: usize) -> Reader {
        Reader {
            values: vec![(0, input)],
            decoded: vec![false],
            layers: Vec::new(),
            notes,
            batch_norms: false,
            params: 0,
            head: Head::None,
            head_at: None,
            closed: None,
            last_softmax: None,
            between: BETWEEN,
            at: (0, line),
        }
    }

    /// Reads the section of that number; `next` are those behind it.
    pub fn section(
        &mut self,
        number: usize,
        section: &Section,
        next: &[Section],
    ) -> Result<(), CfgError> {
        self.at = (number, section.line);
        let keys = keys_of(section)?;
        self.notes.unread(section, keys);
        if let Some(head) = &self.closed
            && keys.keyword != "cost"
        {
            let what = format!("a layer behind [{head}]");
            return Err(section.unsupported(None, what));
        }
        if keys.keyword != "cost" {
            self.last_softmax = None;
        }
        match keys.keyword {
            "convolutional" => self.convolutional(section),
            "deconvolutional" => self.deconvolutional(section),
            "local" => self.local(section),
            "connected" => self.connected(section),
            "batchnorm" => self.batchnorm(section),
            "maxpool" => self.maxpool(section),
            "local_avgpool" => self.local_avgpool(section),
            "avgpool" => self.avgpool(section, next),
            "route" => self.route(section, next),
            "shortcut" => self.shortcut(section),
            "scale_channels" => self.scale_channels(section),
            "sam" => self.sam(section),
            "upsample" => self.upsample(section),
            "reorg" => self.reorg(section),
            "reorg3d" => self.reorg3d(section),
            "crop" => self.crop(section),
            "dropout" => self.dropout(section),
            "softmax" => self.softmax(section),
            "activation" => self.activation(section),
            "logistic" => self.pointwise(section, "sigmoid", "logistic"),
            "l2norm" => self.pointwise(section, "l2norm", "norm"),
            "lrn" => self.lrn(section),
            "cost" | "empty" => self.alias(self.last()),
            "contrastive" => {
                // A loss: it has no result.
                self.decoded();
                Ok(())
            }
            "yolo" | "region" | "detection" => self.detector(section, keys.keyword),
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

    /// The operand as a map, and the lines that make one of a vector.
    pub fn map(&self, section: &Section) -> Result<(Vec<String>, [usize; 3]), CfgError> {
        match self.before(section)?.1 {
            Shape::Map { c, h, w } => Ok((Vec::new(), [c, h, w])),
            Shape::Vector(n) => Ok((vec![format!("reshape {n}x1x1")], [n, 1, 1])),
            Shape::Flat(n) => {
                let why = format!("its operand is a vector of {n}, and no map");
                Err(section.shapes(why))
            }
        }
    }

    /// The operand as a vector, and the lines that make one of a map.
    pub fn flat(&self, section: &Section) -> Result<(Vec<String>, usize), CfgError> {
        let (_, shape) = self.before(section)?;
        let lines = match shape {
            Shape::Map { .. } => vec!["flatten".to_owned()],
            Shape::Vector(_) | Shape::Flat(_) => Vec::new(),
        };
        Ok((lines, shape.elements()))
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
        self.push(value, inputs, what, kind);
        self.values.push((value, shape));
        self.decoded.push(false);
        Ok(())
    }

    /// A step on the way to what a layer makes.
    pub fn step(&mut self, inputs: Vec<Value>, what: What, kind: &'static str) -> Value {
        let value = self.between;
        self.between += 1;
        self.push(value, inputs, what, kind);
        value
    }

    /// A value with a chain applied to it, if there is one.
    pub fn applied(&mut self, value: Value, chain: String, kind: &'static str) -> Value {
        match chain.is_empty() {
            true => value,
            false => self.step(vec![value], What::Chain(vec![chain]), kind),
        }
    }

    /// Makes a vector of what the layer before has made, for a head.
    pub fn flatten_last(&mut self) {
        let last = self.last();
        let (value, shape) = self.values[last];
        let flat = self.applied(value, "flatten".to_owned(), "flat");
        self.values[last] = (flat, Shape::Flat(shape.elements()));
    }

    fn push(&mut self, value: Value, inputs: Vec<Value>, what: What, kind: &'static str) {
        let (number, line) = self.at;
        let weights = matches!(kind, "conv" | "deconv" | "local" | "dense" | "bn" | "blend");
        self.layers.push(Layer {
            value,
            inputs,
            what,
            kind,
            number,
            weights,
            line,
        });
    }

    pub fn check(&self, section: &Section, shape: Shape) -> Result<(), CfgError> {
        let (c, h, w) = match shape {
            Shape::Map { c, h, w } => (c, h, w),
            Shape::Vector(n) | Shape::Flat(n) => (n, 1, 1),
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
}
