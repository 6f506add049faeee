//! The answer of a network's head, as text, JSON or a picture.

use crate::{Failure, print};
use cnnc::rt::answer::{BBox, Canvas, Head, Metric, Task, class_colour, l2_norm};
use cnnc::rt::image::Picture;
use cnnc::{Answer, Output, Outputs};
use serde_json::{Value, json};

/// The answer as a picture of its own.
pub fn picture(answer: &Answer) -> Result<&Picture, Failure> {
    let why = match answer {
        Answer::Picture(picture) => return Ok(picture),
        _ => "the spec has no `head image`",
    };
    let flag = "--out";
    Err(Failure::NotShown { flag, why })
}

/// The picture with the answer drawn on it.
pub fn draw(head: &Head, answer: &Answer, picture: Picture) -> Result<Picture, Failure> {
    let flag = "--draw";
    let refused = |why| Err(Failure::NotShown { flag, why });
    let (width, height) = (picture.width(), picture.height());
    let Some(mut canvas) = Canvas::new(width, height, picture.rgb().to_vec()) else {
        return refused("the picture has no pixels");
    };
    match answer {
        Answer::Boxes(boxes) => canvas.detections(boxes, &head.labels),
        Answer::Points { points, .. } => canvas.points(points, class_colour(2)),
        _ => return refused("boxes and points are drawn, and the spec's head gives neither"),
    }
    Picture::from_rgb(width, height, canvas.into_rgb())
        .map_or_else(|| refused("the picture is too large"), Ok)
}

/// The answer for people, and what the tapped tensors hold.
pub fn to_text(head: &Head, answer: &Answer, taps: &[String], outputs: &Outputs<'_>) -> String {
    let mut text = match answer {
        Answer::Classes(classes) => {
            let mut table = print::table(&[">probability", "class"]);
            for &(class, probability) in classes {
                let label = head.labels.get(class).map(ToString::to_string);
                let label = label.unwrap_or_else(|| class.to_string());
                table.add_row([format!("{probability:.3}"), label]);
            }
            table.trim_fmt()
        }
        Answer::Boxes(boxes) if boxes.is_empty() => "nothing found".to_owned(),
        Answer::Boxes(boxes) => {
            let mut table = print::table(&[">score", "class", ">x", ">y", ">width", ">height"]);
            for found in boxes {
                let [x, y, width, height] = pixels(&found.bbox).map(|side| format!("{side:.0}"));
                let score = format!("{:.3}", found.score);
                let label = head.label(found.class).into_owned();
                table.add_row([score, label, x, y, width, height]);
            }
            table.trim_fmt()
        }
        Answer::Points { points, .. } if points.is_empty() => "nothing found".to_owned(),
        Answer::Points { points, presence } => {
            let mut table = print::table(&[">point", ">x", ">y"]);
            for (index, (x, y)) in points.iter().enumerate() {
                table.add_row([index.to_string(), format!("{x:.1}"), format!("{y:.1}")]);
            }
            let presence = presence.map(|presence| format!("present: {presence:.3}\n"));
            presence.unwrap_or_default() + &table.trim_fmt()
        }
        &Answer::Alike {
            value,
            distance,
            threshold,
            alike,
        } => verdict(alike, measure(distance), value, threshold),
        Answer::Pitch { hertz: None, .. } => "no pitch".to_owned(),
        &Answer::Pitch {
            hertz: Some(hertz),
            confidence,
        } => format!("{hertz:.2} Hz, confidence {confidence:.3}"),
        Answer::Embedding(vector) => {
            let (length, raw) = (l2_norm(vector), outputs.iter().next());
            let numbers = raw.map(numbers).unwrap_or_default();
            format!("vector of {}, length {length:.4}\n{numbers}", vector.len())
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
pub fn to_json(head: &Head, answer: &Answer, outputs: &Outputs<'_>) -> Value {
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
    match answer {
        Answer::Classes(classes) => {
            let classes = classes.iter().map(|&(class, probability)| {
                json!({ "class": class, "label": head.labels.get(class), "probability": probability })
            });
            value["top"] = Value::Array(classes.collect());
        }
        Answer::Boxes(boxes) => {
            let boxes = boxes.iter().map(|found| {
                let [x, y, width, height] = pixels(&found.bbox);
                json!({
                    "class": found.class, "label": head.labels.get(found.class), "score": found.score,
                    "x": x, "y": y, "width": width, "height": height,
                })
            });
            value["boxes"] = Value::Array(boxes.collect());
        }
        Answer::Points { points, presence } => {
            value["points"] = json!(points);
            if let Some(presence) = presence {
                value["presence"] = json!(presence);
            }
        }
        &Answer::Alike {
            value: found,
            distance,
            threshold,
            alike,
        } => {
            value[measure(distance)] = json!(found);
            value["threshold"] = json!(threshold);
            value["alike"] = json!(alike);
        }
        Answer::Embedding(vector) => value["embedding"] = json!(vector),
        &Answer::Pitch { hertz, confidence } => {
            value["hertz"] = json!(hertz);
            value["confidence"] = json!(confidence);
        }
        Answer::Picture(_) | Answer::Numbers => {}
    }
    value
}

/// How the embeddings of several inputs compare: each with the first.
pub struct Comparison {
    /// Which is compared with the first.
    pub index: usize,
    /// How far they are apart.
    pub distance: f32,
    /// Up to where they count as the same.
    threshold: f32,
}

impl Comparison {
    /// Compares every embedding with the first.
    pub fn all(head: &Head, answers: &[Answer]) -> Vec<Comparison> {
        let (metric, threshold) = match head.task {
            Task::Embed { metric, threshold } => (metric, threshold),
            _ => (Metric::Euclidean, 0.0),
        };
        let vectors: Vec<&[f32]> = answers
            .iter()
            .filter_map(|answer| match answer {
                Answer::Embedding(vector) => Some(vector.as_slice()),
                _ => None,
            })
            .collect();
        let others = vectors.iter().enumerate().skip(1);
        let compared = others.filter_map(|(index, other)| {
            Some(Comparison {
                index,
                distance: metric.distance(vectors[0], other)?,
                threshold,
            })
        });
        compared.collect()
    }

    fn same(&self) -> bool {
        self.distance <= self.threshold
    }

    /// For people: the names of the two, and the verdict.
    pub fn to_text(&self, first: &str, other: &str) -> String {
        let verdict = verdict(self.same(), "distance", self.distance, self.threshold);
        format!("{first} and {other}\n  {verdict}")
    }

    /// For tools.
    pub fn to_json(&self, first: &str, other: &str) -> Value {
        json!({
            "inputs": [first, other], "distance": self.distance,
            "threshold": self.threshold, "alike": self.same(),
        })
    }
}

fn measure(distance: bool) -> &'static str {
    if distance { "distance" } else { "score" }
}

/// `same: score 0.7312, the threshold is 0.5`
fn verdict(alike: bool, measure: &str, value: f32, threshold: f32) -> String {
    let verdict = if alike { "same" } else { "different" };
    format!("{verdict}: {measure} {value:.4}, the threshold is {threshold}")
}

/// Left, top, width, height.
fn pixels(bbox: &BBox) -> [f32; 4] {
    [bbox.left, bbox.top, bbox.width(), bbox.height()]
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
