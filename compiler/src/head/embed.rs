//! `head embed`: a vector that stands for the input.

use super::keys::key;
use super::{Entering, Enters, Head, HeadDecl, Misfit, nothing, vector};
use crate::args::Kind;
use cnnc_runtime::answer::{Embed, Metric, Task};

/// The row of [`HEADS`](super::HEADS).
pub(super) static DECL: HeadDecl = HeadDecl {
    keyword: "embed",
    doc: "A vector that stands for the input, to be compared with others. `raw` is the vector.",
    keys: &[
        key(
            "metric",
            Kind::Word(&["cosine", "euclidean"]),
            Some("euclidean"),
            "How two vectors are compared: by the length of their difference, or by 1 minus the cosine of the angle between them.",
        ),
        key(
            "threshold",
            Kind::Float,
            Some("1"),
            "Up to which distance two inputs count as the same; beyond it from everybody, a face is unknown.",
        ),
    ],
    classes: "classes",
    detects: false,
    enters: Enters::LastChain,
    project: nothing,
    fit,
    task,
    samples: &[r#"input x: 3; dense 8; head embed { metric cosine  threshold 0.3 }"#],
};

fn fit(head: &Head, Entering { shapes, .. }: &Entering<'_>) -> Result<usize, Misfit> {
    vector(head, &shapes[0])
}

fn task(head: &Head, _: &Entering<'_>, _: usize) -> Task {
    Task::Embed(Embed {
        metric: head.choice(
            "metric",
            &[("cosine", Metric::Cosine), ("euclidean", Metric::Euclidean)],
        ),
        threshold: head.real("threshold"),
    })
}
