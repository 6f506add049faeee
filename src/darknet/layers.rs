//! Sections that compute something of the layer before: text and shape of each.
//!
//! The arithmetic of extents is that of darknet's make_…_layer functions, which darknet applies when it reads a `.cfg`.

use super::cfg::Section;
use super::error::{CfgError, Mistake};
use super::network::{Reader, Shape};
use std::fmt::Write as _;

impl Reader {
    /// `bn` or `bias`, as it is written behind a layer with weights.
    pub(super) fn norm(
        &mut self,
        section: &Section,
        channels: usize,
    ) -> Result<&'static str, CfgError> {
        if section.int("batch_normalize", 0, 0)? == 0 {
            self.count(section, &[channels])?;
            return Ok(" bias");
        }
        self.batch_norms = true;
        self.count(section, &[2, channels])?;
        Ok(" bn")
    }

    pub(super) fn convolutional(&mut self, section: &Section) -> Result<(), CfgError> {
        let (_, [c, h, w]) = self.map(section)?;
        let filters = section.int("filters", 1, 1)?;
        let groups = section.int("groups", 1, 1)?;
        let size = section.int("size", 1, 1)?;
        let stride = stride(section, 1)?;
        let dilation = match size {
            1 => 1,
            _ => section.int("dilation", 1, 1)?,
        };
        let pad = match section.int("pad", 0, 0)? {
            0 => section.int("padding", 0, 0)?,
            _ => size / 2,
        };
        reach(section, pad, h.max(w))?;
        if !c.is_multiple_of(groups) || !filters.is_multiple_of(groups) {
            let mistake = Mistake::Shapes {
                why: format!(
                    "{groups} groups divide {c} channels and {filters} filters into no equal parts"
                ),
            };
            return Err(section.key_error("groups", mistake));
        }
        if dilation > 1 && dilation > h.max(w) {
            let why =
                format!("{dilation} pixels between the taps of a kernel reach beyond {h}x{w}");
            return Err(section.key_error("dilation", Mistake::Shapes { why }));
        }
        // Darknet computes the extents as if there were no dilation.
        if dilation > 1 && 2 * pad + 1 != size {
            let what = "dilation without a padding of half the kernel";
            return Err(section.unsupported(Some("dilation"), what));
        }
        let out = |n: usize, stride: usize| window(n, 2 * pad, size, stride);
        let (Some(h), Some(w)) = (out(h, stride.0), out(w, stride.1)) else {
            return Err(section.shapes(format!("a kernel of {size} does not fit into {h}x{w}")));
        };
        let act = activation(section, "logistic")?;
        let norm = self.norm(section, filters)?;
        self.count(section, &[filters, c / groups, size, size])?;
        let mut text = format!("conv {size}x{size}{} {filters}", slash(stride, 1));
        let half = dilation.checked_mul(size - 1).map(|reach| reach / 2);
        match pad.checked_mul(dilation) {
            pad if pad == half => {}
            Some(0) => text.push_str(" pad valid"),
            Some(pad) => write!(text, " pad {pad}").expect("a String takes everything"),
            None => return Err(section.shapes("its padding is too large")),
        }
        if dilation > 1 {
            write!(text, " dilation {dilation}").expect("a String takes everything");
        }
        if groups > 1 {
            write!(text, " groups {groups}").expect("a String takes everything");
        }
        text.push_str(norm);
        push(&mut text, &act);
        self.chain(section, vec![text], "conv", Shape::Map { c: filters, h, w })
    }

    pub(super) fn local(&mut self, section: &Section) -> Result<(), CfgError> {
        let (_, [c, h, w]) = self.map(section)?;
        let filters = section.int("filters", 1, 1)?;
        let size = section.int("size", 1, 1)?;
        let stride = section.int("stride", 1, 1)?;
        let pad = section.int("pad", 0, 0)?;
        // Darknet's extents are those of a padding of one pixel around a kernel of three, whatever the kernel is.
        if pad > 1 || (pad == 1 && size != 3) {
            return Err(section.unsupported(Some("pad"), "padding of another kernel than 3x3"));
        }
        let out = |n| window(n, 2 * pad, size, stride);
        let (Some(h), Some(w)) = (out(h), out(w)) else {
            return Err(section.shapes(format!("a kernel of {size} does not fit into {h}x{w}")));
        };
        let act = activation(section, "logistic")?;
        self.count(section, &[filters, h, w])?;
        self.count(section, &[h, w, filters, c, size, size])?;
        let mut text = format!(
            "local {size}x{size}{} {filters}",
            slash((stride, stride), 1)
        );
        if 2 * pad + 1 != size {
            text.push_str(" pad valid");
        }
        text.push_str(" bias");
        push(&mut text, &act);
        self.chain(
            section,
            vec![text],
            "local",
            Shape::Map { c: filters, h, w },
        )
    }

    pub(super) fn connected(&mut self, section: &Section) -> Result<(), CfgError> {
        let (_, operand) = self.before(section)?;
        let output = section.int("output", 1, 1)?;
        let act = activation(section, "logistic")?;
        let norm = self.norm(section, output)?;
        self.count(section, &[operand.elements(), output])?;
        let mut lines = Vec::new();
        if let Shape::Map { .. } = operand {
            lines.push("flatten".to_owned());
        }
        let mut text = format!("dense {output}{norm}");
        push(&mut text, &act);
        lines.push(text);
        self.chain(section, lines, "dense", Shape::Vector(output))
    }

    pub(super) fn maxpool(&mut self, section: &Section) -> Result<(), CfgError> {
        let (_, [c, h, w]) = self.map(section)?;
        let common = section.int("stride", 1, 1)?;
        let stride = stride(section, common)?;
        let size = section.int("size", common, 1)?;
        let padding = section.int("padding", size - 1, 0)?;
        reach(section, padding / 2, h.max(w))?;
        let out = |n: usize, stride: usize| window(n, padding, size, stride);
        let (Some(rows), Some(columns)) = (out(h, stride.0), out(w, stride.1)) else {
            return Err(section.shapes(format!("a window of {size} does not fit into {h}x{w}")));
        };
        // Darknet pads half of it before, and the rest behind.
        let before = padding / 2;
        let half = (size - 1) / 2;
        let same = |around: usize| {
            let kept = |n, stride, out| window(n, 2 * around, size, stride) == Some(out);
            around == before && kept(h, stride.0, rows) && kept(w, stride.1, columns)
        };
        let mut text = format!("maxpool {size}x{size}{}", slash(stride, size));
        let after = padding - before;
        if same(half) {
            // As `defaults` has it.
        } else if same(0) {
            text.push_str(" pad valid");
        } else {
            write!(text, " pad ({before}, {after}, {before}, {after})")
                .expect("a String takes everything");
        }
        self.chain(
            section,
            vec![text],
            "pool",
            Shape::Map {
                c,
                h: rows,
                w: columns,
            },
        )
    }

    pub(super) fn avgpool(&mut self, section: &Section, next: &[Section]) -> Result<(), CfgError> {
        let (_, [c, ..]) = self.map(section)?;
        let passive = |section: &&Section| !matches!(section.name.as_str(), "dropout" | "cost");
        let next = next
            .iter()
            .find(passive)
            .map(|section| section.name.as_str());
        match next {
            // What wants a vector.
            None | Some("connected" | "conn" | "softmax" | "soft") => self.chain(
                section,
                vec!["globalavgpool".to_owned()],
                "pool",
                Shape::Vector(c),
            ),
            Some(_) => {
                let shape = Shape::Map { c, h: 1, w: 1 };
                self.chain(
                    section,
                    vec!["adaptiveavgpool 1x1".to_owned()],
                    "pool",
                    shape,
                )
            }
        }
    }

    pub(super) fn upsample(&mut self, section: &Section) -> Result<(), CfgError> {
        let (_, [c, h, w]) = self.map(section)?;
        let factor = section.int("stride", 2, 1)?;
        let scale = section.number("scale", 1.0)?;
        let mut text = format!("upsample {factor}");
        if scale != 1.0 {
            write!(text, " scale {}", number(scale)).expect("a String takes everything");
        }
        let (Some(h), Some(w)) = (h.checked_mul(factor), w.checked_mul(factor)) else {
            return Err(section.shapes("its result is larger than any tensor may be"));
        };
        self.chain(section, vec![text], "up", Shape::Map { c, h, w })
    }

    pub(super) fn reorg(&mut self, section: &Section) -> Result<(), CfgError> {
        let (_, [c, h, w]) = self.map(section)?;
        let size = section.int("stride", 1, 1)?;
        if size == 1 {
            return self.alias(self.last());
        }
        let block = size.saturating_mul(size);
        if !h.is_multiple_of(size) || !w.is_multiple_of(size) || !c.is_multiple_of(block) {
            let why = format!("{c}x{h}x{w} has no blocks of {size}x{size} in darknet's order");
            return Err(section.shapes(why));
        }
        let (h, w) = (h / size, w / size);
        let c = c.saturating_mul(block);
        self.chain(
            section,
            vec![format!("space_to_depth {size} darknet")],
            "reorg",
            Shape::Map { c, h, w },
        )
    }

    pub(super) fn crop(&mut self, section: &Section) -> Result<(), CfgError> {
        let (_, [c, h, w]) = self.map(section)?;
        let (rows, columns) = (
            section.int("crop_height", 1, 1)?,
            section.int("crop_width", 1, 1)?,
        );
        if rows > h || columns > w {
            return Err(section.shapes(format!("{rows}x{columns} cannot be cut out of {h}x{w}")));
        }
        // Darknet also takes 0..1 to -1..1 here, unless it is told not to.
        let mut text = format!("crop {rows}x{columns}");
        if section.int("noadjust", 0, 0)? == 0 {
            text.push_str(" scale 2 shift -1");
        }
        self.chain(
            section,
            vec![text],
            "crop",
            Shape::Map {
                c,
                h: rows,
                w: columns,
            },
        )
    }

    pub(super) fn dropout(&mut self, section: &Section) -> Result<(), CfgError> {
        let (_, shape) = self.before(section)?;
        let rate = section.number("probability", 0.5)?;
        if !(0.0..1.0).contains(&rate) {
            let value = section.text("probability").unwrap_or_default().to_owned();
            let mistake = Mistake::Range {
                value,
                least: 0,
                most: 1,
            };
            return Err(section.key_error("probability", mistake));
        }
        self.chain(
            section,
            vec![format!("dropout {}", number(rate))],
            "drop",
            shape,
        )
    }

    pub(super) fn softmax(&mut self, section: &Section) -> Result<(), CfgError> {
        let (value, shape) = self.before(section)?;
        if section.int("groups", 1, 1)? != 1 {
            return Err(section.unsupported(Some("groups"), "softmax of several groups"));
        }
        if section.number("temperature", 1.0)? != 1.0 {
            return Err(section.unsupported(Some("temperature"), "a temperature"));
        }
        let spatial = section.int("spatial", 0, 0)? == 1;
        match shape {
            Shape::Map { h, w, .. } if !spatial && (h, w) != (1, 1) => {
                Err(section.unsupported(None, "softmax over positions and channels together"))
            }
            Shape::Map { .. } if spatial => {
                self.chain(section, vec!["softmax".to_owned()], "softmax", shape)
            }
            _ => {
                let mut lines = Vec::new();
                if let Shape::Map { .. } = shape {
                    lines.push("flatten".to_owned());
                }
                lines.push("softmax".to_owned());
                self.chain(section, lines, "softmax", Shape::Vector(shape.channels()))?;
                self.last_softmax = Some(value);
                Ok(())
            }
        }
    }

    pub(super) fn lrn(&mut self, section: &Section) -> Result<(), CfgError> {
        let (_, shape) = self.before(section)?;
        let size = section.int("size", 5, 1)?;
        let [alpha, beta, kappa] = [
            section.number("alpha", 1e-4)?,
            section.number("beta", 0.75)?,
            section.number("kappa", 1.0)?,
        ];
        // Darknet's alpha is not divided by the size.
        let alpha = number(alpha * size as f64);
        let text = format!(
            "lrn {size} alpha {alpha} beta {} k {}",
            number(beta),
            number(kappa)
        );
        self.chain(section, vec![text], "lrn", shape)
    }
}

