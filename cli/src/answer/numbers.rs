//! Numbers, as the outputs have them.

use super::{Context, Shown};
use crate::print;
use cnnc::Output;
use cnnc::rt::answer::{Canvas, Head};
use serde_json::Value;

/// The outputs are the answer.
pub(super) struct Numbers;

impl Shown for Numbers {
    fn text(&self, of: &Context<'_>) -> String {
        let shown = of
            .outputs
            .iter()
            .filter(|output| !of.taps.iter().any(|tap| tap == output.name));
        shown.map(line).collect::<Vec<_>>().join("\n")
    }

    fn json(&self, _: &Context<'_>, _: &mut Value) {}

    fn draw(&self, _: &Head, _: &mut Canvas) -> bool {
        false
    }
}

/// `raw 3x4: -1.2 … 3.4, mean 0.5, deviation 1.1: 0.1 0.2 …`
pub(super) fn line(output: Output<'_>) -> String {
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

/// What the numbers of a tensor are like.
pub(super) struct Moments {
    pub min: f32,
    pub max: f32,
    pub mean: f64,
    pub std: f64,
}

impl Moments {
    pub fn of(values: &[f32]) -> Moments {
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
