//! `head segment`: a class for every pixel.

use super::keys::{LABELS, key};
use super::{Entering, Enters, Head, HeadDecl, Misfit, channels, nothing};
use crate::args::Kind;
use cnnc_runtime::answer::{Segment, Task};

/// The row of [`HEADS`](super::HEADS).
pub(super) static DECL: HeadDecl = HeadDecl {
    keyword: "segment",
    doc: "A class for every pixel (semantic segmentation). `raw` is a map with a channel for each class, the background too; a pixel is of the class \
          whose channel is the largest there. The map covers the input, at any resolution, but for a `margin`.",
    keys: &[
        LABELS,
        key(
            "margin",
            Kind::Int,
            Some("0"),
            "Pixels along each edge of the input that the map leaves out, as it does where convolutions do not pad (U-Net's 92).",
        ),
    ],
    classes: "channels",
    detects: false,
    enters: Enters::LastChain,
    project: nothing,
    fit,
    task,
    samples: &[
        r#"input x: 3x8x8; conv 1x1 3; head segment { labels ["sky", "tree", "road"] }"#,
        "input x: 3x8x8; conv 3x3 2 pad valid; head segment { margin 1 }",
    ],
};

fn fit(head: &Head, entering: &Entering<'_>) -> Result<usize, Misfit> {
    let shape = &entering.shapes[0];
    let classes = channels(head, 0, shape)?;
    if classes < 2 {
        let message = format!("`head segment` needs a channel for each class, not {shape}");
        let problem = Misfit::shape(0, message);
        return Err(problem.help("background and thing are two classes, with a channel each"));
    }
    let (width, height) = entering.input;
    if !(0.0..width.min(height) / 2.0).contains(&margin(head)) {
        let message = format!("`margin` is less than half of the input's {height}x{width}");
        return Err(Misfit::key(head, "margin", message));
    }
    Ok(classes)
}

fn margin(head: &Head) -> f64 {
    head.number("margin").unwrap_or(0.0)
}

fn task(head: &Head, of: &Entering<'_>, classes: usize) -> Task {
    let margin = |extent: f64| (margin(head) / extent) as f32;
    Task::Segment(Segment {
        classes,
        margin: (margin(of.input.0), margin(of.input.1)),
    })
}
