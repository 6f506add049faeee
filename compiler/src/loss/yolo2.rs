//! `yolo2`: boxes, as YOLOv2 has them.
//!
//! J. Redmon and A. Farhadi, "YOLO9000: better, faster, stronger", 2017. Of each image, with σ the logistic function: where nothing is, `noobject` · σ(to)²; where a place answers for a box, `coord` times the squared
//! distances of σ(tx), σ(ty), tw and th, `object` · (σ(to) − IoU)², in which the IoU is a number, and `class` times the cross-entropy of the classes.

use super::yolo::{Boxes, CLASS, COORD, IGNORE, NOOBJECT, setting};
use super::{Batch, Loss, LossDecl, Measure, Misfit, Place, Terms};
use crate::graph::Graph;
use crate::id::ValueId;
use crate::layer::add::Add;
use crate::layer::sigmoid::Sigmoid;
use crate::layer::slice::Slice;
use crate::op::cross_entropy::CrossEntropy;
use crate::op::deviation::Deviation;
use crate::op::total::Total;
use crate::shape::Shape;
use cnnc_runtime::kernel::Deviation as Of;

/// The row of [`LOSSES`](super::LOSSES).
pub static DECL: LossDecl = LossDecl {
    name: "yolo2",
    doc: "Boxes as YOLOv2 has them (Redmon and Farhadi 2017): the squared distances of centre, size and objectness, whose target is the intersection over union, and the cross-entropy of the classes. For `head yolo2`.",
    settings: &[
        COORD,
        setting("object", "5", "What the objectness counts where a box is."),
        NOOBJECT,
        CLASS,
        setting("ignore", "0.6", IGNORE),
    ],
    usual: |network| super::head(network) == Some("yolo2"),
    build: |loss, network| Box::new(Yolo2(Boxes::new(&DECL, loss, network))),
    samples: &[
        "input x: 2x4x6; conv 1x1 14 /2; head yolo2 { anchors cells (1.2, 1.5) (0.7, 0.6) }",
        "input x: 2x4x4; conv 1x1 6 /2; head yolo2 { anchors cells (1, 1) }",
    ],
};

#[derive(Debug)]
struct Yolo2(Boxes);

/// Squared distances of a map's values, by what each counts.
pub(super) fn squared(terms: &mut Terms<'_>, value: ValueId, name: &str) -> ValueId {
    deviation(terms, Of::Squared, value, name)
}

/// How far a map's values are from a target, by what each counts.
pub(super) fn deviation(terms: &mut Terms<'_>, of: Of, value: ValueId, name: &str) -> ValueId {
    let shape = terms.shape(value);
    let target = terms.target(name, shape.clone());
    let weight = terms.target(&format!("{name}.weight"), shape);
    let layer = Deviation {
        of,
        bend: 0.0,
        total: Total::Sum,
    };
    terms.push(layer, &[value, target, weight], &format!("loss.{name}"))
}

impl Loss for Yolo2 {
    fn fit(&self, _: &Shape) -> Result<(), Misfit> {
        self.0.fit()
    }

    fn push(&self, terms: &mut Terms<'_>) -> ValueId {
        let raw = terms.output();
        let shares = terms.push(Sigmoid, &[raw], "raw.logistic");
        let mut parts = vec![squared(terms, shares, "place"), squared(terms, raw, "size")];
        let each = 5 + self.0.classes;
        for anchor in 0..self.anchors() {
            let range = Slice::range(anchor * each + 5, Some((anchor + 1) * each), 0);
            let logits = terms.push(range, &[raw], &format!("raw.class{anchor}"));
            let name = format!("class{anchor}");
            let target = terms.target(&name, terms.shape(logits));
            parts.push(terms.push(
                CrossEntropy(Total::Sum),
                &[logits, target],
                &format!("loss.{name}"),
            ));
        }
        terms.push(Add::plain(), &parts, "loss")
    }

    fn write(&self, batch: &Batch<'_>, into: &mut [Vec<f64>]) -> Result<f64, String> {
        let boxes = &self.0;
        into.iter_mut().for_each(|target| target.fill(0.0));
        let mut told = Vec::new();
        let [_, logistic, ..] = into else {
            unreachable!("targets were pushed");
        };
        boxes.assign(
            batch,
            |image, answers| told.push((image, answers)),
            |image, [map, anchor, cell]| {
                logistic[boxes.place(image, map, anchor, 4, cell)] = boxes.noobject;
            },
        )?;
        for (image, of) in told {
            let at = |channel| boxes.place(image, of.map, of.anchor, channel, of.cell);
            for channel in 0..4 {
                // Centres as logistic numbers, sizes as they are.
                let pair = channel / 2 * 2;
                into[pair][at(channel)] = of.targets[channel];
                into[pair + 1][at(channel)] = boxes.coord;
            }
            into[0][at(4)] = of.iou;
            into[1][at(4)] = boxes.object;
            if boxes.classes > 1 {
                let classes = image * boxes.classes + of.class;
                let place = classes * boxes.maps[0].cells() + of.cell;
                into[4 + of.anchor][place] = boxes.class;
            }
        }
        Ok(batch.images as f64)
    }

    fn places(&self, batch: &Batch<'_>) -> Result<Vec<Place>, String> {
        self.0.places(batch)
    }

    fn measure(&self, _: &Graph) -> Measure {
        Measure::Precision
    }

    fn looks(&self) -> bool {
        true
    }
}

impl Yolo2 {
    /// Anchors whose classes have a loss: a single class is certain.
    fn anchors(&self) -> usize {
        match self.0.classes {
            0 | 1 => 0,
            _ => self.0.maps[0].anchors(),
        }
    }
}
