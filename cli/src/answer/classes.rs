//! Classes and their probabilities.

use super::{Context, Shown};
use crate::print;
use cnnc::rt::answer::{Canvas, Head};
use serde_json::{Value, json};

impl Shown for Vec<(usize, f32)> {
    fn text(&self, of: &Context<'_>) -> String {
        let mut table = print::table(&[">probability", "class"]);
        for &(class, probability) in self {
            let label = of.head.labels.get(class).map(ToString::to_string);
            let label = label.unwrap_or_else(|| class.to_string());
            table.add_row([format!("{probability:.3}"), label]);
        }
        table.trim_fmt()
    }

    fn json(&self, of: &Context<'_>, value: &mut Value) {
        let classes = self.iter().map(|&(class, probability)| {
            json!({ "class": class, "label": of.head.labels.get(class), "probability": probability })
        });
        value["top"] = Value::Array(classes.collect());
    }

    fn draw(&self, _: &Head, _: &mut Canvas) -> bool {
        false
    }
}
