//! `yolo3`: boxes of several maps, as YOLOv3 has them.
//!
//! J. Redmon and A. Farhadi, "YOLOv3: an incremental improvement", 2018. Of each image, with BCE the binary cross-entropy of a logit: where nothing is, `noobject` · BCE(to, 0); where a place answers for a box of the size w · h,
//! `coord` · (2 − w·h) times the squared distances of σ(tx), σ(ty), tw and th, so that small boxes count more, `object` · BCE(to, 1), and `class` times the BCE of each class. One place of all maps answers for a box.

use super::yolo::{Boxes, CLASS, COORD, IGNORE, NOOBJECT, setting};
use super::yolo2::{deviation, squared};
use super::{Batch, Loss, LossDecl, Measure, Misfit, Place, Terms};
use crate::graph::Graph;
use crate::id::ValueId;
use crate::layer::add::Add;
use crate::layer::sigmoid::Sigmoid;
use crate::shape::Shape;
use cnnc_runtime::kernel::Deviation as Of;

/// The row of [`LOSSES`](super::LOSSES).
pub static DECL: LossDecl = LossDecl {
    name: "yolo3",
    doc: "Boxes as YOLOv3 has them (Redmon and Farhadi 2018), of one map or several: the squared distances of centre and size, by 2 less their area, and the binary cross-entropy of the objectness and of each class. For `head yolo3` without `stretch` and `squared`.",
    settings: &[
        COORD,
        setting("object", "1", "What the objectness counts where a box is."),
        NOOBJECT,
        CLASS,
        setting("ignore", "0.5", IGNORE),
    ],
    usual: |network| super::head(network) == Some("yolo3"),
    build: |loss, network| Box::new(Yolo3(Boxes::new(&DECL, loss, network))),
    samples: &[
        "input x: 2x4x4
        a: conv 1x1 7 /2
        b: conv 1x1 14 /2 pad half
        head yolo3 { anchors (1, 2) (2, 1) (4, 3)  maps a b  masks (2) (0, 1) }",
        "input x: 2x4x6; conv 1x1 12 /2; head yolo3 { anchors cells (1, 2) (2, 1) }",
    ],
};

#[derive(Debug)]
struct Yolo3(Boxes);

/// Targets of a map: a number and a weight of logistic values, of values, and of logits.
const EACH: usize = 6;

impl Loss for Yolo3 {
    fn fit(&self, _: &Shape) -> Result<(), Misfit> {
        self.0.fit()
    }

    fn push(&self, terms: &mut Terms<'_>) -> ValueId {
        let mut parts = Vec::new();
        for (map, raw) in terms.outputs().to_vec().into_iter().enumerate() {
            let shares = terms.push(Sigmoid, &[raw], &format!("raw.logistic{map}"));
            parts.push(squared(terms, shares, &format!("place{map}")));
            parts.push(squared(terms, raw, &format!("size{map}")));
            parts.push(deviation(terms, Of::Logistic, raw, &format!("class{map}")));
        }
        terms.push(Add::plain(), &parts, "loss")
    }

    fn write(&self, batch: &Batch<'_>, into: &mut [Vec<f64>]) -> Result<f64, String> {
        let boxes = &self.0;
        into.iter_mut().for_each(|target| target.fill(0.0));
        let mut told = Vec::new();
        boxes.assign(
            batch,
            |image, answers| told.push((image, answers)),
            |image, [map, anchor, cell]| {
                let place = boxes.place(image, map, anchor, 4, cell);
                into[EACH * map + 5][place] = boxes.noobject;
            },
        )?;
        for (image, of) in told {
            let targets = &mut into[EACH * of.map..][..EACH];
            let at = |channel| boxes.place(image, of.map, of.anchor, channel, of.cell);
            for channel in 0..4 {
                let pair = channel / 2 * 2;
                targets[pair][at(channel)] = of.targets[channel];
                targets[pair + 1][at(channel)] = boxes.coord * (2.0 - of.area);
            }
            targets[4][at(4)] = 1.0;
            targets[5][at(4)] = boxes.object;
            for class in 0..boxes.classes {
                targets[4][at(5 + class)] = f64::from(u8::from(class == of.class));
                targets[5][at(5 + class)] = boxes.class;
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

    fn outputs(&self) -> usize {
        self.0.maps.len().max(1)
    }

    fn looks(&self) -> bool {
        true
    }
}
