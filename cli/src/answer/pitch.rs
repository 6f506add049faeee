//! What is heard.

use super::{Context, Shown};
use cnnc::rt::answer::{Canvas, Head, Tone};
use serde_json::{Value, json};

impl Shown for Tone {
    fn text(&self, _: &Context<'_>) -> String {
        match self.hertz {
            None => "no pitch".to_owned(),
            Some(hertz) => format!("{hertz:.2} Hz, confidence {:.3}", self.confidence),
        }
    }

    fn json(&self, _: &Context<'_>, value: &mut Value) {
        value["hertz"] = json!(self.hertz);
        value["confidence"] = json!(self.confidence);
    }

    fn draw(&self, _: &Head, _: &mut Canvas) -> bool {
        false
    }
}
