//! Losses: what a training step makes small, one file and one row of [`LOSSES`] each.
//!
//! A loss reads outputs of the network and inputs that the training step has for it, its *targets*: dense tensors, of each image. What it pushes are layers like any other,
//! so that loops compute it, the verifier proves it and its gradient is a graph. What is known of an image, a class or numbers, it writes into the targets in plain Rust.
//!
//! ```text
//! network ──▶ output ──▶ loss ◀── target, weight ◀── write ◀── classes or numbers
//! ```
//!
//! A loss may say that it *looks*: its targets depend on what the network makes of the batch, as which box is responsible and which triplets count. Then the network runs before the step, and what it
//! made is a part of what is known of the batch; in the step it is constant.

pub mod contrastive;
pub mod cross_entropy;
mod elements;
pub mod heatmaps;
pub mod localize;
pub mod logistic;
pub mod smooth_l1;
pub mod squared;
pub mod triplet;
mod yolo;
pub mod yolo1;
pub mod yolo2;
pub mod yolo3;

pub use yolo::BOX;

use crate::args::{Kind, ParamDecl};
use crate::graph::{Def, Graph};
use crate::id::ValueId;
use crate::layer::Layer;
use crate::recipe;
use crate::shape::Shape;
use crate::words;
use std::fmt;

/// Every loss.
pub static LOSSES: &[&LossDecl] = &[
    &cross_entropy::DECL,
    &logistic::DECL,
    &squared::DECL,
    &smooth_l1::DECL,
    &localize::DECL,
    &heatmaps::DECL,
    &contrastive::DECL,
    &triplet::DECL,
    &yolo1::DECL,
    &yolo2::DECL,
    &yolo3::DECL,
];

/// Their names.
pub static NAMES: [&str; LOSSES.len()] = {
    let mut names = [""; LOSSES.len()];
    let mut row = 0;
    while row < names.len() {
        names[row] = LOSSES[row].name;
        row += 1;
    }
    names
};

/// The label that says nothing: a pixel that has it counts for nothing.
pub const UNLABELLED: u32 = u32::MAX;

const WEIGHTS: ParamDecl = ParamDecl {
    name: "weights",
    kind: Kind::Series,
    positional: false,
    default: None,
    doc: "What each class or channel counts, in their order; all the same if nothing is said.",
};

/// A row of the table of losses.
#[derive(Debug)]
pub struct LossDecl {
    /// Its name.
    pub name: &'static str,
    /// What it is, and whose formula.
    pub doc: &'static str,
    /// What may be said of it: numbers, or several of them.
    pub settings: &'static [ParamDecl],
    /// Whether a network learns by it, if nothing else is said.
    pub usual: fn(&Graph) -> bool,
    /// The loss with its settings, of that network.
    pub build: fn(&recipe::Loss, &Graph) -> Box<dyn Loss>,
    /// Networks that learn by it, for tests: the body of a model.
    pub samples: &'static [&'static str],
}

/// A loss with its settings.
pub trait Loss: fmt::Debug + Send + Sync {
    /// Holds it against the shape of the network's output.
    ///
    /// # Errors
    /// What does not fit.
    fn fit(&self, output: &Shape) -> Result<(), Misfit>;

    /// Pushes it: a number of each image, of the network's output and of targets.
    fn push(&self, terms: &mut Terms<'_>) -> ValueId;

    /// Writes the targets of a batch, in the order in which they were pushed, one image behind another. Returns what the sum of the images' losses is divided by.
    ///
    /// # Errors
    /// What is known of the images does not fit.
    fn write(&self, batch: &Batch<'_>, into: &mut [Vec<f64>]) -> Result<f64, String>;

    /// What a network that learns by it is judged by.
    fn measure(&self, network: &Graph) -> Measure;

    /// How many of the network's outputs it reads, from the first on.
    fn outputs(&self) -> usize {
        1
    }

    /// Whether its targets depend on what the network makes of the batch, which [`Batch::made`] has then.
    fn looks(&self) -> bool {
        false
    }

    /// Which place of the network's outputs answers for each box of a batch, image by image; none of a loss that learns no boxes.
    ///
    /// # Errors
    /// What is known of the images does not fit.
    fn places(&self, _: &Batch<'_>) -> Result<Vec<Place>, String> {
        Ok(Vec::new())
    }

    /// What a mean loss of many batches says of a network that does not learn, if it says so.
    fn trouble(&self, _mean: f64) -> Option<String> {
        None
    }
}

/// Why a loss does not fit a network: the setting, if one is to blame, and the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The setting.
    pub setting: Option<&'static str>,
    /// One sentence, lower case.
    pub message: String,
}

/// What is known of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'b> {
    /// Images.
    pub images: usize,
    /// Shape of the network's output.
    pub output: &'b Shape,
    /// What is known of them.
    pub targets: Targets<'b>,
    /// What the network makes of them, for losses that look: each output, one image behind another. Without it `write` only holds what is known against the network.
    pub made: Option<&'b [Vec<f64>]>,
}

