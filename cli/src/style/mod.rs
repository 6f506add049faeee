//! `cnnc style`: a picture with the content of one and the style of another.

mod args;
mod sheets;
mod steps;

pub use args::Args;

use crate::{Failure, network, outputs, print, spec};
use args::{name, options};
use cnnc::rt::image::Picture;
use cnnc::train::picture::{By, Costs, Style, StyleOptions, curves};
use serde_json::{Value, json};
use sheets::{each, grams};
use std::path::{Path, PathBuf};
use std::time::Instant;
use steps::{on_the_way, steps};

/// Changes the picture.
pub fn run(args: &Args) -> Result<(), Failure> {
    let start = Instant::now();
    let model = spec::compile(&args.spec)?;
    if !args.json {
        print::diagnostics(model.warnings());
    }
    let written = [&args.out].into_iter().chain(&args.curves);
    let given = [&args.spec, &args.weights, &args.picture, &args.with];
    let read = model.files().iter().chain(given).map(PathBuf::as_path);
    let read: Vec<&Path> = read.collect();
    outputs::apart(written.map(PathBuf::as_path), read.iter().copied())?;
    on_the_way(args, &read)?;
    match args.each || args.gram {
        true => outputs::sheets([args.out.as_path()], true)?,
        false => outputs::pictures([args.out.as_path()])?,
    }
    outputs::sheets(args.curves.as_deref(), false)?;
    let weights = network::open(&args.weights)?;
    let content = Picture::open(&args.picture)?;
    let style = Picture::open(&args.with)?;
    if args.gram {
        return grams(args, &model, &weights, [&content, &style]);
    }
    let options = options(args);
    if args.each {
        return each(args, &model, &weights, [&content, &style], &options);
    }
    let mut transfer = Style::new(&model, &weights, &content, &style, &options)?;
    let prepared = start.elapsed().as_secs_f64();
    if !args.json {
        print::line(opening(&transfer, &options, prepared))?;
    }
    let first = transfer.last()?;
    steps(args, &mut transfer)?;
    let last = transfer.last()?;
    outputs::picture(&transfer.picture(), &args.out)?;
    if let Some(path) = &args.curves {
        let all: Vec<Costs> = transfer.costs().iter().copied().chain([last]).collect();
        let name = format!(
            "{}: {} in the style of {}",
            model.graph().name,
            name(&args.picture),
            name(&args.with)
        );
        curves(&name, &all, &options).write(path)?;
        print::wrote(path);
    }
    let seconds = start.elapsed().as_secs_f64();
    if args.json {
        return Ok(print::json(&to_json(&transfer, [first, last], seconds))?);
    }
    let taken = transfer.costs().len();
    let each = 1e3 * (seconds - prepared) / taken.max(1) as f64;
    print::line(format_args!(
        "{}\n{} after {taken} steps, {} evaluations ({seconds:.1} s, {} ms a step)",
        table(first, last),
        args.out.display(),
        transfer.evaluations(),
        print::ms(each),
    ))?;
    Ok(())
}

fn listed<'l>(layers: impl Iterator<Item = (&'l str, f64)>) -> String {
    let layers = layers.map(|(label, weight)| match weight == 1.0 {
        true => label.to_owned(),
        false => format!("{label}={weight:.3}"),
    });
    layers.collect::<Vec<_>>().join(" ")
}

fn opening(transfer: &Style, options: &StyleOptions, seconds: f64) -> String {
    let [height, width] = transfer.extents();
    let (state, rest) = transfer.bytes();
    let by = match options.by {
        By::Adam => format!("Adam, rate {} falling like half a cosine", options.rate),
        By::Lbfgs => "L-BFGS".to_owned(),
    };
    format!(
        "{width}x{height}, content {}, style {}, alpha {}, beta {}\n{by}; tensors and picture {}, activations and gradients {}; compiled in {seconds:.2} s",
        listed(transfer.content()),
        listed(transfer.style()),
        options.alpha,
        options.beta,
        print::bytes(state),
        print::bytes(rest),
    )
}

/// What each part cost at first and in the end.
fn table(first: Costs, last: Costs) -> comfy_table::Table {
    let mut table = print::table(&["cost", ">first", ">last", ">share"]);
    let mut row = |name: &str, of: fn(&Costs) -> f64| {
        let (first, last) = (of(&first), of(&last));
        let share = if first > 0.0 {
            format!("{:.4}", last / first)
        } else {
            "–".to_owned()
        };
        table.add_row([
            name.to_owned(),
            format!("{first:.4e}"),
            format!("{last:.4e}"),
            share,
        ]);
    };
    row("content", |costs| costs.content);
    row("style", |costs| costs.style);
    row("variation", |costs| costs.variation);
    row("J", |costs| costs.total);
    table
}

fn to_json(transfer: &Style, [first, last]: [Costs; 2], seconds: f64) -> Value {
    let value = |costs: &Costs| json!({ "content": costs.content, "style": costs.style, "variation": costs.variation, "total": costs.total });
    json!({
        "first": value(&first),
        "last": value(&last),
        "steps": transfer.costs().iter().map(value).collect::<Vec<Value>>(),
        "evaluations": transfer.evaluations(),
        "seconds": seconds,
    })
}
