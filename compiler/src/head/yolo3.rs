//! `head yolo3`: boxes, as YOLOv3 and v4 have them.

use super::anchors::{self, ANCHORS, fractions, unit};
use super::keys::{LABELS, key};
use super::select::{NMS, PER_BOX, iou, keep, select};
use super::{Entering, Enters, Head, HeadDecl, Misfit, nothing};
use crate::args::Kind;
use cnnc_runtime::answer::{Map, Task, Yolo3};

/// The row of [`HEADS`](super::HEADS).
pub(super) static DECL: HeadDecl = HeadDecl {
    keyword: "yolo3",
    doc: "Boxes, as YOLOv3 and v4 have them, from one map or several. A map has `x y w h objectness` and the classes for each of its anchors: all but \
          the sizes are logistic, and classes are independent of each other. `raw` is the first map, the others are outputs by their names.",
    keys: &[
        LABELS,
        key(
            "maps",
            Kind::Tensors,
            Some("the last chain"),
            "The tensors that enter the head, by their labels: `maps large medium small`.",
        ),
        ANCHORS,
        unit("pixels"),
        key(
            "masks",
            Kind::Lists,
            Some("all"),
            "Which anchors each map has, counted from 0: `masks (6, 7, 8) (3, 4, 5) (0, 1, 2)`. Needed where there are several maps.",
        ),
        keep("0.5"),
        NMS,
        iou("0.45"),
        PER_BOX,
        key(
            "stretch",
            Kind::Numbers,
            Some("1"),
            "How far centres reach beyond their cells (darknet's `scale_x_y`): one number, or one for each map.",
        ),
        key(
            "squared",
            Kind::Flag,
            Some("off"),
            "The maps are logistic already, and a size is `(2·t)²` of its anchor (darknet's `new_coords`).",
        ),
    ],
    classes: "classes",
    detects: true,
    enters: Enters::Maps,
    project: nothing,
    fit,
    task,
    samples: &[
        r#"input x: 3x64x96
        a: conv 1x1 18 /16
        b: conv 1x1 9 /2
        head yolo3 { anchors (10, 13) (16, 30) (33, 23)  maps a b  masks (1, 2) (0)  stretch (1.05, 1.2)  squared  nms off }"#,
        r#"input x: 3x8x8; conv 1x1 12 /2; head yolo3 { anchors cells (1, 2) (2, 1) }"#,
    ],
};

/// Maps that have the same classes.
fn fit(head: &Head, Entering { shapes, .. }: &Entering<'_>) -> Result<usize, Misfit> {
    let anchors = anchors::anchors(head)?;
    let masks = masks(head, anchors.len());
    if head.get("masks").is_none() && shapes.len() > 1 {
        let message = format!("{} maps need `masks`", shapes.len());
        let help = "`masks (3, 4, 5) (0, 1, 2)`: which anchors each map has";
        return Err(Misfit::key(head, "masks", message).help(help));
    }
    if masks.len() != shapes.len() {
        let message = format!("there are {} masks for {} maps", masks.len(), shapes.len());
        return Err(Misfit::key(head, "masks", message));
    }
    let wrong = masks
        .iter()
        .flatten()
        .find(|&&index| index >= anchors.len());
    if let Some(index) = wrong {
        let message = format!("there are {} anchors and no {index}", anchors.len());
        return Err(Misfit::key(head, "masks", message));
    }
    if masks.iter().any(Vec::is_empty) {
        let message = "every map has an anchor".to_owned();
        return Err(Misfit::key(head, "masks", message));
    }
    let stretch = stretch(head);
    if !(stretch.len() == 1 || stretch.len() == shapes.len())
        || stretch.iter().any(|x| !(1.0..=10.0).contains(x))
    {
        let message = "`stretch` is a number between 1 and 10, or one for each map".to_owned();
        return Err(Misfit::key(head, "stretch", message));
    }
    let mut classes = None;
    for (index, (shape, mask)) in shapes.iter().zip(&masks).enumerate() {
        let here = anchors::map(head, index, shape, mask.len())?;
        let first = *classes.get_or_insert(here);
        if here != first {
            let message = format!("this map has {here} classes, the first one {first}: {shape}");
            return Err(Misfit::shape(index, message));
        }
    }
    Ok(classes.unwrap_or(0))
}

/// The anchors of each map, by number.
fn masks(head: &Head, anchors: usize) -> Vec<Vec<usize>> {
    if head.get("masks").is_none() {
        return vec![(0..anchors).collect()];
    }
    let index = |&x: &f64| if x >= 0.0 { x as usize } else { usize::MAX };
    let rows = head.rows("masks");
    rows.iter()
        .map(|row| row.iter().map(index).collect())
        .collect()
}

/// How far centres reach beyond their cells, for all maps or each.
fn stretch(head: &Head) -> Vec<f64> {
    head.numbers("stretch").unwrap_or_else(|| vec![1.0])
}

fn task(head: &Head, of: &Entering<'_>, classes: usize) -> Task {
    let (masks, stretch) = (masks(head, head.rows("anchors").len()), stretch(head));
    let maps = of.shapes.iter().zip(&masks).enumerate();
    let map = maps.map(|(index, (shape, mask))| {
        let anchors = fractions(head, shape, of);
        let own = mask.iter().map(|&anchor| anchors[anchor]);
        Map {
            anchors: own.map(|(w, h)| (w as f32, h as f32)).collect(),
            stretch: *stretch.get(index).unwrap_or(&stretch[0]) as f32,
        }
    });
    Task::Yolo3(Yolo3 {
        maps: map.collect(),
        classes,
        squared: head.flag("squared"),
        select: select(head),
    })
}