/// What is known of the images of a batch, one behind another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Targets<'t> {
    /// A class of each image, or of each of its pixels, row by row.
    Classes(&'t [u32]),
    /// Numbers in the shape of the network's output, if the loss says nothing else.
    Numbers(&'t [f32]),
    /// The same, and what each of them counts.
    Weighted(&'t [f32], &'t [f32]),
}

/// A box that is there, and the place of the network's outputs that answers for it. Boxes are centre and size, in fractions of the input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// The image, of its batch.
    pub image: usize,
    /// Which of the image's boxes it is.
    pub row: usize,
    /// Its class; 0 where there are none.
    pub class: usize,
    /// The box.
    pub bbox: [f64; 4],
    /// The map that answers.
    pub map: usize,
    /// Rows and columns of its cells.
    pub grid: [usize; 2],
    /// The cell of the centre, row by row.
    pub cell: usize,
    /// The anchor that answers, as the head numbers them, or which of a cell's predictors.
    pub answers: usize,
    /// What is compared with the box: an anchor, in the middle of its cell, or what the network makes there.
    pub by: Option<[f64; 4]>,
    /// Their intersection over union; of an anchor's, that of both sizes around one centre.
    pub overlap: Option<f64>,
    /// Whether another box of the image has that place, so that nothing is learned of this one.
    pub lost: bool,
}

/// What a network is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// Share of the images whose class is the largest output.
    Accuracy,
    /// Of the classes of pixels: intersection over union, its mean over the classes that there are.
    MeanIou,
    /// Share of the numbers that are on the right side of this one.
    Labels(f32),
    /// Share of the pairs whose difference is no longer than this where they are alike, and longer where they are not.
    Alike(f32),
    /// Share of the vectors whose nearest other one is of their class, among those that have another one of their class.
    Nearest,
    /// Of boxes: the mean over the classes that there are of the average precision (PASCAL VOC from 2010 on) at an intersection over union of one half.
    Precision,
    /// Mean distance of the numbers from their targets.
    MeanError,
    /// Of the one box of each picture: the mean intersection over union, where there is something; what is not found has 0.
    Box,
    /// Of points: their mean distance from where they are, as a share of the input's width.
    Points,
}

impl Measure {
    /// All names.
    pub const NAMES: [&'static str; 9] = [
        "accuracy",
        "mean_iou",
        "label_accuracy",
        "mean_error",
        "pair_accuracy",
        "nearest_accuracy",
        "map50",
        "box_iou",
        "point_error",
    ];

    /// As it stands at the top of a column.
    pub fn name(self) -> &'static str {
        let at = match self {
            Measure::Accuracy => 0,
            Measure::MeanIou => 1,
            Measure::Labels(_) => 2,
            Measure::MeanError => 3,
            Measure::Alike(_) => 4,
            Measure::Nearest => 5,
            Measure::Precision => 6,
            Measure::Box => 7,
            Measure::Points => 8,
        };
        Measure::NAMES[at]
    }

    /// Whether it is a share of the whole, of which more is better; else less is better.
    pub fn is_share(self) -> bool {
        !matches!(self, Measure::MeanError | Measure::Points)
    }

    /// Whether training samples are measured on the way, too; boxes are found and compared in what judges only.
    pub fn counts_on_the_way(self) -> bool {
        self != Measure::Precision
    }

    /// Whether one number is better than another.
    pub fn better(self, one: f64, other: f64) -> bool {
        match self.is_share() {
            true => one > other,
            false => one < other,
        }
    }

    /// A number of it, as text has it: `98.71 %`, `0.0412`.
    pub fn show(self, value: f64) -> String {
        match self.is_share() {
            true => format!("{:.2} %", 100.0 * value),
            // A share of which less is better, and small.
            false if self == Measure::Points => format!("{:.3} %", 100.0 * value),
            false => format!("{value:.4}"),
        }
    }
}

/// Where a loss is pushed.
pub struct Terms<'t> {
    graph: &'t mut Graph,
    outputs: Vec<ValueId>,
    targets: usize,
}

