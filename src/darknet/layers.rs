//! Sections without weights that compute something of the layer before: text and shape of each.

use super::activation;
use super::cfg::Section;
use super::error::CfgError;
use super::node::Shape;
use super::number::{real, show};
use super::reader::Reader;
use std::fmt::Write as _;

impl Reader {
    pub(super) fn upsample(&mut self, section: &Section) -> Result<(), CfgError> {
        let (mut lines, [c, h, w]) = self.map(section)?;
        let scale = section.number("scale", 1.0)?;
        let stride = section.signed("stride")?.unwrap_or(2);
        if let ..0 = stride {
            // Downwards, which sums blocks.
            let by = usize::try_from(stride.unsigned_abs()).unwrap_or(usize::MAX);
            if !h.is_multiple_of(by) || !w.is_multiple_of(by) {
                return Err(section.shapes(format!("{h}x{w} has no whole blocks of {by}x{by}")));
            }
            let sum = show(scale * by as f64 * by as f64);
            lines.push(format!("avgpool {by}x{by} pad valid scale {sum}"));
            let (h, w) = (h / by, w / by);
            return self.chain(section, lines, "down", Shape::Map { c, h, w });
        }
        let factor = section.int("stride", 2, 1)?;
        let mut text = format!("upsample {factor}");
        if scale != 1.0 {
            write!(text, " scale {}", show(scale)).expect("a String takes everything");
        }
        lines.push(text);
        let (h, w) = (h.saturating_mul(factor), w.saturating_mul(factor));
        self.chain(section, lines, "up", Shape::Map { c, h, w })
    }

    pub(super) fn reorg(&mut self, section: &Section) -> Result<(), CfgError> {
        let reverse = section.flag("reverse")?;
        if section.flag("flatten")? {
            return self.reorder(section, reverse);
        }
        if section.flag("extra")? {
            let extra = section.int("extra", 0, 0)?;
            let (mut lines, elements) = self.flat(section)?;
            lines.push(format!("padchannels 0 {extra}"));
            return self.chain(section, lines, "reorg", Shape::Flat(elements + extra));
        }
        let (mut lines, [c, h, w]) = self.map(section)?;
        let size = section.int("stride", 1, 1)?;
        if size == 1 {
            return self.alias(self.last());
        }
        let block = size.saturating_mul(size);
        let (line, shape) = match reverse {
            true if c.is_multiple_of(block) => {
                let (h, w) = (h.saturating_mul(size), w.saturating_mul(size));
                let c = c / block;
                (format!("depth_to_space {size}"), Shape::Map { c, h, w })
            }
            false if blocks([h, w], size) && c.is_multiple_of(block) => {
                let (c, h, w) = (c.saturating_mul(block), h / size, w / size);
                let line = format!("space_to_depth {size} darknet");
                (line, Shape::Map { c, h, w })
            }
            _ => {
                let why = format!("{c}x{h}x{w} has no blocks of {size}x{size} in darknet's order");
                return Err(section.shapes(why));
            }
        };
        lines.push(line);
        self.chain(section, lines, "reorg", shape)
    }

    /// `flatten=1` of a `[reorg]`: numbers pixel by pixel that stood channel by channel, or the other way round; extents are those of
    /// blocks all the same.
    fn reorder(&mut self, section: &Section, reverse: bool) -> Result<(), CfgError> {
        section.refuse(&["extra"])?;
        let (mut lines, [c, h, w]) = self.map(section)?;
        let size = section.int("stride", 1, 1)?;
        let block = size.saturating_mul(size);
        let shape = match reverse {
            true if c.is_multiple_of(block) => [c / block, h * size, w * size],
            false if blocks([h, w], size) => [c * block, h / size, w / size],
            _ => {
                let why = format!("{c}x{h}x{w} has no whole blocks of {size}x{size}");
                return Err(section.shapes(why));
            }
        };
        if reverse {
            lines.push(format!("reshape {}x{c}", h * w));
        }
        let [c, h, w] = shape;
        lines.push(format!("flatten spatial reshape {c}x{h}x{w}"));
        self.chain(section, lines, "reorg", Shape::Map { c, h, w })
    }

    pub(super) fn reorg3d(&mut self, section: &Section) -> Result<(), CfgError> {
        let reverse = section.flag("reverse")?;
        let (mut lines, [c, h, w]) = self.map(section)?;
        let size = section.int("stride", 1, 1)?;
        if size == 1 {
            return self.alias(self.last());
        }
        let block = size.saturating_mul(size);
        let shape = match reverse {
            // Darknet takes the operand for one of the result's extents.
            true if c.is_multiple_of(block.saturating_mul(block)) => {
                let [c, h, w] = [c / block, h.saturating_mul(size), w.saturating_mul(size)];
                lines.push(format!(
                    "reshape {c}x{h}x{w} depth_to_space {size} reshape {c}x{h}x{w}"
                ));
                [c, h, w]
            }
            false if blocks([h, w], size) => {
                lines.push(format!("space_to_depth {size}"));
                [c.saturating_mul(block), h / size, w / size]
            }
            _ => {
                let why = format!("{c}x{h}x{w} has no whole blocks of {size}x{size}");
                return Err(section.shapes(why));
            }
        };
        let [c, h, w] = shape;
        self.chain(section, lines, "reorg", Shape::Map { c, h, w })
    }

