//! Whether there is anything at all: the keys of heads whose first value may say so.

use super::keys::key;
use crate::args::{Kind, ParamDecl};

pub(super) const PRESENCE: ParamDecl = key(
    "presence",
    Kind::Flag,
    Some("off"),
    "Whether the first value says that there is anything.",
);

pub(super) const KEEP: ParamDecl = key(
    "keep",
    Kind::Float,
    Some("0.5"),
    "Least probability that there is anything, where `presence` is on.",
);
