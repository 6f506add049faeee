//! Anchors, and the maps of `anchors · (5 + classes)` channels that have them.

use super::keys::key;
use super::{Entering, Head, Misfit, channels, extents};
use crate::args::{Kind, ParamDecl};
use crate::shape::Shape;

pub(super) const ANCHORS: ParamDecl = key(
    "anchors",
    Kind::Pairs,
    None,
    "Width and height of each anchor.",
);

pub(super) const fn unit(default: &'static str) -> ParamDecl {
    key(
        "unit",
        Kind::Word(&["cells", "pixels"]),
        Some(default),
        "Unit of the anchors; the word may stand alone: `anchors cells (1.3, 1.7)`.",
    )
}

/// The anchors, all positive.
pub(super) fn anchors(head: &Head) -> Result<Vec<Vec<f64>>, Misfit> {
    let anchors = head.rows("anchors");
    if anchors.is_empty() {
        let message = format!("`head {}` needs `anchors`", head.decl.keyword);
        return Err(Misfit::key(head, "anchors", message)
            .help("`anchors cells (1.3, 1.7) (3.2, 4.0)`: width and height of each"));
    }
    let sound = |&x: &f64| x > 0.0 && x < 1e6;
    if !anchors.iter().flatten().all(sound) {
        let message = "the sides of an anchor are positive".to_owned();
        return Err(Misfit::key(head, "anchors", message));
    }
    Ok(anchors)
}

/// The classes of the map of that number; a detector of one thing may have none.
pub(super) fn map(
    head: &Head,
    index: usize,
    shape: &Shape,
    anchors: usize,
) -> Result<usize, Misfit> {
    let channels = channels(head, index, shape)?;
    match (channels / anchors).checked_sub(5) {
        Some(classes) if channels.is_multiple_of(anchors) => Ok(classes),
        _ => {
            let message = format!(
                "{anchors} anchors have {anchors} · (5 + classes) channels, not {channels}"
            );
            Err(Misfit::shape(index, message))
        }
    }
}

/// The anchors as fractions of the input, for a map of that shape.
pub(super) fn fractions(head: &Head, map: &Shape, of: &Entering<'_>) -> Vec<(f64, f64)> {
    let unit = head.choice(
        "unit",
        &[("cells", extents(map.dims())), ("pixels", of.input)],
    );
    let rows = head.rows("anchors");
    rows.iter()
        .map(|row| (row[0] / unit.0, row[1] / unit.1))
        .collect()
}
