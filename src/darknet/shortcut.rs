//! `[shortcut]`: sums, of layers of any shape.

use super::activation;
use super::cfg::Section;
use super::error::{CfgError, Mistake};
use super::joins::wider;
use super::node::{Shape, What};
use super::number;
use super::reader::Reader;
use std::cmp::Ordering;

impl Reader {
    pub(super) fn shortcut(&mut self, section: &Section) -> Result<(), CfgError> {
        let (before, shape) = self.before(section)?;
        let factor = |key: &str| section.number(key, 1.0);
        let (alpha, beta) = (factor("alpha")?, factor("beta")?);
        let act = activation::of(section, "linear", &mut self.notes)?;
        let from = section.ints("from")?;
        if from.is_empty() {
            return Err(section.key_error("from", Mistake::Missing));
        }
        let mut inputs = vec![match alpha {
            1.0 => before,
            _ => self.applied(before, format!("scale {}", number::show(alpha)), "part"),
        }];
        let mut result = shape;
        for &index in &from {
            let (value, other) = self.layer(section, "from", index)?;
            let sides = match (other, shape) {
                (Shape::Flat(a), Shape::Flat(b)) if a == b => Some(([a, 1, 1], [b, 1, 1])),
                _ => other.extents().zip(shape.extents()),
            };
            let Some((a, b)) = sides else {
                let why = format!("{shape} and {other} are not added: their shapes differ");
                return Err(section.key_error("from", Mistake::Shapes { why }));
            };
            // Redmon's darknet multiplies by alpha where there is something to add only.
            let covered = a[0] >= b[0] && a[1] >= b[1] && a[2] >= b[2];
            if alpha != 1.0 && (!covered || from.len() > 1) {
                let what = format!("`alpha={alpha}` of a part of the sum");
                return Err(section.unsupported(Some("alpha"), what));
            }
            let Some(mut line) = fit(a, b) else {
                let why = format!("{shape} and {other} are not added: their shapes differ");
                return Err(section.key_error("from", Mistake::Shapes { why }));
            };
            match (other, shape) {
                _ if a == b => result = wider(result, other),
                (Shape::Vector(n), Shape::Map { .. }) => line.insert(0, format!("reshape {n}x1x1")),
                (Shape::Map { .. }, Shape::Vector(_)) => line.push("flatten".to_owned()),
                _ => {}
            }
            if beta != 1.0 {
                line.push(format!("scale {}", number::show(beta)));
            }
            inputs.push(self.applied(value, line.join(" "), "short"));
        }
        let (shares, kind) = match shares(section)? {
            None => (String::new(), "sum"),
            Some((shares, per_channel)) => {
                let Some([channels, ..]) = result.extents() else {
                    let why = format!("its operand is a vector of {result}, and no map");
                    return Err(section.shapes(why));
                };
                let factors = if per_channel { channels } else { 1 };
                self.count(section, &[inputs.len(), factors])?;
                (shares, "blend")
            }
        };
        let then = [&shares, act].map(str::trim).join(" ").trim().to_owned();
        self.add(
            section,
            inputs,
            What::Join { word: "add", then },
            kind,
            result,
        )
    }
}

/// The learned factors of a sum, and whether each channel has its own; none where it is plain.
fn shares(section: &Section) -> Result<Option<(String, bool)>, CfgError> {
    let unknown = |key: &str| {
        let value = section.text(key).unwrap_or_default();
        Err(section.unsupported(Some(key), format!("`{key}={value}`")))
    };
    let per_channel = match section.text("weights_type").unwrap_or("none") {
        "none" => return Ok(None),
        "per_feature" | "per_layer" => false,
        "per_channel" => true,
        _ => return unknown("weights_type"),
    };
    let fusion = match section.text("weights_normalization").unwrap_or("none") {
        "none" => "",
        "relu" | "avg_relu" => " fusion fast",
        "softmax" => " fusion exponential",
        _ => return unknown("weights_normalization"),
    };
    let shares = if per_channel {
        "per_channel"
    } else {
        "per_tensor"
    };
    Ok(Some((format!("shares {shares}{fusion}"), per_channel)))
}

/// How darknet fits a tensor to a sum of other extents: channels that are there in both; every n-th pixel of a larger map, or every
/// n-th of the sum for a smaller one; as many as there are. Nothing where the extents are equal; none where darknet has no whole n.
fn fit(from: [usize; 3], to: [usize; 3]) -> Option<Vec<String>> {
    let ([c, h, w], [channels, rows, columns]) = (from, to);
    let mut line = Vec::new();
    match c.cmp(&channels) {
        Ordering::Less => line.push(format!("padchannels 0 {}", channels - c)),
        Ordering::Equal => {}
        Ordering::Greater => line.push(format!("slice 0 {channels}")),
    }
    let (step, spread) = (w / columns, columns / w);
    if (step, spread) != (h / rows, rows / h) {
        return None;
    }
    let mut map = [h, w];
    if step > 1 {
        line.insert(0, format!("subsample /{step}"));
        map = map.map(|n| n.div_ceil(step));
    }
    if spread > 1 {
        // The first pixel of each block, and zeros.
        let zeros = channels * (spread * spread - 1);
        line.push(format!("padchannels 0 {zeros} depth_to_space {spread}"));
        map = map.map(|n| n * spread);
    }
    let [both, wide] = [map[0].min(rows), map[1].min(columns)];
    if [both, wide] != map {
        line.push(format!("crop {both}x{wide} at (0, 0)"));
    }
    if [both, wide] != [rows, columns] {
        line.push(format!("pad (0, {}, 0, {})", rows - both, columns - wide));
    }
    Some(line)
}
