//! `head yolo1`: boxes, as YOLO's first version has them.

use super::keys::{LABELS, key};
use super::select::{NMS, PER_BOX, iou, keep, select};
use super::{Entering, Enters, Head, HeadDecl, Misfit, nothing, vector};
use crate::args::Kind;
use cnnc_runtime::answer::{Task, Yolo1};

/// The row of [`HEADS`](super::HEADS).
pub(super) static DECL: HeadDecl = HeadDecl {
    keyword: "yolo1",
    doc: "Boxes, as YOLO's first version has them. `raw` is a vector: the class probabilities of every cell, then the confidences of its \
          boxes, then the boxes (centre within the cell, square roots of width and height).",
    keys: &[
        LABELS,
        key("side", Kind::Int, Some("7"), "Cells along each side."),
        key("boxes", Kind::Int, Some("2"), "Boxes of each cell."),
        keep("0.2"),
        NMS,
        iou("0.4"),
        PER_BOX,
    ],
    classes: "classes",
    detects: true,
    enters: Enters::LastChain,
    project: nothing,
    fit,
    task,
    samples: &[
        r#"input x: 3; dense 52; head yolo1 { labels ["a", "b", "c"]  side 2  per_box all }"#,
    ],
};

/// `side² · (classes + 5 · boxes)` values.
fn fit(head: &Head, Entering { shapes, .. }: &Entering<'_>) -> Result<usize, Misfit> {
    let values = vector(head, &shapes[0])?;
    let count = |key: &str| {
        let number = head.count(key);
        if (1..=1000).contains(&number) {
            Ok(number)
        } else {
            let message = format!("`{key}` is between 1 and 1000");
            Err(Misfit::key(head, key, message))
        }
    };
    let (side, boxes) = (count("side")?, count("boxes")?);
    let (cells, five) = (side * side, 5 * boxes);
    match (values / cells).checked_sub(five) {
        Some(classes) if values.is_multiple_of(cells) => Ok(classes),
        _ => {
            let message = format!(
                "{side}x{side} cells with {boxes} boxes each have {cells} · ({five} + classes) values, not {values}"
            );
            Err(Misfit::shape(0, message))
        }
    }
}

fn task(head: &Head, _: &Entering<'_>, classes: usize) -> Task {
    Task::Yolo1(Yolo1 {
        side: head.count("side"),
        boxes: head.count("boxes"),
        classes,
        select: select(head),
    })
}
