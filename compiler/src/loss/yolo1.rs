//! `yolo1`: boxes, as YOLO's first version has them.
//!
//! J. Redmon, S. Divvala, R. Girshick and A. Farhadi, "You only look once", 2016, section 2.2: squared distances throughout. A box belongs to the cell of its centre, where the predictor whose box overlaps it most is responsible: `coord` times the
//! squared distances of the centre within the cell and of the *square roots* of width and height, as fractions of the picture, and `object` · (C − IoU)², in which the IoU is a number. All other confidences count `noobject` · C². In cells with a box, `class` times
//! the squared distances of the classes' probabilities from 1 and 0.
//!
//! Where no predictor of the cell overlaps the box, the one whose box is the nearest (in centre and size) is responsible, and a cell answers for the first box that has its centre there: both as in darknet's detection layer.

use super::yolo::{CLASS, Truth, cell, iou, number, setting, truths};
use super::{Batch, Loss, LossDecl, Measure, Misfit, Place, Terms};
use crate::graph::Graph;
use crate::id::ValueId;
use crate::op::deviation::Deviation;
use crate::op::total::Total;
use crate::recipe;
use crate::shape::Shape;
use cnnc_runtime::kernel::Deviation as Of;

/// The row of [`LOSSES`](super::LOSSES).
pub static DECL: LossDecl = LossDecl {
    name: "yolo1",
    doc: "Boxes as YOLO's first version has them (Redmon et al. 2016): the squared distances of centre, square roots of the size, confidence, whose target is the intersection over union, and classes. For `head yolo1`.",
    settings: &[
        setting("coord", "5", "What centre and size count."),
        setting("object", "1", "What the confidence counts where a box is."),
        setting(
            "noobject",
            "0.5",
            "What the confidence counts where nothing is.",
        ),
        CLASS,
    ],
    usual: |network| super::head(network) == Some("yolo1"),
    build: |loss, network| Box::new(Yolo1::new(loss, network)),
    samples: &[
        "input x: 3; dense 52; head yolo1 { side 2 }",
        "input x: 3; dense 20; head yolo1 { side 2  boxes 1 }",
    ],
};

#[derive(Debug)]
struct Yolo1 {
    /// Whether the network has such a head.
    known: bool,
    side: usize,
    boxes: usize,
    classes: usize,
    coord: f64,
    object: f64,
    noobject: f64,
    class: f64,
}

/// The predictor that answers for a box.
struct Responsible {
    cell: usize,
    predictor: usize,
    /// The box that it makes.
    made: [f64; 4],
    iou: f64,
}

impl Yolo1 {
    fn new(loss: &recipe::Loss, network: &Graph) -> Yolo1 {
        let head = network.head.as_ref();
        let head = head.filter(|head| head.decl.keyword == "yolo1");
        let count = |key: &str| head.and_then(|head| head.number(key)).unwrap_or(1.0) as usize;
        let (side, boxes) = (count("side"), count("boxes"));
        let values = network.outputs.first();
        let values = values.map_or(0, |raw| network.values[raw.value].shape.elements());
        let usual = |name: &str| number(&DECL, loss, name);
        Yolo1 {
            known: head.is_some(),
            side,
            boxes,
            classes: (values / (side * side)).saturating_sub(5 * boxes),
            coord: usual("coord"),
            object: usual("object"),
            noobject: usual("noobject"),
            class: usual("class"),
        }
    }

    fn cells(&self) -> usize {
        self.side * self.side
    }

    /// Values of an image.
    fn elements(&self) -> usize {
        self.cells() * (self.classes + 5 * self.boxes)
    }

    /// Where the probabilities of a cell's classes begin.
    fn probabilities(&self, cell: usize) -> usize {
        cell * self.classes
    }

    /// Where the confidence of a predictor is.
    fn confidence(&self, cell: usize, predictor: usize) -> usize {
        self.cells() * self.classes + cell * self.boxes + predictor
    }

    /// Where the box of a predictor begins.
    fn corner(&self, cell: usize, predictor: usize) -> usize {
        self.cells() * (self.classes + self.boxes) + 4 * (cell * self.boxes + predictor)
    }

    /// Row and column of the cell of a centre.
    fn place(&self, truth: &Truth) -> [usize; 2] {
        [cell(truth.at[1], self.side), cell(truth.at[0], self.side)]
    }

