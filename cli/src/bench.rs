//! `cnnc bench`: how fast a network is on this machine.

use crate::{Failure, inputs, network, print};
use cnnc::bench::{Report, Settings};
use cnnc::{Backend, Network, Weights};
use serde_json::{Value, json};
use std::time::Duration;

/// What may be written behind `bench`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    network: network::Args,
    /// How long to measure
    #[arg(long, default_value_t = 1.0, value_name = "S", value_parser = seconds)]
    seconds: f64,
    /// Measure every layer as well
    #[arg(long)]
    layers: bool,
    /// Print the figures as JSON
    #[arg(long)]
    pub json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.001..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds between 0.001 and 86400 is expected".to_owned()),
    }
}

/// Measures and prints.
pub fn run(args: &Args) -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        print::warning("this cnnc was built without optimisation; its figures say nothing");
    }
    let model = args.network.model(args.json)?;
    let weights = match args.network.weights {
        None if args.network.imported().is_none() => Weights::synthetic(),
        _ => args.network.weights(&model)?,
    };
    let network = args.network.network(&model, &weights, Backend::Jit, &[])?;
    let sample = inputs::synthetic(network.inputs())?;
    let samples = vec![&sample; network.batch()];
    let images = inputs::together(&samples)?;
    let settings = Settings {
        budget: Duration::from_secs_f64(args.seconds),
        layers: args.layers,
    };
    let whole = args.seconds * if args.layers { 2.1 } else { 1.1 };
    if whole > 2.0 && !args.json {
        print::patience(format_args!("measuring for {whole:.0} seconds"));
    }
    let report = cnnc::bench::run(&network, &inputs::views(&images), &settings)?;
    match args.json {
        true => print::json(&to_json(args, &network, &report))?,
        false => print::line(to_text(&network, &report))?,
    }
    Ok(())
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn to_text(network: &Network, report: &Report) -> String {
    let times = &report.times;
    let mut text = format!("{} on {}", network.name(), network.isa());
    let mut line = |name: &str, value: String| text += &format!("\n{name:<10}{value}");
    let of = match report.images {
        1 => String::new(),
        images => format!(" for {images} images"),
    };
    line(
        "median",
        format!("{} ms{of} ({} runs)", print::ms(times.median), times.runs),
    );
    line(
        "min, p99",
        format!("{} ms, {} ms", print::ms(times.min), print::ms(times.p99)),
    );
    let peak = format!(
        "{} of the {:.0} measured peak",
        percent(report.peak_share),
        report.peak_gflops
    );
    let rate = report.images as f64 * 1e3 / times.median;
    line("images/s", format!("{rate:.1}"));
    line("GFLOP/s", format!("{:.1}, {peak}", report.gflops));
    line(
        "compile",
        format!("{} ms", print::ms(milliseconds(report.compile))),
    );
    line(
        "load",
        format!("{} ms", print::ms(milliseconds(report.load))),
    );
    if !report.layers.is_empty() {
        let headings = ["layer", "", ">median ms", ">share", ">GFLOP/s", ">of peak"];
        let mut table = print::table(&headings);
        let sum: f64 = report.layers.iter().map(|row| row.times.median).sum();
        for row in &report.layers {
            let (gflops, peak) = match row.macs {
                0 => (String::new(), String::new()),
                _ => (format!("{:.1}", row.gflops), percent(row.peak_share)),
            };
            let median = print::ms(row.times.median);
            let share = percent(row.times.median / sum);
            table.add_row([&row.label, &row.layer, &median, &share, &gflops, &peak]);
        }
        text += &format!("\n\n{}", table.trim_fmt());
    }
    text
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn to_json(args: &Args, network: &Network, report: &Report) -> Value {
    let layers = report.layers.iter().map(|row| {
        json!({
            "label": row.label,
            "layer": row.layer,
            "macs": row.macs,
            "median_ms": row.times.median,
            "min_ms": row.times.min,
            "p99_ms": row.times.p99,
            "gflops": row.gflops,
            "peak_share": row.peak_share,
        })
    });
    json!({
        "model": network.name(),
        "isa": network.isa().name(),
        "threads": args.network.threads(),
        "batch": report.images,
        "images_per_s": report.images as f64 * 1e3 / report.times.median,
        "session_bytes": network.session_bytes(),
        "runs": report.times.runs,
        "median_ms": report.times.median,
        "min_ms": report.times.min,
        "p99_ms": report.times.p99,
        "macs": report.macs,
        "gflops": report.gflops,
        "peak_gflops": report.peak_gflops,
        "peak_share": report.peak_share,
        "compile_ms": milliseconds(report.compile),
        "load_ms": milliseconds(report.load),
        "layers": layers.collect::<Vec<_>>(),
    })
}