/// `stride_y` and `stride_x`, which are `stride` where they are not written.
fn stride(section: &Section, default: usize) -> Result<(usize, usize), CfgError> {
    let common = section.int("stride", default, 1)?;
    Ok((
        section.int("stride_y", common, 1)?,
        section.int("stride_x", common, 1)?,
    ))
}

/// ` /2`, ` /2x1`, or nothing where it is what the layer does anyway.
fn slash((rows, columns): (usize, usize), default: usize) -> String {
    match (rows, columns) {
        _ if (rows, columns) == (default, default) => String::new(),
        _ if rows == columns => format!(" /{rows}"),
        _ => format!(" /{rows}x{columns}"),
    }
}

/// Refuses padding that is wider than the operand: nobody means it, and it costs time and memory.
fn reach(section: &Section, padding: usize, extent: usize) -> Result<(), CfgError> {
    match padding <= extent {
        true => Ok(()),
        false => Err(section.shapes(format!("a padding of {padding} around {extent} pixels"))),
    }
}

/// How often a window stands on `n` elements with that padding in all; darknet's formula, which rounds down.
fn window(n: usize, padding: usize, size: usize, stride: usize) -> Option<usize> {
    Some(n.checked_add(padding)?.checked_sub(size)? / stride + 1)
}

/// An activation as the language writes it; nothing for `linear`.
pub(super) fn activation(section: &Section, default: &str) -> Result<String, CfgError> {
    let name = section.text("activation").unwrap_or(default);
    let text = match name {
        "linear" => "",
        "leaky" => "leaky",
        "relu" => "relu",
        "relu6" => "relu6",
        "mish" => "mish",
        "swish" => "silu",
        "logistic" => "sigmoid",
        "tanh" => "tanh",
        "hardtan" => "clip -1 1",
        "loggy" => "sigmoid scale 2 shift -1",
        "relie" => "leaky 0.01",
        other => {
            return Err(
                section.unsupported(Some("activation"), format!("the activation `{other}`"))
            );
        }
    };
    Ok(text.to_owned())
}

fn push(text: &mut String, activation: &str) {
    if !activation.is_empty() {
        text.push(' ');
        text.push_str(activation);
    }
}

/// A number as the language writes it.
pub(super) fn number(value: f64) -> String {
    // Rust never writes exponents, which the language would take too.
    let mut text = value.to_string();
    if text.len() > 24 {
        text = format!("{value:e}");
    }
    text
}
