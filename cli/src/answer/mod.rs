//! The answer of a network's head, as text, JSON or a picture: one file a kind of answer.

mod alike;
pub mod boxes;
mod classes;
mod compare;
mod embedding;
mod numbers;
mod picture;
mod pitch;
mod points;
mod segments;
mod side_by_side;

pub use compare::Comparison;
pub use side_by_side::{side_by_side, without_suppression};

use crate::Failure;
use cnnc::rt::answer::{Canvas, Head};
use cnnc::rt::image::Picture;
use cnnc::{Answer, Outputs};
use numbers::{Moments, Numbers};
use serde_json::{Value, json};

/// Whose answer it is.
pub struct Context<'a> {
    /// The head, which knows labels.
    pub head: &'a Head,
    /// Labels of the tensors that the user wants to see.
    pub taps: &'a [String],
    /// What the network gave.
    pub outputs: &'a Outputs<'a>,
}

/// A kind of answer.
trait Shown {
    /// For people.
    fn text(&self, of: &Context<'_>) -> String;
    /// For tools: adds what it says to an object.
    fn json(&self, of: &Context<'_>, value: &mut Value);
    /// Draws it; `false` where it has no place in the picture.
    fn draw(&self, head: &Head, canvas: &mut Canvas) -> bool;
}

fn shown(answer: &Answer) -> &dyn Shown {
    match answer {
        Answer::Classes(classes) => classes,
        Answer::Boxes(boxes) => boxes,
        Answer::Points(points) => points,
        Answer::Alike(alike) => alike,
        Answer::Embedding(vector) => vector,
        Answer::Pitch(tone) => tone,
        Answer::Segments(segments) => segments,
        Answer::Picture(picture) => picture,
        Answer::Numbers => &Numbers,
    }
}

/// The answer as a picture of its own.
pub fn picture(answer: &Answer) -> Result<&Picture, Failure> {
    let Answer::Picture(picture) = answer else {
        let (flag, why) = ("--out", "the spec has no `head image`");
        return Err(Failure::NotShown { flag, why });
    };
    Ok(picture)
}

/// The picture with the answer drawn on it.
pub fn draw(head: &Head, answer: &Answer, picture: Picture) -> Result<Picture, Failure> {
    let flag = "--draw";
    let refused = |why| Err(Failure::NotShown { flag, why });
    let (width, height) = (picture.width(), picture.height());
    let Some(mut canvas) = Canvas::new(width, height, picture.rgb().to_vec()) else {
        return refused("the picture has no pixels");
    };
    if !shown(answer).draw(head, &mut canvas) {
        return refused("the answer of the spec's head has no place in the picture");
    }
    Picture::from_rgb(width, height, canvas.into_rgb())
        .map_or_else(|| refused("the picture is too large"), Ok)
}

/// The answer for people, and what the tapped tensors hold.
pub fn to_text(answer: &Answer, of: &Context<'_>) -> String {
    let mut text = shown(answer).text(of);
    for output in of.taps.iter().filter_map(|tap| of.outputs.get(tap)) {
        text.push('\n');
        text += &numbers::line(output);
    }
    text
}

/// The answer for tools, with a description of every output.
pub fn to_json(answer: &Answer, of: &Context<'_>) -> Value {
    let described = of.outputs.iter().map(|output| {
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
    shown(answer).json(of, &mut value);
    value
}
