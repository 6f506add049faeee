//! `head keypoints`: points of a picture by heat maps.

use super::keys::key;
use super::swap::{self, SWAP};
use super::{Entering, Enters, Head, HeadDecl, Misfit, channels, nothing};
use crate::args::Kind;
use cnnc_runtime::answer::{Keypoints, Task};

/// The row of [`HEADS`](super::HEADS).
pub(super) static DECL: HeadDecl = HeadDecl {
    keyword: "keypoints",
    doc: "Points of a picture by heat maps. `raw` has a map of logits for each point, whose softmax over the cells says where the point is; the maps cover the input, at \
          any resolution. A point is the centre of mass of the cells around the likeliest one.",
    keys: &[
        key(
            "around",
            Kind::Int,
            Some("2"),
            "How many cells on either side of the likeliest one are averaged with it.",
        ),
        SWAP,
    ],
    classes: "maps",
    detects: false,
    enters: Enters::LastChain,
    project: nothing,
    fit,
    task,
    samples: &[
        "input x: 1x8x8; conv 3x3 3 /2 pad half; head keypoints { around 1  swap (0, 2) }",
        "input x: 1x2x3; conv 1x1 1; head keypoints",
    ],
};

fn fit(head: &Head, Entering { shapes, .. }: &Entering<'_>) -> Result<usize, Misfit> {
    let shape = &shapes[0];
    let points = channels(head, 0, shape)?;
    if shape.elements() == points {
        let message =
            format!("a map of a single cell says nothing about where a point is: {shape}");
        return Err(Misfit::shape(0, message).help("`head landmarks` takes the numbers themselves"));
    }
    swap::check(head, points)?;
    Ok(0)
}

fn task(head: &Head, _: &Entering<'_>, _: usize) -> Task {
    Task::Keypoints(Keypoints {
        around: head.count("around"),
    })
}
