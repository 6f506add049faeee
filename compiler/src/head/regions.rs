//! `head regions`: proposed regions, classified and moved.

use super::keys::{LABELS, key};
use super::select::{NMS, PER_BOX, iou, keep, select};
use super::{Entering, Enters, Head, HeadDecl, Misfit, nothing};
use crate::args::Kind;
use crate::shape::Shape;
use cnnc_runtime::answer::{Regions, Task};

/// The row of [`HEADS`](super::HEADS).
pub(super) static DECL: HeadDecl = HeadDecl {
    keyword: "regions",
    doc: "Proposed regions, classified and moved, as R-CNN and its descendants have them (Girshick et al. 2014; Girshick 2015). `maps` names three tensors: logits of `1 + classes` \
          channels, the first for the background, with a row for each region; four channels for each of these (`x y` moved by so many sizes of the region, \
          `w h` by powers of e); the regions themselves, rows of `left top right bottom` in pixels of the network's input.",
    keys: &[
        LABELS,
        key(
            "maps",
            Kind::Tensors,
            None,
            "Scores, deltas and regions, by their labels: `maps scores deltas regions`.",
        ),
        key(
            "std",
            Kind::Numbers,
            Some("(1, 1, 1, 1)"),
            "Factors of the four numbers of a box; Fast R-CNN's are `(0.1, 0.1, 0.2, 0.2)`.",
        ),
        keep("0.5"),
        NMS,
        iou("0.3"),
        PER_BOX,
    ],
    classes: "classes",
    detects: true,
    enters: Enters::Maps,
    project: nothing,
    fit,
    task,
    samples: &[r#"input boxes: 5x4
        scores: route boxes reshape 4x5 conv 1 3
        deltas: route boxes reshape 4x5 conv 1 12
        regions: route boxes scale 2
        head regions { maps scores deltas regions  std (0.1, 0.1, 0.2, 0.2)  labels ["a", "b"] }"#],
};

fn fit(head: &Head, Entering { shapes, .. }: &Entering<'_>) -> Result<usize, Misfit> {
    let [scores, deltas, regions] = shapes else {
        let message = "`maps` names scores, deltas and regions".to_owned();
        return Err(Misfit::key(head, "maps", message));
    };
    let count = match regions.dims() {
        &[count, 4 | 5] => count,
        _ => {
            let message = format!("regions are rows of four or five numbers, not {regions}");
            return Err(Misfit::shape(2, message));
        }
    };
    let row = |index: usize, shape: &Shape| {
        if shape.dims().iter().product::<usize>() == shape.channels() * count {
            Ok(shape.channels())
        } else {
            let message =
                format!("there are {count} regions, and this is not a row of them: {shape}");
            Err(Misfit::shape(index, message))
        }
    };
    let (classes, numbers) = (row(0, scores)?, row(1, deltas)?);
    if classes < 2 || numbers != 4 * classes {
        let message = format!("{classes} classes have 4 · {classes} deltas, not {numbers}");
        return Err(Misfit::shape(1, message));
    }
    let std = std(head);
    if std.len() != 4 || !std.iter().all(|x| x.is_finite()) {
        let message = "`std` is four numbers".to_owned();
        return Err(Misfit::key(head, "std", message));
    }
    Ok(classes - 1)
}

/// What the four numbers of a region's box are multiplied by.
fn std(head: &Head) -> Vec<f64> {
    head.numbers("std").unwrap_or_else(|| vec![1.0; 4])
}

fn task(head: &Head, of: &Entering<'_>, classes: usize) -> Task {
    let std = std(head);
    Task::Regions(Regions {
        classes,
        std: std::array::from_fn(|axis| std.get(axis).map_or(1.0, |&x| x as f32)),
        input: (of.input.0 as f32, of.input.1 as f32),
        select: select(head),
    })
}
