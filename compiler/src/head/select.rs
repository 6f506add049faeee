//! Which boxes a detector keeps: the keys, and what they are to the runtime.

use super::Head;
use super::keys::key;
use crate::args::{Kind, ParamDecl};
use cnnc_runtime::answer::{Labels, Overlap, Select};

pub(super) const NMS: ParamDecl = key(
    "nms",
    Kind::Word(&["class", "score", "off"]),
    Some("class"),
    "Which boxes suppress which: those of the same class, the best whatever its class is, or none.",
);

pub(super) const PER_BOX: ParamDecl = key(
    "per_box",
    Kind::Word(&["best", "all"]),
    Some("best"),
    "Whether a box is of its likeliest class only, or of every class that is likely enough, as darknet prints it.",
);

pub(super) const fn keep(default: &'static str) -> ParamDecl {
    key(
        "keep",
        Kind::Float,
        Some(default),
        "Least score of a box: objectness × probability of the class.",
    )
}

pub(super) const fn iou(default: &'static str) -> ParamDecl {
    key(
        "iou",
        Kind::Float,
        Some(default),
        "From which overlap on (intersection over union) the better of two boxes suppresses the other.",
    )
}

/// What the keys say.
pub(super) fn select(head: &Head) -> Select {
    Select {
        keep: head.real("keep"),
        iou: head.real("iou"),
        overlap: head.choice(
            "nms",
            &[
                ("class", Some(Overlap::Class)),
                ("score", Some(Overlap::Score)),
                ("off", None),
            ],
        ),
        labels: head.choice("per_box", &[("best", Labels::Best), ("all", Labels::All)]),
    }
}
