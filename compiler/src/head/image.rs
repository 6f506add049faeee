//! `head image`: a picture.

use super::keys::key;
use super::{Entering, Enters, Head, HeadDecl, Misfit, nothing};
use crate::args::Kind;
use cnnc_runtime::answer::{Image, Show, Task};

/// The row of [`HEADS`](super::HEADS).
pub(super) static DECL: HeadDecl = HeadDecl {
    keyword: "image",
    doc: "A picture: `raw` has one channel (grey) or three (red, green, blue).",
    keys: &[key(
        "range",
        Kind::Word(&["clamp", "magnitude", "minmax"]),
        Some("clamp"),
        "How values become brightness: `clamp` takes 0 for black and 1 for white and cuts the rest off, `magnitude` takes 0 for \
         black and the largest magnitude for white, `minmax` the smallest and the largest value.",
    )],
    classes: "classes",
    detects: false,
    enters: Enters::LastChain,
    project: nothing,
    fit,
    task,
    samples: &[r#"input x: 1x4x4; conv 1x1 3; head image { range minmax }"#],
};

fn fit(_: &Head, Entering { shapes, .. }: &Entering<'_>) -> Result<usize, Misfit> {
    let shape = &shapes[0];
    match (shape.dims().len(), shape.channels()) {
        (3, channels @ (1 | 3)) => Ok(channels),
        _ => {
            let message =
                format!("a picture has one or three channels, rows and columns, not {shape}");
            Err(Misfit::shape(0, message))
        }
    }
}

fn task(head: &Head, _: &Entering<'_>, _: usize) -> Task {
    Task::Image(Image {
        show: head.choice(
            "range",
            &[
                ("clamp", Show::Clamp),
                ("magnitude", Show::Magnitude),
                ("minmax", Show::MinMax),
            ],
        ),
    })
}
