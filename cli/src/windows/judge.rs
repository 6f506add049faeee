//! What `cnnc evaluate --slide` says of windows.

use super::{Args, Finding, stated};
use crate::{Failure, print};
use cnnc::train::{Annotations, Precision, TrainError, found_by_windows};
use cnnc::{Model, Options, Weights};
use serde_json::json;
use std::path::Path;
use std::time::Instant;

/// What boxes of windows are judged by.
pub struct Judge<'a> {
    /// Pictures with boxes.
    pub folder: &'a Path,
    /// Which windows there are.
    pub windows: &'a Args,
    /// Which become boxes.
    pub finding: &'a Finding,
    /// Threads to run on.
    pub threads: usize,
    /// Whether tools are listening.
    pub json: bool,
}

impl Judge<'_> {
    /// Slides over all pictures that judge, and prints what each class came to.
    pub fn show(&self, model: &Model, weights: &Weights, start: Instant) -> Result<(), Failure> {
        let data = Annotations::open(self.folder)?;
        print::broken(&data.left_out);
        let pictures = data.to_judge();
        let options = Options::new().threads(self.threads);
        let mut sliding = self.windows.sliding(model, weights, &options)?;
        let head = model.head();
        let set = (self.finding.keep, self.finding.iou);
        let finding = self.windows.finding(&head, set)?;
        let scales = self.windows.scales();
        let classes = sliding.classes();
        let labels: Vec<String> = (0..classes).map(|of| head.label(of).into_owned()).collect();
        let objects: Vec<usize> = (0..classes)
            .filter(|class| Some(*class) != finding.background)
            .collect();
        let known = data.labels();
        let is_object = |label: &String| objects.iter().any(|&of| labels[of] == *label);
        if !known.iter().any(is_object) {
            let ours: Vec<&str> = objects.iter().map(|&of| labels[of].as_str()).collect();
            return Err(Failure::Train(TrainError::Network(format!(
                "no box of {} is of a class of `{}`: these are of {}, and its windows show {}",
                self.folder.display(),
                model.graph().name,
                known.join(", "),
                ours.join(", ")
            ))));
        }
        let found = found_by_windows(
            &mut sliding,
            &pictures,
            &labels,
            scales,
            &finding,
            self.threads,
        );
        let (precision, broken) = found?;
        print::broken(&broken);
        let count = pictures.len() - broken.len();
        let broken = [data.left_out, broken].concat();
        let seconds = start.elapsed().as_secs_f64();
        let rows = objects
            .iter()
            .map(|&class| Row::new(&labels, class, &precision));
        let rows: Vec<Row> = rows.collect();
        let others: Vec<String> = known.into_iter().filter(|of| !is_object(of)).collect();
        if self.json {
            let classes = rows.iter().map(Row::to_json);
            return Ok(print::json(&json!({
                "pictures": count, "scales": scales, "keep": finding.keep, "iou": finding.iou,
                "classes": classes.collect::<Vec<_>>(), "not_looked_for": others, "broken": broken, "seconds": seconds,
            }))?);
        }
        let columns = [
            "class",
            ">boxes",
            ">found",
            ">right",
            ">recall",
            ">precision",
            ">average precision",
        ];
        let mut table = print::table(&columns);
        for row in rows {
            table.add_row(row.cells());
        }
        let scales: Vec<String> = scales.iter().map(f64::to_string).collect();
        print::line(format_args!(
            "{count} pictures in {seconds:.1} s, at the scales {}\n{}, right at an intersection over union of .5\n{table}",
            scales.join(", "),
            stated(&finding, &head)
        ))?;
        if !others.is_empty() {
            print::line(format_args!("not looked for: {}", others.join(", ")))?;
        }
        Ok(())
    }
}

/// What a class came to.
struct Row {
    label: String,
    there: usize,
    found: usize,
    right: usize,
    average: Option<f64>,
}

impl Row {
    fn new(labels: &[String], class: usize, precision: &Precision) -> Row {
        let (found, right) = (precision.found(class), precision.right(class));
        Row {
            label: labels[class].clone(),
            there: precision.there(class),
            found,
            right,
            average: precision.averages()[class],
        }
    }

    fn recall(&self) -> Option<f64> {
        share(self.right, self.there)
    }

    fn precision(&self) -> Option<f64> {
        share(self.right, self.found)
    }

    fn to_json(&self) -> serde_json::Value {
        json!({
            "class": self.label, "boxes": self.there, "found": self.found, "right": self.right,
            "recall": self.recall(), "precision": self.precision(), "average_precision": self.average,
        })
    }

    fn cells(&self) -> Vec<String> {
        let percent = |share: Option<f64>| match share {
            Some(share) => format!("{:.1} %", 100.0 * share),
            None => "–".to_owned(),
        };
        vec![
            self.label.clone(),
            self.there.to_string(),
            self.found.to_string(),
            self.right.to_string(),
            percent(self.recall()),
            percent(self.precision()),
            percent(self.average),
        ]
    }
}

fn share(part: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}
