//! What is where.

use super::{Context, Shown};
use crate::print;
use cnnc::rt::answer::{BBox, Canvas, Detection, Head};
use serde_json::{Value, json};

impl Shown for Vec<Detection> {
    fn text(&self, of: &Context<'_>) -> String {
        text(self, of.head)
    }

    fn json(&self, of: &Context<'_>, value: &mut Value) {
        value["boxes"] = to_json(self, of.head);
    }

    fn draw(&self, head: &Head, canvas: &mut Canvas) -> bool {
        canvas.detections(self, &head.labels);
        true
    }
}

/// For people: a row for each.
pub fn text(boxes: &[Detection], head: &Head) -> String {
    if boxes.is_empty() {
        return "nothing found".to_owned();
    }
    let mut table = print::table(&[">score", "class", ">x", ">y", ">width", ">height"]);
    for found in boxes {
        let [x, y, width, height] = pixels(&found.bbox).map(|side| format!("{side:.0}"));
        let score = format!("{:.3}", found.score);
        let label = head.label(found.class).into_owned();
        table.add_row([score, label, x, y, width, height]);
    }
    table.trim_fmt()
}

/// For tools: a list.
pub fn to_json(boxes: &[Detection], head: &Head) -> Value {
    let boxes = boxes.iter().map(|found| {
        let [x, y, width, height] = pixels(&found.bbox);
        json!({
            "class": found.class, "label": head.labels.get(found.class), "score": found.score,
            "x": x, "y": y, "width": width, "height": height,
        })
    });
    Value::Array(boxes.collect())
}

/// Left, top, width, height.
fn pixels(bbox: &BBox) -> [f32; 4] {
    [bbox.left, bbox.top, bbox.width(), bbox.height()]
}
