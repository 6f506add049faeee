//! A class for every pixel.

use super::{Context, Shown};
use crate::print;
use cnnc::rt::answer::{Canvas, Head, Segments};
use serde_json::{Value, json};

impl Shown for Segments {
    fn text(&self, of: &Context<'_>) -> String {
        let mut table = print::table(&[">share", "class"]);
        for found in self.shares() {
            let label = of.head.label(found.class).into_owned();
            table.add_row([format!("{:.3}", found.share), label]);
        }
        let text = table.trim_fmt();
        match seen(self) {
            1.0 => text,
            seen => format!("{text}\nthe network saw {seen:.3} of the picture"),
        }
    }

    fn json(&self, of: &Context<'_>, value: &mut Value) {
        let shares = self.shares().into_iter().map(|found| {
            json!({
                "class": found.class, "label": of.head.labels.get(found.class),
                "pixels": found.pixels, "share": found.share,
            })
        });
        value["segments"] = shares.collect();
        value["seen"] = json!(seen(self));
    }

    fn draw(&self, head: &Head, canvas: &mut Canvas) -> bool {
        canvas.segments(self, |class| head.label(class).into_owned());
        true
    }
}

/// The part of the picture that the network has seen.
fn seen(segments: &Segments) -> f64 {
    segments.seen() as f64 / (segments.width() as f64 * segments.height() as f64)
}