    /// Of the predictors of the cell the one whose box overlaps most or, if none does, is nearest; of equal ones the first. `raw` are the values of the image.
    fn responsible(&self, truth: &Truth, raw: &[f64]) -> Responsible {
        let [row, column] = self.place(truth);
        let cell = row * self.side + column;
        let of = |predictor: usize| {
            let values = &raw[self.corner(cell, predictor)..][..4];
            let made = [
                (column as f64 + values[0]) / self.side as f64,
                (row as f64 + values[1]) / self.side as f64,
                values[2] * values[2],
                values[3] * values[3],
            ];
            let iou = iou(made, truth.at);
            Responsible {
                cell,
                predictor,
                made,
                iou,
            }
        };
        let far = |of: &Responsible| -> f64 {
            let pairs = of.made.iter().zip(truth.at);
            pairs.map(|(made, there)| (made - there).powi(2)).sum()
        };
        let better = |one: &Responsible, other: &Responsible| match (one.iou, other.iou) {
            (0.0, 0.0) => far(one) < far(other),
            (one, other) => one > other,
        };
        let all = (0..self.boxes).map(of);
        let best = all.reduce(|best, next| if better(&next, &best) { next } else { best });
        best.expect("a cell has a predictor")
    }

    /// The boxes of an image that its cells answer for, each the first of its cell, and whether that is so of each.
    fn first<'t>(&self, truths: &'t [Truth]) -> Vec<(&'t Truth, bool)> {
        let mut taken = vec![false; self.cells()];
        let of = truths.iter().map(|truth| {
            let [row, column] = self.place(truth);
            let free = !std::mem::replace(&mut taken[row * self.side + column], true);
            (truth, free)
        });
        of.collect()
    }
}

impl Loss for Yolo1 {
    fn fit(&self, _: &Shape) -> Result<(), Misfit> {
        match self.known {
            true => Ok(()),
            false => Err(Misfit {
                setting: None,
                message: "`yolo1` is for networks with `head yolo1`".to_owned(),
            }),
        }
    }

    fn push(&self, terms: &mut Terms<'_>) -> ValueId {
        let raw = terms.output();
        let shape = terms.shape(raw);
        let target = terms.target("boxes", shape.clone());
        let weight = terms.target("boxes.weight", shape);
        let layer = Deviation {
            of: Of::Squared,
            bend: 0.0,
            total: Total::Sum,
        };
        terms.push(layer, &[raw, target, weight], "loss")
    }

    fn write(&self, batch: &Batch<'_>, into: &mut [Vec<f64>]) -> Result<f64, String> {
        into.iter_mut().for_each(|target| target.fill(0.0));
        let [targets, weights] = into else {
            unreachable!("two targets were pushed");
        };
        for (image, truths) in truths(batch, self.classes)?.iter().enumerate() {
            let Some(made) = batch.made else {
                continue;
            };
            let range = image * self.elements()..(image + 1) * self.elements();
            let raw = &made[0][range.clone()];
            let (targets, weights) = (&mut targets[range.clone()], &mut weights[range]);
            weights[self.confidence(0, 0)..self.corner(0, 0)].fill(self.noobject);
            let first = self.first(truths).into_iter();
            for (truth, _) in first.filter(|(_, free)| *free) {
                let of = self.responsible(truth, raw);
                let [row, column] = self.place(truth);
                let [x, y, w, h] = truth.at;
                let corner = self.corner(of.cell, of.predictor);
                let side = self.side as f64;
                let should = [
                    x * side - column as f64,
                    y * side - row as f64,
                    w.sqrt(),
                    h.sqrt(),
                ];
                targets[corner..][..4].copy_from_slice(&should);
                weights[corner..][..4].fill(self.coord);
                let confidence = self.confidence(of.cell, of.predictor);
                (targets[confidence], weights[confidence]) = (of.iou, self.object);
                let classes = self.probabilities(of.cell);
                weights[classes..][..self.classes].fill(self.class);
                if self.classes > 0 {
                    targets[classes + truth.class] = 1.0;
                }
            }
        }
        Ok(batch.images as f64)
    }

    fn places(&self, batch: &Batch<'_>) -> Result<Vec<Place>, String> {
        let mut places = Vec::new();
        for (image, truths) in truths(batch, self.classes)?.iter().enumerate() {
            let raw = batch
                .made
                .map(|made| &made[0][image * self.elements()..][..self.elements()]);
            for (truth, free) in self.first(truths) {
                let of = raw.map(|raw| self.responsible(truth, raw));
                let [row, column] = self.place(truth);
                places.push(Place {
                    image,
                    row: truth.row,
                    class: truth.class,
                    bbox: truth.at,
                    map: 0,
                    grid: [self.side; 2],
                    cell: row * self.side + column,
                    answers: of.as_ref().map_or(0, |of| of.predictor),
                    by: of.as_ref().map(|of| of.made),
                    overlap: of.as_ref().map(|of| of.iou),
                    lost: !free,
                });
            }
        }
        Ok(places)
    }

    fn measure(&self, _: &Graph) -> Measure {
        Measure::Precision
    }

    fn looks(&self) -> bool {
        true
    }
}
