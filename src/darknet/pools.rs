//! Pools: text and shape of each.

use super::cfg::Section;
use super::error::CfgError;
use super::node::Shape;
use super::reader::{Reader, vector_next};
use super::window::{self, Fit, fit, slash, strides};

/// A pool's window on a map.
struct Pool {
    /// `3x3 /2 pad 1`
    text: String,
    shape: [usize; 3],
}

/// Places a window of that stride.
fn pool(
    section: &Section,
    [c, h, w]: [usize; 3],
    size: usize,
    stride: (usize, usize),
) -> Result<Pool, CfgError> {
    let padding = section.int("padding", size - 1, 0)?;
    let place = |n, stride| fit(n, padding, size, stride);
    let (Some(rows), Some(columns)) = (place(h, stride.0), place(w, stride.1)) else {
        return Err(section.shapes(format!("a window of {size} does not fit into {h}x{w}")));
    };
    // Darknet pads half of it before, and the rest behind.
    let before = padding / 2;
    // What nobody sees need not be written.
    let same = |around: usize| {
        let kept = |n, stride, fit: Fit| {
            fit.beyond == 0 && window::fit(n, 2 * around, size, stride) == Some(fit)
        };
        around == before && kept(h, stride.0, rows) && kept(w, stride.1, columns)
    };
    let half = (size - 1) / 2;
    let pads = match (same(half), same(0)) {
        (true, _) => String::new(),
        (_, true) => " pad valid".to_owned(),
        _ => {
            let around = |fit: Fit| (before, padding - before + fit.beyond);
            window::pads([around(rows), around(columns)], half)
        }
    };
    Ok(Pool {
        text: format!("{size}x{size}{}{pads}", slash(stride, size)),
        shape: [c, rows.out, columns.out],
    })
}

impl Reader {
    pub(super) fn maxpool(&mut self, section: &Section) -> Result<(), CfgError> {
        section.refuse(&["maxpool_zero_nonmax"])?;
        let (mut lines, extents) = self.map(section)?;
        if section.flag("maxpool_depth")? {
            return self.maxpool_depth(section, lines, extents);
        }
        let common = section.int("stride", 1, 1)?;
        let size = section.int("size", common, 1)?;
        let step = strides(section, common)?;
        let blur = section.signed("antialiasing")?.unwrap_or(0);
        let stride = if blur == 0 { step } else { (1, 1) };
        let Pool { text, shape } = pool(section, extents, size, stride)?;
        lines.push(format!("maxpool {text}"));
        let [c, h, w] = shape;
        match blur {
            0 => self.chain(section, lines, "pool", Shape::Map { c, h, w }),
            _ => self.blurred(section, (lines, "pool"), shape, step, blur),
        }
    }

    /// The largest of channels `k`, `k + n`, `k + 2n`, …: of planes, where the channels are taken for another axis.
    fn maxpool_depth(
        &mut self,
        section: &Section,
        mut lines: Vec<String>,
        [c, h, w]: [usize; 3],
    ) -> Result<(), CfgError> {
        let out = section.int("out_channels", 1, 1)?;
        if out > c {
            let why = format!("{c} channels have no largest for each of {out}");
            return Err(section.shapes(why));
        }
        if !c.is_multiple_of(out) {
            // What is missing in the last turn has been there in the first.
            lines.push(format!("concat {{ {{ }} ; slice {} {out} }}", c % out));
        }
        let turns = c.div_ceil(out);
        let rows = out * h;
        lines.push(format!(
            "reshape 1x{turns}x{rows}x{w} maxpool {turns}x1x1 pad valid reshape {out}x{h}x{w}"
        ));
        self.chain(section, lines, "pool", Shape::Map { c: out, h, w })
    }

    pub(super) fn local_avgpool(&mut self, section: &Section) -> Result<(), CfgError> {
        let (mut lines, extents) = self.map(section)?;
        let common = section.int("stride", 1, 1)?;
        let size = section.int("size", common, 1)?;
        let Pool { text, shape } = pool(section, extents, size, strides(section, common)?)?;
        lines.push(format!("avgpool {text}"));
        let [c, h, w] = shape;
        self.chain(section, lines, "pool", Shape::Map { c, h, w })
    }

    pub(super) fn avgpool(&mut self, section: &Section, next: &[Section]) -> Result<(), CfgError> {
        let (mut lines, [c, ..]) = self.map(section)?;
        let (line, shape) = match vector_next(next) {
            true => ("globalavgpool", Shape::Vector(c)),
            false => ("adaptiveavgpool 1x1", Shape::Map { c, h: 1, w: 1 }),
        };
        lines.push(line.to_owned());
        self.chain(section, lines, "pool", shape)
    }
}
