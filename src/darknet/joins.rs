//! Sections that name layers further up: routes, shortcuts, and products.

use super::cfg::Section;
use super::error::{CfgError, Mistake};
use super::layers::activation;
use super::network::{FITTED, Layer, Reader, Shape, Value, What};
use std::cmp::Ordering;
use std::fmt::Write as _;

impl Reader {
    pub(super) fn route(&mut self, section: &Section) -> Result<(), CfgError> {
        let layers = section.ints("layers")?;
        let groups = section.int("groups", 1, 1)?;
        let group = section.int("group_id", 0, 0)?;
        let found = layers
            .iter()
            .map(|&index| self.layer(section, "layers", index));
        let found: Vec<(Value, Shape)> = found.collect::<Result<_, _>>()?;
        match &found[..] {
            [] => Err(section.key_error("layers", Mistake::Missing)),
            &[(value, shape)] if groups == 1 => {
                self.values.push((value, shape));
                self.decoded.push(false);
                Ok(())
            }
            &[(value, Shape::Map { c, h, w })] => {
                if group >= groups || !c.is_multiple_of(groups) {
                    let why = format!("part {group} of {groups} of {c} channels");
                    return Err(section.key_error("groups", Mistake::Shapes { why }));
                }
                let part = c / groups;
                let (from, to) = (group * part, (group + 1) * part);
                let what = What::Chain(vec![format!("slice {from} {to}")]);
                self.add(
                    section,
                    vec![value],
                    what,
                    "part",
                    Shape::Map { c: part, h, w },
                )
            }
            _ if groups > 1 => Err(section.unsupported(Some("groups"), "a part of several layers")),
            several => {
                let mut channels = 0usize;
                for &(_, shape) in several {
                    let fits = match (several[0].1, shape) {
                        (
                            Shape::Map { h, w, .. },
                            Shape::Map {
                                h: rows,
                                w: columns,
                                ..
                            },
                        ) => (h, w) == (rows, columns),
                        (Shape::Vector(_), Shape::Vector(_)) => true,
                        _ => false,
                    };
                    if !fits {
                        let why = format!(
                            "{} and {shape} do not stand beside each other",
                            several[0].1
                        );
                        return Err(section.key_error("layers", Mistake::Shapes { why }));
                    }
                    channels = channels.saturating_add(shape.channels());
                }
                let shape = match several[0].1 {
                    Shape::Map { h, w, .. } => Shape::Map { c: channels, h, w },
                    Shape::Vector(_) => Shape::Vector(channels),
                };
                let what = What::Join {
                    word: "concat",
                    then: String::new(),
                };
                let inputs = several.iter().map(|&(value, _)| value).collect();
                self.add(section, inputs, what, "join", shape)
            }
        }
    }

    pub(super) fn shortcut(&mut self, section: &Section) -> Result<(), CfgError> {
        let (before, shape) = self.before(section)?;
        for key in ["alpha", "beta"] {
            let factor = section.number(key, 1.0)?;
            if factor != 1.0 {
                return Err(section.unsupported(Some(key), format!("`{key}={factor}`")));
            }
        }
        let act = activation(section, "linear")?;
        let mut inputs = vec![before];
        let from = section.ints("from")?;
        for &index in &from {
            let (value, other) = self.layer(section, "from", index)?;
            inputs.push(match fit(other, shape) {
                Some(lines) if lines.is_empty() => value,
                Some(lines) if from.len() == 1 => self.fitted(value, lines),
                _ => {
                    let why = format!("{shape} and {other} are not added: their shapes differ");
                    return Err(section.key_error("from", Mistake::Shapes { why }));
                }
            });
        }
        if inputs.len() < 2 {
            return Err(section.key_error("from", Mistake::Missing));
        }
        let what = What::Join {
            word: "add",
            then: act,
        };
        self.add(section, inputs, what, "sum", shape)
    }

    /// A shortcut that was made fit.
    pub(super) fn fitted(&mut self, value: Value, line: String) -> Value {
        let fitted = FITTED + self.values.len();
        self.layers.push(Layer {
            value: fitted,
            inputs: vec![value],
            what: What::Chain(vec![line]),
            kind: "short",
            weights: false,
        });
        fitted
    }

    /// The one layer that `from` names.
    pub(super) fn from(&self, section: &Section) -> Result<(Value, Shape), CfgError> {
        match section.ints("from")?[..] {
            [] => Err(section.key_error("from", Mistake::Missing)),
            [index] => self.layer(section, "from", index),
            _ => Err(section.unsupported(Some("from"), "more than one layer")),
        }
    }

    pub(super) fn scale_channels(&mut self, section: &Section) -> Result<(), CfgError> {
        let (gate, gates) = self.before(section)?;
        let (value, shape) = self.from(section)?;
        if gates.elements() != shape.channels() || !matches!(shape, Shape::Map { .. }) {
            let why = format!("{gates} is no factor for each channel of {shape}");
            return Err(section.key_error("from", Mistake::Shapes { why }));
        }
        let act = activation(section, "linear")?;
        let what = What::Join {
            word: "mul",
            then: act,
        };
        self.add(section, vec![value, gate], what, "scaled", shape)
    }

    pub(super) fn sam(&mut self, section: &Section) -> Result<(), CfgError> {
        let (before, shape) = self.before(section)?;
        let (value, other) = self.from(section)?;
        if other != shape {
            let why = format!("{shape} and {other} are not multiplied: their shapes differ");
            return Err(section.key_error("from", Mistake::Shapes { why }));
        }
        let act = activation(section, "linear")?;
        let what = What::Join {
            word: "mul",
            then: act,
        };
        self.add(section, vec![value, before], what, "attended", shape)
    }
}

/// How darknet fits a shortcut to a sum of another shape: every n-th pixel, and channels that are there in both; nothing
/// where the shapes are equal.
fn fit(from: Shape, to: Shape) -> Option<String> {
    if from == to {
        return Some(String::new());
    }
    let (
        Shape::Map { c, h, w },
        Shape::Map {
            c: channels,
            h: rows,
            w: columns,
        },
    ) = (from, to)
    else {
        return None;
    };
    let mut text = String::new();
    let step = w / columns;
    if step == 0 || (step * rows, step * columns) != (h, w) {
        return None;
    }
    if step > 1 {
        write!(text, "subsample /{step} ").expect("a String takes everything");
    }
    match c.cmp(&channels) {
        Ordering::Less => write!(text, "padchannels 0 {}", channels - c),
        Ordering::Equal => Ok(()),
        Ordering::Greater => write!(text, "slice 0 {channels}"),
    }
    .expect("a String takes everything");
    Some(text.trim_end().to_owned())
}
