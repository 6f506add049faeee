//! `cnnc summary`: layers, shapes, parameters, costs.

use crate::{Failure, network, onnx, print, target};
use cnnc::compiler::words;
use cnnc::{Fold, Summary};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What may be written behind `summary`.
#[derive(clap::Args)]
pub struct Args {
    /// The spec, `-` for its text on standard input, an .onnx, or the name of a network of the zoo
    #[arg(value_name = "SPEC", value_parser = network::spec())]
    spec: PathBuf,
    #[command(flatten)]
    open: onnx::Open,
    /// Show every layer, repeated ones too
    #[arg(long, visible_alias = "all")]
    unfold: bool,
    /// Show what each convolution would cost as a dense layer: a weight for each pair of an input and an output
    #[arg(long)]
    dense_equivalent: bool,
    #[command(flatten)]
    target: target::Args,
    /// Print it as JSON, with every layer
    #[arg(long)]
    pub json: bool,
}

/// Prints the summary.
pub fn run(args: &Args) -> Result<(), Failure> {
    let model = onnx::model(&args.spec, &args.open)?;
    let summary = model.summary(&args.target.options())?;
    if args.json {
        return Ok(print::json(&to_json(&summary))?);
    }
    print::diagnostics(model.warnings());
    let folds = match args.unfold {
        true => &[],
        false => summary.folds.as_slice(),
    };
    print::line(to_text(&summary, folds, args.dense_equivalent))?;
    Ok(())
}

/// The summary as people read it, with one row in place of each fold.
fn to_text(summary: &Summary, folds: &[Fold], as_dense: bool) -> String {
    let mut text = summary.name.clone();
    for doc in summary.doc.lines() {
        text += &format!("\n  {doc}");
    }
    let columns = ["layer", "", ">output", ">parameters", ">MACs", ">as dense"];
    let columns = &columns[..columns.len() - usize::from(!as_dense)];
    let mut table = print::table(columns);
    let mut add = |cells: [&str; 6]| {
        table.add_row(&cells[..columns.len()]);
    };
    for (name, shape) in &summary.inputs {
        add([name, "input", &print::shape(shape), "", "", ""]);
    }
    let count = |number: u64| match number {
        0 => String::new(),
        number => words::thousands(number),
    };
    let mut shown = 0;
    while shown < summary.rows.len() {
        if let Some(fold) = folds.iter().find(|fold| fold.rows.start == shown) {
            let rows = &summary.rows[fold.rows.clone()];
            let parameters = rows.iter().map(|row| row.parameters).sum();
            let macs = rows.iter().map(|row| row.macs).sum();
            let dense = rows.iter().filter_map(|row| row.dense_equivalent);
            let output = rows.last().map(|row| print::shape(&row.output));
            add([
                &fold.label,
                &match fold.times {
                    1 => format!("as {}", fold.like),
                    times => format!("×{times}, each as {}", fold.like),
                },
                &output.unwrap_or_default(),
                &count(parameters),
                &count(macs),
                &count(dense.fold(0, u64::saturating_add)),
            ]);
            shown = fold.rows.end;
            continue;
        }
        let row = &summary.rows[shown];
        shown += 1;
        let parameters = match row.shared {
            true => "(shared)".to_owned(),
            false => count(row.parameters),
        };
        let output = print::shape(&row.output);
        add([
            &row.label,
            &row.written,
            &output,
            &parameters,
            &count(row.macs),
            &count(row.dense_equivalent.unwrap_or(0)),
        ]);
    }
    text += &format!("\n{}\n", table.trim_fmt());
    let mut total = |name: &str, value: String| text += &format!("\n{name:<14}{value}");
    total("parameters", words::thousands(summary.parameters));
    total("MACs", words::thousands(summary.macs));
    if as_dense {
        let dense = summary.rows.iter().filter_map(|row| row.dense_equivalent);
        let dense = dense.fold(0, u64::saturating_add);
        let times = dense as f64 / summary.parameters.max(1) as f64;
        total(
            "as dense",
            format!(
                "{} weights and MACs, {times:.0} times the parameters",
                words::thousands(dense)
            ),
        );
    }
    total(
        "weights",
        format!(
            "{} packed for {}",
            print::bytes(summary.weight_bytes),
            summary.isa
        ),
    );
    total(
        "arena",
        match summary.batch {
            1 => format!("{} for each session", print::bytes(summary.arena_bytes)),
            images => format!(
                "{} for each session of {images} images",
                print::bytes(summary.arena_bytes)
            ),
        },
    );
    total("architecture", summary.hash.clone());
    if !summary.defaults.is_empty() {
        total("defaults", summary.defaults.join(", "));
    }
    text
}

fn to_json(summary: &Summary) -> Value {
    let inputs = summary
        .inputs
        .iter()
        .map(|(name, shape)| json!({ "name": name, "shape": shape }));
    let layers = summary.rows.iter().map(|row| {
        let attributes = row
            .attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value.to_string())));
        json!({
            "label": row.label,
            "layer": row.layer,
            "attributes": attributes.collect::<serde_json::Map<_, _>>(),
            "output": row.output,
            "parameters": row.parameters,
            "shared": row.shared,
            "macs": row.macs,
            "dense_equivalent": row.dense_equivalent,
        })
    });
    json!({
        "model": summary.name,
        "doc": summary.doc,
        "inputs": inputs.collect::<Vec<_>>(),
        "layers": layers.collect::<Vec<_>>(),
        "parameters": summary.parameters,
        "macs": summary.macs,
        "arena_bytes": summary.arena_bytes,
        "batch": summary.batch,
        "weight_bytes": summary.weight_bytes,
        "isa": summary.isa.name(),
        "hash": summary.hash,
    })
}
