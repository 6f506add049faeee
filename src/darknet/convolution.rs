//! Sections with weights: text and shape of each.
//!
//! The arithmetic of extents is that of darknet's make_…_layer functions, which darknet applies when it reads a `.cfg`.

use super::activation;
use super::cfg::Section;
use super::error::{CfgError, Mistake};
use super::node::{Shape, What};
use super::reader::Reader;
use super::window::{self, Fit, fit, slash, strides};
use std::fmt::Write as _;

/// The blur behind a layer with `antialiasing`.
const BLUR_3X3: &str =
    "weight [[0.0625, 0.125, 0.0625], [0.125, 0.25, 0.125], [0.0625, 0.125, 0.0625]]";
/// The blur of `antialiasing=2`.
const BLUR_2X2: &str = "weight [[0.25, 0.25], [0.25, 0.25]]";

impl Reader {
    /// `bn` or `bias`, as it is written behind a layer with weights, and the activation.
    fn epilogue(&mut self, section: &Section, channels: usize) -> Result<String, CfgError> {
        let act = activation::of(section, "logistic", &mut self.notes)?;
        let mut text = match section.flag("batch_normalize")? || section.flag("cbn")? {
            false => {
                self.count(section, &[channels])?;
                " bias".to_owned()
            }
            true => {
                section.refuse(&["dontloadscales"])?;
                self.batch_norms = true;
                self.count(section, &[2, channels])?;
                " bn".to_owned()
            }
        };
        push(&mut text, act);
        Ok(text)
    }

    pub(super) fn convolutional(&mut self, section: &Section) -> Result<(), CfgError> {
        let refused = [
            "binary",
            "xnor",
            "flipped",
            "coordconv",
            "dontload",
            "numload",
        ];
        section.refuse(&refused)?;
        if let Some(layer) = section.text("share_index") {
            let what = format!("`share_index={layer}`");
            return Err(section.unsupported(Some("share_index"), what));
        }
        let (mut lines, [c, h, w]) = self.map(section)?;
        let filters = section.int("filters", 1, 1)?;
        let groups = usize::try_from(section.signed("groups")?.unwrap_or(1).max(1));
        let groups = groups.unwrap_or(usize::MAX);
        let size = section.int("size", 1, 1)?;
        let blur = section.signed("antialiasing")?.unwrap_or(0);
        let step = strides(section, 1)?;
        let stride = if blur == 0 { step } else { (1, 1) };
        let dilation = match size {
            1 => 1,
            _ => section.int("dilation", 1, 1)?,
        };
        let pad = match section.flag("pad")? {
            false => section.int("padding", 0, 0)?,
            true => size / 2,
        };
        if !c.is_multiple_of(groups) || !filters.is_multiple_of(groups) {
            let mistake = Mistake::Shapes {
                why: format!(
                    "{groups} groups divide {c} channels and {filters} filters into no equal parts"
                ),
            };
            return Err(section.key_error("groups", mistake));
        }
        // Darknet computes the extents as if there were no dilation.
        if dilation > 1 && 2 * pad + 1 != size {
            let what = "dilation without a padding of half the kernel";
            return Err(section.unsupported(Some("dilation"), what));
        }
        let place = |n, stride| fit(n, 2 * pad, size, stride);
        let (Some(rows), Some(columns)) = (place(h, stride.0), place(w, stride.1)) else {
            return Err(section.shapes(format!("a kernel of {size} does not fit into {h}x{w}")));
        };
        let epilogue = self.epilogue(section, filters)?;
        self.count(section, &[filters, c / groups, size, size])?;
        let mut text = format!("conv {size}x{size}{} {filters}", slash(stride, 1));
        let around = |fit: Fit| {
            let around = pad.saturating_mul(dilation);
            (around, around.saturating_add(fit.beyond))
        };
        let half = dilation.saturating_mul(size - 1) / 2;
        text.push_str(&window::pads([around(rows), around(columns)], half));
        if dilation > 1 {
            write!(text, " dilation {dilation}").expect("a String takes everything");
        }
        if groups > 1 {
            write!(text, " groups {groups}").expect("a String takes everything");
        }
        lines.push(text + &epilogue);
        let (h, w) = (rows.out, columns.out);
        let shape = Shape::Map { c: filters, h, w };
        match blur {
            0 => self.chain(section, lines, "conv", shape),
            _ => self.blurred(section, (lines, "conv"), [filters, h, w], step, blur),
        }
    }

