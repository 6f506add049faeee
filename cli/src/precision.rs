//! What `cnnc evaluate` says of networks that find boxes.

use crate::{Failure, print};
use cnnc::Model;
use cnnc::train::Precision;
use serde_json::json;

/// Prints the average precision of each class, and their mean.
pub fn show(
    model: &Model,
    precision: &Precision,
    kind: &str,
    seconds: f64,
    as_json: bool,
) -> Result<(), Failure> {
    let head = model.head();
    let averages = precision.averages();
    if as_json {
        let rows = averages.iter().enumerate().map(|(class, average)| {
            json!({ "class": head.label(class), "boxes": precision.there(class), "average_precision": average })
        });
        let rows: Vec<_> = rows.collect();
        return Ok(print::json(
            &json!({ "map50": precision.mean(), "classes": rows, "seconds": seconds }),
        )?);
    }
    let percent = |share: Option<f64>| match share {
        Some(share) => format!("{:.1} %", 100.0 * share),
        None => "–".to_owned(),
    };
    let mut table = print::table(&["class", ">boxes", ">average precision"]);
    for (class, average) in averages.into_iter().enumerate() {
        let boxes = precision.there(class).to_string();
        table.add_row(vec![
            head.label(class).into_owned(),
            boxes,
            percent(average),
        ]);
    }
    print::line(format_args!(
        "{kind} in {seconds:.1} s\nmAP {} at an intersection over union of .5\n{table}",
        percent(Some(precision.mean()))
    ))?;
    Ok(())
}
