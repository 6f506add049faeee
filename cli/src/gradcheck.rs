//! `cnnc gradcheck`: gradients compared with differences in f64.

use crate::{Failure, network, print, spec};
use cnnc::compiler::gradient::check::{self, Number, Row, TOLERANCE, Verdict};
use cnnc::compiler::shape::Shape;
use serde_json::{Value, json};
use std::path::PathBuf;

/// What may be written behind `gradcheck`.
#[derive(clap::Args)]
pub struct Args {
    /// The spec, `-` for its text on standard input, or the name of a network of the zoo
    #[arg(value_name = "SPEC", value_parser = network::spec())]
    spec: PathBuf,
    /// Print elements too, of the network as a whole: their values, gradients and differences; for small networks
    #[arg(long)]
    show: bool,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Checks every layer's gradient, and fails if one is not that of differences.
pub fn run(args: &Args) -> Result<(), Failure> {
    let model = spec::compile(&args.spec)?;
    let graph = model.graph();
    // What is too large is told before anything takes time.
    let numbers = match args.show {
        true => Some(check::numbers(graph)?),
        false => None,
    };
    let rows = check::network(graph, print::progress());
    let wrong = rows.iter().filter(|row| !passes(row.error()));
    let mut wrong: Vec<String> = wrong.map(|row| row.label.clone()).collect();
    let shown = numbers.iter().flatten();
    let failed = shown.filter(|number| number.verdict == Verdict::Fail);
    wrong.extend(failed.map(|number| number.tensor.clone()));
    if args.json {
        print::json(&to_json(
            &graph.name,
            &rows,
            numbers.as_deref(),
            wrong.is_empty(),
        ))?;
    } else {
        print::diagnostics(model.warnings());
        print::line(to_text(&graph.name, &rows, numbers.as_deref()))?;
    }
    match wrong.is_empty() {
        true => Ok(()),
        // In JSON the errors are the result; there is nothing to add.
        false if args.json => Err(Failure::Reported),
        false => Err(Failure::Gradients(wrong)),
    }
}

fn passes(error: f64) -> bool {
    error <= TOLERANCE
}

fn verdict(passes: bool) -> &'static str {
    if passes { "pass" } else { "FAIL" }
}

/// `3x8x8`, `16x4x4, 16`
fn shapes(shapes: &[Shape]) -> String {
    let shapes: Vec<String> = shapes.iter().map(ToString::to_string).collect();
    shapes.join(", ")
}

fn to_text(model: &str, rows: &[Row], numbers: Option<&[Number]>) -> String {
    let headings = ["layer", "", "operands", "checked on", ">error", "of", ""];
    let mut table = print::table(&headings);
    for row in rows {
        let of = match &row.found {
            Err(error) => error.why.clone(),
            Ok(found) => {
                let worst = found
                    .iter()
                    .filter_map(|entry| Some((entry.error?, &entry.of)));
                let worst = worst.max_by(|a, b| a.0.total_cmp(&b.0));
                worst.map(|(_, of)| of.clone()).unwrap_or_default()
            }
        };
        let checked = match row.checked == row.operands {
            true => "all of them".to_owned(),
            false => shapes(&row.checked),
        };
        table.add_row([
            row.label.clone(),
            row.layer.clone(),
            shapes(&row.operands),
            checked,
            format!("{:.1e}", row.error()),
            of,
            verdict(passes(row.error())).to_owned(),
        ]);
    }
    let mut text = format!(
        "Gradients of {model}, each layer by itself, against differences in f64: the largest relative error, of {TOLERANCE:.0e} at most.\n\
         Weights are functions of their names; operands, cotangents and directions are random, and the same in every run.\n\n{}",
        table.trim_fmt()
    );
    if let Some(numbers) = numbers {
        let headings = [
            "tensor",
            "element",
            ">value",
            ">gradient",
            ">difference",
            ">error",
            "",
        ];
        let mut table = print::table(&headings);
        for number in numbers {
            table.add_row([
                number.tensor.clone(),
                place(&number.index),
                format!("{:.9}", number.x),
                format!("{:+.9e}", number.analytic),
                format!("{:+.9e}", number.numeric),
                format!("{:.1e}", number.error),
                match number.verdict {
                    Verdict::Kink => "kink",
                    other => verdict(other == Verdict::Pass),
                }
                .to_owned(),
            ]);
        }
        text += &format!(
            "\n\nElements of the network as a whole.\n\n{}",
            table.trim_fmt()
        );
    }
    text
}

/// `[0, 3, 4]`
fn place(index: &[usize]) -> String {
    let index: Vec<String> = index.iter().map(usize::to_string).collect();
    format!("[{}]", index.join(", "))
}

/// A number, or what it is instead: JSON has neither infinity nor NaN.
fn finite(error: f64) -> Value {
    match error.is_finite() {
        true => json!(error),
        false => Value::Null,
    }
}

fn to_json(model: &str, rows: &[Row], numbers: Option<&[Number]>, passed: bool) -> Value {
    let dims = |shapes: &[Shape]| -> Vec<Vec<usize>> {
        shapes.iter().map(|shape| shape.dims().to_vec()).collect()
    };
    let layers = rows.iter().map(|row| {
        let found = row.found.iter().flatten();
        let found = found.map(|entry| json!({ "of": entry.of, "error": entry.error.map(finite) }));
        json!({
            "label": row.label,
            "layer": row.layer,
            "operands": dims(&row.operands),
            "checked": dims(&row.checked),
            "error": finite(row.error()),
            "gradients": found.collect::<Vec<_>>(),
            "why_none": row.found.as_ref().err().map(|error| &error.why),
            "pass": passes(row.error()),
        })
    });
    let mut report = json!({
        "model": model,
        "tolerance": TOLERANCE,
        "layers": layers.collect::<Vec<_>>(),
        "pass": passed,
    });
    if let Some(numbers) = numbers {
        let numbers = numbers.iter().map(|number| {
            json!({
                "tensor": number.tensor,
                "element": number.index,
                "value": number.x,
                "gradient": number.analytic,
                "difference": number.numeric,
                "error": finite(number.error),
                "verdict": format!("{:?}", number.verdict).to_lowercase(),
            })
        });
        report["elements"] = numbers.collect();
    }
    report
}
