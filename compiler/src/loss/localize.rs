//! `localize`: where the one thing of a picture is, by a box or by points, and of which class, if there is anything.
//!
//! The output is that of `head boxes` and `head landmarks`: a logit of presence if the head has one, the numbers, a logit for each class. What is known of a sample is its presence, 0 or 1, the
//! numbers, and the class, if there are classes. Of each sample the loss is the binary cross-entropy of the presence and, where that is 1, `points` times the squared distances of the numbers
//! and `class` times the cross-entropy of the class; behind a presence of 0 nothing counts.

use super::{Batch, Loss, LossDecl, Measure, Misfit, Place, Targets, Terms, sized};
use crate::args::{Kind, ParamDecl};
use crate::graph::Graph;
use crate::head::Head;
use crate::id::ValueId;
use crate::layer::add::Add;
use crate::layer::slice::Slice;
use crate::op::cross_entropy::CrossEntropy;
use crate::op::deviation::Deviation;
use crate::op::total::Total;
use crate::shape::Shape;
use cnnc_runtime::kernel::Deviation as Of;

/// The row of [`LOSSES`](super::LOSSES).
pub static DECL: LossDecl = LossDecl {
    name: "localize",
    doc: "A box or points, and a class, where there is anything: the sum of the binary cross-entropy of the presence, the squared distances of the numbers and the cross-entropy of the class. \
          For `head boxes` and `head landmarks`, whose outputs it knows.",
    settings: &[
        factor("presence", "What the presence counts."),
        factor(
            "points",
            "What the numbers of the box or of the points count.",
        ),
        factor("class", "What the class counts."),
    ],
    usual: |network| heads(network).is_some(),
    build: |loss, network| {
        let output = network.outputs.first();
        let values = output.map_or(0, |raw| network.values[raw.value].shape.elements());
        let head = heads(network);
        let presence = usize::from(head.is_some_and(|head| head.flag("presence")));
        let numbers = match head {
            Some(head) if head.decl.keyword == "boxes" => 4,
            _ => values.saturating_sub(presence),
        };
        Box::new(Localize {
            known: head.is_some(),
            corners: head
                .filter(|head| head.decl.keyword == "boxes")
                .map(|head| head.word("format") == Some("corners")),
            presence,
            numbers,
            classes: values.saturating_sub(presence + numbers),
            factors: ["presence", "points", "class"].map(|name| loss.number(name).unwrap_or(1.0)),
        })
    },
    samples: &[
        r#"input x: 3; dense 8; head boxes { presence  labels ["a", "b", "c"] }"#,
        r#"input x: 3; dense 6; head boxes { labels ["a", "b"] }"#,
        "input x: 3; dense 7; head landmarks { presence }",
        "input x: 3; dense 4; head landmarks",
    ],
};

const fn factor(name: &'static str, doc: &'static str) -> ParamDecl {
    ParamDecl {
        name,
        kind: Kind::Float,
        positional: false,
        default: Some("1"),
        doc,
    }
}

/// The head, if it is one of those whose output is known.
fn heads(network: &Graph) -> Option<&Head> {
    let head = network.head.as_ref();
    head.filter(|head| matches!(head.decl.keyword, "boxes" | "landmarks"))
}

#[derive(Debug)]
struct Localize {
    /// Whether a head says what the outputs are.
    known: bool,
    /// Whether the numbers are a box, and then whether they are left, top, right, bottom.
    corners: Option<bool>,
    /// Outputs of each kind: 0 or 1, some, any.
    presence: usize,
    numbers: usize,
    classes: usize,
    factors: [f64; 3],
}

impl Localize {
    /// Numbers that are known of a sample.
    fn each(&self) -> usize {
        1 + self.numbers + usize::from(self.classes > 0)
    }

    /// Pushes a part of the loss that compares numbers.
    fn numbers(&self, terms: &mut Terms<'_>, of: Of, name: &str, range: [usize; 2]) -> ValueId {
        let part = slice(terms, range, name);
        let shape = terms.shape(part);
        let target = terms.target(name, shape.clone());
        let weight = terms.target(&format!("{name}.weight"), shape);
        let layer = Deviation {
            of,
            bend: 0.0,
            total: Total::Sum,
        };
        terms.push(layer, &[part, target, weight], &format!("loss.{name}"))
    }
}

