//! Darknet's windows: how often one stands on a map, and how its padding is written.

use super::cfg::Section;
use super::error::CfgError;

/// A window on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fit {
    /// How often it stands there.
    pub out: usize,
    /// How far it reaches beyond operand and padding, where it is larger than these.
    pub beyond: usize,
}

/// How often a window stands on `n` elements with that padding in all: `(n + padding − size) / stride + 1`, as C divides. A window
/// that is less than a stride too large stands there once.
pub(super) fn fit(n: usize, padding: usize, size: usize, stride: usize) -> Option<Fit> {
    let room = n.saturating_add(padding);
    match room.checked_sub(size) {
        Some(rest) => Some(Fit {
            out: rest / stride + 1,
            beyond: 0,
        }),
        None => Some(size - room)
            .filter(|&beyond| beyond < stride)
            .map(|beyond| Fit { out: 1, beyond }),
    }
}

/// ` pad …`, for what stands before and behind rows and columns; nothing where it is `half` all around, as `defaults` has it.
pub(super) fn pads([rows, columns]: [(usize, usize); 2], half: usize) -> String {
    let [top, bottom, left, right] = [rows.0, rows.1, columns.0, columns.1];
    match top {
        _ if [bottom, left, right] != [top; 3] => {
            format!(" pad ({top}, {bottom}, {left}, {right})")
        }
        _ if top == half => String::new(),
        0 => " pad valid".to_owned(),
        _ => format!(" pad {top}"),
    }
}

/// `stride_y` and `stride_x`, which are `stride` where they are not written.
pub(super) fn strides(section: &Section, default: usize) -> Result<(usize, usize), CfgError> {
    let axis = |key: &str| match section.signed(key)? {
        Some(1..) => section.int(key, 1, 1),
        // As if it were not there.
        _ => section.int("stride", default, 1),
    };
    Ok((axis("stride_y")?, axis("stride_x")?))
}

/// ` /2`, ` /2x1`, or nothing where it is what the layer does anyway.
pub(super) fn slash((rows, columns): (usize, usize), default: usize) -> String {
    match (rows, columns) {
        _ if (rows, columns) == (default, default) => String::new(),
        _ if rows == columns => format!(" /{rows}"),
        _ => format!(" /{rows}x{columns}"),
    }
}
