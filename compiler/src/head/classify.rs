//! `head classify`: one of several classes.

use super::keys::{LABELS, key};
use super::{Entering, Enters, Head, HeadDecl, Misfit, Project, vector};
use crate::args::Kind;
use crate::diagnostic::codes;
use crate::id::ValueId;
use cnnc_runtime::answer::{Classify, Task};

/// The row of [`HEADS`](super::HEADS).
pub(super) static DECL: HeadDecl = HeadDecl {
    keyword: "classify",
    doc: "One of several classes. `raw` is the logits, a vector; `probabilities` is their softmax.",
    keys: &[
        LABELS,
        key(
            "top",
            Kind::Int,
            Some("5"),
            "How many of the most probable classes are shown.",
        ),
    ],
    classes: "outputs",
    detects: false,
    enters: Enters::LastChain,
    project: probabilities,
    fit,
    task,
    samples: &[r#"input x: 3; dense 4; head classify { labels ["a", "b", "c", "d"]  top 2 }"#],
};

fn probabilities(_: &Head, raw: ValueId, network: &mut dyn Project) {
    if network.maker(raw) == Some("softmax") {
        network.warn_of_second(codes::TWO_SOFTMAX, raw, "softmax is applied twice");
    }
    if let Some(value) = network.layer("softmax", None, &[raw]) {
        network.output("probabilities", value);
    }
}

fn fit(head: &Head, Entering { shapes, .. }: &Entering<'_>) -> Result<usize, Misfit> {
    vector(head, &shapes[0]).map_err(|why| why.help("put `globalavgpool` or `flatten` before it"))
}

fn task(head: &Head, _: &Entering<'_>, _: usize) -> Task {
    let top = head.count("top");
    Classify { top }.into()
}
