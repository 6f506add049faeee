//! `head dfl`: boxes by distances to their sides, as YOLOv8 and its successors have them.

use super::keys::{LABELS, key};
use super::select::{NMS, PER_BOX, iou, select};
use super::{Entering, Enters, Head, HeadDecl, Misfit, channels, nothing};
use crate::args::Kind;
use cnnc_runtime::answer::{Dfl, MOST_BINS, Task};

/// The row of [`HEADS`](super::HEADS).
pub(super) static DECL: HeadDecl = HeadDecl {
    keyword: "dfl",
    doc: "Boxes by distances from the middle of a cell to the four sides, without anchors, as YOLOv8 and its successors have them, from one map or several. A map has \
          `bins` logits for each of `left top right bottom` and a logit for each class: a distance is the mean of its bins, in cells (Li et al. 2020, generalised focal \
          loss); classes are logistic and independent of each other. `raw` is the first map, the others are outputs by their names.",
    keys: &[
        LABELS,
        key(
            "maps",
            Kind::Tensors,
            Some("the last chain"),
            "The tensors that enter the head, by their labels: `maps fine middle coarse`.",
        ),
        key(
            "bins",
            Kind::Int,
            Some("16"),
            "Logits of each distance: it is between 0 and one less than that. With 1 the number itself is the distance.",
        ),
        key(
            "keep",
            Kind::Float,
            Some("0.25"),
            "Least score of a box: the probability of its class.",
        ),
        NMS,
        iou("0.7"),
        PER_BOX,
    ],
    classes: "classes",
    detects: true,
    enters: Enters::Maps,
    project: nothing,
    fit,
    task,
    samples: &[
        r#"input x: 3x64x96
        a: conv 1x1 34 /16
        b: conv 1x1 34 /2
        head dfl { maps a b  bins 8  labels ["cat", "dog"]  nms off }"#,
        r#"input x: 3x8x8; conv 1x1 65 /2; head dfl"#,
    ],
};

/// Maps that have the same classes, one at least.
fn fit(head: &Head, Entering { shapes, .. }: &Entering<'_>) -> Result<usize, Misfit> {
    let bins = head.count("bins");
    if !(1..=MOST_BINS).contains(&bins) {
        let message = format!("`bins` is between 1 and {MOST_BINS}");
        return Err(Misfit::key(head, "bins", message));
    }
    let mut classes = None;
    for (index, shape) in shapes.iter().enumerate() {
        let channels = channels(head, index, shape)?;
        let here = match channels.checked_sub(4 * bins) {
            Some(here) if here > 0 => here,
            _ => {
                let message = format!(
                    "four distances of {bins} bins and a class or more have {} channels at least, not {channels}",
                    4 * bins + 1
                );
                return Err(Misfit::shape(index, message)
                    .help("`bins` says how many logits a distance has; 16 without it"));
            }
        };
        let first = *classes.get_or_insert(here);
        if here != first {
            let message = format!("this map has {here} classes, the first one {first}: {shape}");
            return Err(Misfit::shape(index, message));
        }
    }
    Ok(classes.unwrap_or(0))
}

fn task(head: &Head, of: &Entering<'_>, classes: usize) -> Task {
    Task::Dfl(Dfl {
        maps: of.shapes.len(),
        bins: head.count("bins"),
        classes,
        select: select(head),
    })
}
