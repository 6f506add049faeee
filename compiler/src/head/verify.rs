//! `head verify`: whether several inputs are of one kind.

use super::keys::key;
use super::{Entering, Enters, Head, HeadDecl, Misfit, nothing, vector};
use crate::args::Kind;
use cnnc_runtime::answer::{Task, Verify};

/// The row of [`HEADS`](super::HEADS).
pub(super) static DECL: HeadDecl = HeadDecl {
    keyword: "verify",
    doc: "Whether several inputs are of one kind. `raw` is a single number, the larger the more alike; or, with `measure distance`, the difference of two vectors, the \
          shorter the more alike.",
    keys: &[
        key(
            "measure",
            Kind::Word(&["score", "distance"]),
            Some("score"),
            "Whether `raw` is a score, or its length is a distance.",
        ),
        key(
            "threshold",
            Kind::Float,
            Some("0.5"),
            "From which score on, or up to which distance, the inputs count as alike.",
        ),
    ],
    classes: "classes",
    detects: false,
    enters: Enters::LastChain,
    project: nothing,
    fit,
    task,
    samples: &[
        r#"input a, b: 3; head verify { measure distance  threshold 0.7; sub(a, b) }"#,
        r#"input x: 3; dense 1; head verify"#,
    ],
};

fn fit(head: &Head, Entering { shapes, .. }: &Entering<'_>) -> Result<usize, Misfit> {
    let values = vector(head, &shapes[0])?;
    if values != 1 && head.word("measure") == Some("score") {
        let message = format!("a score is one number, this has {values}");
        let problem = Misfit::shape(0, message);
        return Err(problem.help("`measure distance` takes the length of a vector"));
    }
    Ok(0)
}

fn task(head: &Head, _: &Entering<'_>, _: usize) -> Task {
    Task::Verify(Verify {
        distance: head.choice("measure", &[("score", false), ("distance", true)]),
        threshold: head.real("threshold"),
    })
}
