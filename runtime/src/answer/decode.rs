//! From the outputs of a network to the answer of its head.

use super::head::{Head, Range, Select, Task};
use super::{
    BBox, DecodeError, Detection, Placement, Regions, Yolo1, Yolo2, Yolo3, l2_norm, suppress, top_k,
};
use crate::image::Picture;
use crate::memory::{self, OutOfMemory};
use std::fmt;

/// Outputs of no more numbers are answered without asking for memory first.
const SMALL: usize = 1 << 20;

/// Bytes that an answer takes at most for a number of the outputs: where each is a detection, in a vector that grows and is sorted.
const EACH: u64 = 4 * size_of::<Detection>() as u64;

/// One output of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tensor<'a> {
    /// `raw`, `probabilities`, ….
    pub name: &'a str,
    /// Channels first.
    pub shape: &'a [usize],
    /// Its elements.
    pub data: &'a [f32],
}

/// What a head says. Boxes and points are in pixels of the picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Classes and their probabilities, the most probable first.
    Classes(Vec<(usize, f32)>),
    /// What is where, the surest first.
    Boxes(Vec<Detection>),
    /// Points, in the spec's order; none if there is nothing.
    Points {
        /// The points.
        points: Vec<(f32, f32)>,
        /// How probable it is that there is anything, where the network says so.
        presence: Option<f32>,
    },
    /// Whether the inputs are alike.
    Alike {
        /// The score or distance.
        value: f32,
        /// Whether it is a distance.
        distance: bool,
        /// What it is held against.
        threshold: f32,
        /// Whether they are.
        alike: bool,
    },
    /// A vector that stands for the input.
    Embedding(Vec<f32>),
    /// A pitch; none in silence.
    Pitch {
        /// The frequency.
        hertz: Option<f32>,
        /// The activation of the best bin.
        confidence: f32,
    },
    /// A picture.
    Picture(Picture),
    /// Numbers, as the outputs have them.
    Numbers,
}

/// Outputs that are not what the head needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerError {
    /// A map of another size.
    Decode(DecodeError),
    /// An output is missing, or has another shape.
    Output(&'static str),
    /// There is no memory for it.
    Memory(OutOfMemory),
}

impl From<DecodeError> for AnswerError {
    fn from(error: DecodeError) -> AnswerError {
        AnswerError::Decode(error)
    }
}

impl From<OutOfMemory> for AnswerError {
    fn from(error: OutOfMemory) -> AnswerError {
        AnswerError::Memory(error)
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AnswerError::Decode(error) => error.fmt(f),
            AnswerError::Memory(error) => error.fmt(f),
            AnswerError::Output(what) => write!(f, "the head needs {what}"),
        }
    }
}

impl std::error::Error for AnswerError {}

