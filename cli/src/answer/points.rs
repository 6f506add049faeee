//! Points.

use super::{Context, Shown};
use crate::print;
use cnnc::rt::answer::{Canvas, Head, Points, class_colour};
use serde_json::{Value, json};

impl Shown for Points {
    fn text(&self, _: &Context<'_>) -> String {
        if self.points.is_empty() {
            return "nothing found".to_owned();
        }
        let mut table = print::table(&[">point", ">x", ">y"]);
        for (index, (x, y)) in self.points.iter().enumerate() {
            table.add_row([index.to_string(), format!("{x:.1}"), format!("{y:.1}")]);
        }
        let presence = self.presence;
        let presence = presence.map(|presence| format!("present: {presence:.3}\n"));
        presence.unwrap_or_default() + &table.trim_fmt()
    }

    fn json(&self, _: &Context<'_>, value: &mut Value) {
        value["points"] = json!(self.points);
        if let Some(presence) = self.presence {
            value["presence"] = json!(presence);
        }
    }

    fn draw(&self, _: &Head, canvas: &mut Canvas) -> bool {
        canvas.points(&self.points, class_colour(2));
        true
    }
}