/// A range of the output.
fn slice(terms: &mut Terms<'_>, [from, to]: [usize; 2], name: &str) -> ValueId {
    let layer = Slice::range(from, Some(to), 0);
    terms.push(layer, &[terms.output()], &format!("raw.{name}"))
}

impl Loss for Localize {
    fn fit(&self, output: &Shape) -> Result<(), Misfit> {
        let message = match (self.known, output.spatial()) {
            (true, []) => return Ok(()),
            _ => "`localize` is for networks with `head boxes` or `head landmarks`",
        };
        Err(Misfit {
            setting: None,
            message: message.to_owned(),
        })
    }

    fn push(&self, terms: &mut Terms<'_>) -> ValueId {
        let (first, behind) = (self.presence, self.presence + self.numbers);
        let mut parts = Vec::new();
        if self.presence > 0 {
            parts.push(self.numbers(terms, Of::Logistic, "presence", [0, first]));
        }
        parts.push(self.numbers(terms, Of::Squared, "points", [first, behind]));
        if self.classes > 0 {
            let logits = slice(terms, [behind, behind + self.classes], "class");
            let target = terms.target("class", terms.shape(logits));
            let layer = CrossEntropy(Total::Sum);
            parts.push(terms.push(layer, &[logits, target], "loss.class"));
        }
        match parts[..] {
            [only] => only,
            _ => terms.push(Add::plain(), &parts, "loss"),
        }
    }

    fn write(&self, batch: &Batch<'_>, into: &mut [Vec<f64>]) -> Result<f64, String> {
        let Targets::Numbers(truths) = batch.targets else {
            return Err(format!(
                "`localize` learns from {} numbers for each sample: its presence, the numbers{}",
                self.each(),
                if self.classes > 0 { ", the class" } else { "" }
            ));
        };
        sized("numbers", truths.len(), batch.images, self.each())?;
        let [presence, points, class] = self.factors;
        into.iter_mut().for_each(|target| target.fill(0.0));
        for (image, truth) in truths.chunks(self.each()).enumerate() {
            let there = match truth[0] {
                0.0 => 0.0,
                1.0 => 1.0,
                other => return Err(format!("a presence is 0 or 1, not {other}")),
            };
            let mut targets = into.iter_mut();
            if self.presence > 0 {
                targets.next().expect("pushed")[image] = there;
                targets.next().expect("pushed")[image] = presence;
            }
            let [at, weights] = [0; 2].map(|_| targets.next().expect("pushed"));
            let places = image * self.numbers..(image + 1) * self.numbers;
            for (place, &number) in places.zip(&truth[1..]) {
                super::elements::finite(number)?;
                (at[place], weights[place]) = (f64::from(number), there * points);
            }
            if let Some(target) = targets.next()
                && there > 0.0
            {
                let of = truth[self.each() - 1];
                if of.fract() != 0.0 || !(0.0..self.classes as f32).contains(&of) {
                    return Err(format!(
                        "the class {of} is none of the network's {}",
                        self.classes
                    ));
                }
                target[image * self.classes + of as usize] = class;
            }
        }
        Ok(batch.images as f64)
    }

    /// The one box of each image where there is something: a grid of a single cell.
    fn places(&self, batch: &Batch<'_>) -> Result<Vec<Place>, String> {
        let (Some(corners), Targets::Numbers(truths)) = (self.corners, batch.targets) else {
            return Ok(Vec::new());
        };
        sized("numbers", truths.len(), batch.images, self.each())?;
        let there = truths.chunks(self.each()).enumerate();
        let place = |(image, truth): (usize, &[f32])| {
            let [a, b, c, d] = [1, 2, 3, 4].map(|at| f64::from(truth[at]));
            Place {
                image,
                row: 0,
                class: truth.get(5).map_or(0, |class| *class as usize),
                bbox: match corners {
                    true => [(a + c) / 2.0, (b + d) / 2.0, c - a, d - b],
                    false => [a, b, c, d],
                },
                map: 0,
                grid: [1, 1],
                cell: 0,
                answers: 0,
                by: None,
                overlap: None,
                lost: false,
            }
        };
        Ok(there
            .filter(|(_, truth)| truth[0] == 1.0)
            .map(place)
            .collect())
    }

    fn measure(&self, network: &Graph) -> Measure {
        match super::head(network) {
            Some("landmarks") => Measure::Points,
            _ => Measure::Box,
        }
    }
}
