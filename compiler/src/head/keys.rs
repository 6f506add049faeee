//! Keys that several heads have.

use crate::args::{Kind, ParamDecl};

/// A key.
pub(super) const fn key(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    doc: &'static str,
) -> ParamDecl {
    ParamDecl {
        name,
        kind,
        positional: false,
        default,
        doc,
    }
}

/// Keys that are fractions, in whatever head they stand.
pub(super) const FRACTIONS: [&str; 2] = ["keep", "iou"];

/// The labels of classes.
pub(super) const LABELS: ParamDecl = key(
    "labels",
    Kind::Strings,
    Some("none"),
    "Names of the classes: a list, or a text file with one on each line, relative to the spec.",
);