impl Head {
    /// The answer, from the outputs in the spec's order (`raw` first) and where the picture lies in the input; see
    /// [`PreProcess::placement`](crate::image::PreProcess::placement).
    ///
    /// # Errors
    /// When the outputs are not those of a network with this head; when they are so large that there may not be the memory for an answer.
    pub fn answer(&self, outputs: &[Tensor<'_>], place: &Placement) -> Result<Answer, AnswerError> {
        let numbers: usize = outputs.iter().map(|output| output.data.len()).sum();
        if numbers > SMALL {
            memory::ask(numbers as u64 * EACH)?;
        }
        let raw = outputs.first().ok_or(AnswerError::Output("an output"))?;
        Ok(match &self.task {
            Task::Classify { top } => {
                let mut outputs = outputs.iter();
                let found = outputs.find(|output| output.name == "probabilities");
                let found = found.ok_or(AnswerError::Output("the output `probabilities`"))?;
                Answer::Classes(top_k(found.data, *top))
            }
            &Task::Yolo1 {
                side,
                boxes,
                classes,
                select,
            } => {
                let decode = Yolo1 {
                    side,
                    boxes,
                    classes,
                    keep: select.keep,
                    labels: select.labels,
                };
                boxes_of(decode.decode(raw.data)?, select, place)
            }
            Task::Yolo2 {
                anchors,
                classes,
                select,
            } => {
                let decode = Yolo2 {
                    anchors: anchors.to_vec(),
                    classes: *classes,
                    keep: select.keep,
                    labels: select.labels,
                };
                let (rows, columns) = extents(raw)?;
                boxes_of(decode.decode(raw.data, rows, columns)?, *select, place)
            }
            Task::Yolo3 {
                maps,
                classes,
                squared,
                select,
            } => {
                let mut found = Vec::new();
                for (index, map) in maps.iter().enumerate() {
                    let output = outputs.get(index);
                    let output = output.ok_or(AnswerError::Output("one output for each map"))?;
                    let decode = Yolo3 {
                        anchors: map.anchors.to_vec(),
                        classes: *classes,
                        keep: select.keep,
                        labels: select.labels,
                        stretch: map.stretch,
                        squared: *squared,
                    };
                    let (rows, columns) = extents(output)?;
                    found.extend(decode.decode(output.data, rows, columns)?);
                }
                boxes_of(found, *select, place)
            }
            &Task::Regions {
                classes,
                std,
                input,
                select,
            } => {
                let [scores, deltas, regions, ..] = outputs else {
                    return Err(AnswerError::Output("scores, deltas and regions"));
                };
                let decode = Regions {
                    classes,
                    std,
                    input,
                    keep: select.keep,
                    labels: select.labels,
                };
                let count = regions.shape.first().copied().unwrap_or(0);
                let found = decode.decode(scores.data, deltas.data, regions.data, count)?;
                boxes_of(found, select, place)
            }
            &Task::Locate {
                presence,
                corners,
                classes,
                keep,
            } => {
                let (there, rest) = presence_of(raw.data, presence)?;
                let (&[a, b, c, d], logits) = rest
                    .split_first_chunk::<4>()
                    .ok_or(AnswerError::Output("four numbers of a box"))?;
                if logits.len() != classes {
                    return Err(AnswerError::Output("one number for each class"));
                }
                let bbox = if corners {
                    BBox::new(a, b, c, d)
                } else {
                    BBox::around(a, b, c, d)
                };
                let (class, probability) = likeliest(logits);
                let detection = Detection {
                    bbox: place.bbox(&bbox),
                    class,
                    score: there.unwrap_or(1.0) * probability,
                };
                let shown = there.is_none_or(|there| there >= keep) && bbox.is_finite();
                Answer::Boxes(if shown { vec![detection] } else { Vec::new() })
            }
            &Task::Landmarks {
                presence,
                range,
                axes,
                input,
                keep,
            } => {
                let (there, numbers) = presence_of(raw.data, presence)?;
                let count = numbers.len() / 2;
                let fraction = |value: f32, extent: f32| match range {
                    Range::Fraction => value,
                    Range::Symmetric => (value + 1.0) / 2.0,
                    Range::Pixels => value / extent,
                };
                let point = |index: usize| {
                    let (x, y) = if axes {
                        (numbers[index], numbers[count + index])
                    } else {
                        (numbers[2 * index], numbers[2 * index + 1])
                    };
                    place.point(fraction(x, input.0), fraction(y, input.1))
                };
                let shown = there.is_none_or(|there| there >= keep);
                Answer::Points {
                    points: (0..if shown { count } else { 0 }).map(point).collect(),
                    presence: there,
                }
            }
            &Task::Verify {
                distance,
                threshold,
            } => {
                let value = match (distance, raw.data) {
                    (true, vector) => l2_norm(vector),
                    (false, &[score]) => score,
                    (false, _) => return Err(AnswerError::Output("a single score")),
                };
                Answer::Alike {
                    value,
                    distance,
                    threshold,
                    alike: if distance {
                        value <= threshold
                    } else {
                        value >= threshold
                    },
                }
            }
            Task::Embed { .. } => Answer::Embedding(raw.data.to_vec()),
            Task::Pitch { bins } => {
                let found = bins.pitch(raw.data);
                Answer::Pitch {
                    hertz: found.map(|(hertz, _)| hertz),
                    confidence: found.map_or(0.0, |(_, confidence)| confidence),
                }
            }
            Task::Image { show } => match *raw.shape {
                [channels, height, width] => {
                    Picture::of_map(raw.data, channels, height, width, *show)
                        .map_or(Answer::Numbers, Answer::Picture)
                }
                _ => Answer::Numbers,
            },
            Task::Numbers => Answer::Numbers,
        })
    }
}

/// Rows and columns of a map.
fn extents(output: &Tensor<'_>) -> Result<(usize, usize), AnswerError> {
    match *output.shape {
        [_, rows, columns] => Ok((rows, columns)),
        _ => Err(AnswerError::Output("maps of channels, rows and columns")),
    }
}

/// Suppression happens in the network's own proportions; what stays is mapped to the picture.
fn boxes_of(found: Vec<Detection>, select: Select, place: &Placement) -> Answer {
    let mut kept = match select.overlap {
        Some(overlap) => suppress(found, overlap, select.iou),
        None => {
            let mut found = found;
            found.sort_by(|a, b| b.score.total_cmp(&a.score));
            found
        }
    };
    for detection in &mut kept {
        detection.bbox = place.bbox(&detection.bbox);
    }
    // Of what lies outside the picture (in the border of a letterbox, say) there is nothing to see.
    kept.retain(|detection| detection.bbox.area() > 0.0);
    Answer::Boxes(kept)
}

/// The logistic function of the first value, if that is what it is, and the rest.
fn presence_of(values: &[f32], presence: bool) -> Result<(Option<f32>, &[f32]), AnswerError> {
    if !presence {
        return Ok((None, values));
    }
    let (first, rest) = values
        .split_first()
        .ok_or(AnswerError::Output("a value for presence"))?;
    Ok((Some(1.0 / (1.0 + (-first).exp())), rest))
}

/// The largest of some logits, and its softmax; without any, the class 0 for certain.
fn likeliest(logits: &[f32]) -> (usize, f32) {
    match top_k(logits, 1).first() {
        None => (0, 1.0),
        Some(&(class, best)) => {
            let sum: f32 = logits.iter().map(|logit| (logit - best).exp()).sum();
            (class, 1.0 / sum)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Labels, Map, Metric, Overlap};
    use super::*;

    fn head(task: Task) -> Head {
        Head {
            task,
            ..Head::default()
        }
    }

    fn raw<'a>(shape: &'a [usize], data: &'a [f32]) -> Tensor<'a> {
        Tensor {
            name: "raw",
            shape,
            data,
        }
    }

    fn close(a: f32, b: f32) -> bool {
        (a - b).abs() < 1e-4
    }

    /// 640 x 480 in the middle of 320 x 320.
    fn letterbox() -> Placement {
        Placement::new(640, 480)
            .resized(320, 240)
            .placed(320, 320, (0, 40))
    }

    #[test]
    fn one_box_with_its_class() {
        let locate = |presence, corners, classes| {
            head(Task::Locate {
                presence,
                corners,
                classes,
                keep: 0.5,
            })
        };
        let values = [0.5, 0.5, 0.25, 0.25, 3f32.ln(), 0.0];
        let answer = locate(false, false, 2).answer(&[raw(&[6], &values)], &letterbox());
        let Ok(Answer::Boxes(found)) = answer else {
            panic!("{answer:?}");
        };
        assert!(found[0].class == 0 && close(found[0].score, 0.75));
        let bbox = found[0].bbox;
        assert!(
            close(bbox.left, 240.0) && close(bbox.top, 160.0),
            "{bbox:?}"
        );
        assert!(close(bbox.width(), 160.0) && close(bbox.height(), 160.0));
        // Something is there, or not; corners.
        for (logit, count) in [(2.0, 1), (-2.0, 0)] {
            let values = [logit, 0.0, 0.0, 1.0, 1.0];
            let answer = locate(true, true, 0).answer(&[raw(&[5], &values)], &letterbox());
            let Ok(Answer::Boxes(found)) = answer else {
                panic!("{answer:?}");
            };
            assert_eq!(found.len(), count);
            // The border is cut off.
            assert!(
                found
                    .iter()
                    .all(|found| found.bbox == BBox::new(0.0, 0.0, 640.0, 480.0))
            );
        }
        let short = locate(true, false, 2).answer(&[raw(&[3], &[0.0; 3])], &letterbox());
        assert!(matches!(short, Err(AnswerError::Output(_))));
    }

    #[test]
    fn points_in_every_range_and_order() {
        let place = letterbox();
        let landmarks = |range, axes, presence| {
            head(Task::Landmarks {
                presence,
                range,
                axes,
                input: (320.0, 320.0),
                keep: 0.5,
            })
        };
        let same = [
            (Range::Fraction, false, vec![0.5, 0.5, 0.25, 0.75]),
            (Range::Symmetric, true, vec![0.0, -0.5, 0.0, 0.5]),
            (Range::Pixels, false, vec![160.0, 160.0, 80.0, 240.0]),
        ];
        for (range, axes, values) in same {
            let answer = landmarks(range, axes, false).answer(&[raw(&[4], &values)], &place);
            let Ok(Answer::Points { points, .. }) = answer else {
                panic!("{answer:?}");
            };
            assert_eq!(points, [(320.0, 240.0), (160.0, 400.0)], "{range:?}");
        }
        let absent = landmarks(Range::Fraction, false, true);
        let answer = absent.answer(&[raw(&[3], &[-3.0, 0.5, 0.5])], &place);
        let Ok(Answer::Points { points, presence }) = answer else {
            panic!("{answer:?}");
        };
        assert!(points.is_empty() && close(presence.unwrap(), 0.0474));
    }

    #[test]
    fn alike_by_score_or_by_distance() {
        let verify = |distance, threshold| {
            head(Task::Verify {
                distance,
                threshold,
            })
        };
        let alike = |head: &Head, values: &[f32]| match head
            .answer(&[raw(&[values.len()], values)], &letterbox())
        {
            Ok(Answer::Alike { alike, .. }) => alike,
            other => panic!("{other:?}"),
        };
        assert!(alike(&verify(false, 0.5), &[0.5]) && !alike(&verify(false, 0.5), &[0.49]));
        assert!(alike(&verify(true, 5.0), &[3.0, 4.0]) && !alike(&verify(true, 4.9), &[3.0, 4.0]));
        let two = verify(false, 0.5).answer(&[raw(&[2], &[0.0; 2])], &letterbox());
        assert!(two.is_err());
        assert_eq!(Metric::Cosine.distance(&[1.0, 0.0], &[0.0, 2.0]), Some(1.0));
        assert_eq!(
            Metric::Euclidean.distance(&[3.0, 0.0], &[0.0, 4.0]),
            Some(5.0)
        );
    }

    #[test]
    fn maps_are_joined_before_suppression() {
        let select = Select {
            keep: 0.3,
            iou: 0.45,
            overlap: Some(Overlap::Class),
            labels: Labels::Best,
        };
        let map = |width| Map {
            anchors: vec![(width, 0.5)].into(),
            stretch: 1.0,
        };
        let mut head = head(Task::Yolo3 {
            maps: vec![map(0.5), map(0.45)].into(),
            classes: 1,
            squared: false,
            select,
        });
        // The same thing on both maps, of one cell each; the second is surer.
        let (a, b) = (
            [0.0, 0.0, 0.0, 0.0, 1.0, 9.0],
            [0.0, 0.0, 0.0, 0.0, 2.0, 9.0],
        );
        let maps = [
            raw(&[6, 1, 1], &a),
            Tensor {
                name: "small",
                ..raw(&[6, 1, 1], &b)
            },
        ];
        let count = |head: &Head| match head.answer(&maps, &letterbox()) {
            Ok(Answer::Boxes(found)) => (found.len(), found[0].bbox.width()),
            other => panic!("{other:?}"),
        };
        assert_eq!(count(&head).0, 1);
        assert!(close(count(&head).1, 0.45 * 640.0));
        head.select_mut().unwrap().overlap = None;
        assert_eq!(count(&head).0, 2);
        assert!(head.set_keep(0.8) && !head.set_threshold(0.1));
        assert_eq!(count(&head).0, 1);
        assert!(head.answer(&maps[..1], &letterbox()).is_err());
        assert!(
            head.answer(&[raw(&[6], &a), maps[1]], &letterbox())
                .is_err()
        );
    }
}
