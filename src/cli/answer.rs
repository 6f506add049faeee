//! What the head of a network makes of its outputs, as text, JSON or a picture.

use super::{Failure, print};
use cnnc::compiler::head::Head;
use cnnc::rt::image::{Picture, Show};
use cnnc::{Output, Outputs};
use serde_json::{Value, json};

/// The answer to one input.
pub enum Answer {
    /// Classes, the most probable first.
    Classes(Vec<Class>),
    /// Whether the inputs are alike.
    Alike {
        /// How much they are.
        score: f32,
        /// From where on they count as alike.
        threshold: f64,
    },
    /// A picture, if the output can be shown as one.
    Picture(Option<Picture>),
    /// Nothing that a head has said: numbers.
    Numbers,
}

/// A class and how probable it is.
pub struct Class {
    index: usize,
    label: Option<String>,
    probability: f32,
}

impl Answer {
    /// What the head makes of the outputs. `top` replaces the number of classes that the spec shows.
    pub fn new(head: Option<&Head>, outputs: &Outputs<'_>, top: Option<usize>) -> Answer {
        let Some(head) = head else {
            return Answer::Numbers;
        };
        match (head.keyword, outputs.get("probabilities")) {
            ("classify", Some(probabilities)) => {
                let declared = head.number("top").unwrap_or(5.0) as usize;
                Answer::Classes(classes(head, probabilities.data, top.unwrap_or(declared)))
            }
            ("verify", _) => Answer::Alike {
                score: outputs.raw()[0],
                threshold: head.number("threshold").unwrap_or(0.5),
            },
            ("image", _) => Answer::Picture(outputs.get("raw").and_then(|map| picture(head, map))),
            _ => Answer::Numbers,
        }
    }

    /// The answer as a picture.
    pub fn picture(&self) -> Result<&Picture, Failure> {
        let why = match self {
            Answer::Picture(Some(picture)) => return Ok(picture),
            Answer::Picture(None) => "the output has neither one nor three channels of pixels",
            _ => "the spec has no `head image`",
        };
        Err(Failure::NotShown { why })
    }

    /// The answer for people, and what the tapped tensors hold.
    pub fn to_text(&self, taps: &[String], outputs: &Outputs<'_>) -> String {
        let mut text = match self {
            Answer::Classes(classes) => {
                let mut table = print::table(&[">probability", "class"]);
                for class in classes {
                    let label = class
                        .label
                        .clone()
                        .unwrap_or_else(|| class.index.to_string());
                    table.add_row([format!("{:.3}", class.probability), label]);
                }
                table.trim_fmt()
            }
            Answer::Alike { score, threshold } => {
                let verdict = if f64::from(*score) >= *threshold {
                    "alike"
                } else {
                    "different"
                };
                format!("{verdict}: {score:.4}, the threshold is {threshold}")
            }
            Answer::Picture(_) | Answer::Numbers => {
                let shown = outputs
                    .iter()
                    .filter(|output| !taps.iter().any(|tap| tap == output.name));
                shown.map(numbers).collect::<Vec<_>>().join("\n")
            }
        };
        for output in taps.iter().filter_map(|tap| outputs.get(tap)) {
            text.push('\n');
            text += &numbers(output);
        }
        text
    }

    /// The answer for tools, with a description of every output.
    pub fn to_json(&self, outputs: &Outputs<'_>) -> Value {
        let described = outputs.iter().map(|output| {
            let Moments {
                min,
                max,
                mean,
                std,
            } = Moments::of(output.data);
            json!({
                "name": output.name, "shape": output.shape,
                "min": min, "max": max, "mean": mean, "std": std,
            })
        });
        let mut value = json!({ "outputs": described.collect::<Vec<_>>() });
        match self {
            Answer::Classes(classes) => {
                let classes = classes.iter().map(|class| {
                    json!({ "class": class.index, "label": class.label, "probability": class.probability })
                });
                value["top"] = Value::Array(classes.collect());
            }
            Answer::Alike { score, threshold } => {
                value["score"] = json!(score);
                value["alike"] = json!(f64::from(*score) >= *threshold);
            }
            Answer::Picture(_) | Answer::Numbers => {}
        }
        value
    }
}

/// The most probable classes; equal ones in the order of the labels.
fn classes(head: &Head, probabilities: &[f32], top: usize) -> Vec<Class> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    order.truncate(top);
    let class = |index: usize| Class {
        index,
        label: head.labels.get(index).cloned(),
        probability: probabilities[index],
    };
    order.into_iter().map(class).collect()
}

fn picture(head: &Head, map: Output<'_>) -> Option<Picture> {
    let show = match head.word("range") {
        Some("magnitude") => Show::Magnitude,
        Some("minmax") => Show::MinMax,
        _ => Show::Clamp,
    };
    match *map.shape {
        [channels, height, width] => Picture::of_map(map.data, channels, height, width, show),
        _ => None,
    }
}

/// `raw 3x4: -1.2 … 3.4, mean 0.5, deviation 1.1: 0.1 0.2 …`
fn numbers(output: Output<'_>) -> String {
    let Moments {
        min,
        max,
        mean,
        std,
    } = Moments::of(output.data);
    let first: Vec<_> = output
        .data
        .iter()
        .take(8)
        .map(|value| format!("{value:.4}"))
        .collect();
    let more = if output.data.len() > first.len() {
        " …"
    } else {
        ""
    };
    let (name, shape) = (output.name, print::shape(output.shape));
    let first = first.join(" ");
    format!(
        "{name} {shape}: {min:.4} to {max:.4}, mean {mean:.4}, deviation {std:.4}\n  {first}{more}"
    )
}

struct Moments {
    min: f32,
    max: f32,
    mean: f64,
    std: f64,
}

impl Moments {
    fn of(values: &[f32]) -> Moments {
        let count = values.len() as f64;
        let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
        let square = |&value: &f32| (f64::from(value) - mean).powi(2);
        Moments {
            min: values.iter().copied().fold(f32::INFINITY, f32::min),
            max: values.iter().copied().fold(f32::NEG_INFINITY, f32::max),
            mean,
            std: (values.iter().map(square).sum::<f64>() / count).sqrt(),
        }
    }
}