    /// A layer and the blur behind it, which has its stride: `antialiasing`.
    pub(super) fn blurred(
        &mut self,
        section: &Section,
        (lines, kind): (Vec<String>, &'static str),
        [c, h, w]: [usize; 3],
        stride: (usize, usize),
        blur: i64,
    ) -> Result<(), CfgError> {
        let (size, pad, weight) = match blur {
            2 => (2, 0, BLUR_2X2),
            _ => (3, 1, BLUR_3X3),
        };
        let place = |n, stride| fit(n, 2 * pad, size, stride);
        let (Some(rows), Some(columns)) = (place(h, stride.0), place(w, stride.1)) else {
            return Err(section.shapes(format!("a blur of {size} does not fit into {h}x{w}")));
        };
        let (input, _) = self.before(section)?;
        let sharp = self.step(vec![input], What::Chain(lines), kind);
        let around = |fit: Fit| (pad, pad + fit.beyond);
        let pads = window::pads([around(rows), around(columns)], (size - 1) / 2);
        let text = format!(
            "conv {size}x{size}{} {c}{pads} groups {c} bias off {weight}",
            slash(stride, 1)
        );
        let (h, w) = (rows.out, columns.out);
        let shape = Shape::Map { c, h, w };
        self.add(section, vec![sharp], What::Chain(vec![text]), "blur", shape)
    }

    pub(super) fn deconvolutional(&mut self, section: &Section) -> Result<(), CfgError> {
        section.refuse(&["dontload", "numload"])?;
        let (mut lines, [c, h, w]) = self.map(section)?;
        let filters = section.int("filters", 1, 1)?;
        let size = section.int("size", 1, 1)?;
        let stride = section.int("stride", 1, 1)?;
        let pad = match section.flag("pad")? {
            false => section.int("padding", 0, 0)?,
            true => size / 2,
        };
        let out = |n: usize| (n - 1).saturating_mul(stride) + size;
        let (Some(h), Some(w)) = (out(h).checked_sub(2 * pad), out(w).checked_sub(2 * pad)) else {
            return Err(section.shapes("its padding cuts off more than there is"));
        };
        let epilogue = self.epilogue(section, filters)?;
        self.count(section, &[filters, c, size, size])?;
        let pads = window::pads([(pad, pad); 2], (size - 1) / 2);
        lines.push(format!(
            "convtranspose {size}x{size}{} {filters}{pads}{epilogue}",
            slash((stride, stride), 1)
        ));
        self.chain(section, lines, "deconv", Shape::Map { c: filters, h, w })
    }

    pub(super) fn local(&mut self, section: &Section) -> Result<(), CfgError> {
        section.refuse(&["dontload", "numload"])?;
        let (mut lines, [c, h, w]) = self.map(section)?;
        let filters = section.int("filters", 1, 1)?;
        let size = section.int("size", 1, 1)?;
        let stride = section.int("stride", 1, 1)?;
        let pad = section.int("pad", 0, 0)?;
        // Darknet's extents are those of a padding that keeps them, whatever the padding is; where there is none, of none.
        let place = |n: usize| {
            let fit = fit(n, 2 * pad, size, stride)?;
            (pad == 0 || fit.out == (n - 1) / stride + 1).then_some(fit)
        };
        let (Some(rows), Some(columns)) = (place(h), place(w)) else {
            if pad > 0 {
                let what = format!("a padding of {pad} with a kernel of {size} over {h}x{w}");
                return Err(section.unsupported(Some("pad"), what));
            }
            return Err(section.shapes(format!("a kernel of {size} does not fit into {h}x{w}")));
        };
        let act = activation::of(section, "logistic", &mut self.notes)?;
        let around = |fit: Fit| (pad, pad + fit.beyond);
        let pads = window::pads([around(rows), around(columns)], (size - 1) / 2);
        let (h, w) = (rows.out, columns.out);
        self.count(section, &[filters, h, w])?;
        self.count(section, &[h, w, filters, c, size, size])?;
        let stride = slash((stride, stride), 1);
        let mut text = format!("local {size}x{size}{stride} {filters}{pads} bias");
        push(&mut text, act);
        lines.push(text);
        self.chain(section, lines, "local", Shape::Map { c: filters, h, w })
    }

    pub(super) fn connected(&mut self, section: &Section) -> Result<(), CfgError> {
        section.refuse(&["dontload", "numload"])?;
        let (mut lines, inputs) = self.flat(section)?;
        let output = section.int("output", 1, 1)?;
        let epilogue = self.epilogue(section, output)?;
        self.count(section, &[inputs, output])?;
        lines.push(format!("dense {output}{epilogue}"));
        self.chain(section, lines, "dense", Shape::Vector(output))
    }

    pub(super) fn batchnorm(&mut self, section: &Section) -> Result<(), CfgError> {
        section.refuse(&["dontload"])?;
        let (_, shape) = self.before(section)?;
        let Some([channels, ..]) = shape.extents() else {
            let why = format!("its operand is a vector of {shape}, and no map");
            return Err(section.shapes(why));
        };
        self.count(section, &[2, channels])?;
        self.chain(section, vec!["bn".to_owned()], "bn", shape)
    }
}

fn push(text: &mut String, activation: &str) {
    if !activation.is_empty() {
        text.push(' ');
        text.push_str(activation);
    }
}