    pub(super) fn crop(&mut self, section: &Section) -> Result<(), CfgError> {
        let (mut lines, [c, h, w]) = self.map(section)?;
        let (rows, columns) = (
            section.int("crop_height", 1, 1)?,
            section.int("crop_width", 1, 1)?,
        );
        if rows > h || columns > w {
            return Err(section.shapes(format!("{rows}x{columns} cannot be cut out of {h}x{w}")));
        }
        // Darknet also takes 0..1 to -1..1 here, unless it is told not to.
        let mut text = format!("crop {rows}x{columns}");
        if !section.flag("noadjust")? {
            text.push_str(" scale 2 shift -1");
        }
        lines.push(text);
        let (h, w) = (rows, columns);
        self.chain(section, lines, "crop", Shape::Map { c, h, w })
    }

    pub(super) fn dropout(&mut self, section: &Section) -> Result<(), CfgError> {
        let (_, shape) = self.before(section)?;
        // It does nothing but in training, so no rate is too odd.
        let rate = section.text("probability").map_or(Some(0.5), real);
        match rate.filter(|rate| (0.0..1.0).contains(rate)) {
            Some(rate) => {
                let text = format!("dropout {}", show(rate));
                self.chain(section, vec![text], "drop", shape)
            }
            None => self.alias(self.last()),
        }
    }

    pub(super) fn softmax(&mut self, section: &Section) -> Result<(), CfgError> {
        if let Some(tree) = section.text("tree") {
            return Err(section.unsupported(Some("tree"), format!("a tree of classes, `{tree}`")));
        }
        let (value, shape) = self.before(section)?;
        let groups = section.int("groups", 1, 1)?;
        let spatial = section.number("spatial", 0.0)? != 0.0;
        let temperature = section.number("temperature", 1.0)?;
        let warm = match temperature {
            1.0 => String::new(),
            // Nothing but the sign of zero would be left.
            0.0 => {
                let why = "nothing can be divided by a temperature of 0";
                return Err(section.shapes(why));
            }
            _ => format!("scale {}", show(1.0 / temperature)),
        };
        let lines = |steps: &[&str]| -> Vec<String> {
            let steps = steps.iter().filter(|step| !step.is_empty());
            steps.map(|&step| step.to_owned()).collect()
        };
        if spatial && let Shape::Map { .. } = shape {
            // Its temperature, darknet does not ask for.
            return self.chain(section, lines(&["softmax"]), "softmax", shape);
        }
        let (flat, elements) = self.flat(section)?;
        let flat = flat.first().map_or("", String::as_str);
        let result = Shape::Flat(elements);
        if groups == 1 {
            let lines = lines(&[flat, &warm, "softmax"]);
            self.chain(section, lines, "softmax", result)?;
            self.last_softmax = Some(value);
            return Ok(());
        }
        if !elements.is_multiple_of(groups) {
            let why = format!("{groups} groups divide {elements} values into no equal parts");
            return Err(section.shapes(why));
        }
        // The groups become pixels, so that each has a softmax of its own.
        let part = elements / groups;
        let apart = format!("shuffle {groups} reshape {part}x{groups}");
        let together = format!("reshape {elements} shuffle {part}");
        let lines = lines(&[flat, &warm, &apart, "softmax", &together]);
        self.chain(section, lines, "softmax", result)
    }

    pub(super) fn activation(&mut self, section: &Section) -> Result<(), CfgError> {
        let act = activation::of(section, "linear", &mut self.notes)?;
        match act.is_empty() {
            true => self.alias(self.last()),
            false => self.pointwise(section, act, "act"),
        }
    }

    /// A layer that keeps the shape of its operand.
    pub(super) fn pointwise(
        &mut self,
        section: &Section,
        line: &str,
        kind: &'static str,
    ) -> Result<(), CfgError> {
        let (_, shape) = self.before(section)?;
        self.chain(section, vec![line.to_owned()], kind, shape)
    }

    pub(super) fn lrn(&mut self, section: &Section) -> Result<(), CfgError> {
        let size = section.int("size", 5, 1)?;
        let [alpha, beta, kappa] = [
            section.number("alpha", 1e-4)?,
            section.number("beta", 0.75)?,
            section.number("kappa", 1.0)?,
        ];
        // Darknet's alpha is not divided by the size.
        let [alpha, beta, kappa] = [alpha * size as f64, beta, kappa].map(show);
        let text = format!("lrn {size} alpha {alpha} beta {beta} k {kappa}");
        self.pointwise(section, &text, "lrn")
    }
}

/// Whether extents consist of whole blocks.
fn blocks(extents: [usize; 2], size: usize) -> bool {
    extents.iter().all(|extent| extent.is_multiple_of(size))
}
