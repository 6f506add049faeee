//! A picture, which is written and not printed: what is printed are its numbers.

use super::numbers::Numbers;
use super::{Context, Shown};
use cnnc::rt::answer::{Canvas, Head};
use cnnc::rt::image::Picture;
use serde_json::Value;

impl Shown for Picture {
    fn text(&self, of: &Context<'_>) -> String {
        Numbers.text(of)
    }

    fn json(&self, of: &Context<'_>, value: &mut Value) {
        Numbers.json(of, value);
    }

    fn draw(&self, _: &Head, _: &mut Canvas) -> bool {
        false
    }
}
