//! Sections that name layers further up: routes and products; sums stand in `shortcut`.

use super::activation;
use super::cfg::Section;
use super::error::{CfgError, Mistake};
use super::node::{Shape, Value, What};
use super::reader::{Reader, vector_next};

impl Reader {
    pub(super) fn route(&mut self, section: &Section, next: &[Section]) -> Result<(), CfgError> {
        let layers = section.ints("layers")?;
        let groups = section.int("groups", 1, 1)?;
        let group = section.int("group_id", 0, 0)?;
        let found = layers
            .iter()
            .map(|&index| self.layer(section, "layers", index));
        let found: Vec<(Value, Shape)> = found.collect::<Result<_, _>>()?;
        let part = |channels: usize| {
            let part = channels / groups;
            if group >= groups || !channels.is_multiple_of(groups) {
                let why = format!("part {group} of {groups} of {channels} channels");
                return Err(section.key_error("groups", Mistake::Shapes { why }));
            }
            Ok((
                part,
                format!("slice {} {}", group * part, (group + 1) * part),
            ))
        };
        match &found[..] {
            [] => Err(section.key_error("layers", Mistake::Missing)),
            &[alias] if groups == 1 => {
                self.values.push(alias);
                self.decoded.push(false);
                Ok(())
            }
            &[(value, shape)] => {
                let (line, shape) = match shape {
                    Shape::Map { c, h, w } => {
                        let (c, line) = part(c)?;
                        (line, Shape::Map { c, h, w })
                    }
                    Shape::Vector(n) => part(n).map(|(n, line)| (line, Shape::Vector(n)))?,
                    Shape::Flat(n) => part(n).map(|(n, line)| (line, Shape::Flat(n)))?,
                };
                self.add(section, vec![value], What::Chain(vec![line]), "part", shape)
            }
            several => {
                let shape = beside(section, several, next)?;
                let mut inputs = Vec::new();
                let mut channels = 0usize;
                for &(value, operand) in several {
                    let mut steps = Vec::new();
                    let own = match (shape, operand) {
                        (Shape::Map { .. }, Shape::Vector(n)) => {
                            steps.push(format!("reshape {n}x1x1"));
                            n
                        }
                        (Shape::Flat(_), Shape::Map { .. }) => {
                            steps.push("flatten".to_owned());
                            operand.elements()
                        }
                        (_, Shape::Map { c, .. }) => c,
                        (_, Shape::Vector(n) | Shape::Flat(n)) => n,
                    };
                    let own = match groups {
                        1 => own,
                        _ => {
                            let (own, line) = part(own)?;
                            steps.push(line);
                            own
                        }
                    };
                    channels = channels.saturating_add(own);
                    inputs.push(self.applied(value, steps.join(" "), "part"));
                }
                let shape = match shape {
                    Shape::Map { h, w, .. } => Shape::Map { c: channels, h, w },
                    Shape::Vector(_) => Shape::Vector(channels),
                    Shape::Flat(_) => Shape::Flat(channels),
                };
                let what = What::Join {
                    word: "concat",
                    then: String::new(),
                };
                self.add(section, inputs, what, "join", shape)
            }
        }
    }

    /// The one layer that `from` names.
    fn from(&self, section: &Section) -> Result<(Value, Shape), CfgError> {
        // More than one, darknet does not look at.
        match section.ints("from")?.first() {
            None => Err(section.key_error("from", Mistake::Missing)),
            Some(&index) => self.layer(section, "from", index),
        }
    }

    pub(super) fn scale_channels(&mut self, section: &Section) -> Result<(), CfgError> {
        let (gate, gates) = self.before(section)?;
        let (value, shape) = self.from(section)?;
        let act = activation::of(section, "linear", &mut self.notes)?;
        let gate = match (gates.extents(), shape.extents()) {
            (Some([c, h, w]), Some([channels, rows, columns])) => {
                match section.flag("scale_wh")? {
                    false if (h, w) == (1, 1) && c == channels => Some(gate),
                    // One factor for each pixel: the same for every channel.
                    true if c == 1 && (h, w) == (rows, columns) => {
                        let line = match channels {
                            1 => String::new(),
                            _ => format!("conv 1x1 {channels} bias off weight [[1]]"),
                        };
                        Some(self.applied(gate, line, "gate"))
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        let Some(gate) = gate else {
            let why = format!("{gates} is no factor for each channel of {shape}");
            return Err(section.key_error("from", Mistake::Shapes { why }));
        };
        let what = What::Join {
            word: "mul",
            then: act.to_owned(),
        };
        self.add(section, vec![value, gate], what, "scaled", shape)
    }

    pub(super) fn sam(&mut self, section: &Section) -> Result<(), CfgError> {
        let (before, shape) = self.before(section)?;
        let (value, other) = self.from(section)?;
        if other.extents() != shape.extents() || shape.extents().is_none() {
            let why = format!("{shape} and {other} are not multiplied: their shapes differ");
            return Err(section.key_error("from", Mistake::Shapes { why }));
        }
        let act = activation::of(section, "linear", &mut self.notes)?;
        let what = What::Join {
            word: "mul",
            then: act.to_owned(),
        };
        self.add(
            section,
            vec![value, before],
            what,
            "attended",
            wider(shape, other),
        )
    }
}

/// Of two shapes of equal extents, the map: what the language makes of a map and a vector.
pub(super) fn wider(a: Shape, b: Shape) -> Shape {
    match a {
        Shape::Map { .. } => a,
        _ => b,
    }
}

/// What tensors beside each other are, but for the channels: a map if one of them is, numbers without extents where these differ
/// and nobody asks for them.
fn beside(
    section: &Section,
    several: &[(Value, Shape)],
    next: &[Section],
) -> Result<Shape, CfgError> {
    let (_, first) = several[0];
    let pixels = |shape: Shape| shape.extents().map(|[_, h, w]| (h, w));
    let differs = |&&(_, shape): &&(Value, Shape)| pixels(shape) != pixels(first);
    match several.iter().find(differs) {
        None if pixels(first).is_none() => Ok(first),
        None => Ok(several
            .iter()
            .fold(first, |wide, &(_, shape)| wider(wide, shape))),
        Some((_, other)) if !vector_next(next) => {
            let why = format!("{first} and {other} do not stand beside each other");
            Err(section.key_error("layers", Mistake::Shapes { why }))
        }
        Some(_) => Ok(Shape::Flat(0)),
    }
}
