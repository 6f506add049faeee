//! Whether inputs are alike.

use super::{Context, Shown};
use cnnc::rt::answer::{Alike, Canvas, Head};
use serde_json::{Value, json};

impl Shown for Alike {
    fn text(&self, _: &Context<'_>) -> String {
        verdict(self.alike, measure(self), self.value, self.threshold)
    }

    fn json(&self, _: &Context<'_>, value: &mut Value) {
        value[measure(self)] = json!(self.value);
        value["threshold"] = json!(self.threshold);
        value["alike"] = json!(self.alike);
    }

    fn draw(&self, _: &Head, _: &mut Canvas) -> bool {
        false
    }
}

fn measure(alike: &Alike) -> &'static str {
    if alike.distance { "distance" } else { "score" }
}

/// `same: score 0.7312, the threshold is 0.5`
pub(super) fn verdict(alike: bool, measure: &str, value: f32, threshold: f32) -> String {
    let verdict = if alike { "same" } else { "different" };
    format!("{verdict}: {measure} {value:.4}, the threshold is {threshold}")
}
