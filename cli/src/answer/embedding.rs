//! A vector that stands for the input.

use super::{Context, Shown, numbers};
use cnnc::rt::answer::{Canvas, Head, l2_norm};
use serde_json::{Value, json};

impl Shown for Vec<f32> {
    fn text(&self, of: &Context<'_>) -> String {
        let (length, raw) = (l2_norm(self), of.outputs.iter().next());
        let numbers = raw.map(numbers::line).unwrap_or_default();
        format!("vector of {}, length {length:.4}\n{numbers}", self.len())
    }

    fn json(&self, _: &Context<'_>, value: &mut Value) {
        value["embedding"] = json!(self);
    }

    fn draw(&self, _: &Head, _: &mut Canvas) -> bool {
        false
    }
}
