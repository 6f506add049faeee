//! `head boxes`: one box and what is in it.

use super::keys::{LABELS, key};
use super::presence::{KEEP, PRESENCE};
use super::{Entering, Enters, Head, HeadDecl, Misfit, nothing, vector};
use crate::args::Kind;
use cnnc_runtime::answer::{Locate, Task};

/// The row of [`HEADS`](super::HEADS).
pub(super) static DECL: HeadDecl = HeadDecl {
    keyword: "boxes",
    doc: "Classification with localisation: one box and what is in it. `raw` is a vector: if `presence` is on, a logit of whether there is anything; four numbers of the \
          box, in fractions of the input; a logit for each class (softmax). Without classes the box alone is the answer.",
    keys: &[
        LABELS,
        PRESENCE,
        key(
            "format",
            Kind::Word(&["centre", "corners"]),
            Some("centre"),
            "The four numbers: `x y width height` of the centre form, or `left top right bottom`.",
        ),
        KEEP,
    ],
    classes: "classes",
    detects: false,
    enters: Enters::LastChain,
    project: nothing,
    fit,
    task,
    samples: &[
        r#"input x: 3; dense 7; head boxes { presence  format corners  labels ["a", "b"] }"#,
    ],
};

fn fit(head: &Head, Entering { shapes, .. }: &Entering<'_>) -> Result<usize, Misfit> {
    let values = vector(head, &shapes[0])?;
    let before = 4 + usize::from(head.flag("presence"));
    values.checked_sub(before).ok_or_else(|| {
        let message = format!("a box needs {before} values, this has {values}");
        Misfit::shape(0, message)
    })
}

fn task(head: &Head, _: &Entering<'_>, classes: usize) -> Task {
    Task::Locate(Locate {
        presence: head.flag("presence"),
        corners: head.choice("format", &[("centre", false), ("corners", true)]),
        classes,
        keep: head.real("keep"),
    })
}
