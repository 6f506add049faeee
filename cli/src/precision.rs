//! What `cnnc evaluate` says of networks that find boxes.

use crate::{Failure, print};
use cnnc::train::{Definition, Precision};
use serde_json::{Map, Value, json};

/// What a detector came to.
pub struct Found<'f> {
    /// Boxes, found and there.
    pub precision: &'f Precision,
    /// Names of the classes.
    pub labels: &'f [String],
    /// What it was judged by, in a few words.
    pub kind: &'f str,
    /// What is broken and was left out.
    pub broken: &'f [String],
    /// How long all of it took.
    pub seconds: f64,
}

impl Found<'_> {
    /// Prints the average precision of each class and their mean, as each definition has it.
    pub fn show(&self, as_json: bool) -> Result<(), Failure> {
        match as_json {
            true => print::json(&self.to_json())?,
            false => print::line(self.to_text())?,
        }
        Ok(())
    }

    fn label(&self, class: usize) -> String {
        let known = self.labels.get(class).cloned();
        known.unwrap_or_else(|| class.to_string())
    }

    fn to_text(&self) -> String {
        let percent = |share: Option<f64>| match share {
            Some(share) => format!("{:.1} %", 100.0 * share),
            None => "–".to_owned(),
        };
        let mut table = print::table(&[
            "class",
            ">boxes",
            ">VOC 2007",
            ">VOC 2010",
            ">COCO",
            ">COCO .5",
            ">COCO .75",
        ]);
        let precision = self.precision;
        for class in 0..precision.classes() {
            let averages = Definition::ALL.map(|by| percent(precision.average(class, by)));
            let first = [self.label(class), precision.there(class).to_string()];
            table.add_row(first.into_iter().chain(averages));
        }
        if precision.classes() > 1 {
            let boxes: usize = (0..precision.classes())
                .map(|class| precision.there(class))
                .sum();
            let means = Definition::ALL.map(|by| percent(Some(precision.mean_by(by))));
            let first = ["mean".to_owned(), boxes.to_string()];
            table.add_row(first.into_iter().chain(means));
        }
        format!(
            "{} in {:.1} s\nmAP {} at an intersection over union of .5\naverage precision:\n{table}",
            self.kind,
            self.seconds,
            percent(Some(precision.mean()))
        )
    }

    fn to_json(&self) -> Value {
        let precision = self.precision;
        let rows = (0..precision.classes()).map(|class| {
            let mut row = json!({
                "class": self.label(class),
                "boxes": precision.there(class),
                "found": precision.found(class),
                "average_precision": precision.average(class, Definition::Voc2010),
            });
            for by in Definition::ALL {
                row[by.name()] = json!(precision.average(class, by));
            }
            row
        });
        let means = Definition::ALL.map(|by| (by.name().to_owned(), json!(precision.mean_by(by))));
        json!({
            "map50": precision.mean(),
            "means": Map::from_iter(means),
            "classes": rows.collect::<Vec<Value>>(),
            "broken": self.broken,
            "seconds": self.seconds,
        })
    }
}
