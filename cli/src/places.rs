//! What `cnnc evaluate` says of networks that find one box, or points.

use crate::goals::Goals;
use crate::{Failure, print};
use cnnc::Model;
use cnnc::rt::answer::Task;
use cnnc::train::{Data, Place, Whereabouts, matrix, worst_places};
use serde_json::{Value, json};
use std::path::Path;

/// What was judged.
pub struct Placed<'j> {
    pub model: &'j Model,
    pub found: &'j Whereabouts,
    pub data: &'j Data,
    pub goals: &'j Goals<'j>,
    /// What is said of what pictures were taken for, if that is asked.
    pub named: Option<String>,
    pub seconds: f64,
}

/// Draws the confusion matrix and the worst pictures, as far as that is asked for.
pub fn draw(
    model: &Model,
    found: &Whereabouts,
    data: &Data,
    out: Option<&Path>,
    worst: Option<&Path>,
) -> Result<(), Failure> {
    if let Some(path) = out {
        let named = found.named.as_ref().ok_or(Failure::NothingDrawn)?;
        matrix(&model.graph().name, named, &found.located.names()).write(path)?;
        print::wrote(path);
    }
    if let Some(path) = worst {
        let pre = model.graph().inputs[0].pre.as_ref();
        let pre = pre.ok_or(Failure::NothingDrawn)?;
        worst_places(found, pre, &data.test, |sample| name(data, sample))?.write(path)?;
        print::wrote(path);
    }
    Ok(())
}

/// Where a sample comes from.
fn name(data: &Data, sample: usize) -> String {
    match data.test.name(sample) {
        Some(name) => name.to_owned(),
        None => format!("sample {sample}"),
    }
}

impl Placed<'_> {
    /// Prints it.
    pub fn show(&self, as_json: bool) -> Result<(), Failure> {
        let samples = self.data.test.len();
        let name = |sample| name(self.data, sample);
        if as_json {
            let mut value = json!({
                "samples": samples, "expected": self.goals.to_json(), "broken": self.data.broken, "seconds": self.seconds,
            });
            to_json(self.found, &self.found.located.names(), name, &mut value);
            return Ok(print::json(&value)?);
        }
        print::line(format_args!(
            "{samples} samples ({}) in {:.1} s\n{}",
            self.data.kind,
            self.seconds,
            written(self.found, self.model, name)
        ))?;
        if let Some(named) = &self.named {
            print::line(named)?;
        }
        self.goals.show()
    }
}

/// Whether boxes are found, not points.
fn are_boxes(found: &Whereabouts) -> bool {
    matches!(found.located.head().task, Task::Locate(_))
}

/// Columns of the network's input, if it has some.
fn width(model: &Model) -> Option<usize> {
    let graph = model.graph();
    let input = &graph.values[graph.inputs[0].value].shape;
    match *input.dims() {
        [_, _, columns] => Some(columns),
        _ => None,
    }
}

fn written(found: &Whereabouts, model: &Model, name: impl Fn(usize) -> String) -> String {
    let count = found.numbers.len();
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let mut out = if are_boxes(found) {
        let loose = found.numbers.iter().filter(|overlap| **overlap >= 0.5);
        format!(
            "mean IoU {} of {count} boxes, half of them at {} or more; {} of them at 50 % or more",
            percent(found.mean()),
            percent(found.quantile(0.5)),
            loose.count()
        )
    } else {
        let pixels = width(model).map_or_else(String::new, |width| {
            format!(" ({:.2} pixels)", found.mean() * width as f64)
        });
        let mut table = print::table(&[">point", ">mean error"]);
        for (point, error) in found.points.iter().enumerate() {
            table.add_row([point.to_string(), percent(*error)]);
        }
        format!(
            "mean error {} of the width{pixels} in {count} pictures; of half of them it is at most {}, of 95 % at most {}\n{table}",
            percent(found.mean()),
            percent(found.quantile(0.5)),
            percent(found.quantile(0.95)),
        )
    };
    let worst = found.worst.iter().take(5).map(|one| {
        let far = match (&one.known, one.worth.number) {
            (Place::Box(..), Some(overlap)) => format!("IoU {}", percent(overlap)),
            (_, Some(distance)) => format!("{} off", percent(distance)),
            (_, None) if one.worth.right == Some(false) => "what is there is wrong".to_owned(),
            (_, None) => "right".to_owned(),
        };
        format!("\n  {}: {far}", name(one.sample))
    });
    out += "\nthe worst:";
    out.extend(worst);
    out
}

fn to_json(
    found: &Whereabouts,
    names: &[String],
    name: impl Fn(usize) -> String,
    value: &mut Value,
) {
    let key = if are_boxes(found) {
        "mean_iou"
    } else {
        value["points"] = json!(found.points);
        "point_error"
    };
    value[key] = json!(found.mean());
    value["places"] = json!(found.numbers.len());
    if let Some(named) = &found.named {
        let classes = names.iter().zip(named.classes()).map(|(label, of)| {
            json!({ "label": label, "samples": of.samples, "precision": of.precision, "recall": of.recall })
        });
        value["accuracy"] = json!(named.accuracy());
        value["right"] = json!(named.right());
        value["classes"] = classes.collect();
        value["confusion"] = json!(named.confusion);
    }
    let worst = found.worst.iter().map(|one| {
        json!({ "sample": name(one.sample), "value": one.worth.number, "right": one.worth.right })
    });
    value["worst"] = worst.collect();
}
