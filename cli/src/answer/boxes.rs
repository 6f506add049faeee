//! What is where.

use super::{Context, Shown};
use crate::print;
use cnnc::rt::answer::{BBox, Canvas, Detection, Head};
use serde_json::{Value, json};

impl Shown for Vec<Detection> {
    fn text(&self, of: &Context<'_>) -> String {
        if self.is_empty() {
            return "nothing found".to_owned();
        }
        let mut table = print::table(&[">score", "class", ">x", ">y", ">width", ">height"]);
        for found in self {
            let [x, y, width, height] = pixels(&found.bbox).map(|side| format!("{side:.0}"));
            let score = format!("{:.3}", found.score);
            let label = of.head.label(found.class).into_owned();
            table.add_row([score, label, x, y, width, height]);
        }
        table.trim_fmt()
    }

    fn json(&self, of: &Context<'_>, value: &mut Value) {
        let boxes = self.iter().map(|found| {
            let [x, y, width, height] = pixels(&found.bbox);
            json!({
                "class": found.class, "label": of.head.labels.get(found.class), "score": found.score,
                "x": x, "y": y, "width": width, "height": height,
            })
        });
        value["boxes"] = Value::Array(boxes.collect());
    }

    fn draw(&self, head: &Head, canvas: &mut Canvas) -> bool {
        canvas.detections(self, &head.labels);
        true
    }
}

/// Left, top, width, height.
fn pixels(bbox: &BBox) -> [f32; 4] {
    [bbox.left, bbox.top, bbox.width(), bbox.height()]
}
