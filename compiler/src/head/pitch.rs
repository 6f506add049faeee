//! `head pitch`: the pitch of a sound.

use super::keys::key;
use super::{Entering, Enters, Head, HeadDecl, Misfit, nothing, vector};
use crate::args::Kind;
use cnnc_runtime::answer::{Pitch, Task};

/// The row of [`HEADS`](super::HEADS).
pub(super) static DECL: HeadDecl = HeadDecl {
    keyword: "pitch",
    doc: "The pitch of a sound (Kim et al. 2018, CREPE). `raw` is a vector of the activations of bins; the answer is the mean of the bins around the best one, weighted by \
          their activations. A bin of `c` cents is `10 · 2^(c / 1200)` Hz.",
    keys: &[
        key(
            "first",
            Kind::Float,
            Some("1997.3794084376191"),
            "Cents of the first bin.",
        ),
        key(
            "step",
            Kind::Float,
            Some("20"),
            "Cents from one bin to the next.",
        ),
        key(
            "around",
            Kind::Int,
            Some("4"),
            "How many bins on either side of the best one are averaged with it.",
        ),
    ],
    classes: "outputs",
    detects: false,
    enters: Enters::LastChain,
    project: nothing,
    fit,
    task,
    samples: &[r#"input x: 3; dense 12 sigmoid; head pitch { first 1200  step 100  around 2 }"#],
};

fn fit(head: &Head, Entering { shapes, .. }: &Entering<'_>) -> Result<usize, Misfit> {
    vector(head, &shapes[0])
}

fn task(head: &Head, _: &Entering<'_>, _: usize) -> Task {
    Task::Pitch(Pitch {
        first: head.real("first"),
        step: head.real("step"),
        around: head.count("around"),
    })
}
