//! How well boxes are found among proposed regions.

use super::data::{Annotation, DataError, class_called, rows, takes_regions};
use super::error::TrainError;
use super::precision::Precision;
use super::readable::Readable;
use crate::propose::{Settings, propose};
use crate::source::Viewed;
use crate::{Model, Options, Weights};
use cnnc_compiler::loss::BOX;
use cnnc_runtime::answer::{Answer, BBox, Overlap, Placement, Thresholds, suppress};

/// Least score of a box that is counted.
const LEAST: f32 = 0.01;
/// More classes than a head has.
const CLASSES: usize = 1 << 16;

/// A picture that has been made ready.
struct Ready {
    numbers: Vec<f32>,
    place: Placement,
    proposed: Vec<BBox>,
}

/// What a network that classifies regions finds in pictures among all that are proposed there, as many at once as it takes; and what is wrong with pictures that cannot
/// be read and were left out. Pictures are read, and regions proposed, on threads ahead.
///
/// # Errors
/// A network whose second input is not rows of regions, weights that do not fit, more broken pictures than are left out, or too little memory.
pub fn found_in_regions(
    model: &Model,
    weights: &Weights,
    pictures: &[&Annotation],
    threads: usize,
) -> Result<(Precision, Vec<String>), TrainError> {
    let graph = model.graph();
    let refuse = |why: &str| TrainError::Network(format!("`{}` {why}", graph.name));
    let count = takes_regions(graph).ok_or_else(|| refuse("takes no regions"))?;
    let pre = graph.inputs[0].pre.as_ref();
    let pre = pre.ok_or_else(|| refuse("takes no pictures"))?;
    let network = model.jit(weights, &Options::new().threads(threads))?;
    let mut session = network.session()?;
    let mut head = model.head();
    let iou = head.settings().iou.map_or(0.3, |iou| *iou);
    // All regions of a picture are compared, not those of a pass.
    let set = head.set(&Thresholds {
        nms: Some(None),
        ..Thresholds::default().keep(LEAST)
    });
    set.map_err(|_| refuse("finds no boxes"))?;
    let mut precision = Precision::new(head.labels.len());
    let make = |at: usize| -> Result<Ready, DataError> {
        let of = pictures[at];
        let picture = of.open()?;
        let name = of.picture.display().to_string();
        let proposed = propose(&picture, &Settings::default()).map_err(DataError::Picture)?;
        let viewed = Viewed::of(picture, &name, pre, false).map_err(DataError::Picture)?;
        let numbers = pre.input(&viewed.seen, &name);
        Ok(Ready {
            numbers: numbers.map_err(DataError::Picture)?,
            place: viewed.place,
            proposed,
        })
    };
    let root = pictures.first().map(|of| of.root()).unwrap_or_default();
    let mut readable = Readable::new(&root, pictures.len(), threads, 1);
    readable.each(pictures.len(), &make, &mut |at, ready: Ready| {
        let of = pictures[at];
        let (width, height) = ready.place.picture();
        let mut found = Vec::new();
        for part in ready.proposed.chunks(count) {
            let regions = rows(part, &ready.place, (pre.width, pre.height), count);
            let outputs = session.run(&[&ready.numbers, &regions])?;
            let answer = outputs.answer(&head, &ready.place);
            let answer = answer.map_err(|error| refuse(&error.to_string()))?;
            let Answer::Boxes(boxes) = answer else {
                return Err(refuse("finds no boxes"));
            };
            found.extend(boxes.into_iter().filter(|of| of.bbox.area() > 0.0));
        }
        let found = suppress(found, Overlap::Class, iou);
        let mut there: Vec<[f32; BOX]> = Vec::new();
        for (label, bbox) in of.in_pixels(width, height) {
            let class = class_called(&head.labels, &label).filter(|class| *class < CLASSES);
            let class = class.ok_or_else(|| {
                let why = format!("the class `{label}` is none of the head's labels");
                DataError::Classes(of.file.clone(), why)
            })?;
            let (x, y) = bbox.centre();
            there.push([class as f32, x, y, bbox.width(), bbox.height()]);
        }
        precision.add(&found, there.as_flattened());
        Ok(())
    })?;
    Ok((precision, readable.done()?))
}
