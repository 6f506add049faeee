//! One thing, or points, of a picture: what is known beside what a network answers, and what that is worth.

use cnnc_compiler::graph::Graph;
use cnnc_compiler::shape::Shape;
use cnnc_runtime::answer::{Answer, BBox, Head, Landmarks, Placement, Task, Tensor};

/// What is in a picture, in fractions of the network's input.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// Nothing.
    Nothing,
    /// One thing of a class, which is 0 where there are none.
    Box(usize, BBox),
    /// Points, in the head's order.
    Points(Vec<(f32, f32)>),
}

/// What an answer is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worth {
    /// The intersection over union of a box, 0 of one that is not found; the mean distance of points in widths of the input, where one that is not found, or is no number, is a width off. Nothing where nothing is.
    pub number: Option<f64>,
    /// Whether it is said right what is there, if that is asked.
    pub right: Option<bool>,
}

impl Worth {
    /// What it counts in a mean: the number, and out of how many.
    pub(super) fn counts(&self) -> [f64; 2] {
        self.number.map_or([0.0; 2], |number| [number, 1.0])
    }
}

/// How answers of a network are compared with what is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    head: Head,
    /// Heights of the input in its width.
    tall: f64,
}

impl Located {
    /// That of a network whose head finds one box, or points.
    pub fn of(network: &Graph) -> Option<Located> {
        let head = network.answer_head();
        let input = &network.values[network.inputs.first()?.value].shape;
        let tall = match *input.dims() {
            [_, rows, columns] => rows as f64 / columns as f64,
            _ => 1.0,
        };
        let known = matches!(
            head.task,
            Task::Locate(_) | Task::Landmarks(_) | Task::Keypoints(_)
        );
        known.then_some(Located { head, tall })
    }

    /// The network's head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Names of what a picture may show: the classes, and last that there is nothing, if the head can say so; none where there is nothing to be told apart.
    pub fn names(&self) -> Vec<String> {
        let (presence, classes) = match &self.head.task {
            Task::Locate(locate) => (locate.presence, locate.classes),
            Task::Landmarks(landmarks) => (landmarks.presence, 0),
            _ => (false, 0),
        };
        let names = (0..classes).map(|class| self.head.label(class).into_owned());
        let names = names.chain((presence && classes == 0).then(|| "something".to_owned()));
        let nothing = presence.then(|| "nothing".to_owned());
        names.chain(nothing).collect()
    }

    /// Where a place stands among these names.
    pub fn name_of(&self, place: &Place) -> usize {
        match place {
            Place::Nothing => self.names().len().saturating_sub(1),
            Place::Box(class, _) => *class,
            Place::Points(_) => 0,
        }
    }

    /// How many numbers a loss is told of a sample, by which [`Located::known`] goes, where a network has such an output.
    pub(super) fn told(&self, output: &Shape) -> usize {
        match &self.head.task {
            Task::Locate(locate) => 5 + usize::from(locate.classes > 0),
            Task::Landmarks(of) => 1 + output.elements() - usize::from(of.presence),
            _ => 2 * output.channels(),
        }
    }

    /// What is known of a sample, as its loss is told it.
    pub fn known(&self, numbers: &[f32]) -> Place {
        let landmarks = match &self.head.task {
            Task::Keypoints(_) => {
                let points = numbers.chunks(2).map(|at| (at[0], at[1]));
                return Place::Points(points.collect());
            }
            _ if numbers[0] == 0.0 => return Place::Nothing,
            Task::Landmarks(landmarks) => landmarks,
            Task::Locate(locate) => {
                let [a, b, c, d] = [1, 2, 3, 4].map(|at| numbers[at]);
                let class = numbers.get(5).map_or(0, |class| *class as usize);
                return Place::Box(
                    class,
                    match locate.corners {
                        true => BBox::new(a, b, c, d),
                        false => BBox::around(a, b, c, d),
                    },
                );
            }
            task => unreachable!("{task:?} finds no place"),
        };
        // They are written as the head writes them, behind the presence.
        let told = Head {
            task: Task::Landmarks(Landmarks {
                presence: false,
                ..*landmarks
            }),
            ..Head::default()
        };
        place(&told, &[numbers.len() - 1], &numbers[1..])
    }

    /// What the network answers: its raw output of a sample.
    pub fn found(&self, raw: &[f32], output: &Shape) -> Place {
        place(&self.head, output.dims(), raw)
    }

    /// What an answer is worth.
    pub fn worth(&self, known: &Place, found: &Place) -> Worth {
        let number = match (known, found) {
            (Place::Box(_, known), Place::Box(_, found)) => Some(f64::from(known.iou(found))),
            (Place::Box(..), _) => Some(0.0),
            (Place::Points(known), found) => {
                let apart = self.distances(known, found);
                Some(apart.iter().sum::<f64>() / apart.len().max(1) as f64)
            }
            _ => None,
        };
        let asked = !self.names().is_empty();
        Worth {
            number,
            right: asked.then(|| self.name_of(known) == self.name_of(found)),
        }
    }

    /// How far points are from where they are, in widths of the input: a width where one is not found, or is no number.
    pub fn distances(&self, known: &[(f32, f32)], found: &Place) -> Vec<f64> {
        let found: &[(f32, f32)] = match found {
            Place::Points(found) => found,
            _ => &[],
        };
        let apart = known.iter().enumerate().map(|(point, one)| {
            let other = found.get(point).copied().unwrap_or((f32::NAN, f32::NAN));
            let x = f64::from(one.0) - f64::from(other.0);
            let y = (f64::from(one.1) - f64::from(other.1)) * self.tall;
            let apart = (x * x + y * y).sqrt();
            if apart.is_finite() { apart } else { 1.0 }
        });
        apart.collect()
    }
}

/// The answer of a head, as a place.
fn place(head: &Head, shape: &[usize], data: &[f32]) -> Place {
    let raw = Tensor {
        name: "raw",
        shape,
        data,
    };
    match head.answer(&[raw], &Placement::new(1, 1)) {
        Ok(Answer::Boxes(found)) => match found.first() {
            Some(found) => Place::Box(found.class, found.bbox),
            None => Place::Nothing,
        },
        Ok(Answer::Points(found)) if !found.points.is_empty() => Place::Points(found.points),
        // A head that is held against its network answers.
        _ => Place::Nothing,
    }
}
