//! What a loss is told of the one box, or of the points, of a picture, in the units of the network's head.

use crate::train::affine::Affine;
use cnnc_compiler::graph::Graph;
use cnnc_compiler::loss::BOX;
use cnnc_runtime::answer::{Landmarks, Range, Task};
use cnnc_runtime::image::PreProcess;

/// What is kept of a sample, and how it becomes what its loss is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    /// A row of class, centre and size, or of −1: the presence, the four numbers, the class if there are classes.
    Box {
        /// Whether the head has a presence.
        presence: bool,
        corners: bool,
        classes: usize,
    },
    /// The presence, and points in fractions of the input: the presence and numbers of the head's range and order, or for heat maps the fractions.
    Points {
        head: Option<Landmarks>,
        points: usize,
        /// For each point which one takes its place in a mirror.
        mirrored: Vec<usize>,
        /// Width and height of the input, in pixels.
        input: (f64, f64),
    },
}

impl Told {
    /// That of a network, if its head is one of those.
    pub fn of(network: &Graph) -> Option<Told> {
        let output = &network.values[network.outputs.first()?.value].shape;
        let head = network.head.as_ref()?;
        let input = network.inputs.first().and_then(|input| input.pre.as_ref());
        let extents = |pre: &PreProcess| (pre.width as f64, pre.height as f64);
        let of_points = |points: usize, landmarks: Option<Landmarks>| {
            let mut mirrored: Vec<usize> = (0..points).collect();
            for [one, other] in head.swaps().unwrap_or_default() {
                mirrored.swap(one, other);
            }
            Told::Points {
                head: landmarks,
                points,
                mirrored,
                input: input.map_or((1.0, 1.0), extents),
            }
        };
        match network.answer_head().task {
            Task::Locate(locate) => Some(Told::Box {
                presence: locate.presence,
                corners: locate.corners,
                classes: locate.classes,
            }),
            Task::Landmarks(landmarks) => {
                let numbers = output.elements() - usize::from(landmarks.presence);
                Some(of_points(numbers / 2, Some(landmarks)))
            }
            Task::Keypoints(_) => Some(of_points(output.channels(), None)),
            _ => None,
        }
    }

    /// Whether the head can say that there is nothing.
    pub fn has_presence(&self) -> bool {
        match self {
            Told::Box { presence, .. } => *presence,
            Told::Points { head, .. } => head.is_some_and(|head| head.presence),
        }
    }

    /// Adds what the loss is told of what is kept, which has moved with its picture.
    pub fn tell(&self, kept: &[f32], moved: Affine, to: &mut Vec<f32>) {
        match self {
            Told::Box {
                corners, classes, ..
            } => of_box(kept, *corners, *classes, to),
            Told::Points {
                head,
                points,
                mirrored,
                input,
            } => {
                let there = kept[0] == 1.0;
                let at = |point: usize| {
                    let [x, y] = [1, 2].map(|axis| f64::from(kept[2 * point + axis]));
                    let (x, y) = moved.point(x * input.0, y * input.1);
                    [x / input.0, y / input.1]
                };
                let own = |point: usize| match moved.mirrors() {
                    true => at(mirrored[point]),
                    false => at(point),
                };
                let Some(head) = head else {
                    to.extend((0..*points).flat_map(own).map(|along| along as f32));
                    return;
                };
                to.push(kept[0]);
                let written = |[x, y]: [f64; 2]| match head.range {
                    _ if !there => [0.0; 2],
                    Range::Fraction => [x, y],
                    Range::Symmetric => [2.0 * x - 1.0, 2.0 * y - 1.0],
                    Range::Pixels => [x * f64::from(head.input.0), y * f64::from(head.input.1)],
                };
                let numbers: Vec<[f64; 2]> =
                    (0..*points).map(|point| written(own(point))).collect();
                match head.axes {
                    true => [0, 1].iter().for_each(|&axis| {
                        to.extend(numbers.iter().map(|at| at[axis] as f32));
                    }),
                    false => to.extend(numbers.iter().flatten().map(|along| *along as f32)),
                }
            }
        }
    }
}

/// A row of a class, centre and size, as `localize` is told it.
fn of_box(row: &[f32], corners: bool, classes: usize, to: &mut Vec<f32>) {
    let &[class, x, y, w, h] = row else {
        unreachable!("a row has {BOX} numbers");
    };
    let there = class != -1.0;
    to.push(if there { 1.0 } else { 0.0 });
    to.extend(match corners {
        _ if !there => [0.0; 4],
        true => [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0],
        false => [x, y, w, h],
    });
    if classes > 0 {
        to.push(class.max(0.0));
    }
}
