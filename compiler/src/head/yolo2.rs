//! `head yolo2`: boxes, as YOLOv2 has them.

use super::anchors::{ANCHORS, anchors, fractions, map, unit};
use super::keys::LABELS;
use super::select::{NMS, PER_BOX, iou, keep, select};
use super::{Entering, Enters, Head, HeadDecl, Misfit, extents, nothing};
use cnnc_runtime::answer::{Task, Yolo2};

/// The row of [`HEADS`](super::HEADS).
pub(super) static DECL: HeadDecl = HeadDecl {
    keyword: "yolo2",
    doc: "Boxes, as YOLOv2 has them. `raw` is a map with `x y w h objectness` and the classes for each anchor: centres and objectness are logistic, \
          sizes are powers of e times the anchor, classes share a softmax.",
    keys: &[
        LABELS,
        ANCHORS,
        unit("cells"),
        keep("0.5"),
        NMS,
        iou("0.45"),
        PER_BOX,
    ],
    classes: "classes",
    detects: true,
    enters: Enters::LastChain,
    project: nothing,
    fit,
    task,
    samples: &[
        r#"input x: 3x64x64; conv 3x3 21 /16 pad half; head yolo2 { anchors pixels (10, 20) (30, 40) (5.5, 7)  nms score }"#,
    ],
};

fn fit(head: &Head, Entering { shapes, .. }: &Entering<'_>) -> Result<usize, Misfit> {
    map(head, 0, &shapes[0], anchors(head)?.len())
}

fn task(head: &Head, of: &Entering<'_>, classes: usize) -> Task {
    let map = &of.shapes[0];
    let cells = extents(map.dims());
    let anchors = fractions(head, map, of).into_iter();
    let in_cells = |(w, h)| ((w * cells.0) as f32, (h * cells.1) as f32);
    Task::Yolo2(Yolo2 {
        anchors: anchors.map(in_cells).collect(),
        classes,
        select: select(head),
    })
}
