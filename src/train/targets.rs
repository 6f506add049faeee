//! Boxes to learn from, held against the places of a network that answer for them: before the first step, so that what cannot be learned is told.

use super::data::{Data, Samples};
use super::error::TrainError;
use super::recipe::Recipe;
use crate::Model;
use cnnc_compiler::loss::{self, Batch, Loss, Place};
use cnnc_compiler::recipe;
use std::collections::BTreeSet;

/// Mean intersection over union of boxes with their anchors below which anchors are a mistake: sizes that differ by more than a factor of six, as when they are in another unit.
const UNFIT: f64 = 0.15;
/// The same below which a search would find better ones: k-means finds three quarters where it looks for five anchors.
const POOR: f64 = 0.4;
/// A share of the boxes, as one of so many, from which on it is said that nothing is learned of them.
const LOST: usize = 20;

/// The loss that a network is trained by, if it has one.
pub(super) fn loss_of(model: &Model, recipe: &Recipe) -> Result<Box<dyn Loss>, TrainError> {
    let graph = model.graph();
    let written = match &recipe.loss {
        Some(loss) => loss.clone(),
        None => recipe::Loss::new(loss::usual(graph).map_err(TrainError::Network)?.name),
    };
    loss::build(graph, &written).map_err(TrainError::Recipe)
}

/// The places that answer for the boxes of a sample, by what the network makes of it, if that is known.
pub(super) fn places(
    model: &Model,
    loss: &dyn Loss,
    samples: &Samples,
    sample: usize,
    made: Option<&[Vec<f64>]>,
) -> Result<Vec<Place>, TrainError> {
    let known = samples.known(sample)?;
    let graph = model.graph();
    let batch = Batch {
        images: 1,
        output: &graph.values[graph.outputs[0].value].shape,
        targets: known.targets(),
        made,
    };
    loss.places(&batch).map_err(TrainError::Recipe)
}

/// What is odd about the boxes that a detector shall learn: anchors that fit badly or are never used, boxes that share a place, classes without any. Nothing of other networks.
///
/// # Errors
/// Samples without a single box, and anchors that are nowhere near the boxes.
pub fn odd_boxes(
    model: &Model,
    recipe: &Recipe,
    samples: &Samples,
) -> Result<Vec<String>, TrainError> {
    let graph = model.graph();
    // What is wrong with the loss itself, and with single samples, is told by the trainer.
    let (true, Ok(loss)) = (samples.are_boxes(), loss_of(model, recipe)) else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for sample in 0..samples.len() {
        match places(model, &*loss, samples, sample, None) {
            Ok(places) => all.extend(places),
            Err(TrainError::Recipe(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        }
    }
    if all.is_empty() {
        let why = format!(
            "none of the {} pictures to learn from has a box",
            samples.len()
        );
        return Err(TrainError::Recipe(why));
    }
    let mut said = Vec::new();
    let head = graph.head.as_ref();
    let labels = head.map_or(&[][..], |head| &head.labels);
    let there: BTreeSet<usize> = all.iter().map(|place| place.class).collect();
    let lacking = labels.iter().enumerate();
    let lacking = lacking.filter(|(class, _)| !there.contains(class));
    let lacking: Vec<String> = lacking.map(|(_, label)| format!("`{label}`")).collect();
    if !lacking.is_empty() {
        let lacking = lacking.join(", ");
        said.push(format!("no box to learn from is of the class {lacking}"));
    }
    said.extend(of_anchors(model, &all)?);
    let lost = all.iter().filter(|place| place.lost).count();
    if lost * LOST > all.len() {
        let (place, way) = match all.iter().any(|place| place.by.is_some()) {
            true => ("cell and anchor", "a finer map or another anchor tells"),
            false => ("their cell", "more cells tell"),
        };
        said.push(format!(
            "{lost} of {} boxes share {place} with another box of their picture, and nothing is learned of them: {way} them apart",
            all.len()
        ));
    }
    Ok(said)
}

impl Data {
    /// What [`odd_boxes`] says of the samples to learn from.
    ///
    /// # Errors
    /// The same, with the place of the data, and what was kept of them.
    pub fn odd_boxes(&self, model: &Model, recipe: &Recipe) -> Result<Vec<String>, TrainError> {
        odd_boxes(model, recipe, &self.train).map_err(|error| match error {
            TrainError::Recipe(why) => TrainError::Recipe(self.of_these(&why)),
            error => error,
        })
    }

    /// What is said of the samples to learn from, with where they are from.
    fn of_these(&self, why: &str) -> String {
        let kept = match (self.from.only, self.from.limit) {
            (Some(count), _) => format!(" (`--overfit {count}` keeps no more)"),
            (None, Some(count)) => format!(" (`--limit {count}` keeps no more)"),
            (None, None) => String::new(),
        };
        match self.lies_somewhere() {
            true => format!("{}: {why}{kept}", self.from.source.path.display()),
            false => format!("{why}{kept}"),
        }
    }
}

/// What is said of anchors, where there are some.
fn of_anchors(model: &Model, places: &[Place]) -> Result<Vec<String>, TrainError> {
    let graph = model.graph();
    let overlaps: Vec<f64> = places.iter().filter_map(|place| place.overlap).collect();
    if overlaps.is_empty() {
        return Ok(Vec::new());
    }
    let mean = overlaps.iter().sum::<f64>() / overlaps.len() as f64;
    let (width, height) = match *graph.values[graph.inputs[0].value].shape.dims() {
        [.., rows, columns] => (columns, rows),
        _ => (1, 1),
    };
    let head = graph.head.as_ref();
    let anchors = head.map_or(0, |head| head.rows("anchors").len());
    if mean < POOR {
        // Of all boxes and of their anchors the middle one.
        let middle = |of: &dyn Fn(&Place) -> [f64; 4], axis: usize, side: usize| {
            let mut sizes: Vec<f64> = places.iter().map(|place| of(place)[axis]).collect();
            sizes.sort_by(f64::total_cmp);
            sizes[sizes.len() / 2] * side as f64
        };
        let size = |of: &dyn Fn(&Place) -> [f64; 4]| {
            format!("{:.1}x{:.1}", middle(of, 2, width), middle(of, 3, height))
        };
        let unit = head.and_then(|head| head.word("unit")).unwrap_or("pixels");
        let why = format!(
            "the anchors of `{}` fit badly: boxes overlap the one that fits best by {mean:.2} on average. In pixels of the input the middle box is {}, and the middle one of their anchors {}, which are written in {unit}; \
             `cnnc anchors DATA -n {anchors} --input {width}x{height}` finds anchors that fit",
            graph.name,
            size(&|place| place.bbox),
            size(&|place| place.by.unwrap_or_default()),
        );
        if mean < UNFIT {
            return Err(TrainError::Recipe(why));
        }
        return Ok(vec![why]);
    }
    let used: BTreeSet<usize> = places.iter().map(|place| place.answers).collect();
    let idle = (0..anchors).filter(|anchor| !used.contains(anchor));
    let idle: Vec<String> = idle.map(|anchor| (anchor + 1).to_string()).collect();
    Ok(match idle.len() {
        0 => Vec::new(),
        count => vec![format!(
            "{} {} of the head {} for no box to learn from: others fit each of them better",
            if count == 1 {
                "the anchor"
            } else {
                "the anchors"
            },
            idle.join(", "),
            if count == 1 { "answers" } else { "answer" },
        )],
    })
}
