//! `head landmarks`: points of a picture.

use super::keys::key;
use super::presence::{KEEP, PRESENCE};
use super::swap::{self, SWAP};
use super::{Entering, Enters, Head, HeadDecl, Misfit, nothing, vector};
use crate::args::Kind;
use cnnc_runtime::answer::{Landmarks, Range, Task};

/// The row of [`HEADS`](super::HEADS).
pub(super) static DECL: HeadDecl = HeadDecl {
    keyword: "landmarks",
    doc: "Points of a picture, such as the corners of eyes. `raw` is a vector with two numbers for each point, after a logit of whether there is anything if `presence` \
          is on.",
    keys: &[
        PRESENCE,
        key(
            "range",
            Kind::Word(&["fraction", "symmetric", "pixels"]),
            Some("fraction"),
            "Unit of the numbers: fractions of the input, -1 to 1 across the input, or its pixels.",
        ),
        key(
            "order",
            Kind::Word(&["pairs", "axes"]),
            Some("pairs"),
            "`pairs`: x and y of each point; `axes`: every x, then every y.",
        ),
        KEEP,
        SWAP,
    ],
    classes: "classes",
    detects: false,
    enters: Enters::LastChain,
    project: nothing,
    fit,
    task,
    samples: &[
        r#"input x: 1x8x8; flatten; dense 11; head landmarks { presence  range symmetric  order axes  keep 0.25  swap (0, 1) (3, 4) }"#,
        "input x: 1x2x3; flatten; head landmarks",
    ],
};

fn fit(head: &Head, Entering { shapes, .. }: &Entering<'_>) -> Result<usize, Misfit> {
    let values = vector(head, &shapes[0])?;
    let numbers = values.saturating_sub(usize::from(head.flag("presence")));
    if numbers == 0 || !numbers.is_multiple_of(2) {
        let message = format!("points have two numbers each, and this has {numbers}");
        return Err(Misfit::shape(0, message));
    }
    swap::check(head, numbers / 2)?;
    Ok(0)
}

fn task(head: &Head, of: &Entering<'_>, _: usize) -> Task {
    Task::Landmarks(Landmarks {
        presence: head.flag("presence"),
        range: head.choice(
            "range",
            &[
                ("fraction", Range::Fraction),
                ("symmetric", Range::Symmetric),
                ("pixels", Range::Pixels),
            ],
        ),
        axes: head.choice("order", &[("pairs", false), ("axes", true)]),
        input: (of.input.0 as f32, of.input.1 as f32),
        keep: head.real("keep"),
    })
}