impl<'t> Terms<'t> {
    /// Behind that output of a network.
    pub fn new(graph: &'t mut Graph, output: ValueId) -> Terms<'t> {
        Terms::of(graph, vec![output])
    }

    /// Behind those outputs of a network.
    pub fn of(graph: &'t mut Graph, outputs: Vec<ValueId>) -> Terms<'t> {
        Terms {
            graph,
            outputs,
            targets: 0,
        }
    }

    /// The network's outputs that the loss reads.
    pub fn outputs(&self) -> &[ValueId] {
        &self.outputs
    }

    /// The network's output.
    pub fn output(&self) -> ValueId {
        self.outputs[0]
    }

    /// The network's output, or what it is made of, if such a layer has made it.
    pub fn before(&self, keyword: &str) -> ValueId {
        before(self.graph, self.output(), keyword).unwrap_or(self.output())
    }

    /// A value's shape.
    pub fn shape(&self, value: ValueId) -> Shape {
        self.graph.values[value].shape.clone()
    }

    /// Adds a target.
    pub fn target(&mut self, name: &str, shape: Shape) -> ValueId {
        self.targets += 1;
        self.graph.push_input(name, shape)
    }

    /// Adds a layer that fits by construction.
    pub fn push(&mut self, layer: impl Layer, inputs: &[ValueId], label: &str) -> ValueId {
        self.graph.apply(layer, inputs, label)
    }

    /// How many targets there are.
    pub fn targets(&self) -> usize {
        self.targets
    }
}

/// What a value is made of, if a layer of that keyword has made it.
pub fn before(graph: &Graph, value: ValueId, keyword: &str) -> Option<ValueId> {
    let Def::Node(id) = graph.values[value].def else {
        return None;
    };
    let node = &graph.nodes[id];
    (node.layer.keyword() == keyword).then(|| node.inputs[0])
}

/// A network's head.
fn head(network: &Graph) -> Option<&'static str> {
    network.head.as_ref().map(|head| head.decl.keyword)
}

/// Whether a network without a head ends in a layer of that keyword.
fn ends_in(network: &Graph, keyword: &str) -> bool {
    let raw = network.outputs[0].value;
    network.head.is_none() && before(network, raw, keyword).is_some()
}

/// The loss of that name.
pub fn find(name: &str) -> Option<&'static LossDecl> {
    LOSSES.iter().copied().find(|loss| loss.name == name)
}

/// The loss that a network learns by if nothing else is said: by its head or, where there is none, its last layer.
///
/// # Errors
/// A network of which that cannot be told, with the losses that there are.
pub fn usual(network: &Graph) -> Result<&'static LossDecl, String> {
    if let Some(loss) = LOSSES.iter().find(|loss| (loss.usual)(network)) {
        return Ok(loss);
    }
    let what = head(network).map_or("a network without a head".to_owned(), |head| {
        format!("`head {head}`")
    });
    Err(format!(
        "nothing says what is made small: {what} has no loss of its own; choose one, for example `train {{ loss squared }}`, of {}",
        words::list(&NAMES)
    ))
}

/// A number of a setting as it is written: where words may stand, the one that it is the place of.
pub fn as_written(loss: &recipe::Loss, setting: &str, number: f64) -> String {
    let settings = find(loss.name).map_or(&[][..], |decl| decl.settings);
    match settings.iter().find(|known| known.name == setting) {
        Some(ParamDecl {
            kind: Kind::Word(words),
            ..
        }) if words.get(number as usize).is_some() => words[number as usize].to_owned(),
        _ => number.to_string(),
    }
}

/// The loss with its settings, held against a network.
///
/// # Errors
/// There is no such loss or setting, or it does not fit.
pub fn build(network: &Graph, written: &recipe::Loss) -> Result<Box<dyn Loss>, String> {
    let name = written.name;
    let decl = find(name).ok_or_else(|| format!("there is no loss `{name}`"))?;
    let known = |setting: &str| decl.settings.iter().any(|known| known.name == setting);
    let mut settings = written.settings.iter();
    if let Some((setting, _)) = settings.find(|(setting, _)| !known(setting)) {
        return Err(format!("the loss `{name}` has no setting `{setting}`"));
    }
    let loss = (decl.build)(written, network);
    let output = &network.values[network.outputs[0].value].shape;
    loss.fit(output).map_err(|misfit| misfit.message)?;
    Ok(loss)
}

/// Holds how many there are against how many there should be.
fn sized(what: &str, found: usize, images: usize, each: usize) -> Result<(), String> {
    match found == images * each {
        true => Ok(()),
        false => Err(format!(
            "{found} {what} are not {each} for each of {images} samples"
        )),
    }
}

/// Factors of channels: one for each, or none for all.
fn fit_weights(weights: &[f64], output: &Shape, what: &str) -> Result<(), Misfit> {
    let message = match weights.len() {
        0 => return Ok(()),
        count if count == output.channels() => {
            if weights.iter().any(|weight| *weight > 0.0) {
                return Ok(());
            }
            "with all weights 0 there is nothing to learn".to_owned()
        }
        count => format!(
            "{} cannot be those of {} {what}",
            words::count(count, "weight"),
            output.channels()
        ),
    };
    Err(Misfit {
        setting: Some("weights"),
        message,
    })
}
