//! `cnnc run`: a network's answer to pictures or tensors.

mod args;
mod grid;
mod many;
mod many_args;
mod slide;

pub use args::Args;
pub use many::{Pace, measured};

use crate::answer::{self, Comparison, Context};
use crate::compare::Compared;
use crate::raw::Raw;
use crate::{Failure, finite, inputs, onnx, outputs, print};
use args::Synthetic;
use cnnc::{Answer, Network};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Runs the network on every input and prints the answers.
pub fn run(args: &Args) -> Result<(), Failure> {
    if onnx::is_one(&args.network.spec) {
        let pictures = args
            .look
            .pictures(args.letterbox.as_deref(), args.labels.as_deref())?;
        args.network
            .import(pictures, onnx::extents(&args.files), args.json)?;
    } else if args.look.is_given() || args.letterbox.is_some() || args.labels.is_some() {
        return Err(Failure::NotOnnx);
    }
    let model = args.network.model(args.json)?;
    let written = [&args.raw, &args.out, &args.draw, &args.draw_all, &args.heat];
    let written = written.into_iter().flatten().map(PathBuf::as_path);
    let written = written.filter(|path| !many::is_pipe(path));
    let files = args.files.iter().map(PathBuf::as_path);
    let files = files.chain(args.compare.file());
    outputs::apart(written, args.network.read(&model).chain(files))?;
    let pictures = [&args.out, &args.draw, &args.draw_all, &args.heat];
    let pictures = pictures.into_iter().flatten().map(PathBuf::as_path);
    let imported = args.network.imported();
    let tensors = !args.files.is_empty() && args.files.iter().all(|file| inputs::is_tensors(file));
    // Tensors for an .onnx are for its inputs, as its axes have them.
    let as_filed = imported.is_some() && (tensors || args.files.is_empty());
    let many = !args.slide && args.input.is_none() && !as_filed && many::is_many(args, &model);
    if !many {
        outputs::pictures(pictures)?;
    }
    let mut compare = args.compare.begin()?;
    let weights = args.network.weights(&model)?;
    if let Some(imported) = imported.filter(|_| !tensors && args.input.is_none()) {
        onnx::warn(imported);
    }
    if args.slide {
        return slide::run(args, &model, &weights);
    }
    if many {
        return many::run(args, &model, &weights);
    }
    let network = args
        .network
        .network(&model, &weights, args.backend, &args.tap)?;
    // Before the inputs: what a run needs most memory for is told as a whole.
    let mut session = network.session()?;
    let mut read = Vec::new();
    // For tools, a file of several that is broken is one result less.
    let mut broken = Vec::new();
    let samples = match args.input {
        Some(Synthetic::Synthetic) => vec![inputs::synthetic(network.inputs())?],
        None if imported.is_some() && args.files.is_empty() => {
            if !args.json {
                print::warning("no input is given: the network runs on made-up numbers");
            }
            vec![inputs::synthetic(network.inputs())?]
        }
        None if imported.is_some() && tensors => {
            let samples;
            (samples, read) = onnx::samples(imported.expect("it was imported"), &args.files)?;
            samples
        }
        None if args.json && is_printed_alone(args) => {
            inputs::read_unbroken(&model, network.inputs(), &args.files, &mut broken)?
        }
        None => inputs::read(&model, network.inputs(), &args.files)?,
    };
    for (flag, path) in [
        ("--out", &args.out),
        ("--draw", &args.draw),
        ("--draw-all", &args.draw_all),
    ] {
        if path.is_some() && samples.len() > 1 {
            return Err(Failure::OneOut(flag));
        }
    }
    let folder = args.raw.as_deref().filter(|path| onnx::is_folder(path));
    let mut file = imported
        .filter(|_| folder.is_some())
        .map(onnx::Results::new);
    let head = args.thresholds.apply(&model)?;
    let mut raw = Raw::default();
    let mut results = Vec::new();
    let mut answers = Vec::new();
    for batch in samples.chunks(network.batch()) {
        let inputs = inputs::together(batch)?;
        let start = Instant::now();
        let all = session.run(&inputs::views(&inputs))?;
        let time = start.elapsed();
        for (index, sample) in batch.iter().enumerate() {
            let outputs = all.image(index);
            raw.add(&outputs)?;
            if let Some(compare) = &mut compare {
                compare.add(&outputs, imported);
            }
            if let Some(file) = &mut file {
                file.add(&outputs);
            }
            let not_finite = network.not_finite(&sample.views(), &outputs)?;
            let found = outputs.answer(&head, &sample.placement(network.inputs()))?;
            if let Some(path) = &args.out {
                outputs::picture(answer::picture(&found)?, path)?;
            }
            if let Some(path) = &args.draw {
                let drawn = answer::draw(&head, &found, sample.picture("--draw")?)?;
                outputs::picture(&drawn, path)?;
            }
            if let Some(path) = &args.draw_all {
                let all = answer::without_suppression(&head);
                let all = outputs.answer(&all, &sample.placement(network.inputs()))?;
                let picture = sample.picture("--draw-all")?;
                let drawn = answer::side_by_side(&head, [&all, &found], &picture)?;
                outputs::picture(&drawn, path)?;
            }
            let of = Context {
                head: &head,
                taps: &args.tap,
                outputs: &outputs,
            };
            if args.json {
                let mut entry = answer::to_json(&found, &of);
                entry["input"] = json!(sample.name);
                entry["run_ms"] = json!(milliseconds(time));
                entry["not_finite"] = finite::to_json(&not_finite);
                results.push(entry);
            } else {
                finite::warn(&not_finite, (samples.len() > 1).then_some(&sample.name));
                if samples.len() > 1 {
                    print::line(format_args!("\x1b[1m{}\x1b[0m", sample.name))?;
                }
                print::line(answer::to_text(&found, &of))?;
            }
            if samples.len() == 1 && !args.json {
                print::patience(timing(&network, time));
            }
            if matches!(found, Answer::Embedding(_)) {
                answers.push(found);
            }
        }
    }
    let comparisons = Comparison::all(&head, &answers);
    if !args.json {
        for comparison in &comparisons {
            let other = &samples[comparison.index].name;
            print::line(comparison.to_text(&samples[0].name, other))?;
        }
    }
    if let Some(remark) = args.network.remark(&model).filter(|_| !args.json) {
        print::line(remark)?;
    }
    if let (Some(folder), Some(file)) = (folder, &file) {
        file.write(folder, &read)?;
    } else if let Some(folder) = folder {
        raw.write_each(folder)?;
    } else if let Some(path) = &args.raw {
        raw.write(path)?;
        print::wrote(path);
    }
    let compared = compare.map(|compare| compare.finish()).transpose()?;
    if args.json {
        let mut value = to_json(args, &network, results);
        if !comparisons.is_empty() {
            let entry = |comparison: &Comparison| {
                comparison.to_json(&samples[0].name, &samples[comparison.index].name)
            };
            value["comparisons"] = comparisons.iter().map(entry).collect();
        }
        value["compared"] = json!(compared.as_ref().map(Compared::json));
        if !broken.is_empty() {
            let entry = |(name, failure): &(String, Failure)| json!({ "input": name, "error": failure.to_string() });
            value["broken"] = broken.iter().map(entry).collect();
        }
        print::json(&value)?;
    } else if let Some(compared) = &compared {
        print::line(compared.text())?;
    }
    if !broken.is_empty() {
        return Err(Failure::LeftOut {
            broken: broken.len(),
            of: args.files.len(),
        });
    }
    compared.map_or(Ok(()), |compared| compared.verdict())
}

/// Whether nothing is written that is of all inputs, or of one alone.
fn is_printed_alone(args: &Args) -> bool {
    let written = [&args.raw, &args.out, &args.draw, &args.draw_all];
    args.compare.file().is_none() && written.into_iter().all(Option::is_none)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn timing(network: &Network, run: Duration) -> String {
    let ms = |duration| print::ms(milliseconds(duration));
    format!(
        "{} on {}: compiled in {} ms, weights in {} ms, run in {} ms",
        network.name(),
        network.isa(),
        ms(network.compile_time()),
        ms(network.load_time()),
        ms(run)
    )
}

fn to_json(args: &Args, network: &Network, answers: Vec<Value>) -> Value {
    json!({
        "model": network.name(),
        "isa": network.isa().name(),
        "backend": network.backend().name(),
        "threads": args.network.threads(),
        "batch": network.batch(),
        "weights": args.network.origin(),
        "compile_ms": milliseconds(network.compile_time()),
        "load_ms": milliseconds(network.load_time()),
        "notes": network.notes(),
        "unused": network.unused(),
        "results": answers,
    })
}
